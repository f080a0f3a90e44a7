import { expect, test } from "vitest";
import { acceptInvite, FieldError } from "../../admin/accept-invite.ts";
import { createInvite, listInvites, revokeInvite } from "../../admin/invites.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "./homeserver.ts";

const PASSWORD = "correct-Horse-7";
const ENV = { AGENTOPIA_URL: "https://chat.example.org" };

async function link(ctx: Context, wish: Partial<Parameters<typeof createInvite>[1]> = {}) {
  const made = await createInvite(ctx, { tenantId: TENANT, ...wish });
  return { ...made, token: made.url.split("/join/")[1]! };
}

/** What came of it: `made`, or the error's code. */
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => "made",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

const uses = async (ctx: Context) => (await listInvites(ctx, TENANT)).map(({ uses }) => uses);

test("a link makes an account with its password and joins it to the team's space and rooms", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token, url } = await link(ctx, { teamName: "sales" });
  expect(url).toMatch(/^https:\/\/chat\.example\.org\/join\/[\w-]{43}$/);
  const made = await acceptInvite(ctx, { token, username: " Alice ", password: PASSWORD });
  expect(made).toEqual({ tenantId: TENANT, username: "alice", userId: "@alice:acme.test" });
  expect(server.accounts.get("alice")).toBe(PASSWORD);
  expect(server.joined.get(userId("alice"))?.toSorted()).toEqual([
    "!deals:acme.test",
    "!general:acme.test",
    "!space:acme.test",
  ]);
  expect((await listInvites(ctx, TENANT))[0]).toMatchObject({
    state: "spent",
    uses: 1,
    usedBy: ["@alice:acme.test"],
    team: "Sales",
  });
});

test("the token is nowhere in the database", async () => {
  const ctx = await testContext({ env: ENV });
  await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  const [row] = await ctx.sql<{ text: string }[]>`select row_to_json(i)::text as text from invites i`;
  expect(row?.text).not.toContain(token);
});

test("fifty at once over a link for one make one account", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  const all = Array.from({ length: 50 }, (_, n) =>
    outcome(acceptInvite(ctx, { token, username: `person-${n}`, password: PASSWORD })),
  );
  const outcomes = await Promise.all(all);
  expect(outcomes.filter((one) => one === "made")).toHaveLength(1);
  expect(outcomes.filter((one) => one === "gone")).toHaveLength(49);
  expect(server.accounts.size).toBe(1);
});

test("the same name ten times at once spends one use and makes one account", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx, { maxUses: 5 });
  const post = () => outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }));
  expect(await Promise.all(Array.from({ length: 10 }, post))).toEqual(Array(10).fill("made"));
  expect(server.accounts.size).toBe(1);
  expect(await uses(ctx)).toEqual([1]);
});

test("expired, revoked, spent and unknown links make nothing", async () => {
  const clock = testClock();
  const ctx = await testContext({ env: ENV, clock });
  const server = await tenantWithTeam(ctx);
  const short = await link(ctx, { ttl: 60_000, maxUses: 9 });
  const revoked = await link(ctx, { maxUses: 9 });
  await revokeInvite(ctx, revoked.id);
  clock.move(60_000);
  for (const [token, code] of [
    [short.token, "gone"],
    [revoked.token, "gone"],
    ["no-such-token", "not_found"],
    ["\0'; drop table", "not_found"],
  ] as const)
    expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe(code);
  expect(server.accounts.size).toBe(0);
});

test("a name that is taken keeps its account as it was, and the use is given back", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  server.accounts.set("alice", "of-somebody-Else-1");
  const { token } = await link(ctx);
  const refused = acceptInvite(ctx, { token, username: "alice", password: PASSWORD });
  await expect(refused).rejects.toBeInstanceOf(FieldError);
  await expect(refused).rejects.toMatchObject({
    code: "conflict",
    problems: { username: expect.stringContaining("taken") },
  });
  expect(server.accounts.get("alice")).toBe("of-somebody-Else-1");
  expect(await uses(ctx)).toEqual([0]);
  expect(await outcome(acceptInvite(ctx, { token, username: "alice2", password: PASSWORD }))).toBe("made");
});

test("a homeserver that is down makes nothing and keeps the use for later", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  await server.close();
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("homeserver_down");
  expect(await uses(ctx)).toEqual([0]);
  await server.open();
  expect(await outcome(acceptInvite(ctx, { token, username: "bob", password: PASSWORD }))).toBe("made");
});

test("a homeserver that refuses the name gets the use given back", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  server.fault = "refuse";
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("invalid");
  expect(await uses(ctx)).toEqual([0]);
});

test("an answer that is lost after the account was made: the same again finishes it, another name does not get the use", async () => {
  const clock = testClock();
  const ctx = await testContext({ env: ENV, clock });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  server.fault = "lost";
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("homeserver_down");
  server.fault = "none";
  clock.move(10 * 60_000);
  expect(await outcome(acceptInvite(ctx, { token, username: "bob", password: PASSWORD }))).toBe("gone");
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: "not-the-Password-1" }))).toBe("gone");
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("made");
  expect([...server.accounts.keys()]).toEqual(["alice"]);
  expect(server.joined.get(userId("alice"))).toHaveLength(3);
  expect(await uses(ctx)).toEqual([1]);
});

test("a crash before the account was made: the use goes to whoever comes, once it is certain that there is none", async () => {
  const clock = testClock();
  const ctx = await testContext({ env: ENV, clock });
  const server = await tenantWithTeam(ctx);
  const { token, id } = await link(ctx);
  // What a process leaves that was killed between taking the use and asking the homeserver.
  await ctx.sql`update invites set uses = 1 where id = ${id}`;
  await ctx.sql`insert into invite_uses (invite_id, username, user_id, created_at)
    values (${id}, 'alice', ${userId("alice")}, ${new Date(clock.now()).toISOString()})`;
  expect(await outcome(acceptInvite(ctx, { token, username: "bob", password: PASSWORD }))).toBe("gone");
  clock.move(10 * 60_000);
  expect(await outcome(acceptInvite(ctx, { token, username: "bob", password: PASSWORD }))).toBe("made");
  expect([...server.accounts.keys()]).toEqual(["bob"]);
  expect(await uses(ctx)).toEqual([1]);
});

test("a crash before the account was made: the same person goes on at once, but not over a link that was revoked", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  for (const name of ["alice", "bob"]) {
    const { token, id } = await link(ctx);
    await ctx.sql`update invites set uses = 1 where id = ${id}`;
    await ctx.sql`insert into invite_uses (invite_id, username, user_id) values (${id}, ${name}, ${userId(name)})`;
    if (name === "bob") await revokeInvite(ctx, id);
    expect(await outcome(acceptInvite(ctx, { token, username: name, password: PASSWORD }))).toBe(
      name === "bob" ? "gone" : "made",
    );
  }
  expect([...server.accounts.keys()]).toEqual(["alice"]);
});

test("rooms that cannot be joined: the account stays, and the same again joins them", async () => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  server.fault = "joins fail";
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("homeserver_down");
  server.fault = "none";
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("made");
  expect(server.joined.get(userId("alice"))).toHaveLength(3);
  expect(await uses(ctx)).toEqual([1]);
});

test("a link for one name takes no other", async () => {
  const ctx = await testContext({ env: ENV });
  await tenantWithTeam(ctx);
  const { token } = await link(ctx, { username: "Alice" });
  await expect(acceptInvite(ctx, { token, username: "bob", password: PASSWORD })).rejects.toThrow('"alice" only');
  expect(await outcome(acceptInvite(ctx, { token, username: "alice", password: PASSWORD }))).toBe("made");
});

test.each([
  ["", PASSWORD, "username"],
  ["agent-writer", PASSWORD, "username"],
  ["agentopia", PASSWORD, "username"],
  ["ali\0ce", PASSWORD, "username"],
  ["💥", PASSWORD, "username"],
  ["<b>x</b>", PASSWORD, "username"],
  ["a".repeat(1_000_000), PASSWORD, "username"],
  ["alice", "short", "password"],
  ["alice", `with-a-\0-inside`, "password"],
  ["alice", "x".repeat(600), "password"],
])("a bad field is refused before anything is taken (%#)", async (username, password, field) => {
  const ctx = await testContext({ env: ENV });
  const server = await tenantWithTeam(ctx);
  const { token } = await link(ctx);
  await expect(acceptInvite(ctx, { token, username, password })).rejects.toMatchObject({
    code: "invalid",
    problems: { [field]: expect.stringMatching(/\.$/) },
  });
  expect(server.accounts.size).toBe(0);
  expect(await uses(ctx)).toEqual([0]);
});

test("bad wishes for a link get a sentence", async () => {
  const ctx = await testContext({ env: ENV });
  await tenantWithTeam(ctx);
  await expect(link(ctx, { maxUses: 0 })).rejects.toMatchObject({ code: "invalid" });
  await expect(link(ctx, { ttl: 1 })).rejects.toMatchObject({ code: "invalid" });
  await expect(link(ctx, { username: "agent-x" })).rejects.toMatchObject({ code: "invalid" });
  await expect(link(ctx, { teamName: "Nobody" })).rejects.toThrow('Its teams: "Sales".');
  await expect(createInvite(ctx, { tenantId: "nobody" })).rejects.toMatchObject({ code: "not_found" });
  await expect(revokeInvite(ctx, "nothing")).rejects.toMatchObject({ code: "not_found" });
});
