/** The one door out: everything that our users do in rooms. Later encryption goes in here and nowhere else. */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { tenantAccess } from "./access.ts";
import { call, callRaw, errcodeOf, pathOf } from "./http.ts";

export { errcodeOf, MatrixRefusal } from "./http.ts";

type Json = Record<string, unknown>;

/** Who acts where. */
export interface Acting {
  tenantId: string;
  /** Matrix user id: an agent's or the control bot's. */
  as: string;
  roomId: string;
}

/** A room event as the client-server API gives it. */
export interface RoomEvent {
  event_id: string;
  type: string;
  sender: string;
  room_id?: string;
  state_key?: string;
  origin_server_ts: number;
  content: Json;
  redacts?: string;
  unsigned?: Json;
}

const CLIENT = "/_matrix/client/v3";
const roomPath = (roomId: string, ...rest: string[]) => CLIENT + pathOf("rooms", roomId, ...rest);

/**
 * Sends a message event. The same `txnId` gives the same event, also after a restart of Synapse when `deviceId` exists.
 * Synapse's cache is keyed by path and appservice without the user: put the agent into `txnId`. Returns the event id.
 */
export async function sendEvent(
  ctx: Context,
  event: Acting & { deviceId?: string | undefined; txnId: string; type: string; content: Json },
): Promise<string> {
  const what = {
    method: "PUT",
    path: roomPath(event.roomId, "send", event.type, event.txnId),
    as: event.as,
    deviceId: event.deviceId,
    body: event.content,
  } as const;
  try {
    return (await call<{ event_id: string }>(ctx, event.tenantId, what)).event_id;
  } catch (error) {
    if (errcodeOf(error) !== "M_UNKNOWN_DEVICE" || !event.deviceId) throw error;
    // Its user was logged out everywhere: the device comes back under the same name.
    await ensureDevice(ctx, { tenantId: event.tenantId, userId: event.as, deviceId: event.deviceId });
    return (await call<{ event_id: string }>(ctx, event.tenantId, what)).event_id;
  }
}

/** Makes the device when it is not there (MSC4190: an appservice may, by PUT; Synapse ≥ 1.121). */
export async function ensureDevice(
  ctx: Context,
  device: { tenantId: string; userId: string; deviceId: string },
): Promise<void> {
  await call(ctx, device.tenantId, {
    method: "PUT",
    path: CLIENT + pathOf("devices", device.deviceId),
    as: device.userId,
    body: { display_name: "Agentopia" },
  });
}

/** Redacts an event. Returns the redaction's event id. */
export async function redactEvent(
  ctx: Context,
  what: Acting & { eventId: string; txnId: string; reason?: string },
): Promise<string> {
  const answer = await call<{ event_id: string }>(ctx, what.tenantId, {
    method: "PUT",
    path: roomPath(what.roomId, "redact", what.eventId, what.txnId),
    as: what.as,
    body: what.reason ? { reason: what.reason } : {},
  });
  return answer.event_id;
}

/** Shows or ends "is typing"; it ends by itself after `timeoutMs` (default 30 s). */
export async function setTyping(
  ctx: Context,
  { tenantId, as, roomId, typing, timeoutMs = 30_000 }: Acting & { typing: boolean; timeoutMs?: number },
): Promise<void> {
  await call(ctx, tenantId, {
    method: "PUT",
    path: roomPath(roomId, "typing", as),
    as,
    body: typing ? { typing: true, timeout: timeoutMs } : { typing: false },
    timeoutMs: 10_000,
  });
}

/** Joins a room it was invited to or may join. */
export async function joinRoom(ctx: Context, { tenantId, as, roomId }: Acting): Promise<void> {
  await call(ctx, tenantId, { method: "POST", path: roomPath(roomId, "join"), as, body: {} });
}

/** Leaves a room or declines its invite. A room it is not in is left already. */
export async function leaveRoom(
  ctx: Context,
  { tenantId, as, roomId, reason }: Acting & { reason?: string },
): Promise<void> {
  await call(ctx, tenantId, {
    method: "POST",
    path: roomPath(roomId, "leave"),
    as,
    body: reason ? { reason } : {},
  }).catch(async (error) => {
    if (errcodeOf(error) === "M_FORBIDDEN" && !(await isIn(ctx, { tenantId, as, roomId }))) return;
    throw error;
  });
}

/** Invites `userId`; one who is in the room or invited already is left as is. */
export async function inviteUser(
  ctx: Context,
  { tenantId, as, roomId, userId }: Acting & { userId: string },
): Promise<void> {
  const membership = await readStateEvent(ctx, { tenantId, as, roomId, type: "m.room.member", stateKey: userId });
  if (membership?.membership === "join" || membership?.membership === "invite") return;
  await call(ctx, tenantId, { method: "POST", path: roomPath(roomId, "invite"), as, body: { user_id: userId } });
}

/** Sets a piece of the room's state. Returns the event id. */
export async function putState(
  ctx: Context,
  { tenantId, as, roomId, type, stateKey, content }: Acting & { type: string; stateKey: string; content: Json },
): Promise<string> {
  const path = roomPath(roomId, "state", type, stateKey);
  return (await call<{ event_id: string }>(ctx, tenantId, { method: "PUT", path, as, body: content })).event_id;
}

/** All of the room's state now. */
export async function readState(ctx: Context, { tenantId, as, roomId }: Acting): Promise<RoomEvent[]> {
  return await call<RoomEvent[] & Json>(ctx, tenantId, { method: "GET", path: roomPath(roomId, "state"), as });
}

/** One piece of state's content, or null when it is not set. */
export async function readStateEvent(
  ctx: Context,
  { tenantId, as, roomId, type, stateKey }: Acting & { type: string; stateKey: string },
): Promise<Json | null> {
  try {
    return await call(ctx, tenantId, { method: "GET", path: roomPath(roomId, "state", type, stateKey), as });
  } catch (error) {
    if (errcodeOf(error) === "M_NOT_FOUND") return null;
    throw error;
  }
}

/** Events of the timeline: `dir` "b" from the newest, "f" from the oldest. `end` is missing at the end. */
export async function readMessages(
  ctx: Context,
  { tenantId, as, roomId, limit, dir, from }: Acting & { limit: number; dir: "b" | "f"; from?: string | undefined },
): Promise<{ chunk: RoomEvent[]; end?: string }> {
  const query = { limit, dir, from };
  return await call(ctx, tenantId, { method: "GET", path: roomPath(roomId, "messages"), as, query });
}

/** One event, or null when it is unknown or not for this user. */
export async function readEvent(
  ctx: Context,
  { tenantId, as, roomId, eventId }: Acting & { eventId: string },
): Promise<RoomEvent | null> {
  try {
    return await call<RoomEvent & Json>(ctx, tenantId, { method: "GET", path: roomPath(roomId, "event", eventId), as });
  } catch (error) {
    if (errcodeOf(error) === "M_NOT_FOUND") return null;
    throw error;
  }
}

/** The rooms that a user of ours is in. */
export async function joinedRooms(ctx: Context, { tenantId, as }: Omit<Acting, "roomId">): Promise<string[]> {
  const answer = await call<{ joined_rooms: string[] }>(ctx, tenantId, {
    method: "GET",
    path: `${CLIENT}/joined_rooms`,
    as,
  });
  return answer.joined_rooms;
}

/** Reads an mxc:// file (authenticated media, spec 1.11). Throws `invalid` above `maxBytes`. */
export async function downloadMedia(
  ctx: Context,
  { tenantId, as, mxc, maxBytes }: { tenantId: string; as: string; mxc: string; maxBytes: number },
): Promise<{ bytes: Uint8Array; contentType: string }> {
  const [, server, id] = /^mxc:\/\/([^/]+)\/([^/?#]+)$/.exec(mxc) ?? [];
  if (!server || !id) throw new AppError("invalid", "The file's address is not an mxc:// address.");
  const path = `/_matrix/client/v1/media/download${pathOf(server, id)}`;
  const answer = await callRaw(await tenantAccess(ctx, tenantId), { method: "GET", path, as });
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    size += part.byteLength;
    if (size > maxBytes) throw new AppError("invalid", `The file is larger than ${Math.floor(maxBytes / 1e6)} MB.`);
    parts.push(part);
  }
  const type = answer.headers["content-type"];
  return {
    bytes: Buffer.concat(parts),
    contentType: (Array.isArray(type) ? type[0] : type) ?? "application/octet-stream",
  };
}

/** Stores a file. Returns its mxc:// address. */
export async function uploadMedia(
  ctx: Context,
  file: { tenantId: string; as: string; bytes: Uint8Array; contentType: string; filename?: string },
): Promise<string> {
  const answer = await callRaw(
    await tenantAccess(ctx, file.tenantId),
    { method: "POST", path: "/_matrix/media/v3/upload", as: file.as, query: { filename: file.filename } },
    { bytes: file.bytes, contentType: file.contentType },
  );
  return ((await answer.body.json()) as { content_uri: string }).content_uri;
}

async function isIn(ctx: Context, who: Acting): Promise<boolean> {
  return (await joinedRooms(ctx, who)).includes(who.roomId);
}
