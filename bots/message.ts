/** What routing reads out of an m.room.message. */
export interface Message {
  msgtype: string;
  /** Without the quotation that old clients put before a reply. */
  body: string;
  /** Without the quotation. */
  html: string;
  /** `m.mentions.user_ids` (spec: intentional mentions); null where the client does not write m.mentions at all. */
  mentions: string[] | null;
  threadRoot: string | null;
  /** The message it answers; null for the fallback that clients without threads are given (`is_falling_back`). */
  replyTo: string | null;
  /** The message that this one edits. */
  replaces: string | null;
  /** Our own mark in agents' messages. */
  run: { run: string | null; hops: number; final: boolean } | null;
}

type Json = Record<string, unknown>;

/** Reads a message's content; for an edit, what is new in it. Nothing in it is trusted to have the right type. */
export function readMessage(content: Json): Message {
  const relation = object(content["m.relates_to"]);
  const replaces = relation.rel_type === "m.replace" ? text(relation.event_id) : null;
  const shown = replaces ? object(content["m.new_content"]) : content;
  const threadRoot = relation.rel_type === "m.thread" ? text(relation.event_id) : null;
  const reply = text(object(relation["m.in_reply_to"]).event_id);
  return {
    msgtype: text(shown.msgtype) ?? "",
    body: withoutQuotation(text(shown.body) ?? ""),
    html: (text(shown.formatted_body) ?? "").replace(/<mx-reply>[\s\S]*?<\/mx-reply>/i, ""),
    mentions: readMentions(shown["m.mentions"]),
    threadRoot,
    replyTo: threadRoot && relation.is_falling_back === true ? null : reply,
    replaces,
    run: readRun(shown["dev.agentopia.run"] ?? content["dev.agentopia.run"]),
  };
}

/** The thread that a stored message is in, by its content. */
export function threadOf(content: Json): string | null {
  const relation = object(content["m.relates_to"]);
  return relation.rel_type === "m.thread" ? text(relation.event_id) : null;
}

/** Key and target of an m.reaction, the key without variation selectors and skin tones. */
export function readReaction(content: Json): { key: string; target: string } | null {
  const relation = object(content["m.relates_to"]);
  const key = text(relation.key);
  const target = text(relation.event_id);
  if (relation.rel_type !== "m.annotation" || !key || !target) return null;
  return { key: key.replace(/[\u{FE0E}\u{FE0F}\u{1F3FB}-\u{1F3FF}]/gu, ""), target };
}

function readRun(value: unknown): Message["run"] {
  if (value === undefined) return null;
  const { run, hops, final } = object(value);
  return { run: text(run), hops: Number.isSafeInteger(hops) ? Math.max(0, Number(hops)) : 0, final: final === true };
}

function readMentions(value: unknown): string[] | null {
  if (value === undefined) return null;
  const ids = object(value).user_ids;
  return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
}

const withoutQuotation = (body: string) => body.replace(/^> <@[^\n]*\n(?:> ?[^\n]*\n)*\n?/, "");

export const object = (value: unknown): Json =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Json) : {};

export const text = (value: unknown): string | null => (typeof value === "string" ? value : null);
