/** Teams that are made, renamed and archived, over a homeserver that may be away at any moment. */
import { expect, test } from "vitest";
import { startActions } from "../../bots/actions.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import { addAgentToRoom, changeScopeInRoom, removeAgentFromRoom } from "../../bots/room-agents.ts";
import { completeTeam, makeTeam, resumeTeam, startTeam } from "../../bots/team-making.ts";
import { TEAM_TEMPLATES, teamTemplate } from "../../bots/team-templates.ts";
import { listTemplates } from "../../bots/templates.ts";
import type { Context } from "../../core/context.ts";
import {
  readOurRoom,
  renameRoom,
  renameTeam,
  setHistoryVisibility,
  setRoomArchived,
  setTeamArchived,
  setTopic,
} from "../../homeserver/room-manage.ts";
import { addPersonToRoom, removePersonFromRoom, removePersonFromTeam } from "../../homeserver/room-people.ts";
import { addPersonToTeam, createChannel, createTeam } from "../../homeserver/rooms.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";
import { roomServer } from "./room-server.ts";
import { ALICE, CONTROL, deliver, event, makeTenant, outcomes, says, TENANT, WRITER } from "./tenant.ts";

const silent = { on: () => () => undefined, close: async () => undefined };

async function setting() {
  const ctx = await testContext();
  const server = await roomServer();
  await makeTenant(ctx, { url: server.url, rooms: [] });
  await ctx.sql`delete from agents`;
  return { ctx, server };
}

async function withTeam() {
  const made = await setting();
  const team = await createTeam(made.ctx, { tenantId: TENANT, name: "Sales", channels: ["general", "deals"] });
  return { ...made, team, general: made.server.byName("general").id, deals: made.server.byName("deals").id };
}

/** Does what is due, as the platform's worker does. */
async function act(ctx: Context): Promise<void> {
  const executor = await startActions(ctx, { wake: silent });
  await eventually("the actions to be done", async () => {
    await ctx.sql`update actions set due_at = now() where state = 'open' and due_at > now() + interval '1 minute'`;
    return (await ctx.sql`select 1 from actions where state = 'open'`).length === 0;
  }).finally(() => executor.stop());
}

const room = (ctx: Context, id: string) => readOurRoom(ctx, TENANT, id);
const channels = async (ctx: Context) =>
  (await ctx.sql<{ channel: string }[]>`select channel from rooms where kind = 'channel' order by channel`).map(
    (row) => row.channel,
  );
const making = async (ctx: Context, id: string) =>
  (await ctx.sql`select making from teams where id = ${id}`)[0]?.making as { problem?: string; now: string } | null;
const wish = (id = "marketing") => ({ tenantId: TENANT, name: teamTemplate(id).title, ...pick(id) });
const pick = (id: string) => ({ rooms: teamTemplate(id).rooms, agents: teamTemplate(id).agents });

test("the templates fit: rooms that agents come into are there, agents are those that ship, names are sentences' length", () => {
  const known = listTemplates().map(({ id }) => id);
  for (const template of TEAM_TEMPLATES) {
    const names = template.rooms.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { templateId, rooms } of template.agents) {
      expect(known).toContain(templateId);
      for (const name of rooms) expect(names).toContain(name);
    }
    for (const { topic, welcome } of template.rooms) expect(`${topic} ${welcome}`).toMatch(/!help/);
  }
});

test("a team from a template has its rooms with topics, its agents in them and a pinned welcome in each", async () => {
  const { ctx, server } = await setting();
  const team = await startTeam(ctx, wish());
  expect(team.making).toMatchObject({ done: 0 });
  await act(ctx);
  expect(await making(ctx, team.id)).toBeNull();
  expect(await channels(ctx)).toEqual(["campaigns", "customer stories", "general"]);
  const general = server.byName("general");
  expect(server.stateOf(general.id, "m.room.topic")?.topic).toMatch(/^What concerns all/);
  const [notice] = general.messages;
  expect(notice).toMatchObject({ sender: CONTROL, content: { msgtype: "m.notice", "dev.agentopia.welcome": true } });
  expect(server.stateOf(general.id, "m.room.pinned_events")).toEqual({ pinned: [notice?.event_id] });
  expect(server.stateOf(general.id, "m.room.member", WRITER)).toEqual({ membership: "join" });
  expect(
    server.stateOf(server.byName("campaigns").id, "m.room.member", "@agent-interviewer:acme.test"),
  ).toBeUndefined();
  expect(await ctx.sql`select name from agents order by name`).toEqual([
    { name: "Interviewer" },
    { name: "Planner" },
    { name: "Writer" },
  ]);
});

test("cut off after any request, it is completed without anything twice", async () => {
  const { ctx, server } = await setting();
  const team = await startTeam(ctx, wish("project"));
  for (let after = 1; await making(ctx, team.id); after += 3) {
    server.awayAfter = after;
    await completeTeam(ctx, team.id).catch((error: unknown) =>
      expect(error).toMatchObject({ code: "homeserver_down" }),
    );
    server.awayAfter = null;
    server.away = false;
  }
  expect(server.rooms.size).toBe(4);
  for (const { state, messages } of server.rooms.values())
    expect(messages).toHaveLength(state.get("m.room.name|")?.name === "Project" ? 0 : 1);
  expect(await ctx.sql`select 1 from agents`).toHaveLength(2);
});

test("made by two at once, there is one of each", async () => {
  const { ctx, server } = await setting();
  const team = await startTeam(ctx, wish("sales"));
  await Promise.all([completeTeam(ctx, team.id), completeTeam(ctx, team.id)]);
  expect(server.rooms.size).toBe(4);
  expect(await ctx.sql`select 1 from agents`).toHaveLength(2);
  expect(await channels(ctx)).toEqual(["deals", "offers", "practice"]);
});

test("a second team of the same template shares its agents, renamed or not", async () => {
  const { ctx, server } = await setting();
  await completeTeam(ctx, (await startTeam(ctx, wish())).id);
  await ctx.sql`update agents set name = 'Scribbler', definition = jsonb_set(definition, '{name}', '"Scribbler"') where name = 'Writer'`;
  const second = await startTeam(ctx, { ...wish(), name: "Marketing North" });
  await completeTeam(ctx, second.id);
  expect(await ctx.sql`select 1 from agents`).toHaveLength(3);
  const [row] = await ctx.sql<
    { id: string }[]
  >`select room_id as id from rooms where team_id = ${second.id} and channel = 'general'`;
  expect(server.stateOf(row?.id ?? "", "m.room.member", WRITER)).toEqual({ membership: "join" });
});

test("a name that a hand-made agent has gets a number", async () => {
  const { ctx } = await setting();
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id)
    values ('own', ${TENANT}, 'Coach', '@agent-coach:acme.test', 'active', '{"name":"Coach","scope":"member"}', 'X')`;
  await completeTeam(ctx, (await startTeam(ctx, wish("sales"))).id);
  expect(await ctx.sql`select name from agents where template_id = 'sales-coach'`).toEqual([{ name: "Coach 2" }]);
});

test("what waiting does not mend stays with the team as a sentence, until somebody has it go on", async () => {
  const { ctx, server } = await setting();
  const team = await startTeam(ctx, wish("sales"));
  const plain = server.homeserver.answer;
  server.homeserver.answer = (request) =>
    request.path.endsWith("/createRoom")
      ? { status: 400, body: { errcode: "M_UNKNOWN", error: "Quota reached" } }
      : plain(request);
  await makeTeam(ctx, team.id);
  expect((await making(ctx, team.id))?.problem).toMatch(/Quota reached/);
  server.homeserver.answer = plain;
  await resumeTeam(ctx, TENANT, team.id);
  await act(ctx);
  expect(await making(ctx, team.id)).toBeNull();
});

test("what cannot be is refused before anything is made", async () => {
  const { ctx } = await setting();
  const start = (change: object) => startTeam(ctx, { tenantId: TENANT, name: "X", rooms: [], agents: [], ...change });
  await expect(start({ name: "  " })).rejects.toMatchObject({ code: "invalid" });
  await expect(start({ name: "x".repeat(101) })).rejects.toMatchObject({ code: "invalid" });
  await expect(start({ name: "a\nb" })).rejects.toMatchObject({ code: "invalid" });
  await expect(start({ rooms: [{ name: "a" }, { name: "A" }] })).rejects.toThrow(/Two rooms are called A/);
  await expect(start({ rooms: Array.from({ length: 51 }, (_, n) => ({ name: `r${n}` })) })).rejects.toThrow(
    /at most 50/,
  );
  await start({ name: "<b>Straße</b> 🎉" });
  await expect(start({ name: "<B>STRAßE</b> 🎉" })).rejects.toMatchObject({ code: "conflict" });
  expect(() => teamTemplate("nope")).toThrow(/Choose one of marketing/);
});

test("a renamed room is not found again under its old name, and the old name is free", async () => {
  const { ctx, server, team, general } = await withTeam();
  await renameRoom(ctx, await room(ctx, general), "  lobby ");
  await act(ctx);
  expect(server.stateOf(general, "m.room.name")).toEqual({ name: "lobby" });
  const another = await createChannel(ctx, { tenantId: TENANT, teamId: team.id, name: "general" });
  expect(another).not.toBe(general);
  expect(await createChannel(ctx, { tenantId: TENANT, teamId: team.id, name: "general" })).toBe(another);
  expect(await createChannel(ctx, { tenantId: TENANT, teamId: team.id, name: "lobby" })).toBe(general);
  // As after a crash between the homeserver and the row.
  await ctx.sql`delete from rooms where room_id = ${another}`;
  expect(await createChannel(ctx, { tenantId: TENANT, teamId: team.id, name: "general" })).toBe(another);
  expect(await channels(ctx)).toEqual(["deals", "general", "lobby"]);
});

test("names of rooms are once in their team; a conflict changes nothing", async () => {
  const { ctx, server, general } = await withTeam();
  await expect(renameRoom(ctx, await room(ctx, general), "deals")).rejects.toMatchObject({ code: "conflict" });
  expect(await ctx.sql`select 1 from actions`).toHaveLength(0);
  expect(server.stateOf(general, "m.room.name")).toEqual({ name: "general" });
});

test("a team that is renamed while the homeserver is away has its new name there as soon as it is back", async () => {
  const { ctx, server, team } = await withTeam();
  server.away = true;
  await renameTeam(ctx, TENANT, team.id, "Sales & Friends");
  const executor = await startActions(ctx, { wake: silent });
  await eventually(
    "a first try",
    async () => (await ctx.sql`select 1 from actions where attempts > 0 and error is not null`).length > 0,
  );
  expect(server.stateOf(team.spaceRoomId ?? "", "m.room.name")).toEqual({ name: "Sales" });
  server.away = false;
  await eventually("the name", () => server.stateOf(team.spaceRoomId ?? "", "m.room.name")?.name === "Sales & Friends");
  await executor.stop();
  await createTeam(ctx, { tenantId: TENANT, name: "Other", channels: [] });
  await expect(renameTeam(ctx, TENANT, team.id, "OTHER")).rejects.toMatchObject({ code: "conflict" });
});

test("a topic and who reads history are changed at once, or not at all when the homeserver is away", async () => {
  const { ctx, server, general } = await withTeam();
  await setTopic(ctx, await room(ctx, general), "Deals & <b>more</b> 🎯");
  await setHistoryVisibility(ctx, await room(ctx, general), "joined");
  expect(server.stateOf(general, "m.room.topic")).toEqual({ topic: "Deals & <b>more</b> 🎯" });
  expect(server.stateOf(general, "m.room.history_visibility")).toEqual({ history_visibility: "joined" });
  await expect(setHistoryVisibility(ctx, await room(ctx, general), "world_readable")).rejects.toMatchObject({
    code: "invalid",
  });
  await expect(setTopic(ctx, await room(ctx, general), "x".repeat(1001))).rejects.toMatchObject({ code: "invalid" });
  server.away = true;
  await expect(setTopic(ctx, await room(ctx, general), "later")).rejects.toMatchObject({ code: "homeserver_down" });
});

const levels = (server: Awaited<ReturnType<typeof roomServer>>, id: string) =>
  server.stateOf(id, "m.room.power_levels") as {
    events_default: number;
    events: Record<string, number>;
    invite: number;
  };

test("an archived room takes posts from nobody, also after a repair; brought back it is as before", async () => {
  const { ctx, server, general } = await withTeam();
  const before = levels(server, general);
  await setRoomArchived(ctx, await room(ctx, general), true);
  await setRoomArchived(ctx, await room(ctx, general), true);
  await act(ctx);
  expect(levels(server, general)).toMatchObject({ events_default: 100, state_default: 100, invite: 100 });
  expect(levels(server, general).events).toMatchObject({ "m.room.name": 100, "m.room.redaction": 0 });
  await ctx.sql`insert into actions (id, tenant_id, room_id, payload) values ('repair', ${TENANT}, ${general}, '{"kind":"power_levels"}')`;
  await act(ctx);
  expect(levels(server, general).events_default).toBe(100);
  expect(server.rooms.get(general)?.messages.map(({ content }) => content.body)).toEqual([
    expect.stringMatching(/archived now/),
  ]);
  await setRoomArchived(ctx, await room(ctx, general), false);
  await act(ctx);
  expect(levels(server, general)).toEqual(before);
});

test("archived and brought back while the homeserver is away: the row wins", async () => {
  const { ctx, server, general } = await withTeam();
  const before = levels(server, general);
  server.away = true;
  await setRoomArchived(ctx, await room(ctx, general), true);
  await setRoomArchived(ctx, await room(ctx, general), false);
  server.away = false;
  await act(ctx);
  expect(levels(server, general)).toEqual(before);
});

test("a team is archived with all its rooms, and comes back without those that were archived before", async () => {
  const { ctx, server, team, general, deals } = await withTeam();
  await setRoomArchived(ctx, await room(ctx, deals), true);
  await ctx.sql`update rooms set archived_at = archived_at - interval '1 hour' where archived_at is not null`;
  await setTeamArchived(ctx, { tenantId: TENANT, teamId: team.id, archived: true });
  await act(ctx);
  expect(levels(server, general).events_default).toBe(100);
  expect(levels(server, team.spaceRoomId ?? "").events_default).toBe(100);
  await expect(setRoomArchived(ctx, await room(ctx, general), false)).rejects.toThrow(/whole team Sales is archived/);
  await expect(createTeam(ctx, { tenantId: TENANT, name: "Sales", channels: [] })).rejects.toThrow(/archived team/);
  await setTeamArchived(ctx, { tenantId: TENANT, teamId: team.id, archived: false });
  await act(ctx);
  expect(levels(server, general).events_default).toBe(0);
  expect(levels(server, deals).events_default).toBe(100);
  expect(levels(server, team.spaceRoomId ?? "").events_default).toBe(50);
});

test("what reaches us from an archived room is answered by nobody, and what is being written there ends", async () => {
  const { ctx, general } = await withTeam();
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id)
    values ('writer', ${TENANT}, 'Writer', ${WRITER}, 'active', '{"name":"Writer","scope":"member","whoMayInvite":"anyone","description":""}', 'X')`;
  await ctx.sql`update rooms set state = '{"creators":[],"functionalMembers":[],"historyVisibility":"shared","powerLevels":{"users":{},"usersDefault":0}}' where room_id = ${general}`;
  for (const userId of [ALICE, WRITER, CONTROL])
    await ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership) values (${TENANT}, ${general}, ${userId}, 'join')`;
  const drain = () => drainRoom(ctx, { tenantId: TENANT, roomId: general }, () => undefined);
  await deliver(ctx, event({ id: "$q1", room: general, content: says("hi", WRITER) }));
  await drain();
  await setRoomArchived(ctx, await room(ctx, general), true);
  await deliver(ctx, event({ id: "$q2", room: general, content: says("hi again", WRITER) }));
  await drain();
  expect(await outcomes(ctx, general)).toEqual({ $q1: "run", $q2: "ignored:archived" });
  expect(await ctx.sql`select stop_reason from runs`).toEqual([{ stop_reason: "operator" }]);
});

test("an agent comes into a room with its scope there before it is in, and goes again", async () => {
  const { ctx, server, general, team } = await withTeam();
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id) values
    ('writer', ${TENANT}, 'Writer', ${WRITER}, 'active', '{"name":"Writer","scope":"member"}', 'X'),
    ('new', ${TENANT}, 'New', '@agent-new:acme.test', 'draft', '{"name":"New","scope":"member"}', 'X')`;
  const place = { tenantId: TENANT, agentId: "writer", roomId: general };
  await addAgentToRoom(ctx, { ...place, scope: "observer" });
  const asked = server.homeserver.requests.filter(
    ({ path, method }) => method !== "GET" && /power_levels|invite|join$/.test(path),
  );
  expect(asked.map(({ path }) => path.split("/")[6])).toEqual(["state", "invite", "join"]);
  expect(levels(server, general)).toMatchObject({ users: { [WRITER]: -1 } });
  await ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership) values (${TENANT}, ${general}, ${WRITER}, 'join')`;
  await changeScopeInRoom(ctx, { ...place, scope: "moderator" });
  await act(ctx);
  expect(levels(server, general)).toMatchObject({ users: { [WRITER]: 50 } });
  await changeScopeInRoom(ctx, { ...place, scope: "member" });
  expect(await ctx.sql`select 1 from agent_scopes`).toHaveLength(0);
  await removeAgentFromRoom(ctx, place);
  expect(server.stateOf(general, "m.room.member", WRITER)).toEqual({ membership: "leave" });
  const add = (change: object) => addAgentToRoom(ctx, { ...place, scope: null, ...change });
  await expect(add({ agentId: "new" })).rejects.toThrow(/not published yet/);
  await expect(add({ roomId: team.spaceRoomId })).rejects.toMatchObject({ code: "invalid" });
  await expect(add({ roomId: "!nowhere" })).rejects.toMatchObject({ code: "not_found" });
  await setRoomArchived(ctx, await room(ctx, general), true);
  await expect(add({})).rejects.toThrow(/archived/);
});

test("people come and go, twice is harmless; agents and strangers are no people", async () => {
  const { ctx, server, team, general, deals } = await withTeam();
  const who = { tenantId: TENANT, roomId: general, userId: ALICE };
  await addPersonToRoom(ctx, who);
  await addPersonToRoom(ctx, who);
  expect(server.homeserver.to(/admin\/v1\/join/)).toHaveLength(1);
  await removePersonFromRoom(ctx, who);
  await removePersonFromRoom(ctx, who);
  expect(server.homeserver.to(/\/kick$/)).toHaveLength(1);
  await addPersonToTeam(ctx, { tenantId: TENANT, teamId: team.id, userId: ALICE });
  await removePersonFromTeam(ctx, { tenantId: TENANT, teamId: team.id, userId: ALICE });
  for (const id of [team.spaceRoomId ?? "", general, deals])
    expect(server.stateOf(id, "m.room.member", ALICE)).toEqual({ membership: "leave" });
  for (const userId of [WRITER, CONTROL, "@x:evil.test", "alice", "@:acme.test"])
    await expect(addPersonToRoom(ctx, { ...who, userId }), userId).rejects.toMatchObject({ code: "invalid" });
});

test("rooms that people made are left to them", async () => {
  const { ctx } = await setting();
  await ctx.sql`insert into rooms (tenant_id, room_id, kind) values (${TENANT}, '!dm', 'other')`;
  await expect(room(ctx, "!dm")).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringMatching(/made by people/),
  });
});
