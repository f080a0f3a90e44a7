/** What a room says to those who come: one message of the control bot, pinned. */
import type { Context } from "../core/context.ts";
import { tenantAccess } from "./access.ts";
import { putState, type RoomEvent, readMessages, readStateEvent, sendEvent } from "./matrix.ts";

const MARK = "dev.agentopia.welcome";

/**
 * Sends the message, as a notice that nobody is notified of, and pins it. After a crash the one that was sent is found again. A room where
 * something is pinned already is left as it is.
 */
export async function ensureWelcome(
  ctx: Context,
  { tenantId, roomId, text }: { tenantId: string; roomId: string; text: string },
): Promise<void> {
  const { controlUserId: as } = await tenantAccess(ctx, tenantId);
  const place = { tenantId, as, roomId };
  const pinned = (await readStateEvent(ctx, { ...place, type: "m.room.pinned_events", stateKey: "" }))?.pinned;
  if (Array.isArray(pinned) && pinned.length > 0) return;
  const eventId = (await sentBefore(ctx, place)) ?? (await send(ctx, place, text));
  await putState(ctx, { ...place, type: "m.room.pinned_events", stateKey: "", content: { pinned: [eventId] } });
}

type Place = { tenantId: string; as: string; roomId: string };

/** Synapse forgets the control bot's transaction ids at its restart, so the room itself is asked. */
async function sentBefore(ctx: Context, place: Place): Promise<string | null> {
  const { chunk } = await readMessages(ctx, { ...place, limit: 100, dir: "f" });
  const isOurs = (event: RoomEvent) => event.sender === place.as && event.content[MARK] === true;
  return chunk.find(isOurs)?.event_id ?? null;
}

const send = (ctx: Context, place: Place, body: string) =>
  sendEvent(ctx, {
    ...place,
    txnId: `welcome-${place.roomId}`,
    type: "m.room.message",
    content: { msgtype: "m.notice", body, "m.mentions": {}, [MARK]: true },
  });
