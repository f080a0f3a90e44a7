import { beforeEach, describe, expect, test } from "vitest";
import { writeAudit } from "../../admin/audit.ts";
import { auditSheet } from "../../admin/audit-sheet.ts";
import { csvCell } from "../../admin/csv.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { makeTenant, TENANT } from "../bots/tenant.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { type Api, type Asking, apiFor } from "./harness.ts";

let api: Api;
let operator: Asking;
let clock: ReturnType<typeof testClock>;
let ctx: Awaited<ReturnType<typeof testContext>>;

/** Twelve lines, a minute apart: agents of acme by olga, teams of other by otto, clients by the command line; then one by a token. */
beforeEach(async () => {
  clock = testClock();
  ctx = await testContext({ clock });
  await makeTenant(ctx);
  await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
  for (let n = 0; n < 12; n++) {
    clock.move(60_000);
    const [tenantId, actor, action] = [
      [TENANT, { kind: "person", id: "@olga:acme.test", name: "Olga" }, "agents.publish"],
      ["other", { kind: "person", id: "@otto:other.test", name: "Otto" }, "teams.write"],
      [null, { kind: "command_line", id: "root", name: "root" }, "clients.create"],
    ][n % 3] as [string | null, Parameters<typeof writeAudit>[1]["actor"], string];
    await writeAudit(ctx, {
      tenantId,
      actor,
      action,
      target: { kind: "thing", id: `thing-${n}`, name: `Thing ${n}` },
      before: { n: n - 1 },
      after: { n },
    });
  }
  await writeAudit(ctx, {
    tenantId: TENANT,
    actor: { kind: "person", id: "@olga:acme.test", name: '=HYPERLINK("http://evil")', onBehalfOf: "Olga" },
    action: "agents.pause",
    target: { kind: "agent", id: "writer", name: '"quoted",\nname' },
  });
  api = apiFor(ctx);
  operator = await api.operator();
});

const ids = (json: { items: { target: { id: string } }[] }) => json.items.map(({ target }) => target.id);

describe("filters", () => {
  test.each([
    ["", 13],
    ["actor=@olga:acme.test", 5],
    ["action=agents.publish", 4],
    ["action=agents", 5],
    ["action=agent", 0],
    ["target=writer", 1],
    ["q=otto", 4],
    ["q=THING 1", 3],
    ["q=%25", 0],
    ["q=_", 0],
    ["actor=nobody", 0],
    ["action=agents&actor=@olga:acme.test&q=quoted", 1],
  ])("%s finds %i", async (query, count) => {
    expect(ids((await operator("GET", `/audit?${query}`)).json)).toHaveLength(count);
  });

  test("from and to are moments, to is before it", async () => {
    const at = (minutes: number) => new Date(Date.UTC(2026, 0, 15, 12, minutes)).toISOString();
    expect(ids((await operator("GET", `/audit?from=${at(3)}&to=${at(5)}`)).json)).toEqual(["thing-3", "thing-2"]);
    expect(ids((await operator("GET", `/audit?from=${at(600)}`)).json)).toEqual([]);
    expect(ids((await operator("GET", `/audit?to=${at(-600)}`)).json)).toEqual([]);
    expect((await operator("GET", "/audit?from=yesterday")).status).toBe(400);
  });

  test("what they offer is what there is", async () => {
    const { json } = await operator("GET", "/audit/choices");
    expect(json.actions).toEqual(["agents.pause", "agents.publish", "clients.create", "teams.write"]);
    expect(json.actors[0]).toMatchObject({ id: "@olga:acme.test" });
  });
});

test("pages follow each other without a gap, with a text search too", async () => {
  for (const query of ["limit=4", "limit=3&q=thing"]) {
    const found: string[] = [];
    let cursor = "";
    do {
      const { json } = await operator("GET", `/audit?${query}${cursor}`);
      found.push(...ids(json));
      cursor = json.next === null ? "" : `&cursor=${json.next}`;
    } while (cursor);
    expect(found.filter((id) => id !== "writer")).toEqual(Array.from({ length: 12 }, (_, n) => `thing-${11 - n}`));
  }
  expect((await operator("GET", "/audit?cursor=nonsense")).status).toBe(400);
});

test("a search looks through so many lines at a time, and says where it goes on", async () => {
  await ctx.sql`insert into audit (actor_kind, actor_id, actor_name, action, target_kind, target_id)
    select 'operator', 'x', 'x', 'bulk.write', 'row', 'row' from generate_series(1, 2000)`;
  const first = (await operator("GET", "/audit?q=quoted")).json;
  expect([first.items.length, first.next === null]).toEqual([0, false]);
  const second = (await operator("GET", `/audit?q=quoted&cursor=${first.next}`)).json;
  expect([ids(second), second.next]).toEqual([["writer"], null]);
});

test("a client's owner and auditor read the client's lines only; managers and members none", async () => {
  for (const role of ["owner", "auditor"] as const) {
    const person = await api.person(TENANT, role);
    const lines = (await person("GET", `/clients/${TENANT}/audit`)).json;
    expect(new Set(lines.items.map(({ client }: { client: string }) => client))).toEqual(new Set([TENANT]));
    expect((await person("GET", "/clients/other/audit")).status).toBe(404);
    expect((await person("GET", "/audit")).status).toBe(403);
    expect((await person("GET", "/audit.csv")).status).toBe(403);
  }
  for (const role of ["manager", "member"] as const)
    expect((await (await api.person(TENANT, role))("GET", `/clients/${TENANT}/audit`)).status).toBe(403);
  expect((await operator("GET", "/clients/nowhere/audit.csv")).status).toBe(404);
});

test("the export holds what the filter finds, and nothing that a spreadsheet takes for a formula", async () => {
  const { json, headers } = await operator("GET", `/clients/${TENANT}/audit.csv?action=agents`);
  expect(headers.get("content-disposition")).toBe('attachment; filename="audit-acme.csv"');
  expect(json).toContain(`"'=HYPERLINK(""http://evil"")"`);
  expect(json).toContain('"""quoted"",\nname"');
  expect(json.split("\r\n").filter(Boolean)).toHaveLength(6);
  expect(csvCell("@x")).toBe("'@x");
});

test("an export stops at its bound", async () => {
  const filter = { tenantId: null };
  const linesOf = async (most?: number) => {
    let sheet = "";
    for await (const piece of auditSheet(ctx, filter, most)) sheet += piece;
    return sheet.split("\r\n").filter(Boolean).length;
  };
  expect([await linesOf(5), await linesOf(13), await linesOf()]).toEqual([6, 14, 14]);
});

test("an export goes on over many pages, without a gap", async () => {
  await ctx.sql`insert into audit (actor_kind, actor_id, actor_name, action, target_kind, target_id)
    select 'operator', 'x', 'x', 'bulk.write', 'row', n::text from generate_series(1, 2500) n`;
  const { json } = await operator("GET", "/audit.csv?action=bulk");
  const rows = json.split("\r\n").filter(Boolean).slice(1);
  expect(new Set(rows).size).toBe(2500);
});
