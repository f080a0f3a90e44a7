import { expect, test } from "vitest";
import { startActions } from "../../bots/actions.ts";
import type { Context } from "../../core/context.ts";
import { createTeam } from "../../homeserver/rooms.ts";
import { roomServer } from "../bots/room-server.ts";
import { ALICE, BOB, CONTROL, makeAgent, makeTenant, TENANT, WRITER } from "../bots/tenant.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

const silent = { on: () => () => undefined, close: async () => undefined };
const T = `/clients/${TENANT}/teams`;
const R = `/clients/${TENANT}/rooms`;

async function setting() {
  const ctx = await testContext();
  const server = await roomServer();
  await makeTenant(ctx, { url: server.url, rooms: [] });
  const api = apiFor(ctx);
  const manager = await api.person(TENANT, "manager");
  return { ctx, server, api, manager };
}

async function withTeam() {
  const made = await setting();
  const team = await createTeam(made.ctx, { tenantId: TENANT, name: "Sales", channels: ["general", "deals"] });
  const general = made.server.byName("general").id;
  const room = `${R}/${encodeURIComponent(general)}`;
  return { ...made, team, general, room };
}

const joins = (ctx: Context, roomId: string, ...users: string[]) =>
  Promise.all(
    users.map(
      (userId) => ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership, display_name)
        values (${TENANT}, ${roomId}, ${userId}, 'join', ${userId.slice(1, 4)})`,
    ),
  );

async function act(ctx: Context): Promise<void> {
  const executor = await startActions(ctx, { wake: silent });
  await eventually(
    "the actions to be done",
    async () => (await ctx.sql`select 1 from actions where state = 'open'`).length === 0,
  ).finally(() => executor.stop());
}

test("a team from a template is answered before it is made, shows how far it is, and is there", async () => {
  const { ctx, manager } = await setting();
  const templates = await manager("GET", "/team-templates");
  expect(templates.json.items.map(({ id }: { id: string }) => id)).toContain("marketing");
  expect(templates.json.items[0].agents[0]).toMatchObject({ templateId: "writer", name: "Writer" });
  const key = { "idempotency-key": "once" };
  const made = await manager("POST", T, { template: "support" }, key);
  expect(made).toMatchObject({
    status: 202,
    json: { name: "Support", making: true, progress: { done: 0, problem: null } },
  });
  expect((await manager("POST", T, { template: "support" }, key)).json.id).toBe(made.json.id);
  expect((await manager("POST", T, { template: "support" })).status).toBe(409);
  await act(ctx);
  const [team] = (await manager("GET", T)).json.items;
  expect(team).toMatchObject({ name: "Support", making: false, progress: null, archivedAt: null });
  expect(team.rooms.map(({ name }: { name: string }) => name)).toEqual(["requests", "answers", "escalations"]);
  const [line] =
    await ctx.sql`select action, target_name, outcome, after from audit where target_kind = 'team' limit 1`;
  expect(line).toMatchObject({
    action: "teams.write",
    target_name: "Support",
    outcome: "done",
    after: { template: "support" },
  });
});

test("who makes a team is in it as a moderator, from a template too; an operator is not, and adds nobody", async () => {
  const { ctx, server, api, manager } = await setting();
  await manager("POST", T, { name: "Plain" });
  await manager("POST", T, { template: "support" });
  const operator = await api.operator();
  await operator("POST", T, { name: "Far", rooms: [{ name: "away" }] });
  await act(ctx);
  for (const name of ["Plain", "general", "Support", "requests", "escalations"]) {
    const { id } = server.byName(name);
    expect(server.stateOf(id, "m.room.member", manager.id)?.membership, name).toBe("join");
    expect(server.stateOf(id, "m.room.power_levels")?.users, name).toMatchObject({ [manager.id]: 50 });
  }
  for (const name of ["Far", "away"]) {
    const members = [...server.byName(name).state.keys()].filter((key) => key.startsWith("m.room.member|"));
    expect(members).toEqual([`m.room.member|${CONTROL}`]);
  }
  const space = server.byName("Plain").id;
  await joins(ctx, space, manager.id);
  const mine = async (ask: typeof manager) =>
    (await ask("GET", T)).json.items
      .filter((team: { mine: boolean }) => team.mine)
      .map((team: { name: string }) => team.name);
  expect(await mine(manager)).toEqual(["Plain"]);
  expect(await mine(operator)).toEqual([]);
});

test("a maker whose account was ended meanwhile does not hold the team up", async () => {
  const { ctx, server, manager } = await setting();
  const { homeserver } = server;
  const usual = homeserver.answer;
  homeserver.answer = (request) =>
    request.path.startsWith("/_synapse/admin/v2/users/") && request.path.endsWith(manager.id)
      ? { status: 200, body: { name: manager.id, deactivated: true } }
      : usual(request);
  const made = await manager("POST", T, { name: "Plain" });
  await act(ctx);
  expect((await manager("GET", `${T}/${made.json.id}`)).json).toMatchObject({ making: false, progress: null });
  expect(server.stateOf(server.byName("general").id, "m.room.member", manager.id)).toBeUndefined();
});

test("a blank team has the rooms that were named, or one called general", async () => {
  const { ctx, manager } = await setting();
  expect((await manager("POST", T, {})).json.detail).toMatch(/Give the team a name/);
  await manager("POST", T, { name: "Plain" });
  await manager("POST", T, { name: "Named", rooms: [{ name: "a", topic: "first" }, { name: "b" }] });
  await act(ctx);
  const { items } = (await manager("GET", T)).json;
  expect(
    items.map((team: { name: string; rooms: { name: string }[] }) => [team.name, team.rooms.map(({ name }) => name)]),
  ).toEqual([
    ["Named", ["a", "b"]],
    ["Plain", ["general"]],
  ]);
});

test("bad input is refused with a sentence", async () => {
  const { manager, room } = await withTeam();
  for (const body of [
    { name: "" },
    { name: "x".repeat(101) },
    { name: "a\u0000b" },
    { name: "\ud800" },
    { name: 7 },
    { name: "x", template: "nope" },
    { name: "x", rooms: [{ name: "a" }, { name: "A" }] },
    { name: "x", rooms: [{ name: "a", topic: "t".repeat(1001) }] },
  ]) {
    const answer = await manager("POST", T, body);
    expect([400, 404], JSON.stringify(body)).toContain(answer.status);
    expect(answer.json.detail).toMatch(/\w/);
  }
  for (const body of [{ historyVisibility: "world_readable" }, { name: " " }, { archived: "yes" }, { topic: "\u0007" }])
    expect((await manager("PATCH", room, body)).status, JSON.stringify(body)).toBe(400);
  expect((await manager("GET", `${T}?cursor=zzz`)).status).toBe(400);
  expect((await manager("GET", `${T}?limit=201`)).status).toBe(400);
  const madeUp = Buffer.from(JSON.stringify([1e300, "x"])).toString("base64url");
  expect((await manager("GET", `${R}?cursor=${madeUp}`)).status).toBe(200);
  for (const where of [`${T}/none`, `${R}/!none`, `${R}/!none/people`])
    expect((await manager("GET", where)).status).toBe(404);
});

test("names with HTML and emoji are kept as they are", async () => {
  const { ctx, server, manager, room, general, team } = await withTeam();
  const name = '<img src=x onerror="alert(1)"> 🎯';
  expect((await manager("PATCH", room, { name, topic: "<b>all</b>" })).json).toMatchObject({ topic: null, name });
  expect((await manager("PATCH", `${T}/${team.id}`, { name: "Ünïcode 🚀" })).json.name).toBe("Ünïcode 🚀");
  await act(ctx);
  expect(server.stateOf(general, "m.room.name")).toEqual({ name });
  expect(server.stateOf(general, "m.room.topic")).toEqual({ topic: "<b>all</b>" });
});

test("a room is archived and brought back; a team with all its rooms leaves the tree", async () => {
  const { manager, room, team } = await withTeam();
  expect((await manager("PATCH", room, { archived: true })).json.archivedAt).toMatch(/^\d{4}-/);
  expect((await manager("GET", `${R}?archived=true`)).json.items).toHaveLength(1);
  expect((await manager("PATCH", room, { archived: false })).json.archivedAt).toBeNull();
  expect((await manager("PATCH", `${T}/${team.id}`, { archived: true })).json.archivedAt).toMatch(/^\d{4}-/);
  expect((await manager("GET", T)).json.items).toEqual([]);
  const [archived] = (await manager("GET", `${T}?archived=true`)).json.items;
  expect(archived.rooms.every((one: { archivedAt: string | null }) => one.archivedAt)).toBe(true);
  expect((await manager("PATCH", room, { archived: false })).status).toBe(409);
  expect((await manager("POST", `${T}/${team.id}/rooms`, { name: "late" })).status).toBe(409);
});

test("while the homeserver is away a topic is refused whole and a name is kept for later", async () => {
  const { ctx, server, manager, room, general } = await withTeam();
  server.away = true;
  const answer = await manager("PATCH", room, { topic: "x", name: "y" });
  expect(answer.status).toBe(502);
  expect(answer.json.detail).toMatch(/does not answer/);
  expect((await ctx.sql`select channel from rooms where room_id = ${general}`)[0]?.channel).toBe("general");
  expect((await manager("PATCH", room, { name: "lobby" })).status).toBe(200);
  server.away = false;
  await act(ctx);
  expect(server.stateOf(general, "m.room.name")).toEqual({ name: "lobby" });
});

test("rooms are made in a team, found by name, and listed page by page", async () => {
  const { manager, team } = await withTeam();
  expect((await manager("POST", `${T}/${team.id}/rooms`, { name: "General" })).status).toBe(409);
  expect((await manager("POST", `${T}/${team.id}/rooms`, { name: "offers", topic: "drafts" })).status).toBe(201);
  const first = (await manager("GET", `${R}?limit=2`)).json;
  const second = (await manager("GET", `${R}?limit=2&cursor=${first.next}`)).json;
  const names = [...first.items, ...second.items].map(({ name }: { name: string }) => name);
  expect(names.sort()).toEqual(["deals", "general", "offers"]);
  expect(second.next).toBeNull();
  expect((await manager("GET", `${R}?q=OFF`)).json.items).toHaveLength(1);
  expect((await manager("GET", `${R}?team=${team.id}`)).json.items).toHaveLength(3);
});

test("agents come with a scope, get another and go; the room shows them", async () => {
  const { ctx, manager, room, general } = await withTeam();
  expect((await manager("POST", `${room}/agents`, { agent: "none" })).status).toBe(404);
  expect((await manager("POST", `${room}/agents`, { agent: "writer", scope: "boss" })).status).toBe(400);
  await joins(ctx, general, WRITER);
  const added = await manager("POST", `${room}/agents`, { agent: "writer", scope: "observer" });
  expect(added.json.agents).toMatchObject([{ id: "writer", name: "Writer", scope: "observer", usualScope: "member" }]);
  expect((await manager("PATCH", `${room}/agents/writer`, { scope: "moderator" })).json.agents[0].scope).toBe(
    "moderator",
  );
  expect((await manager("PATCH", `${room}/agents/planner`, { scope: "member" })).status).toBe(404);
  await ctx.sql`update room_members set membership = 'leave' where user_id = ${WRITER}`;
  expect((await manager("DELETE", `${room}/agents/writer`)).status).toBe(204);
  expect((await manager("GET", room)).json.agents).toEqual([]);
});

test("people are put into rooms and teams and taken out; the list shows them without agents", async () => {
  const { ctx, server, manager, room, general, team } = await withTeam();
  await joins(ctx, general, ALICE, WRITER, CONTROL);
  expect((await manager("GET", `${room}/people`)).json.items).toMatchObject([{ userId: ALICE, name: "ali" }]);
  expect((await manager("GET", room)).json.people).toBe(1);
  await joins(ctx, general, BOB);
  expect((await manager("POST", `${room}/people`, { user: BOB })).status).toBe(204);
  expect((await manager("POST", `${room}/people`, { user: WRITER })).status).toBe(400);
  expect((await manager("POST", `${T}/${team.id}/people`, { users: [ALICE, "@x:evil.test"] })).status).toBe(400);
  expect(server.homeserver.to(/admin\/v1\/join.*/)).toHaveLength(1);
  expect((await manager("POST", `${T}/${team.id}/people`, { users: [ALICE] })).status).toBe(204);
  expect((await manager("DELETE", `${T}/${team.id}/people/${ALICE}`)).status).toBe(204);
  expect(server.stateOf(general, "m.room.member", ALICE)).toEqual({ membership: "leave" });
  const page = (await manager("GET", `${room}/people?limit=1`)).json;
  expect((await manager("GET", `${room}/people?limit=1&cursor=${page.next}`)).json.items).toMatchObject([
    { userId: BOB },
  ]);
});

test("a person of a room is made its moderator and a member again; nobody else is", async () => {
  const { ctx, api, server, manager, room, general } = await withTeam();
  await joins(ctx, general, ALICE);
  expect((await manager("POST", `${room}/people`, { user: ALICE })).status).toBe(204);
  const levels = () => server.stateOf(general, "m.room.power_levels")?.users as Record<string, number>;
  const where = `${room}/people/${ALICE}`;
  expect((await manager("PATCH", where, { moderator: true })).status).toBe(204);
  expect(levels()[ALICE]).toBe(50);
  expect((await manager("PATCH", where, { moderator: false })).status).toBe(204);
  expect(levels()[ALICE] ?? 0).toBe(0);
  expect((await manager("PATCH", where, { moderator: "yes" })).status).toBe(400);
  expect((await manager("PATCH", `${room}/people/${BOB}`, { moderator: true })).json.detail).toMatch(
    /is not in this room/,
  );
  for (const other of [WRITER, CONTROL, "@x:evil.test"])
    expect((await manager("PATCH", `${room}/people/${other}`, { moderator: true })).status).toBe(400);
  const member = await api.person(TENANT, "member", ALICE);
  expect((await member("PATCH", where, { moderator: true })).status).toBe(403);
  const [line] =
    await ctx.sql`select action, outcome from audit where after->>'person' = ${ALICE} order by seq limit 1`;
  expect(line).toMatchObject({ outcome: "done" });
});

test("a member sees the teams and rooms they are in, and changes none", async () => {
  const { ctx, api, general, room, team } = await withTeam();
  const member = await api.person(TENANT, "member", BOB);
  expect((await member("GET", T)).json.items).toEqual([]);
  expect((await member("GET", room)).status).toBe(404);
  await joins(ctx, general, BOB);
  const [seen] = (await member("GET", T)).json.items;
  expect(seen.rooms.map(({ name }: { name: string }) => name)).toEqual(["general"]);
  expect((await member("GET", R)).json.items).toHaveLength(1);
  expect((await member("PATCH", room, { name: "x" })).status).toBe(403);
  expect((await member("PATCH", `${T}/${team.id}`, { name: "x" })).status).toBe(403);
});

test("rooms that people made are listed with why they cannot be changed; the platform's own room is not", async () => {
  const { ctx, manager } = await setting();
  await makeAgent(ctx, "@agent-extra:acme.test");
  for (const [id, creator] of [
    ["!dm", ALICE],
    ["!control", CONTROL],
  ] as const)
    await ctx.sql`insert into rooms (tenant_id, room_id, state) values (${TENANT}, ${id}, ${JSON.stringify({ name: null, creators: [creator] })}::text::jsonb)`;
  await ctx.sql`insert into rooms (tenant_id, room_id) values (${TENANT}, 'try:abc')`;
  await joins(ctx, "!dm", ALICE, "@agent-extra:acme.test");
  const { items } = (await manager("GET", R)).json;
  expect(items).toMatchObject([{ id: "!dm", made: "people", agents: [{ name: "Extra" }], people: 1 }]);
  expect(items[0].whyNotManaged).toMatch(/made by people in Element/);
  const refused = await manager("PATCH", `${R}/!dm`, { name: "x" });
  expect(refused).toMatchObject({ status: 403, json: { detail: expect.stringMatching(/made by people/) } });
  expect((await manager("POST", `${R}/!dm/agents`, { agent: "writer" })).status).toBe(403);
});
