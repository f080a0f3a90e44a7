/** Which of the agents that are asked begin a run, and why the others stay silent. Pure. */
import { budgetSentence, exceededBudget } from "./budgets.ts";
import type { Decision, Notice, RunStart, Silence } from "./decision.ts";
import type { Message } from "./message.ts";
import {
  type AgentView,
  type AnswerView,
  isAgentUser,
  type RoomView,
  type RoutedEvent,
  serverOf,
} from "./room-view.ts";
import { speaker } from "./speaker.ts";

export function startRuns(
  event: RoutedEvent,
  message: Message,
  agents: AgentView[],
  view: RoomView,
  where: { question: string; thread: string | null },
): Decision {
  const hops = hopsOf(event, message, view);
  const runs: RunStart[] = [];
  const silent: Silence[] = [];
  const notices: Notice[] = [];
  for (const agent of agents) {
    const held = holdBack(event, agent, hops, view, where.thread);
    if (held) {
      silent.push({ agentId: agent.id, why: held.why });
      if (held.notice) notices.push(held.notice);
    } else
      runs.push({
        agentId: agent.id,
        agentVersion: agent.version,
        questionEvent: where.question,
        triggerEvent: event.eventId,
        threadRoot: where.thread,
        askedBy: event.sender,
        ...(message.run?.run && isAgentUser(event.sender, view) ? { causedBy: message.run.run } : {}),
        hops,
        again: 0,
        supersedes: null,
      });
  }
  return { kind: "run", runs, silent, notices };
}

/** The same answer written anew, because its question was edited while it was being written. */
export function startOver(event: RoutedEvent, answer: AnswerView, view: RoomView): RunStart | null {
  const agent = view.agents.find(({ id }) => id === answer.agentId);
  if (agent?.membership !== "join" || agent.state !== "active") return null;
  return {
    agentId: agent.id,
    agentVersion: agent.version,
    questionEvent: answer.questionEvent,
    triggerEvent: event.eventId,
    threadRoot: answer.run.threadRoot,
    askedBy: answer.run.askedBy,
    hops: answer.run.hops,
    again: answer.again,
    supersedes: answer.run.id,
  };
}

/** Why an agent that was asked does not answer, with what the room is told. */
export function holdBack(
  event: RoutedEvent,
  agent: AgentView,
  hops: number,
  view: RoomView,
  thread: string | null,
): { why: string; notice: Notice | null } | null {
  if (agent.state !== "active" && agent.state !== "paused") return { why: "removed", notice: null };
  if (agent.scope === "observer") return { why: "observer", notice: null };
  const as = speaker(view, agent.id);
  const notice = (key: (string | number)[], words: string): Notice | null =>
    as ? { key: [...key, hourOf(view.now)], as, text: words, ...(thread ? { threadRoot: thread } : {}) } : null;
  if (agent.state === "paused") {
    const words = `${agent.name} is paused and does not answer now. A manager can resume it.`;
    return { why: "paused", notice: notice(["paused", agent.id], words) };
  }
  const askedByAgent = isAgentUser(event.sender, view);
  const why = exceededBudget({ askedAt: event.receivedAt, askedByAgent, hops }, agent.counts, view.limits);
  if (!why) return null;
  const asker = view.agents.find(({ userId }) => userId === event.sender);
  const names = { agent: agent.name, asker: asker?.name ?? view.senderName ?? event.sender };
  // Both directions of a pair are one: the room is told once of it.
  const pair = [agent.userId, event.sender].sort();
  return { why, notice: notice(["budget", why, ...pair], budgetSentence(why, names, view.limits)) };
}

/** Agents in a row. People of this server begin at 0, also when they forward an agent's message; strangers' marks are believed. */
function hopsOf(event: RoutedEvent, message: Message, view: RoomView): number {
  const marked = isAgentUser(event.sender, view) || serverOf(event.sender) !== view.serverName;
  return marked && message.run ? message.run.hops + 1 : 0;
}

const hourOf = (ms: number): number => Math.floor(ms / 3_600_000);
