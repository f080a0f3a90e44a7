/** What people read of an approval. Pure. */
import { visible } from "../tools/visible.ts";
import { argumentsText, type Quote } from "./arguments.ts";

export interface ApprovalText {
  agent: string;
  kind: "tool" | "input";
  /** After "Writer wants to", or the question itself. */
  sentence: string;
  why: string | null;
  args: Record<string, unknown> | null;
  level: number | null;
  /** What the only person who may decide is called. */
  onlyPerson: string | null;
  /** What "always" lets the agent do, after its name; null where nobody can say that. */
  always: string | null;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

export interface Decided {
  state: "approved" | "declined" | "answered" | "expired" | "withdrawn";
  /** Who decided; of what was withdrawn, who stopped it. */
  by: string | null;
  answer: string | null;
  /** "Always in this room" was said. */
  always: boolean;
}

/** Largest question: what is longer cannot be shown whole, and is not asked. */
export const MAX_ARGUMENTS = 10_000;

/** On one line, and nothing in it hides or turns what is written. */
export const asItIs: Quote = (text) => visible(text.replaceAll(/\s+/g, " "));

/** Likewise, and no sign of it means anything: no emphasis, link or HTML that pretends to be the platform's own words. */
export const quoted: Quote = (text) => asItIs(text).replaceAll(/[!-/:-@[-`{-~]/g, "\\$&");

/** The question. */
export function questionText(approval: ApprovalText, quote: Quote): string {
  const { kind, sentence, why, args, always } = approval;
  const agent = quote(approval.agent);
  const onlyPerson = approval.onlyPerson === null ? null : quote(approval.onlyPerson);
  // With the day: it may wait for a week.
  const until = `${new Date(approval.expiresAt).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  if (kind === "input")
    return `${onlyPerson ? `${onlyPerson}, ` : ""}**${agent} asks:** ${visible(sentence)}\n\nReply to this message, until ${until}.`;
  const who = onlyPerson ?? (approval.level === null ? "Somebody" : whoHas(approval.level));
  return [
    `**${agent} wants to ${ended(sentence, quote)}**`,
    ...(why ? [quote(why)] : []),
    argumentsText(args, quote),
    `React with ✅ to allow this once, or ❌ to refuse it. Or reply: a reply that begins with “yes” allows it, any other refuses it.`,
    ...(always === null ? [] : [`♾️ goes further: it lets ${agent} ${quote(always)}.`]),
    `${who} or a manager decides, here or in the panel, until ${until}.`,
  ].join("\n\n");
}

/** With one full stop, also where what is quoted at the end has its own. */
const ended = (sentence: string, quote: Quote) => quote(/[.…]$|[.!?…][”"]$/.test(sentence) ? sentence : `${sentence}.`);

/** Whoever has a power level, as Element calls them. */
export function whoHas(level: number): string {
  if (level <= 0) return "Anybody in this room";
  const name = { 50: "A moderator", 100: "An admin" }[level];
  return name ? `${name} of this room` : `Somebody with the power level ${level} in this room`;
}

/** What stands there afterwards. */
export function decidedText(approval: ApprovalText, decided: Decided, quote: Quote): string {
  const { kind, sentence, args } = approval;
  const agent = quote(approval.agent);
  const about =
    kind === "input" ? `**${agent} asked:** ${visible(sentence)}` : `**${agent} wanted to ${ended(sentence, quote)}**`;
  const shown = kind === "tool" ? [argumentsText(args, quote)] : [];
  return [about, ...shown, outcome(approval, decided, quote)].join("\n\n");
}

function outcome(approval: ApprovalText, { state, by, answer, always }: Decided, quote: Quote): string {
  const { kind } = approval;
  const who = by === null ? "somebody" : quote(by);
  const said = answer ? `: “${quote(answer.slice(0, 500))}”` : ".";
  switch (state) {
    case "approved":
      return always && approval.always !== null
        ? `✅ Allowed by ${who}. ♾️ From now on ${quote(approval.agent)} may ${quote(approval.always)}, until somebody takes that back in the panel.`
        : `✅ Allowed by ${who}${said}`;
    case "declined":
      return `❌ Refused by ${who}${said}`;
    case "answered":
      return `✅ Answered by ${who}.`;
    case "expired":
      return kind === "input" ? "⌛ Nobody answered in time." : "⌛ Nobody decided in time, so it was not done.";
    case "withdrawn": {
      const before = kind === "input" ? "before anybody answered" : "before anybody decided";
      return by === null ? `The answer was ended ${before}.` : `Stopped by ${who} ${before}.`;
    }
  }
}
