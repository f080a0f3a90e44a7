/**
 * What an event in a room means for agents. Pure: one event and plain data about its room in, one decision out. The rules are those of
 * docs/agents.md, "Who answers"; the tables are test/unit/route-*.test.ts.
 */
import { addressedBy, agentOfDirectChat, isOwnUser, namedAgents, withoutNames } from "./addressed.ts";
import { approvalOf, readReply, routeBesideQuestion, routeVerdict } from "./approvals/read.ts";
import { mistypedCommand, readCommand, routeCommand, routeUnknown, unknownCommand } from "./commands.ts";
import type { Decision } from "./decision.ts";
import { routeForm } from "./forms/route-form.ts";
import { type Message, readMessage, text, threadOf } from "./message.ts";
import { routeReaction } from "./reactions.ts";
import { routeMember, routeState } from "./room-changes.ts";
import type { AnswerView, RoomView, RoutedEvent } from "./room-view.ts";
import { isAgentUser } from "./room-view.ts";
import { startOver, startRuns } from "./run-starts.ts";

export function route(event: RoutedEvent, view: RoomView): Decision {
  if (isFromBefore(event, view)) return ignore(BEFORE_ARRIVAL);
  if (view.archived && (event.type === "m.room.message" || event.type === "m.reaction")) return ignore("archived");
  if (event.stateKey !== null)
    return event.type === "m.room.member" ? routeMember(event, view) : routeState(event, view);
  switch (event.type) {
    case "m.room.message":
      return routeMessage(event, view);
    case "m.reaction":
      return routeReaction(event, view);
    case "m.room.redaction":
      return routeRedaction(event, view);
    case "m.room.encrypted":
      return ignore("encrypted");
    default:
      return ignore("other_type");
  }
}

/** Outcome of what was said before any of our users was there; it is not context either (see work.ts). */
const BEFORE_ARRIVAL = "before_arrival";

/**
 * Synapse judges by who is in a room now, so after a restart it also hands out events from before an agent came. They would ask it
 * questions of long ago, and set back state that was read later. What is about our own users always counts, and what erases.
 */
function isFromBefore({ ts, type, stateKey }: RoutedEvent, view: RoomView): boolean {
  if (ts >= view.since || type === "m.room.redaction") return false;
  return !(type === "m.room.member" && stateKey !== null && isOwnUser(stateKey, view));
}

/** What needs no look at the room: most of what our own agents send while they write. Null: look. */
export function routeWithoutRoom(
  event: RoutedEvent,
  tenant: Pick<RoomView, "serverName" | "controlUserId">,
): Decision | null {
  if (event.stateKey !== null || !isOwnUser(event.sender, tenant)) return null;
  if (event.type === "m.room.redaction") return null;
  if (event.type !== "m.room.message") return ignore("own");
  const message = readMessage(event.content);
  if (event.sender === tenant.controlUserId || message.msgtype === "m.notice") return ignore("own");
  return message.run?.final && message.mentions?.some((id) => isAgentUser(id, tenant)) ? null : ignore("own");
}

function routeMessage(event: RoutedEvent, view: RoomView): Decision {
  const quick = routeWithoutRoom(event, view);
  if (quick) return quick;
  const message = readMessage(event.content);
  if (message.msgtype === "m.notice") return ignore("notice");
  if (!SPOKEN.has(message.msgtype)) return ignore(Object.keys(event.content).length === 0 ? "redacted" : "other_type");
  if (isAgentUser(event.sender, view)) return routeAgentMessage(event, message, view);
  if (message.replaces) return routeEdit(event, message, message.replaces, view);
  const command = readCommand(message.body, view.agents);
  if (command) return routeCommand(command, event, message, view);
  const form = message.msgtype === "m.text" ? routeForm(event, message, view) : null;
  if (form) return form;
  const unknown = unknownCommand(message.body, view.agents);
  const hint = unknown && message.msgtype === "m.text" ? routeUnknown(unknown, event, message, view) : null;
  if (hint) return hint;
  const approval = approvalOf(message, event, view, agentOfDirectChat(view) !== null);
  if (approval) return routeVerdict(event, { approval, said: readReply(approval, message.body), via: "reply" }, view);
  const beside = routeBesideQuestion(event, message, view);
  if (beside) return beside;
  const addressed = addressedBy(message, event.sender, view);
  if (addressed.agents.length === 0) return routeMistyped(event, message, view) ?? ignore(addressed.why);
  if (addressed.why === "mention" && message.msgtype === "m.text" && withoutNames(message.body, view.agents) === "")
    return routeCommand({ name: "help", rest: "" }, event, message, view);
  return startRuns(event, message, addressed.agents, view, { question: event.eventId, thread: message.threadRoot });
}

/** Who mistypes a command or a form is told so where nobody would answer; what else begins with "!" is prose. */
function routeMistyped(event: RoutedEvent, message: Message, view: RoomView): Decision | null {
  const word = message.msgtype === "m.text" ? mistypedCommand(message.body, event, view) : null;
  return word ? routeUnknown(word, event, message, view) : null;
}

const SPOKEN = new Set(["m.text", "m.emote", "m.image", "m.file", "m.audio", "m.video"]);

/** Agent to agent: only when its finished text names the other one. */
function routeAgentMessage(event: RoutedEvent, message: Message, view: RoomView): Decision {
  const agents = namedAgents(message, event.sender, view);
  if (agents.length === 0) return ignore("own");
  const question = message.replaces ?? event.eventId;
  const original = view.known.find(({ eventId }) => eventId === question);
  const thread = message.replaces ? (original ? threadOf(original.content) : null) : message.threadRoot;
  const fresh = agents.filter(({ id }) => !view.answers.some((a) => a.questionEvent === question && a.agentId === id));
  if (fresh.length === 0) return ignore("already_answered");
  return startRuns(event, message, fresh, view, { question, thread });
}

/** An edit counts while its message is being answered, or when it names an agent that has not been asked by it. */
function routeEdit(event: RoutedEvent, message: Message, target: string, view: RoomView): Decision {
  const original = view.known.find(({ eventId }) => eventId === target);
  if (original?.type !== "m.room.message") return ignore("edit_of_unknown");
  if (original.sender !== event.sender) return ignore("edit_of_others");
  if (readCommand(readMessage(original.content).body) || readCommand(message.body)) return ignore("edit");
  const answers = newestAnswers(target, view);
  const named = namedAgents(message, event.sender, view);
  const unasked = named.filter(({ id }) => !answers.some(({ agentId }) => agentId === id));
  const open = answers.filter(({ run }) => run.open);
  const thread = threadOf(original.content);
  const begun = startRuns(event, message, unasked, view, { question: target, thread });
  const added = begun.kind === "run" ? begun : { runs: [], silent: [], notices: [] };
  // Who is no longer named while others are was asked by mistake.
  const dropped = open.filter(({ agentId }) => named.length > 0 && !named.some(({ id }) => id === agentId));
  const again = open.filter((answer) => !dropped.includes(answer)).map((answer) => startOver(event, answer, view));
  return {
    kind: "edit",
    runs: [...again.filter((run) => run !== null), ...added.runs],
    stops: dropped.map(({ run }) => ({ runId: run.id, reason: "command", by: event.sender })),
    silent: added.silent,
    notices: added.notices,
  };
}

/** Of each agent the answer with the highest "again". */
function newestAnswers(question: string, view: RoomView): AnswerView[] {
  const newest = new Map<string, AnswerView>();
  for (const answer of view.answers)
    if (answer.questionEvent === question && answer.again >= (newest.get(answer.agentId)?.again ?? 0))
      newest.set(answer.agentId, answer);
  return [...newest.values()];
}

/** What was redacted ends what it asked for or what wrote it; its text goes (see erase.ts). */
function routeRedaction(event: RoutedEvent, view: RoomView): Decision {
  const target = event.redacts ?? text(event.content.redacts);
  if (!target) return ignore("nothing_redacted");
  const concerned = view.answers.filter(({ eventIds }) => eventIds.includes(target));
  const stops = concerned
    .filter(({ run }) => run.open)
    .map(({ run }) => ({ runId: run.id, reason: "redacted" as const, by: event.sender }));
  return { kind: "redact", target, stops };
}

const ignore = (reason: string): Decision => ({ kind: "ignore", reason });
