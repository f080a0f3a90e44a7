import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { stableId } from "../core/ids.ts";
import type { TenantAccess } from "./access.ts";
import { callWith, errcodeOf, pathOf } from "./http.ts";
import { putState, type RoomEvent, readState } from "./matrix.ts";
import { type RoomPlan, sameJson } from "./room-plan.ts";

const CLIENT = "/_matrix/client/v3";

/**
 * The room of a plan: `known` if that is one already, else the one with its alias, else a new one; completed in each case. So it
 * may be called again after a crash at any moment. `uniqueBy` makes another alias when people have taken the nice one.
 */
export async function ensureRoom(
  ctx: Context,
  access: TenantAccess,
  plan: RoomPlan,
  { uniqueBy, known }: { uniqueBy: string; known: string | null },
): Promise<string> {
  if (known) {
    await complete(ctx, access, plan, known, await stateOf(ctx, access, known));
    return known;
  }
  const names = [plan.aliasName, `${plan.aliasName}-${stableId(uniqueBy).slice(0, 8)}`];
  for (const name of names) {
    const found = await roomOfAlias(access, `#${name}:${access.serverName}`);
    if (!found) return await make(ctx, access, plan, name);
    const state = await stateOf(ctx, access, found);
    if (!isOurs(access, state)) continue;
    await complete(ctx, access, plan, found, state);
    return found;
  }
  throw new AppError("conflict", `The addresses for ${plan.aliasName} are taken by rooms that others made.`);
}

async function make(ctx: Context, access: TenantAccess, plan: RoomPlan, aliasName: string): Promise<string> {
  try {
    const body = { ...plan.createRoom, room_alias_name: aliasName };
    const answer = await callWith<{ room_id: string }>(access, { method: "POST", path: `${CLIENT}/createRoom`, body });
    return answer.room_id;
  } catch (error) {
    // Another process made it in between.
    const found =
      errcodeOf(error) === "M_ROOM_IN_USE" && (await roomOfAlias(access, `#${aliasName}:${access.serverName}`));
    if (!found) throw error;
    await complete(ctx, access, plan, found, await stateOf(ctx, access, found));
    return found;
  }
}

/** Sets what is missing. What people changed since (name, topic, levels) stays: only a state that is not there is set. */
async function complete(
  ctx: Context,
  access: TenantAccess,
  plan: RoomPlan,
  roomId: string,
  state: RoomEvent[],
): Promise<void> {
  const room = { tenantId: access.id, as: access.controlUserId, roomId };
  for (const { type, stateKey, content } of plan.state) {
    const now = state.find((event) => event.type === type && (event.state_key ?? "") === stateKey);
    if (!now || (type === "m.room.join_rules" && !sameJson(now.content, content)))
      await putState(ctx, { ...room, type, stateKey, content });
  }
}

async function stateOf(ctx: Context, access: TenantAccess, roomId: string): Promise<RoomEvent[]> {
  try {
    return await readState(ctx, { tenantId: access.id, as: access.controlUserId, roomId });
  } catch (error) {
    if (errcodeOf(error) === "M_FORBIDDEN" || errcodeOf(error) === "M_NOT_FOUND") return [];
    throw error;
  }
}

const isOurs = (access: TenantAccess, state: RoomEvent[]) =>
  state.some((event) => event.type === "m.room.create" && event.sender === access.controlUserId);

/** The room that an alias names, or null. */
export async function roomOfAlias(access: TenantAccess, alias: string): Promise<string | null> {
  try {
    const path = `${CLIENT}/directory/room${pathOf(alias)}`;
    return (await callWith<{ room_id: string }>(access, { method: "GET", path })).room_id;
  } catch (error) {
    if (errcodeOf(error) === "M_NOT_FOUND") return null;
    throw error;
  }
}
