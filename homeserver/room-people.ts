/** People and agents come into rooms of the platform and go, by the control bot. Each is harmless twice. */
import { and, eq } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { rooms } from "../migrations/schema.ts";
import { CONTROL_LOCALPART, tenantAccess } from "./access.ts";
import { call, errcodeOf, pathOf } from "./http.ts";
import { type Acting, readStateEvent } from "./matrix.ts";
import { addPersonToTeam, putLevels } from "./rooms.ts";

export { addPersonToTeam };

interface Who {
  tenantId: string;
  roomId: string;
  userId: string;
}

/** Joins a person to one room. Throws `not_found` for an account that is not there. */
export async function addPersonToRoom(ctx: Context, { tenantId, roomId, userId }: Who): Promise<void> {
  await requireOurPerson(ctx, tenantId, userId);
  if ((await membershipOf(ctx, { tenantId, roomId, userId })) === "join") return;
  await call(ctx, tenantId, {
    method: "POST",
    path: `/_synapse/admin/v1/join${pathOf(roomId)}`,
    body: { user_id: userId },
  }).catch((error) => {
    if (errcodeOf(error) !== "M_NOT_FOUND") throw error;
    throw new AppError("not_found", `There is no person ${userId} here.`);
  });
}

/** Takes a person out of one room; while in its team they can come back by themselves. */
export async function removePersonFromRoom(ctx: Context, who: Who): Promise<void> {
  await requireOurPerson(ctx, who.tenantId, who.userId);
  const membership = await membershipOf(ctx, who);
  if (membership !== "join" && membership !== "invite") return;
  const { controlUserId: as } = await tenantAccess(ctx, who.tenantId);
  await call(ctx, who.tenantId, {
    method: "POST",
    path: `/_matrix/client/v3${pathOf("rooms", who.roomId, "kick")}`,
    as,
    body: { user_id: who.userId, reason: "A manager took you out of this room." },
  });
}

/** Gives a person who is in the room the power level 50 there, or takes back what they have. Throws `conflict` for who is not in it. */
export async function setModerator(ctx: Context, { moderator, ...who }: Who & { moderator: boolean }): Promise<void> {
  const { tenantId, roomId, userId } = who;
  await requireOurPerson(ctx, tenantId, userId);
  if ((await membershipOf(ctx, who)) !== "join")
    throw new AppError("conflict", `${userId} is not in this room. Put them there first.`);
  await putLevels(ctx, { tenantId, roomId, users: { [userId]: moderator ? 50 : 0 } });
}

/** Out of the team's space first, which is what lets people into its rooms, then out of each of these. */
export async function removePersonFromTeam(
  ctx: Context,
  { tenantId, teamId, userId }: { tenantId: string; teamId: string; userId: string },
): Promise<void> {
  const all = await ctx.db
    .select()
    .from(rooms)
    .where(and(eq(rooms.tenantId, tenantId), eq(rooms.teamId, teamId)));
  for (const { roomId } of all.toSorted((a, b) => Number(b.kind === "space") - Number(a.kind === "space")))
    await removePersonFromRoom(ctx, { tenantId, roomId, userId });
}

async function membershipOf(ctx: Context, { tenantId, roomId, userId }: Who): Promise<unknown> {
  const { controlUserId: as } = await tenantAccess(ctx, tenantId);
  const place: Acting = { tenantId, as, roomId };
  return (await readStateEvent(ctx, { ...place, type: "m.room.member", stateKey: userId }))?.membership;
}

/** Throws `invalid` for who is no person of this client: agents have doors of their own, the control bot stays where it is. */
export async function requireOurPerson(ctx: Context, tenantId: string, userId: string): Promise<void> {
  const { serverName } = await tenantAccess(ctx, tenantId);
  const local = userId.endsWith(`:${serverName}`) ? userId.slice(1, -serverName.length - 1) : "";
  if (!userId.startsWith("@") || local === "")
    throw new AppError("invalid", `Only people of ${serverName} can be in its rooms.`);
  if (local === CONTROL_LOCALPART || local.startsWith("agent-"))
    throw new AppError("invalid", "This is not a person: agents come and go under “Agents” of the room.");
}
