import { expect, test } from "vitest";
import { pagePeople } from "../../admin/people.ts";
import { freshPeople, syncPeople } from "../../admin/people-sync.ts";
import type { Context } from "../../core/context.ts";
import { eventually } from "../harness/eventually.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "./homeserver.ts";

const ENV = { AGENTOPIA_URL: "https://chat.example.org" };

async function setUp() {
  const clock = testClock();
  const ctx = await testContext({ env: ENV, clock });
  const server = await tenantWithTeam(ctx);
  return { clock, ctx, server };
}

const listed = async (ctx: Context) =>
  (await pagePeople(ctx, TENANT, { after: null, limit: 200 })).map(({ userId, name, state }) => [
    userId.slice(1).split(":")[0],
    name,
    state,
  ]);

test("the mirror has the homeserver's people, without agents and the control bot", async () => {
  const { ctx, server } = await setUp();
  server.add("ann", { displayname: "Ann", last_seen_ts: 1_781_000_000_000 });
  server.add("bob", { deactivated: true, displayname: "" });
  server.add("eve", { locked: true });
  server.add("agent-writer");
  server.add("agentopia");
  await syncPeople(ctx, TENANT);
  expect(await listed(ctx)).toEqual([
    ["ann", "Ann", "active"],
    ["bob", null, "deactivated"],
    ["eve", "eve", "suspended"],
  ]);
  const [ann] = await pagePeople(ctx, TENANT, { after: null, limit: 1 });
  expect(ann).toMatchObject({ lastSeenAt: 1_781_000_000_000, createdAt: 1_780_000_000_000, role: "member" });
});

test("more people than fit on a page of the homeserver's, and whoever is gone there is gone here", async () => {
  const { ctx, server, clock } = await setUp();
  for (let n = 0; n < 1203; n++) server.add(`p${n}`);
  await syncPeople(ctx, TENANT);
  expect((await ctx.sql`select 1 from people`).length).toBe(1203);
  server.people.delete("p7");
  clock.move(1000);
  await syncPeople(ctx, TENANT);
  expect((await ctx.sql`select 1 from people`).length).toBe(1202);
});

test("who was suspended is looked at one by one, since the list does not say it", async () => {
  const { ctx, server, clock } = await setUp();
  server.add("ann");
  await syncPeople(ctx, TENANT);
  await ctx.sql`update people set state = 'suspended'`;
  server.people.get("ann")!.suspended = true;
  clock.move(1000);
  await syncPeople(ctx, TENANT);
  expect(await listed(ctx)).toEqual([["ann", "ann", "suspended"]]);
  server.people.get("ann")!.suspended = false;
  clock.move(1000);
  await syncPeople(ctx, TENANT);
  expect(await listed(ctx)).toEqual([["ann", "ann", "active"]]);
});

test("what we wrote while the list was read is not taken back", async () => {
  const { ctx, server, clock } = await setUp();
  server.add("ann");
  await syncPeople(ctx, TENANT);
  await ctx.sql`update people set state = 'deactivated', synced_at = ${new Date(clock.now() + 5)}`;
  clock.move(2);
  await syncPeople(ctx, TENANT);
  expect(await listed(ctx)).toEqual([["ann", "ann", "deactivated"]]);
});

test("two who look at once cause one look at the homeserver", async () => {
  const { ctx, server } = await setUp();
  server.add("ann");
  await Promise.all([syncPeople(ctx, TENANT), syncPeople(ctx, TENANT), freshPeople(ctx, TENANT)]);
  expect(server.calls.filter((call) => call === "GET /_synapse/admin/v2/users")).toHaveLength(1);
});

test("the first look waits for the list, later ones renew it behind one's back once a minute", async () => {
  const { ctx, server, clock } = await setUp();
  server.add("ann");
  expect(await freshPeople(ctx, TENANT)).toEqual({ syncedAt: new Date(clock.now()), stale: null });
  expect(await listed(ctx)).toHaveLength(1);
  server.add("bob");
  clock.move(59_000);
  await freshPeople(ctx, TENANT);
  expect(server.calls).toHaveLength(1);
  clock.move(2_000);
  expect((await freshPeople(ctx, TENANT)).syncedAt?.getTime()).toBe(clock.now() - 61_000);
  await eventually("Bob in the list", async () => (await listed(ctx)).length === 2);
});

test("a homeserver that is down: the list stays, and says so", async () => {
  const { ctx, server, clock } = await setUp();
  server.add("ann");
  await syncPeople(ctx, TENANT);
  await server.close();
  clock.move(61_000);
  await freshPeople(ctx, TENANT);
  const stale = await eventually("the sentence", async () => (await freshPeople(ctx, TENANT)).stale);
  expect(stale).toMatch(/does not answer.*may not be/);
  expect(await listed(ctx)).toHaveLength(1);
  await server.open();
  await eventually("the homeserver to be back", async () => (await freshPeople(ctx, TENANT)).stale === null);
});

test("a homeserver that never answered: an empty list with a sentence, no error", async () => {
  const { ctx, server } = await setUp();
  await server.close();
  expect(await freshPeople(ctx, TENANT)).toEqual({ syncedAt: null, stale: expect.stringContaining("does not answer") });
  await server.open();
});

test("names that databases do not like", async () => {
  const { ctx, server } = await setUp();
  server.add("ann", { displayname: "A\0nn" });
  server.add("bob", { displayname: "🦆".repeat(500) });
  server.add("eve", { displayname: "<b>Eve</b> %_'" });
  await syncPeople(ctx, TENANT);
  const names = (await listed(ctx)).map(([, name]) => name);
  expect(names.toSorted()).toEqual(["<b>Eve</b> %_'", "Ann", "🦆".repeat(128)]);
  const found = await pagePeople(ctx, TENANT, { q: "%_'", after: null, limit: 5 });
  expect(found.map(({ userId }) => userId)).toEqual([userId("eve")]);
});
