/** What people say to an approval in its room, and whether they may. Pure. */
import { isOwnUser } from "../addressed.ts";
import type { Decision, Notice } from "../decision.ts";
import type { Message } from "../message.ts";
import { powerOf } from "../room-state.ts";
import { type ApprovalView, type RoomView, type RoutedEvent, serverOf } from "../room-view.ts";
import { whoHas } from "./text.ts";

export interface Verdict {
  verdict: "approved" | "declined" | "always" | "answered";
  answer: string | null;
}

/** A reaction to the question; null: it says nothing about it. */
export function readVote(key: string): Verdict | null {
  if (["✅", "✔", "☑", "👍"].includes(key)) return { verdict: "approved", answer: null };
  if (["❌", "✖", "👎", "🚫"].includes(key)) return { verdict: "declined", answer: null };
  if (key === "♾") return { verdict: "always", answer: null };
  return null;
}

const YES = /^(?:✅|✔|👍|(?:yes|ok|okay|approve|approved|allow|go ahead)(?![\p{L}\p{N}]))[\s.,:;!–-]*/iu;
const NO = /^(?:❌|✖|👎|(?:no|declined?|refused?)(?![\p{L}\p{N}]))[\s.,:;!–-]*/iu;

/** A reply to the question: "yes" or ✅ at its beginning allows it, unless it asks something; everything else refuses it with that reason. */
export function readReply(approval: Pick<ApprovalView, "kind">, body: string): Verdict {
  const text = body.trim();
  if (approval.kind === "input") return { verdict: "answered", answer: text };
  const yes = YES.exec(text);
  if (yes && !/[?？؟]/.test(text)) return { verdict: "approved", answer: text.slice(yes[0].length).trim() || null };
  const no = NO.exec(text);
  return { verdict: "declined", answer: (no ? text.slice(no[0].length) : text).trim() || null };
}

/** Null when they may decide; else the sentence that says who may. Never a bot, never the agent itself, never somebody of another server. */
export function whyNotDecide(approval: ApprovalView, userId: string, view: RoomView): string | null {
  if (isOwnUser(userId, view) || view.state?.functionalMembers.includes(userId)) return "Only people decide this.";
  if (serverOf(userId) !== view.serverName) return `Only people of ${view.serverName} decide this.`;
  if (approval.byManager && approval.kind === "tool") return null;
  if (approval.onlyPerson !== null)
    return approval.onlyPerson === userId ? null : "Only the person who was asked decides this.";
  const level = view.state ? powerOf(view.state, userId) : Number.NEGATIVE_INFINITY;
  return level >= (approval.level ?? 50)
    ? null
    : `You cannot decide this. ${whoHas(approval.level ?? 50)} decides it here, or a manager of the company, here or in the panel.`;
}

/**
 * When it was said: by the clock of the homeserver, which writes it for the people who may decide here, since they are its own. While the platform was down it
 * may have waited there.
 */
export const saidAt = ({ ts, receivedAt }: Pick<RoutedEvent, "ts" | "receivedAt">): number => Math.min(ts, receivedAt);

/** What a reaction or a reply to an approval means; null where it means nothing to it. */
export function routeVerdict(
  event: RoutedEvent,
  { approval, said, via }: { approval: ApprovalView; said: Verdict | null; via: "reaction" | "reply" },
  view: RoomView,
): Decision {
  if (isOwnUser(event.sender, view)) return { kind: "ignore", reason: "own" };
  if (!said || (said.verdict === "answered") !== (approval.kind === "input"))
    return { kind: "ignore", reason: "other_reaction" };
  if (said.verdict === "always" && !approval.grantable) return { kind: "ignore", reason: "not_grantable" };
  // Late ones change nothing, however late they are routed.
  if (approval.state !== "open" || saidAt(event) > approval.expiresAt) return { kind: "ignore", reason: "decided" };
  const why = whyNotDecide(approval, event.sender, view);
  if (why) return { kind: "no_verdict", notices: told("no_verdict", why, approval, event, view) };
  return { kind: "verdict", approvalId: approval.id, ...said, by: event.sender, via };
}

function told(what: string, text: string, approval: ApprovalView, event: RoutedEvent, view: RoomView): Notice[] {
  const agent = view.agents.find(({ id }) => id === approval.agentId);
  if (agent?.membership !== "join") return [];
  // Once for each person and question.
  const key = [what, approval.id, event.sender];
  return [
    {
      key,
      as: agent.userId,
      text,
      replyTo: approval.eventId,
      ...(approval.threadRoot ? { threadRoot: approval.threadRoot } : {}),
    },
  ];
}

/**
 * The question that a message answers: it replies to it, or it is said where the agent asked the one person whom it asks, who has been asked nothing else there:
 * in their direct chat, or in the thread in which it asked or that was begun on the question.
 */
export function approvalOf(message: Message, event: RoutedEvent, view: RoomView, direct: boolean): ApprovalView | null {
  const replied = view.approvals.find(({ eventId }) => eventId === message.replyTo);
  if (replied) return replied;
  if (message.replyTo !== null || message.msgtype !== "m.text") return null;
  const asked = view.asked.filter(
    (approval) =>
      approval.kind === "input" &&
      approval.onlyPerson === event.sender &&
      (direct || (message.threadRoot !== null && isBeside(approval, message) && !namesOthers(message, approval, view))),
  );
  return asked.length === 1 ? (asked[0] ?? null) : null;
}

const namesOthers = (message: Message, { agentId }: ApprovalView, view: RoomView) =>
  view.agents.some(({ id, userId }) => id !== agentId && message.mentions?.includes(userId));

const isBeside = ({ threadRoot, eventId }: ApprovalView, message: Message) =>
  message.threadRoot === threadRoot || message.threadRoot === eventId;

/**
 * A bare "yes" or "no" beside a question that waits, by somebody who may decide it. It decides nothing, since it may be said to somebody else; but whoever
 * said it is told once how to. Null: it is none.
 */
export function routeBesideQuestion(event: RoutedEvent, message: Message, view: RoomView): Decision | null {
  const body = message.body.trim();
  const rest = [YES, NO].map((word) => body.replace(word, ""));
  if (message.msgtype !== "m.text" || message.replyTo !== null || body === "" || !rest.includes("")) return null;
  const waiting = view.asked.filter(
    (approval) =>
      approval.kind === "tool" &&
      approval.eventId !== "" &&
      saidAt(event) <= approval.expiresAt &&
      isBeside(approval, message) &&
      whyNotDecide(approval, event.sender, view) === null,
  );
  const newest = waiting.at(-1);
  if (!newest) return null;
  const text = "This decides nothing yet. React to the question with ✅ or ❌, or reply to that message.";
  return { kind: "no_verdict", notices: told("beside", text, newest, event, view) };
}
