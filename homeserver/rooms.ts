/** Teams are spaces, channels are rooms in them, all made by the control bot, so that it outranks everybody there. */
import { and, eq } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId, stableId } from "../core/ids.ts";
import { rooms, teams } from "../migrations/schema.ts";
import type { Scope } from "../migrations/types.ts";
import { ALIAS_PREFIX, type TenantAccess, tenantAccess } from "./access.ts";
import { call, pathOf } from "./http.ts";
import { inviteUser, putState, readStateEvent } from "./matrix.ts";
import { completeRoom, ensureRoom, roomOfAlias } from "./room-make.ts";
import { desiredPowerLevels, roomPlan, sameJson } from "./room-plan.ts";

export { desiredPowerLevels } from "./room-plan.ts";

type TeamRow = typeof teams.$inferSelect;

/** What a scope means on the homeserver. Below `events_default`, which is 0, one cannot post. */
export const SCOPE_LEVEL: Record<Scope, number> = { observer: -1, member: 0, moderator: 50 };

/** Makes a team with its channels, or completes one that was half made. Throws `invalid` without a name, `conflict` for an archived one. */
export async function createTeam(
  ctx: Context,
  { tenantId, name, channels }: { tenantId: string; name: string; channels: string[] },
): Promise<TeamRow> {
  if (name.trim() === "") throw new AppError("invalid", "A team needs a name.");
  await ctx.db.insert(teams).values({ id: newId(), tenantId, name }).onConflictDoNothing();
  const [team] = await ctx.db
    .select()
    .from(teams)
    .where(and(eq(teams.tenantId, tenantId), eq(teams.name, name)));
  if (!team) throw new AppError("not_found", `There is no client "${tenantId}".`);
  if (team.archivedAt)
    throw new AppError("conflict", `There is an archived team ${name}. Bring it back, or choose another name.`);
  const spaceRoomId = await ensureSpace(ctx, team);
  for (const channel of channels) await createChannel(ctx, { tenantId, teamId: team.id, name: channel });
  return { ...team, spaceRoomId };
}

/** The space of a team: made, or completed. Returns its room id. */
export async function ensureSpace(ctx: Context, { id, tenantId, name }: TeamRow): Promise<string> {
  const access = await tenantAccess(ctx, tenantId);
  const plan = roomPlan({ access, kind: "space", name, aliasName: aliasName(id) });
  const spaceRoomId = await ensureRoom(ctx, access, plan);
  await ctx.db.update(teams).set({ spaceRoomId }).where(eq(teams.id, id));
  await rememberRoom(ctx, { tenantId, roomId: spaceRoomId, teamId: id, channel: null, kind: "space" });
  return spaceRoomId;
}

/** Makes a channel of a team, or completes one that was half made. Returns its room id. Throws `conflict` for an archived one. */
export async function createChannel(
  ctx: Context,
  { tenantId, teamId, name, topic }: { tenantId: string; teamId: string; name: string; topic?: string | undefined },
): Promise<string> {
  if (name.trim() === "") throw new AppError("invalid", "A channel needs a name.");
  const team = await readTeam(ctx, tenantId, teamId);
  const space = team.spaceRoomId;
  if (!space) throw new AppError("conflict", `The team ${team.name} is still being made. Try again.`);
  const access = await tenantAccess(ctx, tenantId);
  const planFor = (alias: string) => roomPlan({ access, kind: "channel", name, aliasName: alias, space, topic });
  const known = await channelNamed(ctx, teamId, name);
  if (known?.archivedAt)
    throw new AppError("conflict", `There is an archived room ${name}. Bring it back, or choose another name.`);
  if (known) await completeRoom(ctx, access, planFor(""), known.roomId);
  const roomId = known?.roomId ?? (await ensureRoom(ctx, access, planFor(await freeAlias(ctx, access, team, name))));
  await rememberRoom(ctx, { tenantId, roomId, teamId, channel: name, kind: "channel" });
  await ensureState(ctx, access, space, "m.space.child", roomId, { via: [access.serverName], suggested: true });
  return roomId;
}

/**
 * A room of no team, made by the control bot; or the one that was made for the same cause before. Returns its room id. Nobody is in it yet but the control bot.
 */
export async function makeFreeRoom(
  ctx: Context,
  wish: {
    tenantId: string;
    name: string;
    topic?: string | undefined;
    /** What nobody vouches for and an agent had read who named it so. */
    untrusted?: string | null;
    /** People of other servers can be invited. */
    federated: boolean;
    cause: (string | number)[];
  },
): Promise<string> {
  const { tenantId, cause, ...rest } = wish;
  const access = await tenantAccess(ctx, tenantId);
  const { name } = rest;
  const plan = roomPlan({ ...rest, access, kind: "channel", aliasName: aliasName(...cause) });
  const roomId = await ensureRoom(ctx, access, plan);
  await rememberRoom(ctx, { tenantId, roomId, teamId: null, channel: name, kind: "channel" });
  return roomId;
}

/** Joins a person to the team's space and all its channels. `moderator` gives them level 50 there. */
export async function addPersonToTeam(
  ctx: Context,
  { tenantId, teamId, userId, moderator }: { tenantId: string; teamId: string; userId: string; moderator?: boolean },
): Promise<void> {
  await readTeam(ctx, tenantId, teamId);
  const { controlUserId } = await tenantAccess(ctx, tenantId);
  const found = await ctx.db
    .select()
    .from(rooms)
    .where(and(eq(rooms.tenantId, tenantId), eq(rooms.teamId, teamId)));
  // The space first: it is what makes the channels joinable.
  for (const room of found.toSorted((a, b) => Number(b.kind === "space") - Number(a.kind === "space"))) {
    const member = { tenantId, as: controlUserId, roomId: room.roomId, type: "m.room.member", stateKey: userId };
    // Synapse refuses to join one who is in already.
    if ((await readStateEvent(ctx, member))?.membership !== "join")
      await call(ctx, tenantId, {
        method: "POST",
        path: `/_synapse/admin/v1/join${pathOf(room.roomId)}`,
        body: { user_id: userId },
      });
    if (moderator) await putLevels(ctx, { tenantId, roomId: room.roomId, users: { [userId]: 50 } });
  }
}

/** Invites an agent as the control bot, which must be in the room. */
export async function inviteAgentToRoom(
  ctx: Context,
  { tenantId, roomId, userId }: { tenantId: string; roomId: string; userId: string },
): Promise<void> {
  const { controlUserId } = await tenantAccess(ctx, tenantId);
  await inviteUser(ctx, { tenantId, as: controlUserId, roomId, userId });
}

/**
 * Puts the agents' power levels, and with them the whole room's rules, as they should be in a room that we made. `users` names
 * every agent of the room; levels of people stay. Writes nothing when nothing differs. Returns whether it wrote.
 */
export async function putAgentPowerLevels(
  ctx: Context,
  what: { tenantId: string; roomId: string; users: Record<string, number> },
): Promise<boolean> {
  return await putLevels(ctx, what);
}

/** The same for whomever `users` names; the levels of all others stay. */
export async function putLevels(
  ctx: Context,
  { tenantId, roomId, users }: { tenantId: string; roomId: string; users: Record<string, number> },
): Promise<boolean> {
  const access = await tenantAccess(ctx, tenantId);
  const room = { tenantId, as: access.controlUserId, roomId };
  for (let wrote = false; ; wrote = true) {
    const { kind, archived } = await kindOf(ctx, tenantId, roomId);
    const now = await readStateEvent(ctx, { ...room, type: "m.room.power_levels", stateKey: "" });
    const content = desiredPowerLevels({ kind, now, users, controlUserId: access.controlUserId, archived });
    if (now && sameJson(now, content)) return wrote;
    await putState(ctx, { ...room, type: "m.room.power_levels", stateKey: "", content });
    // Archived or brought back meanwhile: whoever did that may have written before us, and the row is what counts.
    if ((await kindOf(ctx, tenantId, roomId)).archived === archived) return true;
  }
}

async function kindOf(ctx: Context, tenantId: string, roomId: string) {
  const [row] = await ctx.db
    .select({ kind: rooms.kind, archivedAt: rooms.archivedAt })
    .from(rooms)
    .where(and(eq(rooms.tenantId, tenantId), eq(rooms.roomId, roomId)));
  if (!row || row.kind === "other")
    throw new AppError("forbidden", "Power levels are set by us only in rooms that the platform made.");
  return { kind: row.kind, archived: row.archivedAt !== null };
}

/** Made of what never changes, so that the same room is found again. */
const aliasName = (...parts: (string | number)[]) => `${ALIAS_PREFIX}${stableId(...parts).slice(0, 16)}`;

/**
 * Under which a channel of this name is made, or was made before a crash. A room keeps its alias when it is renamed: one that leads to a
 * room that is called otherwise now is not this one's, and the next number is taken.
 */
async function freeAlias(ctx: Context, access: TenantAccess, team: TeamRow, name: string): Promise<string> {
  for (let n = 1; ; n++) {
    const alias = n === 1 ? aliasName(team.id, name) : aliasName(team.id, name, n);
    const roomId = await roomOfAlias(access, `#${alias}:${access.serverName}`);
    if (!roomId) return alias;
    const [row] = await ctx.db
      .select({ channel: rooms.channel })
      .from(rooms)
      .where(and(eq(rooms.tenantId, team.tenantId), eq(rooms.roomId, roomId)));
    if (!row?.channel || row.channel === name) return alias;
  }
}

async function channelNamed(ctx: Context, teamId: string, name: string) {
  const [row] = await ctx.db
    .select({ roomId: rooms.roomId, archivedAt: rooms.archivedAt })
    .from(rooms)
    .where(and(eq(rooms.teamId, teamId), eq(rooms.channel, name), eq(rooms.kind, "channel")));
  return row;
}

async function ensureState(
  ctx: Context,
  access: TenantAccess,
  roomId: string,
  type: string,
  stateKey: string,
  content: Record<string, unknown>,
): Promise<void> {
  const room = { tenantId: access.id, as: access.controlUserId, roomId };
  const now = await readStateEvent(ctx, { ...room, type, stateKey });
  if (!now || !sameJson(now, content)) await putState(ctx, { ...room, type, stateKey, content });
}

async function rememberRoom(ctx: Context, row: typeof rooms.$inferInsert): Promise<void> {
  const { teamId, channel, kind } = row;
  await ctx.db
    .insert(rooms)
    .values(row)
    .onConflictDoUpdate({ target: [rooms.tenantId, rooms.roomId], set: { teamId, channel, kind } });
}

/** A team of this client. Throws `not_found`. */
export async function readTeam(ctx: Context, tenantId: string, teamId: string): Promise<TeamRow> {
  const [team] = await ctx.db
    .select()
    .from(teams)
    .where(and(eq(teams.tenantId, tenantId), eq(teams.id, teamId)));
  if (!team) throw new AppError("not_found", "There is no such team.");
  return team;
}
