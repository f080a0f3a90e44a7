/** Most of what Synapse tells us is the echo of what our own agents write: it is settled where it comes in, without a look at its room. */
import type { CleanEvent } from "../homeserver/event.ts";
import { outcomeOf } from "./decision.ts";
import { routeWithoutRoom } from "./route.ts";

/** What routing would make of the event whatever its room is like; null: it has to be routed. For `settleOnArrival`. */
export function settled(event: CleanEvent, tenant: { serverName: string; controlUserId: string }): string | null {
  const { event_id, room_id, state_key, ...rest } = event;
  const routed = { ...rest, eventId: event_id, roomId: room_id, stateKey: state_key, seq: 0, receivedAt: 0 };
  const decision = routeWithoutRoom(routed, tenant);
  return decision && outcomeOf(decision);
}
