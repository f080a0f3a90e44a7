/** Shapes of the JSON columns. */

/** How a tenant's homeserver is made; typed input from which Synapse's config is generated. */
export interface TenantConfig {
  /** Loopback port of its Synapse (driver `process`). */
  port?: number;
  /** Name of its database and role (driver `process`). */
  database?: string;
  /** Direct chats and rooms that people make stay readable for agents (default true). */
  readableRooms: boolean;
  /** Synapse's limits for people's messages; bench and tests turn them off with `off`. */
  rateLimits: "people" | "off";
  /** Registration files of other appservices to load beside ours. */
  extraAppservices?: string[];
  /** Set when it is to be removed: where the backup goes, or null for none. */
  removal?: { backup: string | null };
}

export interface TenantSecrets {
  asToken: string;
  hsToken: string;
  registrationSharedSecret: string;
  macaroonSecret: string;
  formSecret: string;
  databasePassword?: string;
}

/** Everything has a default in `bots/limits.ts`; a row holds only what differs. */
export interface TenantLimits {
  tokensPerDay?: number;
  /** Agents in a row before the chain ends. */
  maxHops?: number;
  /** Runs that one agent may cause with another, per room and hour. */
  agentPairPerHour?: number;
  /** Runs that one person or foreign bot may cause with one agent, per room and hour. */
  personPairPerHour?: number;
  /** Questions in a row, each within a second of the agent's answer: after these it is taken for a bot. From 200 on: never. */
  quickReplies?: number;
}

export type Scope = "observer" | "member" | "moderator";

export interface AgentDefinition {
  name: string;
  description: string;
  instructions: string;
  /** Name of a model row; null: the tenant's or operator's default. */
  model: string | null;
  /** Who may invite it into rooms. */
  whoMayInvite: "anyone" | "nobody" | { users: string[] };
  scope: Scope;
  /** Values for `{{name}}` in the instructions. */
  variables?: Record<string, string>;
  /** Its face: drawn from a seed, or an uploaded picture (`avatars.id`). Not set: drawn from the agent's id. */
  avatar?: { kind: "generated"; seed: string } | { kind: "uploaded"; id: string };
  limits?: AgentLimits;
}

/** What one agent may use, within what its client may. */
export interface AgentLimits {
  /** UTC days. */
  tokensPerDay?: number;
  /** Most tokens of one answer. */
  maxAnswerTokens?: number;
}

export type TenantRole = "owner" | "manager" | "member" | "auditor";

export interface ModelAbilities {
  /** In tokens. */
  contextWindow: number;
  maxOutput: number;
  images: boolean;
  files: boolean;
}

export interface RoomState {
  name: string | null;
  topic: string | null;
  encrypted: boolean;
  historyVisibility: "world_readable" | "shared" | "invited" | "joined";
  /** Inbox position since which history is open to newcomers without a break; null when it is not. */
  sharedSince: number | null;
  /** Who created it (and additional creators from room version 12 on: they outrank everybody). */
  creators: string[];
  roomVersion: string;
  powerLevels: {
    users: Record<string, number>;
    usersDefault: number;
    events: Record<string, number>;
    eventsDefault: number;
    stateDefault: number;
    redact: number;
    kick: number;
    ban: number;
    invite: number;
  };
  /** io.element.functional_members: not counted as people. */
  functionalMembers: string[];
  /** Federates with other servers. */
  federated: boolean;
}

export interface RunTimings {
  /** Milliseconds from the event's reception. */
  routedMs?: number;
  startedMs?: number;
  firstTextMs?: number;
  finishedMs?: number;
}

export interface StepDetail {
  model?: string;
  inputTokens?: number;
  outputTokens?: number;
  firstTokenMs?: number;
  /** When the room got the first text; milliseconds since 1970. */
  firstTextAt?: number;
  attempts?: number;
  eventIds?: string[];
  edits?: number;
  errorCode?: string;
  /** A message was sent of which it is not known whether it arrived. */
  uncertain?: boolean;
  /** What the model was given, without texts: those are looked up where they are kept, and are gone when they are erased there. */
  context?: StepContext;
}

export interface StepContext {
  /**
   * Places in the inbox of the messages that went in, oldest first, each but the first as its distance from the one before
   * (bots/positions.ts): there may be hundreds in every run.
   */
  messages: number[];
  /** How many older messages of the room did not fit. */
  omitted: number;
  /** Names of the files that went in. */
  files: string[];
  contextWindow: number;
}

/** What a model said when it was tried from the panel. */
export interface ModelCheck {
  at: string;
  ok: boolean;
  /** What it answered, or the sentence that says why not. */
  text: string;
  firstTokenMs?: number;
  durationMs?: number;
}

/** See `actions` in schema.ts. `as` is the Matrix user that acts. */
export type ActionPayload =
  | { kind: "join"; as: string }
  | { kind: "leave"; as: string; reason: string }
  /** A sentence in the room, as m.notice, which notifies nobody and starts no run. */
  | { kind: "notice"; as: string; text: string; threadRoot?: string; replyTo?: string }
  | { kind: "power_levels" }
  /** Makes the Matrix user of an agent, and gives it the name and face of its definition. Belongs to no room. */
  | { kind: "agent"; agentId: string }
  /** Gives the room the name that its row has (a space: its team's). */
  | { kind: "room_name" }
  /** Makes what is still missing of a team. */
  | { kind: "make_team"; teamId: string };

/** A team that is being made. Every part is found again by what it is made of, so this may be begun again at any moment. */
export interface TeamMaking {
  rooms: TeamMakingRoom[];
  agents: { templateId: string; rooms: string[] }[];
  /** The person who makes it, by Matrix user id: comes in as a moderator. Without one nobody is put in. */
  by?: string;
  /** Finished parts, and how many there are. */
  done: number;
  of: number;
  /** What is being made now, or the sentence that says why it does not go on. */
  now: string;
  problem?: string;
}

export interface TeamMakingRoom {
  name: string;
  topic?: string;
  /** Said by the control bot and pinned. */
  welcome?: string;
}
