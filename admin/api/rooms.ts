/** Rooms of a client: the list, one of them, who is in it, and what is changed there. */
import { addAgentToRoom, changeScopeInRoom, removeAgentFromRoom } from "../../bots/room-agents.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import {
  MAX_NAME,
  MAX_TOPIC,
  readOurRoom,
  renameRoom,
  setHistoryVisibility,
  setRoomArchived,
  setTopic,
  VISIBILITIES,
} from "../../homeserver/room-manage.ts";
import { addPersonToRoom, removePersonFromRoom, setModerator } from "../../homeserver/room-people.ts";
import { createChannel, readTeam } from "../../homeserver/rooms.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { findRoom, listMembers, listRooms, type RoomFacts } from "../rooms-list.ts";
import type { Caller } from "./caller.ts";
import { type Endpoint, endpoint, words, z } from "./endpoint.ts";
import { pageOf, pageQuery, readCursor, toPage, writeCursor } from "./pages.ts";
import { flag, seenBy } from "./teams.ts";
import { memberView, roomView, scope, viewMember, viewRoom } from "./teams-views.ts";
import { untilModerator, untilSeen } from "./until-seen.ts";

const ROOMS = "/clients/{client}/rooms";
const ROOM = "/clients/{client}/rooms/{room}";

/** The year 2286: a cursor that somebody made up asks the database for no impossible moment. */
const LAST_US = 1e16;

const about = (room: Pick<RoomFacts, "id" | "name">) => ({ kind: "room", id: room.id, name: room.name });

export const roomEndpoints = (ctx: Context): Endpoint[] => [
  listEndpoint(ctx),
  endpoint(
    { method: "get", path: ROOM, action: "teams.read", tag: "teams", summary: "One room", answer: roomView },
    async ({ params, caller }) => viewRoom(await roomFor(ctx, params, caller)),
  ),
  createEndpoint(ctx),
  changeEndpoint(ctx),
  ...agentEndpoints(ctx),
  ...peopleEndpoints(ctx),
];

/** Throws `not_found` for what is not there or not for this caller. */
async function roomFor(ctx: Context, params: { client: string; room: string }, caller: Caller): Promise<RoomFacts> {
  await getTenant(ctx, params.client);
  const room = await findRoom(ctx, seenBy(caller, params.client), params.room);
  if (!room || room.kind === "space") throw new AppError("not_found", "There is no such room.");
  return room;
}

const listEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "get",
      path: ROOMS,
      action: "teams.read",
      tag: "teams",
      summary: "Rooms, the newest first: those of teams, and those that people made and an agent is in",
      query: pageQuery.extend({
        team: z.string().max(100).optional(),
        made: z.enum(["platform", "people"]).optional(),
        archived: flag.optional(),
        agent: z.string().max(100).optional(),
        q: words(100, 0).optional(),
      }),
      answer: pageOf(roomView),
    },
    async ({ params, query: { made, ...query }, caller }) => {
      await getTenant(ctx, params.client);
      const at = readCursor(query.cursor, "number", "string");
      const after = at && { createdUs: Math.min(Math.max(at[0], 0), LAST_US), id: at[1] };
      const who = made && ({ platform: "ours", people: "others" } as const)[made];
      const found = await listRooms(ctx, { ...query, ...seenBy(caller, params.client), after, made: who });
      return toPage(found, query.limit, (room) => writeCursor(room.createdUs, room.id), viewRoom);
    },
  );

const createEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "post",
      path: "/clients/{client}/teams/{team}/rooms",
      action: "teams.write",
      tag: "teams",
      summary: "Make a room in a team",
      body: z.object({ name: words(MAX_NAME), topic: words(MAX_TOPIC, 0).optional() }),
      answer: roomView,
      status: 201,
      creates: true,
    },
    async ({ params, body, caller, audit }) => {
      const team = await readTeam(ctx, params.client, params.team);
      if (team.archivedAt)
        throw new AppError("conflict", `The team ${team.name} is archived. Bring it back before you add rooms.`);
      const [taken] = await ctx.sql`
        select 1 from rooms where team_id = ${team.id} and lower(channel) = lower(${body.name}) and kind = 'channel'`;
      if (taken) throw new AppError("conflict", `There is a room called ${body.name} in ${team.name} already.`);
      const roomId = await createChannel(ctx, { tenantId: params.client, teamId: team.id, ...body });
      audit({ target: { kind: "room", id: roomId, name: body.name }, after: body });
      return viewRoom(await roomFor(ctx, { client: params.client, room: roomId }, caller));
    },
  );

const changeEndpoint = (ctx: Context) =>
  endpoint(
    {
      method: "patch",
      path: ROOM,
      action: "teams.write",
      tag: "teams",
      summary: "Rename a room, say what it is for and who reads its history, archive it or bring it back",
      body: z.object({
        name: words(MAX_NAME).optional(),
        topic: words(MAX_TOPIC, 0).optional(),
        historyVisibility: z.enum(VISIBILITIES).optional(),
        archived: z.boolean().optional(),
      }),
      answer: roomView,
    },
    async ({ params, body, caller, audit }) => {
      const before = await roomFor(ctx, params, caller);
      const { name, topic, historyVisibility } = before;
      audit({
        target: about(before),
        before: { name, topic, historyVisibility, archived: before.archivedAt !== null },
        after: body,
      });
      const room = await readOurRoom(ctx, params.client, params.room);
      // What the homeserver has to take at once comes first: when it is away, nothing is changed.
      if (body.topic !== undefined && body.topic !== (topic ?? "")) await setTopic(ctx, room, body.topic);
      if (body.historyVisibility && body.historyVisibility !== historyVisibility)
        await setHistoryVisibility(ctx, room, body.historyVisibility);
      if (body.name !== undefined) await renameRoom(ctx, await readOurRoom(ctx, params.client, params.room), body.name);
      if (body.archived !== undefined) await setRoomArchived(ctx, room, body.archived);
      return viewRoom(await roomFor(ctx, params, caller));
    },
  );

const AGENT = `${ROOM}/agents/{agent}` as const;

const agentEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "post",
      path: `${ROOM}/agents`,
      action: "teams.write",
      tag: "teams",
      summary: "Put an agent into a room",
      body: z.object({ agent: z.string().min(1).max(255), scope: scope.nullable().default(null) }),
      answer: roomView,
    },
    async ({ params, body, caller, audit }) => {
      const room = await roomFor(ctx, params, caller);
      audit({ target: about(room), after: body });
      const place = { tenantId: params.client, roomId: params.room, agentId: body.agent, scope: body.scope };
      const agent = await addAgentToRoom(ctx, place);
      await untilSeen(ctx, { tenantId: params.client, roomId: params.room, userId: agent.userId, in: true });
      return viewRoom(await roomFor(ctx, params, caller));
    },
  ),
  endpoint(
    {
      method: "patch",
      path: AGENT,
      action: "teams.write",
      tag: "teams",
      summary: "Change what an agent may in a room",
      body: z.object({ scope: scope.nullable() }),
      answer: roomView,
    },
    async ({ params, body, caller, audit }) => {
      const room = await roomFor(ctx, params, caller);
      const before = room.agents.find(({ id }) => id === params.agent)?.scope ?? null;
      audit({ target: about(room), before: { agent: params.agent, scope: before }, after: body });
      await changeScopeInRoom(ctx, {
        tenantId: params.client,
        roomId: params.room,
        agentId: params.agent,
        scope: body.scope,
      });
      return viewRoom(await roomFor(ctx, params, caller));
    },
  ),
  endpoint(
    {
      method: "delete",
      path: AGENT,
      action: "teams.write",
      tag: "teams",
      summary: "Take an agent out of a room; what it wrote stays",
      answer: null,
    },
    async ({ params, caller, audit }) => {
      const room = await roomFor(ctx, params, caller);
      audit({ target: about(room), after: { removedAgent: params.agent } });
      const place = { tenantId: params.client, roomId: params.room, agentId: params.agent };
      const agent = await removeAgentFromRoom(ctx, place);
      await untilSeen(ctx, { tenantId: params.client, roomId: params.room, userId: agent.userId, in: false });
    },
  ),
];

const peopleEndpoints = (ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: `${ROOM}/people`,
      action: "teams.read",
      tag: "teams",
      summary: "People in a room",
      query: pageQuery.extend({ q: words(100, 0).optional() }),
      answer: pageOf(memberView),
    },
    async ({ params, query, caller }) => {
      await roomFor(ctx, params, caller);
      const after = readCursor(query.cursor, "string")?.[0] ?? null;
      const found = await listMembers(ctx, { ...query, tenantId: params.client, roomId: params.room, after });
      return toPage(found, query.limit, ({ userId }) => writeCursor(userId), viewMember);
    },
  ),
  endpoint(
    {
      method: "post",
      path: `${ROOM}/people`,
      action: "teams.write",
      tag: "teams",
      summary: "Put somebody into a room",
      body: z.object({ user: z.string().min(1).max(255) }),
      answer: null,
    },
    async ({ params, body, caller, audit }) => {
      const room = await roomFor(ctx, params, caller);
      audit({ target: about(room), after: { added: body.user } });
      await readOurRoom(ctx, params.client, params.room);
      const who = { tenantId: params.client, roomId: params.room, userId: body.user };
      await addPersonToRoom(ctx, who);
      await untilSeen(ctx, { ...who, in: true });
    },
  ),
  endpoint(
    {
      method: "patch",
      path: `${ROOM}/people/{user}`,
      action: "teams.write",
      tag: "teams",
      summary: "Make somebody a moderator of a room, or a member again",
      body: z.object({ moderator: z.boolean() }),
      answer: null,
    },
    async ({ params, body, caller, audit }) => {
      const room = await roomFor(ctx, params, caller);
      audit({ target: about(room), after: { person: params.user, moderator: body.moderator } });
      await readOurRoom(ctx, params.client, params.room);
      const who = { tenantId: params.client, roomId: params.room, userId: params.user };
      await setModerator(ctx, { ...who, ...body });
      await untilModerator(ctx, { ...who, ...body });
    },
  ),
  endpoint(
    {
      method: "delete",
      path: `${ROOM}/people/{user}`,
      action: "teams.write",
      tag: "teams",
      summary: "Take somebody out of a room",
      answer: null,
    },
    async ({ params, caller, audit }) => {
      const room = await roomFor(ctx, params, caller);
      audit({ target: about(room), after: { removed: params.user } });
      await readOurRoom(ctx, params.client, params.room);
      const who = { tenantId: params.client, roomId: params.room, userId: params.user };
      await removePersonFromRoom(ctx, who);
      await untilSeen(ctx, { ...who, in: false });
    },
  ),
];
