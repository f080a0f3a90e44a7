/** Say something in another room. */
import { AppError } from "../../../core/errors.ts";
import { sendEvent } from "../../../homeserver/matrix.ts";
import { renderMarkdown } from "../../markdown.ts";
import { partsOf } from "../../reply.ts";
import { characters, oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const roomPost: Tool = {
  name: "room_post",
  group: "room",
  title: "Post to another room",
  summary: "Writes a message into another room.",
  description:
    "Posts a message into another room that you and the person who asked are both in. It notifies nobody by name. Your answer to this conversation goes " +
    "here by itself: do not post it.",
  input: {
    type: "object",
    properties: {
      room: { type: "string", minLength: 1, maxLength: 300, description: "The other room's name or id." },
      text: { type: "string", minLength: 1, maxLength: 20_000, description: "Markdown." },
    },
    required: ["room", "text"],
    additionalProperties: false,
  },
  always: { does: "post to other rooms", whatever: "whichever they are and whatever it writes" },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  repeatable: true,
  rooms: ({ room }) => [{ room: String(room), does: { send: "m.room.message" } }],
  sentence: ({ room, text }) => `post a message of ${characters(text)} in the room “${oneLine(room)}”`,
  run: post,
};

async function post({ ctx, tenantId, callId, args, agent, run, rooms, roomId }: ToolRun) {
  const [room] = rooms;
  if (!room) throw new Error("the caller finds the room");
  if (room.roomId === roomId)
    throw new AppError("invalid", "That is the room of this conversation: what you answer is said there anyway.");
  for (const [part, text] of partsOf(String(args.text)).entries()) {
    const { body, html } = renderMarkdown(text);
    await sendEvent(ctx, {
      tenantId,
      as: agent.userId,
      deviceId: agent.deviceId,
      roomId: room.roomId,
      // The same for every attempt: posted twice is posted once.
      txnId: `post.${agent.id}.${callId}.${part}`,
      type: "m.room.message",
      // Without the mark of a run: agents who read it do not take it for a question.
      content: {
        msgtype: "m.text",
        body,
        ...(html ? { format: "org.matrix.custom.html", formatted_body: html } : {}),
        "m.mentions": {},
        // Whoever reads it from the room is told.
        ...(run?.untrusted ? { "dev.agentopia.untrusted": run.untrusted } : {}),
      },
    });
  }
  return { text: `It was posted in “${oneLine(room.name ?? room.roomId)}”.` };
}
