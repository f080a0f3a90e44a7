/** What routing may decide about one event. Plain data: `write-decision.ts` makes rows of it. */
import type { runs } from "../migrations/schema.ts";
import type { RoomState } from "../migrations/types.ts";
import type { ScheduleChange } from "./schedules/schedules.ts";

export type StopReason = NonNullable<typeof runs.$inferSelect.stopReason>;

/** What people may say to the platform in a room, with a "!" before it. */
export const COMMANDS = ["stop", "help", "tools", "approvals", "schedules", "forms"] as const;
export type CommandName = (typeof COMMANDS)[number];

/** A run to be queued. */
export interface RunStart {
  agentId: string;
  agentVersion: number;
  questionEvent: string;
  triggerEvent: string;
  threadRoot: string | null;
  askedBy: string;
  /** The run of the agent that asks; not set when a person does. */
  causedBy?: string;
  hops: number;
  again: number;
  /** The run that wrote the same answer until now. */
  supersedes: string | null;
}

export interface Stop {
  /** What ends; for a form that a model does without an agent, the form itself. */
  kind?: "run" | "form";
  runId: string;
  reason: StopReason;
  by: string;
}

/** A sentence in the room, once for each `key`. */
export interface Notice {
  key: (string | number)[];
  as: string;
  text: string;
  threadRoot?: string;
  replyTo?: string;
}

export type Decision =
  | { kind: "ignore"; reason: string }
  /** `silent`: agents that were asked and do not answer, with why. */
  | { kind: "run"; runs: RunStart[]; silent: Silence[]; notices: Notice[] }
  /** Runs start over or end because their question was edited, others begin because it names them now. */
  | { kind: "edit"; runs: RunStart[]; stops: Stop[]; silent: Silence[]; notices: Notice[] }
  | { kind: "again"; run: RunStart }
  | { kind: "cancel"; stops: Stop[] }
  | { kind: "command"; name: CommandName | "unknown"; stops: Stop[]; notices: Notice[]; schedules?: ScheduleChange[] }
  /** A form that is filled in by a message; without `filling` the notices say why it is not. `as`: who says so if it cannot be begun after all. */
  | { kind: "form"; filling: FormFilling | null; as: string | null; notices: Notice[] }
  /** Somebody who may decided an approval, or answered a question. */
  | {
      kind: "verdict";
      approvalId: string;
      verdict: "approved" | "declined" | "always" | "answered";
      answer: string | null;
      by: string;
      via: "reaction" | "reply";
    }
  /** Somebody who may not. */
  | { kind: "no_verdict"; notices: Notice[] }
  | { kind: "feedback"; runId: string; value: 1 | -1 }
  | { kind: "redact"; target: string; stops: Stop[] }
  | { kind: "invite"; as: string; accept: true }
  | { kind: "invite"; as: string; accept: false; why: string }
  | { kind: "member"; member: MemberChange; stops: Stop[]; notices: Notice[]; leave: string[]; repairPower: boolean }
  | { kind: "state"; state: RoomState; notices: Notice[]; repairPower: boolean };

export interface FormFilling {
  formId: string;
  values: Record<string, unknown>;
  threadRoot: string | null;
}

export interface Silence {
  agentId: string;
  why: string;
}

export interface MemberChange {
  userId: string;
  membership: "join" | "invite" | "leave" | "ban" | "knock";
  displayName: string | null;
  /** Inbox position from which it sees the room; null leaves what is known. */
  visibleFrom: number | null;
  /** The same by the homeserver's clock. */
  seenSince: number | null;
}

/** One short word for `inbox.outcome`. */
export function outcomeOf(decision: Decision): string {
  switch (decision.kind) {
    case "ignore":
      return `ignored:${decision.reason}`;
    case "run":
      if (decision.runs.length > 0) return "run";
      return `ignored:${decision.silent.map(({ why }) => why)[0] ?? "not_addressed"}`;
    case "edit":
      if (decision.runs.length > 0) return "edit:run";
      return decision.stops.length > 0 ? "edit:stop" : `ignored:${decision.silent.map(({ why }) => why)[0] ?? "edit"}`;
    case "command":
      return `command:${decision.name}`;
    case "invite":
      return decision.accept ? "invite:join" : "invite:decline";
    case "member":
      return `member:${decision.member.membership}`;
    default:
      return decision.kind;
  }
}
