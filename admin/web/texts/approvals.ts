import { number } from "./numbers.ts";

const minutes = (ms: number) => Math.max(1, Math.round(ms / 60_000));

/** As Element calls them. */
export function whoHas(level: number): string {
  if (level <= 0) return "Anybody in the room";
  const name = { 50: "A moderator", 100: "An administrator" }[level];
  return name ? `${name} of the room` : `Somebody with the power level ${level} in the room`;
}

/** Texts of: approvals, and what was granted for always. */
export const approvalsTexts = {
  title: "Approvals",
  lead: "What agents ask before they do it. The same can be decided in the room, with a reaction or a reply.",
  tabs: { open: "Waiting", over: "Decided", grants: "Always allowed" },
  waiting: (count: number) => (count >= 99 ? "99+" : number.format(count)),
  waitingLabel: (count: number) =>
    count === 1 ? "1 waits for you" : count >= 99 ? "99 or more wait for you" : `${count} wait for you`,
  openLabel: "What waits",
  overLabel: "What was decided, newest first",
  wants: (agent: string, what: string) => `${agent} wants to ${what}`,
  wanted: (agent: string, what: string) => `${agent} wanted to ${what}`,
  asks: (agent: string) => `${agent} asks`,
  erased: "This text was erased.",
  exactly: "Exactly this",
  inRoom: (room: string) => `in ${room}`,
  unnamed: "a room without a name",
  noRoom: "beside its form",
  openRoom: "Open in Element",
  run: "The run",
  leftMinutes: (ms: number) => {
    const left = minutes(ms);
    return left === 1 ? "1 minute left" : left < 120 ? `${left} minutes left` : `${Math.round(left / 60)} hours left`;
  },
  who: {
    person: (name: string) => `${name} decides, or a manager.`,
    answerer: (name: string) => `${name} answers.`,
    level: (level: number) => `${whoHas(level)} decides, or a manager.`,
  },
  allow: "Allow",
  always: "Always in this room",
  refuse: "Refuse",
  answer: "Answer",
  reason: "Reason (optional)",
  reasonHelp: "The agent reads it.",
  yourAnswer: "Your answer",
  send: "Send the answer",
  back: "Back",
  alwaysTitle: (agent: string, tool: string) => `Allow ${agent} “${tool}” always in this room?`,
  alwaysHelp: (agent: string, lets: string) => `“Always in this room” goes further: it lets ${agent} ${lets}.`,
  alwaysText: (agent: string, lets: string) =>
    `This is not for this one call only. It lets ${agent} ${lets}, until somebody takes it back under “Always allowed”. What a manager has set for the agent still holds, and after it has read something from outside the company it asks all the same.`,
  alwaysYes: "Allow always",
  done: {
    approved: "Allowed. The agent goes on.",
    always: "Allowed, and from now on without asking in this room.",
    declined: "Refused. The agent is told.",
    answered: "The agent has your answer.",
  },
  states: {
    open: "Waits",
    approved: "Allowed",
    declined: "Refused",
    answered: "Answered",
    expired: "Nobody decided",
    withdrawn: "Ended before",
  },
  by: (name: string) => `by ${name}`,
  alwaysMark: (lets: string) => `and from then on to ${lets}`,
  became: "What became of it",
  /** The model is told the state once more. */
  trouble: (text: string) => text.replace(/^(Outcome unknown|Refused): /, ""),
  none: "Nothing waits",
  noneText: "When an agent asks before it does something, it stands here and in its room.",
  noneOver: "Nothing was decided yet",
  noneOverText: "What was allowed and refused, and by whom, stands here.",

  grants: {
    lead: "What agents may do in a room without asking again. What a manager has set for an agent still holds, and after it has read something from outside the company it asks all the same.",
    means: (lets: string) => `It may ${lets}.`,
    label: "Always allowed, newest first",
    agent: "Agent",
    tool: "May use",
    room: "In",
    by: "Allowed by",
    when: "Since",
    revoke: "Take back",
    revokeOf: (tool: string, room: string) => `Take back: ${tool} in ${room}`,
    revokeTitle: (agent: string, tool: string) => `Ask again before ${agent} uses “${tool}”?`,
    revokeText: "From the next call on it asks again in this room.",
    revokeYes: "Take it back",
    revoked: "It asks again from now on.",
    none: "Nothing is allowed for always",
    noneText: "When somebody says “always in this room”, with ♾️ or here, it stands here and can be taken back.",
  },
};
