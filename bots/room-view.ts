/** The plain data that routing decides on: one event, and what the database knows about its room. */
import type { AgentDefinition, AgentTools, JsonSchema, RoomState, Scope, TenantLimits } from "../migrations/types.ts";
import type { BudgetCounts } from "./budgets.ts";
import type { ScheduleView } from "./schedules/command.ts";

/** A room event as the inbox holds it. */
export interface RoutedEvent {
  seq: number;
  eventId: string;
  roomId: string;
  sender: string;
  type: string;
  stateKey: string | null;
  /** Milliseconds since 1970: the sender's clock, and ours. */
  ts: number;
  receivedAt: number;
  content: Record<string, unknown>;
  redacts: string | null;
}

export interface AgentView {
  id: string;
  userId: string;
  name: string;
  version: number;
  state: "creating" | "active" | "paused" | "removing" | "removed";
  /** Its scope in this room. */
  scope: Scope;
  whoMayInvite: AgentDefinition["whoMayInvite"];
  description: string;
  /** In this room; null when it never was here. */
  membership: "join" | "invite" | "leave" | "ban" | "knock" | null;
  /** Since when it sees the room, or was invited; milliseconds since 1970. */
  seenSince: number;
  /** Of the event's sender with this agent. */
  counts: BudgetCounts;
}

/** An event that the routed one relates to. */
export interface KnownEvent {
  eventId: string;
  sender: string;
  type: string;
  /** `{}` when it was redacted. */
  content: Record<string, unknown>;
}

/** An answer whose question or message the event relates to, or that is being written in the room. */
export interface AnswerView {
  answerId: string;
  agentId: string;
  questionEvent: string;
  again: number;
  /** The question and every message of the answer. */
  eventIds: string[];
  run: RunView;
}

/** A question of an agent to people that the event answers, or that waits for its sender. */
export interface ApprovalView {
  id: string;
  /** Its message in the room. */
  eventId: string;
  agentId: string;
  threadRoot: string | null;
  kind: "tool" | "input";
  state: string;
  level: number | null;
  onlyPerson: string | null;
  grantable: boolean;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** Who says this manages the client, so that they may decide it in the panel: then here too. */
  byManager: boolean;
}

/** What may be done in the room, what waits in it and what is planned. */
export interface ListingView {
  /** By agent, with the tools that are always allowed in this room. */
  tools: { agentId: string; tools: AgentTools; granted: string[] }[];
  /** What people call the tools, by their names. */
  titles: Record<string, string>;
  waiting: WaitingView[];
  schedules: ScheduleView[];
  /** Who asks manages the client. */
  byManager: boolean;
}

/** A question of an agent that nobody has decided yet. */
export interface WaitingView {
  agentName: string;
  kind: "tool" | "input";
  sentence: string;
  eventId: string | null;
  /** What the only person who may decide is called. */
  onlyName: string | null;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** A form of the client that a message names after "!". */
export interface FormView {
  id: string;
  name: string;
  title: string;
  input: JsonSchema;
}

/** A form as it is listed in a room. */
export type ListedForm = Pick<FormView, "name" | "title" | "input"> & { description: string };

/** The first of those that can be filled in in the room, how many there are, and what all of the client's are called. */
export interface ListedForms {
  shown: ListedForm[];
  total: number;
  names: string[];
}

/** The newest run of an answer. */
export interface RunView {
  id: string;
  agentId: string;
  askedBy: string;
  threadRoot: string | null;
  hops: number;
  /** Queued or running, and nobody has stopped it. */
  open: boolean;
}

/** A run under way, or a form that a model does without an agent. */
export interface OpenRunView extends Pick<RunView, "id" | "askedBy" | "threadRoot"> {
  agentId: string | null;
  kind: "run" | "form";
}

export interface RoomView {
  tenantId: string;
  serverName: string;
  controlUserId: string;
  limits: Required<TenantLimits>;
  /** Made by the platform: power levels are ours to set. */
  ours: boolean;
  /** Nobody can post there any more; what is still on its way is answered by nobody. */
  archived: boolean;
  state: RoomState | null;
  controlJoined: boolean;
  /** Since when the first of our users sees the room, in milliseconds since 1970; 0 where that is not known. */
  since: number;
  agents: AgentView[];
  /** Joined or invited people: not agents of ours, not the control bot, not functional members. Counted up to 2. */
  people: number;
  /** The sender's name here. */
  senderName: string | null;
  known: KnownEvent[];
  answers: AnswerView[];
  /** Questions to people that the event reacts or replies to. */
  approvals: ApprovalView[];
  /** Open questions of the room that its sender may have read: to them or to whoever may decide, oldest first. */
  asked: ApprovalView[];
  /** The active form that the message names. */
  form: FormView | null;
  /** For messages in which a word follows a "!"; null for others. */
  forms: ListedForms | null;
  /** Agents that were asked in the event's thread. */
  threadAgents: string[];
  /** What is under way in the room and nobody has stopped, for commands. */
  openRuns: OpenRunView[];
  /** For the commands that list something; null for what is none. */
  listing: ListingView | null;
  /** Milliseconds since 1970. */
  now: number;
}

/** A localpart that begins so is an agent's, on the tenant's own server. */
export const isAgentUser = (userId: string, view: Pick<RoomView, "serverName">): boolean =>
  userId.startsWith("@agent-") && serverOf(userId) === view.serverName;

export const serverOf = (userId: string): string => userId.slice(userId.indexOf(":") + 1);
