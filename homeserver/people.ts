/** The people of a tenant as its homeserver knows them (Synapse 1.163, docs/admin_api/user_admin_api.md), and what may be done to them. */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { AGENT_PREFIX, CONTROL_LOCALPART, tenantAccess } from "./access.ts";
import { call, errcodeOf, pathOf } from "./http.ts";

export interface HomeserverPerson {
  /** `@name:server`. */
  userId: string;
  displayName: string | null;
  /** The account is over for good. */
  deactivated: boolean;
  /** What they said is hidden from newcomers. */
  erased: boolean;
  /** Cannot sign in or do anything (Synapse's "locked"). */
  locked: boolean;
  /** May read and leave, not write. Null in lists: Synapse says it of one person only. */
  suspended: boolean | null;
  /** Administers the homeserver itself. */
  admin: boolean;
  createdAt: number | null;
  lastSeenAt: number | null;
}

export interface Device {
  id: string;
  name: string | null;
  lastSeenAt: number | null;
  address: string | null;
  userAgent: string | null;
}

interface Who {
  tenantId: string;
  userId: string;
}

interface UserRow {
  name: string;
  displayname: string | null;
  deactivated: boolean | number;
  erased?: boolean;
  locked?: boolean;
  suspended?: boolean;
  admin?: boolean | number;
  creation_ts: number | null;
  last_seen_ts: number | null;
}

const PAGE = 500;

/** Whether it is a person's user id on that server: not an agent's, not the control bot's, not another server's. */
export function isPersonId(userId: string, serverName: string): boolean {
  const end = `:${serverName}`;
  if (!userId.startsWith("@") || !userId.endsWith(end) || userId.length > 255) return false;
  const local = userId.slice(1, -end.length);
  return /^[\x21-\x39\x3b-\x7e]+$/.test(local) && local !== CONTROL_LOCALPART && !local.startsWith(AGENT_PREFIX);
}

/** All people page by page, deactivated and locked ones too; without guests, agents and the control bot. */
export async function* listPeople(ctx: Context, tenantId: string): AsyncGenerator<HomeserverPerson[]> {
  const { serverName } = await tenantAccess(ctx, tenantId);
  let from: string | undefined = "0";
  while (from !== undefined) {
    // Nobody drops out of this list (deactivated and locked are asked for too), so no one is skipped between two pages.
    const query = { from, limit: PAGE, guests: "false", deactivated: "true", locked: "true", order_by: "name" };
    const page: { users: UserRow[]; next_token?: string } = await call(ctx, tenantId, {
      method: "GET",
      path: "/_synapse/admin/v2/users",
      query,
      timeoutMs: 10_000,
    });
    yield page.users.filter(({ name }) => isPersonId(name, serverName)).map((row) => personOf(row, 1));
    from = page.next_token;
  }
}

/** One person, with what only this call says; null when there is none. */
export async function readPerson(ctx: Context, { tenantId, userId }: Who): Promise<HomeserverPerson | null> {
  try {
    const path = `/_synapse/admin/v2/users${pathOf(userId)}`;
    // Here, unlike in the list, Synapse gives the creation in seconds.
    return personOf(await call<UserRow>(ctx, tenantId, { method: "GET", path }), 1000);
  } catch (error) {
    if (errcodeOf(error) === "M_NOT_FOUND") return null;
    throw error;
  }
}

function personOf(row: UserRow, creationUnit: 1 | 1000): HomeserverPerson {
  return {
    userId: row.name,
    displayName: row.displayname || null,
    deactivated: Boolean(row.deactivated),
    erased: row.erased ?? false,
    locked: row.locked ?? false,
    suspended: row.suspended ?? null,
    admin: Boolean(row.admin),
    createdAt: row.creation_ts === null ? null : row.creation_ts * creationUnit,
    lastSeenAt: row.last_seen_ts || null,
  };
}

/** The devices on which a person is signed in, the last used first. Throws `not_found`. */
export async function listDevices(ctx: Context, { tenantId, userId }: Who): Promise<Device[]> {
  const path = `/_synapse/admin/v2/users${pathOf(userId, "devices")}`;
  const { devices } = await known(call<{ devices: DeviceRow[] }>(ctx, tenantId, { method: "GET", path }), userId);
  return devices
    .filter(({ dehydrated }) => !dehydrated)
    .map((row) => ({
      id: row.device_id,
      name: row.display_name || null,
      lastSeenAt: row.last_seen_ts ?? null,
      address: row.last_seen_ip ?? null,
      userAgent: row.last_seen_user_agent ?? null,
    }))
    .toSorted((a, b) => (b.lastSeenAt ?? 0) - (a.lastSeenAt ?? 0) || (a.id < b.id ? -1 : 1));
}

interface DeviceRow {
  device_id: string;
  display_name: string | null;
  last_seen_ts?: number | null;
  last_seen_ip?: string | null;
  last_seen_user_agent?: string | null;
  dehydrated?: boolean;
}

/** Signs these devices out. One that is not there is signed out already. Throws `not_found` for the person. */
export async function signOutDevices(ctx: Context, who: Who & { devices: string[] }): Promise<void> {
  if (who.devices.length === 0) return;
  const path = `/_synapse/admin/v2/users${pathOf(who.userId, "delete_devices")}`;
  const body = { devices: who.devices };
  await known(call(ctx, who.tenantId, { method: "POST", path, body }), who.userId);
}

/** A suspended person reads and leaves rooms, but sends nothing (M_USER_SUSPENDED). Synapse 1.163 needs nothing in its config for it. */
export async function setSuspended(ctx: Context, who: Who & { suspended: boolean }): Promise<void> {
  const path = `/_synapse/admin/v1/suspend${pathOf(who.userId)}`;
  const body = { suspend: who.suspended };
  await known(call(ctx, who.tenantId, { method: "PUT", path, body }), who.userId);
}

/** A locked person cannot even sign in. We do not lock; what was locked elsewhere is opened again here. */
export async function unlock(ctx: Context, { tenantId, userId }: Who): Promise<void> {
  const path = `/_synapse/admin/v2/users${pathOf(userId)}`;
  await call(ctx, tenantId, { method: "PUT", path, body: { locked: false } });
}

/**
 * Ends an account for good: its devices are signed out, it leaves its rooms, its name is never given again. `erase`: what it wrote
 * is hidden from whoever joins later, and its name and picture are removed.
 */
export async function deactivatePerson(ctx: Context, who: Who & { erase: boolean }): Promise<void> {
  const path = `/_synapse/admin/v1/deactivate${pathOf(who.userId)}`;
  await known(call(ctx, who.tenantId, { method: "POST", path, body: { erase: who.erase } }), who.userId);
}

/** Sets a new Matrix password and signs out every device. Throws `not_found`. */
export async function setPassword(ctx: Context, who: Who & { password: string }): Promise<void> {
  const path = `/_synapse/admin/v1/reset_password${pathOf(who.userId)}`;
  const body = { new_password: who.password, logout_devices: true };
  await known(call(ctx, who.tenantId, { method: "POST", path, body }), who.userId);
}

/** Sets the name that others see. */
export async function setDisplayName(ctx: Context, who: Who & { displayName: string }): Promise<void> {
  const path = `/_synapse/admin/v2/users${pathOf(who.userId)}`;
  await call(ctx, who.tenantId, { method: "PUT", path, body: { displayname: who.displayName } });
}

/** Ids of the rooms that a person is in. */
export async function roomsOf(ctx: Context, { tenantId, userId }: Who): Promise<string[]> {
  const path = `/_synapse/admin/v1/users${pathOf(userId, "joined_rooms")}`;
  return (await call<{ joined_rooms: string[] }>(ctx, tenantId, { method: "GET", path })).joined_rooms;
}

/** Synapse's "unknown user" as a sentence. */
async function known<T>(answer: Promise<T>, userId: string): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (errcodeOf(cause) === "M_NOT_FOUND") throw noSuchPerson(userId, cause);
    throw cause;
  }
}

export const noSuchPerson = (userId: string, cause?: unknown) =>
  new AppError(
    "not_found",
    `There is no person ${userId} on this homeserver. The list of people shows those that there are.`,
    { cause },
  );
