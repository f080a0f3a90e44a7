/** What people read of an approval. Pure. */

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
  grantable: boolean;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

export interface Decided {
  state: "approved" | "declined" | "answered" | "expired" | "withdrawn";
  by: string | null;
  answer: string | null;
  /** "Always in this room" was said. */
  always: boolean;
}

/** Largest question: what is longer cannot be shown whole, and is not asked. */
export const MAX_ARGUMENTS = 10_000;

/** The question, in Markdown. */
export function questionText(approval: ApprovalText): string {
  const { agent, kind, sentence, why, args, onlyPerson, grantable } = approval;
  const moment = new Date(approval.expiresAt).toISOString();
  // A question may wait for days.
  if (kind === "input")
    return `${onlyPerson ? `${onlyPerson}, ` : ""}**${agent} asks:** ${sentence}\n\nReply to this message, until ${moment.slice(0, 16).replace("T", " ")} UTC.`;
  const until = `${moment.slice(11, 16)} UTC`;
  const who = onlyPerson ?? (approval.level === null ? "Somebody" : `A person with the power level ${approval.level}`);
  return [
    `**${agent} wants to ${sentence}.**`,
    ...(why ? [why] : []),
    fenced(JSON.stringify(args ?? {}, null, 2)),
    `React with ✅ to allow it or ❌ to refuse it${grantable ? "; ♾️ allows it always in this room" : ""}. Or reply with a reason. ` +
      `${who} decides, here or in the panel, until ${until}.`,
  ].join("\n\n");
}

/** What stands there afterwards. */
export function decidedText(approval: ApprovalText, decided: Decided): string {
  const { agent, kind, sentence, args } = approval;
  const about = kind === "input" ? `**${agent} asked:** ${sentence}` : `**${agent} wanted to ${sentence}.**`;
  const shown = kind === "tool" ? [fenced(JSON.stringify(args ?? {}, null, 2))] : [];
  return [about, ...shown, outcome(kind, decided)].join("\n\n");
}

function outcome(kind: ApprovalText["kind"], { state, by, answer, always }: Decided): string {
  const who = by ?? "somebody";
  const said = answer ? `: “${answer.replaceAll("\n", " ").slice(0, 500)}”` : ".";
  switch (state) {
    case "approved":
      return always ? `✅ Allowed by ${who}, and always in this room.` : `✅ Allowed by ${who}${said}`;
    case "declined":
      return `❌ Refused by ${who}${said}`;
    case "answered":
      return `✅ Answered by ${who}.`;
    case "expired":
      return kind === "input" ? "⌛ Nobody answered in time." : "⌛ Nobody decided in time, so it was not done.";
    case "withdrawn":
      return "The answer was ended before anybody decided.";
  }
}

/** Longer than any fence in it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}json\n${text}\n${fence}`;
}
