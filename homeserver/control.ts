/** The control bot: the appservice's own user, admin of the homeserver, maker of every room of the platform. */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { ALIAS_PREFIX, APPSERVICE_ID, CONTROL_LOCALPART, type TenantAccess } from "./access.ts";
import { registerAppserviceUser, setProfile } from "./accounts.ts";
import { callWith, errcodeOf, pathOf } from "./http.ts";
import { sendEvent } from "./matrix.ts";
import { ensureRoom } from "./room-make.ts";
import { roomPlan } from "./room-plan.ts";

/**
 * Makes the control bot where it is missing, and an admin through `makeAdmin`: nobody but a database or another admin can, since
 * Synapse keeps the appservice's own name from the shared secret. Throws `homeserver_refused` when it stays without rights.
 */
export async function ensureControlBot(
  ctx: Context,
  access: TenantAccess,
  makeAdmin: (userId: string) => Promise<void>,
): Promise<void> {
  await registerAppserviceUser(access, CONTROL_LOCALPART);
  // Before it is asked: Synapse keeps the answer in memory, and would not see the change.
  await makeAdmin(access.controlUserId);
  if (await isAdmin(access))
    return await setProfile(ctx, { tenantId: access.id, userId: access.controlUserId, displayName: "Agentopia" });
  throw new AppError(
    "homeserver_refused",
    `${access.controlUserId} must be a server admin of ${access.homeserverUrl}: as one, call PUT /_synapse/admin/v1/users/${access.controlUserId}/admin with {"admin": true}.`,
  );
}

async function isAdmin(access: TenantAccess): Promise<boolean> {
  try {
    const path = `/_synapse/admin/v1/users${pathOf(access.controlUserId)}/admin`;
    return (await callWith<{ admin: boolean }>(access, { method: "GET", path })).admin;
  } catch (error) {
    if (errcodeOf(error) !== "M_FORBIDDEN") throw error;
    return false;
  }
}

/**
 * Causes one event that the homeserver hands to us: only with one does it begin to hand over again after its start
 * (synapse/handlers/appservice.py). In a room of the control bot's own.
 */
export async function causeEvent(ctx: Context, access: TenantAccess): Promise<void> {
  const plan = roomPlan({ access, kind: "channel", name: "Agentopia", aliasName: `${ALIAS_PREFIX}control` });
  const roomId = await ensureRoom(ctx, access, plan);
  await sendEvent(ctx, {
    tenantId: access.id,
    as: access.controlUserId,
    roomId,
    txnId: newId(),
    type: "dev.agentopia.wake",
    content: {},
  });
}

/**
 * Has the homeserver call us, which also ends its pause after failed transactions. Returns how that went: `deaf` when it
 * answers but cannot reach us. Throws `homeserver_down`, or `homeserver_refused` when it does not know our registration.
 */
export async function pingAppservice(access: TenantAccess): Promise<"heard" | "deaf"> {
  try {
    const path = `/_matrix/client/v1/appservice/${APPSERVICE_ID}/ping`;
    await callWith(access, { method: "POST", path, body: {}, timeoutMs: 15_000 });
    return "heard";
  } catch (error) {
    const refusal = error instanceof AppError ? (error.cause as { errcode?: string } | undefined)?.errcode : undefined;
    if (refusal?.includes("CONNECTION_FAILED") || refusal?.includes("BAD_STATUS") || refusal?.includes("_TIMEOUT"))
      return "deaf";
    throw error;
  }
}

/** True when it answers at all. */
export async function answers(access: TenantAccess, timeoutMs = 5_000): Promise<boolean> {
  try {
    await callWith(access, { method: "GET", path: "/_matrix/client/versions", as: null, timeoutMs });
    return true;
  } catch {
    return false; // The question is only whether it does.
  }
}
