import { describe, expect, test } from "vitest";
import { describeLink, followLink } from "../../admin/sign-in/follow-link.ts";
import { signInTries } from "../../admin/sign-in/limits.ts";
import { createLink, lookAtLink, spendLink } from "../../admin/sign-in/links.ts";
import { matrixName, signIn } from "../../admin/sign-in/sign-in.ts";
import type { Context } from "../../core/context.ts";
import { ALICE, makeTenant, TENANT } from "../bots/tenant.ts";
import { testClock, testContext } from "../harness/postgres.ts";

async function link(ctx: Context, kind: "sign_in" | "password" = "sign_in") {
  const made = await createLink(ctx, { kind, tenantId: TENANT, userId: ALICE, createdBy: "anna", ttlMs: 60_000 });
  return { ...made, token: made.url.split("/").at(-1) ?? "" };
}

async function setUp(clock = testClock()) {
  const ctx = await testContext({ clock });
  await makeTenant(ctx);
  return { ctx, clock };
}

describe("a link", () => {
  test("its address is in the panel; the database has a hash of its token only", async () => {
    const { ctx } = await setUp();
    const { url, token } = await link(ctx);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/panel\/link\/[\w-]{43}$/);
    expect(JSON.stringify(await ctx.sql`select * from one_time_links`)).not.toContain(token);
  });

  test("of twenty at once one gets in, and it is used up after that", async () => {
    const { ctx } = await setUp();
    const { token } = await link(ctx);
    let worked = 0;
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, () =>
        spendLink(ctx, token, async () => {
          await ctx.sql`select pg_sleep(0.05)`; // work that needs a connection of its own
          worked++;
        }),
      ),
    );
    expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(worked).toBe(1);
    await expect(spendLink(ctx, token, async () => undefined)).rejects.toThrow("used already");
  });

  test("looking at it does not use it; what failed does not either", async () => {
    const { ctx } = await setUp();
    const { token } = await link(ctx);
    await lookAtLink(ctx, token);
    await expect(describeLink(ctx, token)).resolves.toMatchObject({
      kind: "sign_in",
      name: ALICE,
      client: { id: TENANT },
    });
    await expect(spendLink(ctx, token, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await followLink(ctx, token, { address: "192.0.2.1" })).toEqual({ tenantId: TENANT, userId: ALICE });
  });

  test("too old, withdrawn and unknown ones say so", async () => {
    const { ctx, clock } = await setUp();
    const [old, withdrawn] = [await link(ctx), await link(ctx)];
    await ctx.sql`update one_time_links set revoked_at = now() where id = ${withdrawn.id}`;
    await expect(describeLink(ctx, withdrawn.token)).rejects.toMatchObject({ code: "gone" });
    await expect(describeLink(ctx, "x".repeat(43))).rejects.toMatchObject({ code: "not_found" });
    clock.move(60_000);
    await expect(describeLink(ctx, old.token)).rejects.toThrow("too old");
    await expect(followLink(ctx, old.token, { address: "192.0.2.1" })).rejects.toThrow("too old");
  });

  test("a suspended person does not come in by one", async () => {
    const { ctx } = await setUp();
    await ctx.sql`insert into people (tenant_id, user_id, state) values (${TENANT}, ${ALICE}, 'suspended')`;
    await expect(followLink(ctx, (await link(ctx)).token, { address: "192.0.2.1" })).rejects.toThrow("suspended");
  });

  test("a new Matrix password that the homeserver did not get leaves the link as it was", async () => {
    const { ctx } = await setUp(); // nothing answers where its homeserver should be
    const { token } = await link(ctx, "password");
    await expect(followLink(ctx, token, { address: "192.0.2.1", password: "a-new-good-phrase" })).rejects.toMatchObject(
      {
        code: "homeserver_down",
      },
    );
    expect((await lookAtLink(ctx, token)).state).toBe("open");
    expect(await ctx.sql`select action, outcome from audit`).toMatchObject([{ outcome: "failed" }]);
  });
});

describe("who signs in", () => {
  test.each([
    ["@alice:acme.test", { localpart: "alice", serverName: "acme.test" }],
    [" Alice:acme.test ", { localpart: "alice", serverName: "acme.test" }],
    ["alice@acme.test", { localpart: "alice", serverName: "acme.test" }],
    ["@alice:acme.test:8448", { localpart: "alice", serverName: "acme.test:8448" }],
    ["admin", null],
    ["@", null],
    [":x", null],
  ])("%j", (typed, name) => {
    expect(matrixName(typed)).toEqual(name);
  });

  test("unknown names and servers, agents and the control bot all hear the same as a wrong password", async () => {
    const { ctx } = await setUp();
    for (const name of [
      "nobody",
      "@x:elsewhere.test",
      "@agent-writer:acme.test",
      "@agentopia:acme.test",
      "\u0001",
      "'; --",
    ])
      await expect(signIn(ctx, { name, password: "whatever" })).rejects.toMatchObject({
        problemCode: "wrong_password",
        message: expect.stringMatching(/^Name or password is wrong\./),
      });
  });

  test("a homeserver that is away is said, without its address", async () => {
    const { ctx } = await setUp();
    const error = await signIn(ctx, { name: ALICE, password: "whatever" }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: "homeserver_down" });
    expect(String(error)).not.toMatch(/127\.0\.0\.1|acme /);
  });
});

describe("tries", () => {
  test("a name has ten, whoever asks; they come back with time, and those that went well do not count", async () => {
    const clock = testClock();
    const { take } = signInTries({ clock });
    for (let n = 0; n < 50; n++) take({ address: "192.0.2.9", name: "Anna" }).forgive();
    for (let n = 0; n < 10; n++) take({ address: `192.0.2.${n}`, name: "Anna" });
    expect(() => take({ address: "192.0.2.99", name: " anna" })).toThrow(/wait 30 seconds/);
    take({ address: "192.0.2.99", name: "boris" });
    clock.move(30_000);
    take({ address: "192.0.2.99", name: "anna" });
  });

  test("an address has thirty, for whatever names", () => {
    const { take } = signInTries({ clock: testClock() });
    for (let n = 0; n < 30; n++) take({ address: "192.0.2.1", name: `name ${n}` });
    expect(() => take({ address: "192.0.2.1", name: "another" })).toThrow(/Too many/);
    take({ address: "192.0.2.2", name: "another" });
  });
});
