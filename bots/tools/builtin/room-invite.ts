/** Invite a person or an agent into a room. */

import { findInvited, invite } from "../invites.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

export const roomInvite: Tool = {
  name: "room_invite",
  group: "room",
  title: "Invite somebody into a room",
  summary: "Invites a person or an agent into a room.",
  description: "Invites a person or an agent into a room that you and the person who asked are both in.",
  input: {
    type: "object",
    properties: {
      room: { type: "string", maxLength: 300, description: "Its name or id; this room when left out." },
      who: { type: "string", minLength: 1, maxLength: 255, description: "A name or a user id." },
    },
    required: ["who"],
    additionalProperties: false,
  },
  always: { does: "invite people", whatever: "whomever and to whichever room" },
  risk: "medium",
  reads: "nothing",
  sends: "inside",
  repeatable: true,
  rooms: ({ room }) => [{ room: String(room ?? ""), does: "invite" }],
  sentence: ({ room, who }) => `invite ${oneLine(who, 255)} into ${room ? `the room “${oneLine(room)}”` : "this room"}`,
  run: async (call: ToolRun) => {
    const [room] = call.rooms;
    if (!room) throw new Error("the caller finds the room");
    const who = await findInvited(call, String(call.args.who), room);
    await invite(call, who, room.roomId);
    return { text: `${who.name} is invited into “${oneLine(room.name ?? room.roomId)}”, or was there already.` };
  },
};
