import type { ModelMessage } from "ai";
import { isInNoRoom } from "./made-events.ts";
import { object } from "./message.ts";
import { mostTokens } from "./model-prompt.ts";
import { type BuiltIn, fillVariables } from "./variables.ts";

/** A message of the room as the model may see it, oldest first. */
export interface Heard {
  eventId: string;
  /** Its place in the inbox. */
  position: number;
  sender: string;
  name: string;
  text: string;
  /** By the agent that is about to answer. */
  own: boolean;
}

/** One room event of type m.room.message, as the inbox holds it. */
export interface InboxMessage {
  eventId: string;
  sender: string;
  ts: number;
  /** Order in which it was said, as far as the inbox knows: 0 for history that was fetched later. */
  seq: number;
  /** Its place in the inbox. */
  position: number;
  content: Record<string, unknown>;
}

export interface Scene {
  agentName: string;
  agentUserId: string;
  instructions: string;
  /** Values for `{{name}}` in them. */
  variables?: Record<string, string> | undefined;
  tenantTitle: string;
  roomName: string | null;
  people: string[];
  agents: string[];
  /** One person and one agent: names before each message would only be noise. */
  direct: boolean;
  now: Date;
}

/** Instructions first, then what is true of this room. */
export function systemPrompt(scene: Scene): string {
  const where = scene.direct
    ? `You are in a direct chat with ${scene.people[0] ?? "a person"} of ${scene.tenantTitle}.`
    : `You are a member of the room "${scene.roomName ?? "without a name"}" of ${scene.tenantTitle}. ` +
      `People here: ${list(scene.people)}. Other agents here: ${list(scene.agents)}.`;
  return [
    fillVariables(scene.instructions, { ...builtIn(scene), ...scene.variables }).trim(),
    `Your name is ${scene.agentName}. ${where} It is ${scene.now.toISOString().slice(0, 16).replace("T", " ")} UTC.`,
    scene.direct
      ? "Write your answer only, in Markdown."
      : "Each message below begins with its sender's name. Write your answer only, in Markdown, without a name before it. To ask " +
        "another agent something, write @ and its name; do so only when you need it.",
  ].join("\n\n");
}

const builtIn = (scene: Scene): BuiltIn => ({
  agent: scene.agentName,
  company: scene.tenantTitle,
  room: scene.roomName ?? (scene.direct ? "a direct chat" : "a room without a name"),
  date: scene.now.toISOString().slice(0, 10),
});

const list = (names: string[]) => (names.length > 0 ? names.slice(0, 40).join(", ") : "none");

/**
 * Folds edits into the messages they belong to, leaves out what was redacted, what is not text, and what is in another thread.
 * Edits count only by the sender of the message (spec: m.replace).
 */
export function foldMessages(
  events: InboxMessage[],
  about: { threadRoot: string | null; upTo: number; self: string; nameOf: (userId: string) => string },
): Heard[] {
  // By the homeserver's time: fetched history got its numbers late. But what is asked stands last: of two messages that were sent
  // at once, the one that came in first may bear the later time.
  const asked = (event: InboxMessage) => Number(event.seq === about.upTo);
  const ordered = [...events].sort((a, b) => asked(a) - asked(b) || a.ts - b.ts || a.seq - b.seq);
  const edits = new Map<string, InboxMessage>();
  for (const event of ordered) {
    const target = relation(event)?.rel_type === "m.replace" ? relation(event)?.event_id : undefined;
    if (target) edits.set(`${event.sender} ${target}`, event);
  }
  const heard: Heard[] = [];
  for (const event of ordered) {
    const related = relation(event);
    if (related?.rel_type === "m.replace" || event.seq > about.upTo) continue;
    // A schedule's or a form's question was put to one agent, and is in no room.
    if (isInNoRoom(event.eventId) && !asked(event)) continue;
    const thread = related?.rel_type === "m.thread" ? related.event_id : null;
    if (about.threadRoot ? thread !== about.threadRoot && event.eventId !== about.threadRoot : thread) continue;
    const text = textOf(newestContent(event, edits.get(`${event.sender} ${event.eventId}`)));
    // What is said to the platform is not said to the agent.
    if (!text || COMMAND.test(text)) continue;
    const own = event.sender === about.self;
    const { eventId, position, sender } = event;
    heard.push({ eventId, position, sender, name: about.nameOf(sender), text, own });
  }
  return heard;
}

const COMMAND = /^!(help|stop|tools|approvals|schedules|forms)\b/i;

function newestContent(event: InboxMessage, edit: InboxMessage | undefined): Record<string, unknown> {
  const content = edit?.content["m.new_content"];
  return content && typeof content === "object" ? (content as Record<string, unknown>) : event.content;
}

function relation(event: InboxMessage): { rel_type?: string; event_id?: string } | undefined {
  return event.content["m.relates_to"] as { rel_type?: string; event_id?: string } | undefined;
}

/** What stands over an answer is for people: a model would write it itself the next time. */
function withoutHeading({ body, "dev.agentopia.run": run }: Record<string, unknown>): unknown {
  const { heading } = object(run);
  const over = typeof body === "string" && typeof heading === "string" && body.startsWith(`${heading}\n\n`);
  return over ? body.slice(heading.length + 2) : body;
}

/** The words of a message without the quotation that old clients put before a reply (spec: rich reply fallback). */
export function textOf(content: Record<string, unknown>): string {
  const { msgtype } = content;
  const body = withoutHeading(content);
  if (typeof body !== "string") return "";
  switch (msgtype) {
    case "m.text":
      return body.replace(/^(> .*\n)+\n/, "").trim();
    case "m.emote":
      return `* ${body.trim()}`;
    case "m.image":
    case "m.file":
    case "m.video":
    case "m.audio": {
      const file = typeof content.filename === "string" ? content.filename : body;
      return file === body ? `[sent a file: ${file}]` : `[sent a file: ${file}] ${body.trim()}`;
    }
    default:
      return "";
  }
}

/**
 * The newest messages that fit into `tokens`, oldest first. The agent's own at the beginning fall away: some models want a person to
 * speak first.
 */
export function newestThatFit(heard: Heard[], tokens: number): Heard[] {
  const chosen: Heard[] = [];
  let left = tokens;
  for (const message of heard.toReversed()) {
    left -= mostTokens(Buffer.byteLength(message.text)) + 8;
    if (left < 0 && chosen.length > 0) break;
    chosen.unshift(left < 0 ? { ...message, text: message.text.slice(0, Math.max(tokens, 100)) } : message);
    if (left < 0) break;
  }
  const first = chosen.findIndex((message) => !message.own);
  return first < 0 ? [] : chosen.slice(first);
}

/** Neighbours of one side joined, since some models want the sides to take turns. */
export function inTurns(heard: Heard[], scene: Pick<Scene, "direct">): ModelMessage[] {
  const turns: { role: "user" | "assistant"; content: string }[] = [];
  for (const message of heard) {
    const role = message.own ? "assistant" : "user";
    const text = message.own || scene.direct ? message.text : `${message.name}: ${message.text}`;
    const last = turns.at(-1);
    if (last?.role === role) last.content += `\n\n${text}`;
    else turns.push({ role, content: text });
  }
  return turns;
}
