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
import { ensureRoom } from "./room-make.ts";
import { desiredPowerLevels, roomPlan, sameJson } from "./room-plan.ts";

export { desiredPowerLevels } from "./room-plan.ts";

type TeamRow = typeof teams.$inferSelect;

/** What a scope means on the homeserver. Below `events_default`, which is 0, one cannot post. */
export const SCOPE_LEVEL: Record<Scope, number> = { observer: -1, member: 0, moderator: 50 };

/** Makes a team with its channels, or completes one that was half made. Throws `invalid` without a name. */
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
  const access = await tenantAccess(ctx, tenantId);
  const plan = roomPlan({ access, kind: "space", name, aliasName: aliasName(team.id) });
  const spaceRoomId = await ensureRoom(ctx, access, plan);
  await ctx.db.update(teams).set({ spaceRoomId }).where(eq(teams.id, team.id));
  await rememberRoom(ctx, { tenantId, roomId: spaceRoomId, teamId: team.id, channel: null, kind: "space" });
  for (const channel of channels) await createChannel(ctx, { tenantId, teamId: team.id, name: channel });
  return { ...team, spaceRoomId };
}

/** Makes a channel of a team, or completes one that was half made. Returns its room id. */
export async function createChannel(
  ctx: Context,
  { tenantId, teamId, name, topic }: { tenantId: string; teamId: string; name: string; topic?: string },
): Promise<string> {
  if (name.trim() === "") throw new AppError("invalid", "A channel needs a name.");
  const team = await readTeam(ctx, tenantId, teamId);
  const space = team.spaceRoomId;
  if (!space) throw new AppError("conflict", `The team ${team.name} is still being made. Try again.`);
  const access = await tenantAccess(ctx, tenantId);
  const plan = roomPlan({ access, kind: "channel", name, aliasName: aliasName(teamId, name), space, topic });
  const roomId = await ensureRoom(ctx, access, plan);
  await rememberRoom(ctx, { tenantId, roomId, teamId, channel: name, kind: "channel" });
  await ensureState(ctx, access, space, "m.space.child", roomId, { via: [access.serverName], suggested: true });
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

async function putLevels(
  ctx: Context,
  { tenantId, roomId, users }: { tenantId: string; roomId: string; users: Record<string, number> },
): Promise<boolean> {
  const access = await tenantAccess(ctx, tenantId);
  const [row] = await ctx.db
    .select({ kind: rooms.kind })
    .from(rooms)
    .where(and(eq(rooms.tenantId, tenantId), eq(rooms.roomId, roomId)));
  if (!row || row.kind === "other")
    throw new AppError("forbidden", "Power levels are set by us only in rooms that the platform made.");
  const room = { tenantId, as: access.controlUserId, roomId };
  const now = await readStateEvent(ctx, { ...room, type: "m.room.power_levels", stateKey: "" });
  const content = desiredPowerLevels({ kind: row.kind, now, users, controlUserId: access.controlUserId });
  if (now && sameJson(now, content)) return false;
  await putState(ctx, { ...room, type: "m.room.power_levels", stateKey: "", content });
  return true;
}

/** Made of what never changes, so that the same room is found again. */
const aliasName = (...parts: string[]) => `${ALIAS_PREFIX}${stableId(...parts).slice(0, 16)}`;

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

async function readTeam(ctx: Context, tenantId: string, teamId: string): Promise<TeamRow> {
  const [team] = await ctx.db
    .select()
    .from(teams)
    .where(and(eq(teams.tenantId, tenantId), eq(teams.id, teamId)));
  if (!team) throw new AppError("not_found", `There is no team ${teamId} in ${tenantId}.`);
  return team;
}
