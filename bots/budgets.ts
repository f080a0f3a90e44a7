/** What keeps agents and bots from answering each other for ever. Pure: the counts come out of `runs`. */
import type { TenantLimits } from "../migrations/types.ts";

export interface BudgetCounts {
  /** Runs of the last hour in this room between who asks and this agent; between two agents in both directions. */
  pairLastHour: number;
  /** The newest runs of this agent for who asks in this room, newest first, in milliseconds since 1970. */
  recent: { askedAt: number; finishedAt: number | null }[];
}

export type BudgetKind = "hops" | "agent_pair" | "person_pair" | "quick_replies";

export interface Question {
  askedAt: number;
  askedByAgent: boolean;
  /** Agents in a row that led here, this run included; 0 when a person asks. */
  hops: number;
}

/** The budget that this question would exceed, or null. */
export function exceededBudget(
  question: Question,
  counts: BudgetCounts,
  limits: Required<TenantLimits>,
): BudgetKind | null {
  if (question.hops > limits.maxHops) return "hops";
  if (question.askedByAgent) return counts.pairLastHour >= limits.agentPairPerHour ? "agent_pair" : null;
  if (counts.pairLastHour >= limits.personPairPerHour) return "person_pair";
  return quickChain(question.askedAt, counts.recent) > limits.quickReplies ? "quick_replies" : null;
}

/** How many questions in a row, this one included, came within a second of the answer before them: people do not read that fast. */
export function quickChain(askedAt: number, recent: BudgetCounts["recent"]): number {
  let chain = 0;
  let next = askedAt;
  for (const run of recent) {
    if (run.finishedAt === null || next < run.finishedAt || next - run.finishedAt > QUICK_MS) break;
    chain++;
    next = run.askedAt;
  }
  return chain;
}

export const QUICK_MS = 1000;

/** What the room is told, once for each pair, kind and hour. */
export function budgetSentence(
  kind: BudgetKind,
  names: { agent: string; asker: string },
  limits: Required<TenantLimits>,
) {
  switch (kind) {
    case "hops":
      return (
        `${limits.maxHops} agents in a row have now asked each other, so ${names.agent} leaves ${names.asker}'s question ` +
        "unanswered. A person can go on by asking an agent."
      );
    case "agent_pair":
      return (
        `${names.agent} and ${names.asker} have asked each other ${limits.agentPairPerHour} times within an hour here, so ` +
        "they stop for now. A person can go on by asking an agent."
      );
    case "person_pair":
      return `${names.asker} has asked ${names.agent} ${limits.personPairPerHour} times within an hour here. ${names.agent} answers again later.`;
    case "quick_replies":
      return (
        `${names.asker} answers ${names.agent} faster than people do, so ${names.agent} takes it for a bot and is silent now. ` +
        "A message after a little while is answered again."
      );
  }
}
