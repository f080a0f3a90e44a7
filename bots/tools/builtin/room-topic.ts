/** Set a room's topic. */
import { putState, readStateEvent } from "../../../homeserver/matrix.ts";
import { MAX_TOPIC } from "../../../homeserver/room-manage.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const roomTopic: Tool = {
  name: "room_topic",
  group: "room",
  title: "Set a room's topic",
  summary: "Changes the topic at the top of a room.",
  description: "Sets the topic that stands at the top of a room, in place of the one that is there.",
  input: {
    type: "object",
    properties: {
      room: { type: "string", maxLength: 300, description: "Its name or id; this room when left out." },
      topic: { type: "string", maxLength: MAX_TOPIC, description: "Empty: none." },
    },
    required: ["topic"],
    additionalProperties: false,
  },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  repeatable: true,
  rooms: ({ room }) => [{ room: String(room ?? ""), does: { set: "m.room.topic" } }],
  sentence: ({ room, topic }) =>
    `set the topic of ${room ? `the room “${oneLine(room)}”` : "this room"} to “${oneLine(topic)}”`,
  run: set,
};

async function set({ ctx, tenantId, args, agent, rooms }: ToolRun) {
  const [room] = rooms;
  if (!room) throw new Error("the caller finds the room");
  const place = { tenantId, as: agent.userId, roomId: room.roomId, type: "m.room.topic", stateKey: "" };
  const topic = String(args.topic).trim();
  // State has no transaction ids: what stands there already is not set again.
  if ((await readStateEvent(ctx, place))?.topic !== topic) await putState(ctx, { ...place, content: { topic } });
  return { text: `The topic of “${oneLine(room.name ?? room.roomId)}” is set.` };
}
