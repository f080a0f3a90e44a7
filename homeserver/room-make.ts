import type { Context } from "../core/context.ts";
import type { TenantAccess } from "./access.ts";
import { callWith, errcodeOf, pathOf } from "./http.ts";
import { putState, readState } from "./matrix.ts";
import { type RoomPlan, sameJson } from "./room-plan.ts";

const CLIENT = "/_matrix/client/v3";

/**
 * The room of a plan: the one with its alias, else a new one; what is missing in it is set. So it may be called again after a crash
 * at any moment. Nobody else can make such an alias.
 */
export async function ensureRoom(ctx: Context, access: TenantAccess, plan: RoomPlan): Promise<string> {
  const found = await roomOfAlias(access, `#${plan.aliasName}:${access.serverName}`);
  if (!found) return await make(ctx, access, plan);
  await completeRoom(ctx, access, plan, found);
  return found;
}

async function make(ctx: Context, access: TenantAccess, plan: RoomPlan): Promise<string> {
  try {
    const what = { method: "POST", path: `${CLIENT}/createRoom`, body: plan.createRoom } as const;
    return (await callWith<{ room_id: string }>(access, what)).room_id;
  } catch (error) {
    // Another process made it in between.
    const inUse = errcodeOf(error) === "M_ROOM_IN_USE";
    const found = inUse ? await roomOfAlias(access, `#${plan.aliasName}:${access.serverName}`) : null;
    if (!found) throw error;
    await completeRoom(ctx, access, plan, found);
    return found;
  }
}

/** Sets what is missing. What people changed since (name, topic, levels) stays: only a state that is not there is set. */
export async function completeRoom(ctx: Context, access: TenantAccess, plan: RoomPlan, roomId: string): Promise<void> {
  const room = { tenantId: access.id, as: access.controlUserId, roomId };
  const state = await readState(ctx, room);
  for (const { type, stateKey, content } of plan.state) {
    const now = state.find((event) => event.type === type && (event.state_key ?? "") === stateKey);
    if (!now || (type === "m.room.join_rules" && !sameJson(now.content, content)))
      await putState(ctx, { ...room, type, stateKey, content });
  }
}

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
