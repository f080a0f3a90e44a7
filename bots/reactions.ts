/** ❌ stops, 🔁 asks once more, 👍 and 👎 are kept. Pure. */
import { isOwnUser } from "./addressed.ts";
import { readVote, routeVerdict } from "./approvals/read.ts";
import { mayStop } from "./commands.ts";
import type { Decision } from "./decision.ts";
import { readReaction } from "./message.ts";
import type { AnswerView, RoomView, RoutedEvent } from "./room-view.ts";
import { holdBack } from "./run-starts.ts";

export function routeReaction(event: RoutedEvent, view: RoomView): Decision {
  if (isOwnUser(event.sender, view)) return ignore("own");
  const reaction = readReaction(event.content);
  if (!reaction) return ignore("not_a_reaction");
  const approval = view.approvals.find(({ eventId }) => eventId === reaction.target);
  if (approval) return routeVerdict(event, { approval, said: readVote(reaction.key), via: "reaction" }, view);
  const answer = view.answers.find(
    ({ eventIds, questionEvent }) => questionEvent !== reaction.target && eventIds.includes(reaction.target),
  );
  if (!answer) return ignore("not_an_answer");
  switch (reaction.key) {
    case "❌":
    case "✖":
      return cancel(event, answer, view);
    case "🔁":
    case "🔄":
      return again(event, answer, view);
    case "👍":
      return { kind: "feedback", runId: answer.run.id, value: 1 };
    case "👎":
      return { kind: "feedback", runId: answer.run.id, value: -1 };
    default:
      return ignore("other_reaction");
  }
}

function cancel(event: RoutedEvent, { run }: AnswerView, view: RoomView): Decision {
  if (!run.open) return ignore("finished");
  if (!mayStop(run, event.sender, view)) return ignore("not_allowed");
  return { kind: "cancel", stops: [{ runId: run.id, reason: "reaction", by: event.sender }] };
}

/** A new answer to the same question, in the same place. */
function again(event: RoutedEvent, answer: AnswerView, view: RoomView): Decision {
  const agent = view.agents.find(({ id }) => id === answer.agentId);
  if (agent?.membership !== "join") return ignore("agent_gone");
  const question = view.known.find(({ eventId }) => eventId === answer.questionEvent);
  if (!question || Object.keys(question.content).length === 0) return ignore("question_gone");
  const siblings = view.answers.filter(
    ({ questionEvent, agentId }) => questionEvent === answer.questionEvent && agentId === answer.agentId,
  );
  if (siblings.some(({ run }) => run.open)) return ignore("still_answering");
  const held = holdBack(event, agent, answer.run.hops, view, answer.run.threadRoot);
  if (held)
    return {
      kind: "run",
      runs: [],
      silent: [{ agentId: agent.id, why: held.why }],
      notices: held.notice ? [held.notice] : [],
    };
  const run = {
    agentId: agent.id,
    agentVersion: agent.version,
    questionEvent: answer.questionEvent,
    triggerEvent: event.eventId,
    threadRoot: answer.run.threadRoot,
    askedBy: event.sender,
    hops: answer.run.hops,
    again: Math.max(...siblings.map((sibling) => sibling.again)) + 1,
    supersedes: null,
  };
  return { kind: "again", run };
}

const ignore = (reason: string): Decision => ({ kind: "ignore", reason });
