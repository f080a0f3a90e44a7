/** Pin a message in its room, or take it down. */
import { AppError } from "../../../core/errors.ts";
import { putState, readEvent, readStateEvent } from "../../../homeserver/matrix.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

/** Element shows no more of them. */
const MOST = 100;

export const roomPin: Tool = {
  name: "room_pin",
  group: "room",
  title: "Pin a message",
  summary: "Pins a message at the top of its room, or takes it down.",
  description:
    "Pins a message in its room, where everybody finds it, or takes it down again. Needs the message's event id, as room_read shows it in brackets.",
  input: {
    type: "object",
    properties: {
      room: { type: "string", maxLength: 300, description: "The room's name or id; this room when left out." },
      event: { type: "string", minLength: 2, maxLength: 300, pattern: "^\\$", description: "The message's event id." },
      unpin: { type: "boolean", description: "Take it down." },
    },
    required: ["event"],
    additionalProperties: false,
  },
  labels: { event: "Message", unpin: "Take it down" },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  repeatable: true,
  rooms: ({ room }) => [{ room: String(room ?? ""), does: { set: "m.room.pinned_events" } }],
  sentence: ({ room, event, unpin }) =>
    `${unpin ? "unpin" : "pin"} the message ${oneLine(event, 300)} in ${room ? `the room “${oneLine(room)}”` : "this room"}`,
  run: pin,
};

async function pin({ ctx, tenantId, args, agent, rooms }: ToolRun) {
  const [room] = rooms;
  if (!room) throw new Error("the caller finds the room");
  const as = { tenantId, as: agent.userId, roomId: room.roomId };
  const eventId = String(args.event);
  const found = args.unpin ? true : await readEvent(ctx, { ...as, eventId });
  if (!found) throw new AppError("not_found", "There is no such message in that room.");
  const state = { ...as, type: "m.room.pinned_events", stateKey: "" };
  const now = pinnedIn(await readStateEvent(ctx, state));
  const others = now.filter((id) => id !== eventId);
  const wanted = args.unpin ? others : [...others, eventId].slice(-MOST);
  const changes = now.includes(eventId) === (args.unpin === true);
  if (changes) await putState(ctx, { ...state, content: { pinned: wanted } });
  return { text: args.unpin ? "It is not pinned any more." : "It is pinned." };
}

function pinnedIn(content: Record<string, unknown> | null): string[] {
  const pinned = content?.pinned;
  return Array.isArray(pinned) ? pinned.filter((id) => typeof id === "string") : [];
}
