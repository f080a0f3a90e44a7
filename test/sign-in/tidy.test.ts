import { expect, test } from "vitest";
import { tidy } from "../../admin/tidy.ts";
import { DEFINITION, makeTenant, TENANT } from "../bots/tenant.ts";
import { testClock, testContext } from "../harness/postgres.ts";

const DAY = 86_400_000;

test("sessions, links and tokens go a month after they are over, and no day before", async () => {
  const clock = testClock();
  const ctx = await testContext({ clock });
  await ctx.sql`insert into operators (id, name) values ('op', 'Olga')`;
  const rows = { over: -31, justOver: -29, open: 1 };
  for (const [name, days] of Object.entries(rows)) {
    const ends = new Date(clock.now() + days * DAY);
    await ctx.sql`insert into sessions (id, token_hash, operator_id, expires_at) values (${name}, ${name}, 'op', ${ends})`;
    await ctx.sql`insert into one_time_links (id, token_hash, kind, operator_id, expires_at) values (${name}, ${name}, 'operator', 'op', ${ends})`;
    await ctx.sql`insert into api_tokens (id, name, token_hash, operator_id, scopes, expires_at) values (${name}, ${name}, ${name}, 'op', '[]', ${ends})`;
  }
  const far = new Date(clock.now() + 365 * DAY);
  const long = new Date(clock.now() - 40 * DAY);
  await ctx.sql`insert into sessions (id, token_hash, operator_id, expires_at, revoked_at) values ('revoked', 'revoked', 'op', ${far}, ${long})`;
  await tidy(ctx);
  await tidy(ctx);
  for (const table of ["sessions", "one_time_links", "api_tokens"]) {
    const left = await ctx.sql<{ id: string }[]>`select id from ${ctx.sql(table)} order by id`;
    expect([table, left.map(({ id }) => id)]).toEqual([table, ["justOver", "open"]]);
  }
});

test("pictures that no agent, no draft and no version shows go after a day", async () => {
  const clock = testClock();
  const ctx = await testContext({ clock });
  await makeTenant(ctx);
  const old = new Date(clock.now() - 2 * DAY);
  for (const id of ["shown", "drafted", "earlier", "loose"])
    await ctx.sql`insert into avatars (id, tenant_id, content_type, bytes, created_at) values (${id}, ${TENANT}, 'image/png', '\\x00', ${old})`;
  await ctx.sql`insert into avatars (id, tenant_id, content_type, bytes, created_at) values ('fresh', ${TENANT}, 'image/png', '\\x00', ${new Date(clock.now())})`;
  const face = (id: string) => ctx.sql.json({ ...DEFINITION, avatar: { kind: "uploaded", id } } as never);
  await ctx.sql`update agents set definition = ${face("shown")}, draft = ${face("drafted")} where id = 'writer'`;
  await ctx.sql`insert into agent_versions (agent_id, version, definition) values ('writer', 1, ${face("earlier")})`;
  await tidy(ctx);
  const left = await ctx.sql<{ id: string }[]>`select id from avatars order by id`;
  expect(left.map(({ id }) => id)).toEqual(["drafted", "earlier", "fresh", "shown"]);
});
