import { HEADING, isInNoRoom } from "./made-events.ts";
import { agentsNamed } from "./mentions.ts";
import { text } from "./message.ts";
import type { Destination } from "./reply.ts";
import type { Surroundings, Work } from "./work.ts";

/** Where the answer of a run goes. */
export const destinationOf = (work: Work): Destination => ({
  questionEvent: work.questionEvent,
  threadRoot: work.threadRoot,
  mentions: work.askedByAgent ? [] : [work.askedBy],
  runId: work.runId,
  hops: work.hops,
  heading: headingFor(work),
});

/** Only what we made ourselves says it: anybody may write such a thing into a message of theirs. */
const headingFor = ({ questionEvent, questionContent }: Work): string | null =>
  isInNoRoom(questionEvent) ? text(questionContent[HEADING]) : null;

/**
 * Transaction id of a message of an answer: the same for every run and attempt, so that the message exists once. It names the
 * answer, and so the agent, because Synapse's cache does not look at the user.
 */
export const firstTxn = (work: Pick<Work, "answerId">, part: number): string => `a.${work.answerId}.${part}`;

/** True when an earlier attempt or run may have sent the first text without our knowing. */
export const isUncertain = (work: Work): boolean =>
  (work.step.detail.attempts ?? 1) > 1 || work.runsOfAnswer > 1 || work.step.detail.uncertain === true;

/** The agents of the room that a finished answer asks something. */
export function namedAgents(work: Work, seen: Surroundings, text: string): string[] {
  const agents = seen.members.flatMap(({ userId, agentName }) => (agentName ? [{ userId, name: agentName }] : []));
  return agentsNamed(text, agents, work.agentUserId);
}

/** What the person reads in the end: the text, and a sentence when something ended it early. */
export function finalText(
  work: Pick<Work, "step" | "stopReason" | "stoppedBy" | "error">,
  nameOf: (userId: string) => string,
): string {
  const text = work.step.output?.trim() ?? "";
  if (work.step.state === "failed") return [text, work.error ?? ""].filter(Boolean).join("\n\n");
  if (work.step.state !== "stopped") return text;
  const by = work.stoppedBy ? ` by ${nameOf(work.stoppedBy)}` : "";
  return [text, `*Stopped${by}.*`].filter(Boolean).join("\n\n");
}
