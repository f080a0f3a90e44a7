/** Read what was said in a room. */
import { nameIn } from "../../person-name.ts";
import { oneLine } from "../one-line.ts";
import { LOOKED_THROUGH, type RoomMessage, readRoomMessages } from "../room-messages.ts";
import type { Tool, ToolRun } from "../tool.ts";

const MOST = 100;
const USUAL = 30;
/** Of one message. */
const MOST_CHARS = 4000;

export const roomRead: Tool = {
  name: "room_read",
  group: "room",
  title: "Read a room",
  summary: "Reads the newest messages of a room, or looks for words in it.",
  description:
    "Reads the newest messages of a room that you and the person who asked are both in, oldest first, each with its event id in brackets. Use it to look " +
    "into another room, to look for words, or to read a thread.",
  input: {
    type: "object",
    properties: {
      room: { type: "string", maxLength: 300, description: "Its name or id; this room when left out." },
      search: { type: "string", maxLength: 200, description: "Only messages with these words in them, as they stand." },
      thread: {
        type: "string",
        maxLength: 300,
        description: "Only the thread that begins with the message of this event id.",
      },
      limit: { type: "integer", minimum: 1, maximum: MOST, description: `How many messages; ${USUAL} when left out.` },
    },
    additionalProperties: false,
  },
  risk: "low",
  reads: "private",
  sends: "nothing",
  repeatable: true,
  rooms: ({ room }) => [{ room: String(room ?? ""), does: "read" }],
  sentence: ({ room, search }) =>
    `read ${room ? `the room “${oneLine(room)}”` : "this room"}${search ? `, looking for “${oneLine(search)}”` : ""}`,
  run: read,
};

async function read({ ctx, tenantId, args, agent, person, rooms, maxChars }: ToolRun) {
  const [room] = rooms;
  if (!room) throw new Error("the caller finds the room");
  const search = String(args.search ?? "").trim();
  const messages = await readRoomMessages(ctx, {
    tenantId,
    roomId: room.roomId,
    agentUserId: agent.userId,
    person,
    search,
    thread: args.thread === undefined ? null : String(args.thread),
    limit: Number(args.limit ?? USUAL),
  });
  const name = `“${oneLine(room.name ?? room.roomId)}”`;
  if (messages.length === 0)
    return {
      text: search ? nothingFound(name, search) : `Nothing was said in ${name} yet that you both can see.`,
      untrusted: null,
    };
  const shown = newestThatFit(messages, maxChars - 200);
  const head = `Messages of ${name}, oldest first, times in UTC${shown.length < messages.length ? `; ${messages.length - shown.length} older ones are left out for lack of room` : ""}:`;
  return {
    text: [head, ...shown.map(lineOf)].join("\n"),
    untrusted: shown.find(({ untrusted }) => untrusted !== null)?.untrusted ?? null,
  };
}

const nothingFound = (name: string, search: string) =>
  `None of the newest ${LOOKED_THROUGH} messages of ${name} has “${oneLine(search)}” in it.`;

/** At least the newest. */
function newestThatFit(messages: RoomMessage[], chars: number): RoomMessage[] {
  let first = messages.length - 1;
  for (let left = chars - lengthAt(messages, first); first > 0; first--) {
    left -= lengthAt(messages, first - 1);
    if (left < 0) break;
  }
  return messages.slice(first);
}

const lengthAt = (messages: RoomMessage[], index: number) => {
  const message = messages[index];
  return message ? lineOf(message).length + 1 : 0;
};

function lineOf({ eventId, sender, name, ts, thread, text }: RoomMessage): string {
  const at = new Date(ts).toISOString().slice(0, 16).replace("T", " ");
  const cut = text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)} […]` : text;
  const where = thread ? ` (in the thread of ${thread})` : "";
  return `[${eventId}] ${at} ${oneLine(name ?? nameIn(sender), 60)}${where}: ${cut.replaceAll("\n", "\n  ")}`;
}
