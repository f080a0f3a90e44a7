/**
 * Event ids of questions that nobody wrote into a room: a schedule that is due, a task that an agent hands over, a form. They stand in `inbox` beside the
 * others, and no homeserver knows them. Matrix's own ids never hold a "~".
 */
import { stableId } from "../core/ids.ts";

/** The same parts always give the same id. */
export const madeEventId = (kind: "schedule" | "task" | "form", ...parts: (string | number)[]): string =>
  `$~${kind}-${stableId(...parts)}`;

/** True for a question that was put to one agent and never said: what others say later is no answer to it. */
export const isInNoRoom = (eventId: string): boolean => eventId.startsWith("$~");

/** True where the homeserver knows no such event: nothing in Matrix may refer to it. */
export const isMadeEvent = (eventId: string): boolean => isInNoRoom(eventId) || eventId.startsWith("$try-");

/** In the content of such a question: what stands over its answer. */
export const HEADING = "dev.agentopia.heading";
