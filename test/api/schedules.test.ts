/** Schedules over the API: people their own, managers all, in rooms where agent and person are. */
import { beforeEach, describe, expect, test } from "vitest";
import { createTenant } from "../../homeserver/tenants.ts";
import { ALICE, BOB, makeTenant, ROOM, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { type Api, type Asking, apiFor } from "./harness.ts";

const LIST = `/clients/${TENANT}/schedules`;
const MAX = "@max:acme.test";
let ctx: Awaited<ReturnType<typeof testContext>>;
let api: Api;
let operator: Asking;
let alice: Asking;
let bob: Asking;

beforeEach(async () => {
  ctx = await testContext();
  await makeTenant(ctx);
  api = apiFor(ctx);
  operator = await api.operator("ann");
  alice = await api.person(TENANT, "member", ALICE);
  bob = await api.person(TENANT, "member", BOB);
});

const wish = (more: object = {}) => ({
  agent: "writer",
  room: ROOM,
  task: "Report.",
  time: { everyMinutes: 60 },
  ...more,
});
const make = async (who: Asking, more: object = {}) => (await who("POST", LIST, wish(more))).json.id as string;

describe("making one", () => {
  test("it acts for whoever makes it; an operator names somebody who is in the room", async () => {
    const mine = await alice("POST", LIST, wish());
    expect([mine.status, mine.json.createdBy.id, mine.json.state]).toEqual([201, ALICE, "active"]);
    expect(Date.parse(mine.json.nextAt)).toBeGreaterThan(ctx.clock.now());
    expect((await operator("POST", LIST, wish({ person: BOB }))).json.createdBy.id).toBe(BOB);
    const { json } = await operator("GET", `/clients/${TENANT}/audit`);
    expect(json.items.map(({ action }: { action: string }) => action)).toEqual([
      "schedules.create",
      "schedules.create",
    ]);
  });

  test("the room is told once who planned what for whom", async () => {
    const key = { "idempotency-key": "click" };
    const time = { cron: "0 9 * * 1", zone: "Europe/Berlin" };
    await ctx.sql`update room_members set display_name = 'Bob the Builder' where user_id = ${BOB}`;
    await operator("POST", LIST, wish({ person: BOB, time }), key);
    await operator("POST", LIST, wish({ person: BOB, time }), key);
    await alice("POST", LIST, wish());
    const notices = await ctx.sql<{ payload: Record<string, string> }[]>`
      select payload from actions where payload->>'kind' = 'notice' and room_id = ${ROOM} order by created_at`;
    expect(notices.map(({ payload }) => payload.text)).toEqual([
      "ann planned this in the panel for Bob the Builder: Writer does “Report.” every Monday at 09:00 (Europe/Berlin). `!schedules` lists and changes it.",
      "alice planned this in the panel for themselves: Writer does “Report.” every hour. `!schedules` lists and changes it.",
    ]);
  });

  test.each([
    ["for somebody else", { person: BOB }, 400],
    ["no time", { time: {} }, 400],
    ["two times", { time: { inMinutes: 5, everyMinutes: 5 } }, 400],
    ["too often", { time: { everyMinutes: 1 } }, 400],
    ["a pattern that is none", { time: { cron: "every day" } }, 400],
    ["a zone that is none", { time: { cron: "0 9 * * 1", zone: "Mars/Base" } }, 400],
    ["a time that is over", { time: { at: "2020-01-01T00:00:00Z" } }, 400],
    ["no task", { task: "  " }, 400],
    ["a task without end", { task: "x".repeat(4001) }, 400],
    ["no such agent", { agent: "nobody" }, 404],
    ["a room in which they are not", { room: "!other:acme.test" }, 403],
  ])("bad input: %s", async (_name, more, expected) => {
    const { status, json } = await alice("POST", LIST, wish(more));
    expect([status, typeof json.detail]).toEqual([expected, "string"]);
    expect(await ctx.sql`select 1 from schedules`).toHaveLength(0);
  });

  test("an operator who names nobody, or somebody who is not in the room, makes none", async () => {
    expect((await operator("POST", LIST, wish())).status).toBe(400);
    expect((await operator("POST", LIST, wish({ person: "@eve:acme.test" }))).status).toBe(403);
  });

  test("a manager who is not in the room makes none there", async () => {
    const max = await api.person(TENANT, "manager", MAX);
    expect((await max("POST", LIST, wish())).status).toBe(403);
  });

  test("the same click twice makes one", async () => {
    const key = { "idempotency-key": "click" };
    await alice("POST", LIST, wish(), key);
    await alice("POST", LIST, wish(), key);
    expect(await ctx.sql`select 1 from schedules`).toHaveLength(1);
  });
});

describe("pausing and removing", () => {
  test("people their own, managers all, auditors and strangers none", async () => {
    const id = await make(alice);
    await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
    const rival = await api.person("rival", "manager");
    const auditor = await api.person(TENANT, "auditor", "@audit:acme.test");
    const max = await api.person(TENANT, "manager", MAX);
    const pause = async (who: Asking) => (await who("PATCH", `${LIST}/${id}`, { state: "paused" })).status;
    expect(await pause(bob)).toBe(404);
    expect(await pause(auditor)).toBe(403);
    expect(await pause(rival)).toBe(404);
    expect((await rival("PATCH", `/clients/rival/schedules/${id}`, { state: "paused" })).status).toBe(404);
    expect(await pause(api.stranger)).toBe(401);
    expect((await bob("DELETE", `${LIST}/${id}`)).status).toBe(404);
    expect(await pause(alice)).toBe(200);
    const resumed = await max("PATCH", `${LIST}/${id}`, { state: "active" });
    expect([resumed.status, resumed.json.state]).toEqual([200, "active"]);
    expect((await max("DELETE", `${LIST}/${id}`)).status).toBe(204);
    expect((await alice("DELETE", `${LIST}/${id}`)).status).toBe(404);
  });

  test("one whose time is over does not go on", async () => {
    const id = await make(alice, { time: { inMinutes: 10 } });
    await ctx.sql`update schedules set state = 'done', next_at = null`;
    const { status, json } = await alice("PATCH", `${LIST}/${id}`, { state: "active" });
    expect([status, json.detail]).toEqual([409, "Its time is over. Make a new one."]);
    expect((await alice("PATCH", `${LIST}/${id}`, { state: "done" })).status).toBe(400);
  });
});

test("members see their own, readers all, by agent, room and state, page by page", async () => {
  for (let n = 0; n < 3; n++) await make(alice);
  const one = await make(bob, { agent: "planner" });
  await bob("PATCH", `${LIST}/${one}`, { state: "paused" });
  const list = async (who: Asking, query = "") => (await who("GET", `${LIST}?${query}`)).json.items;
  expect(await list(alice)).toHaveLength(3);
  expect(await list(bob)).toMatchObject([{ id: one, mayChange: true, agent: { name: "Planner" } }]);
  const auditor = await api.person(TENANT, "auditor", "@audit:acme.test");
  expect((await list(auditor)).map(({ mayChange }: { mayChange: boolean }) => mayChange)).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(await list(operator, "state=paused")).toHaveLength(1);
  expect(await list(operator, "agent=writer")).toHaveLength(3);
  expect(await list(operator, "room=none")).toHaveLength(0);
  const { json: first } = await operator("GET", `${LIST}?limit=3`);
  const { json: second } = await operator("GET", `${LIST}?limit=3&cursor=${first.next}`);
  expect([first.items.length, second.items.length, second.next]).toEqual([3, 1, null]);
});
