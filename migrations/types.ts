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
  /** What it may use, by group ("web") or by tool ("web_fetch", which then says more than its group). What is not named it may not. */
  tools?: AgentTools;
}

export type AgentTools = Record<string, ToolBounds>;

/**
 * `never`: refused. `ask`: a person decides each time. `direct`: allowed in a chat of one person and the agent, asked elsewhere.
 * `allowed`: no question, but for what is asked whatever the policy (bots/tools/decide.ts).
 */
export type ToolPolicy = "never" | "ask" | "direct" | "allowed";

/** The boundaries of one tool or of a group of them. What is not set does not bound. */
export interface ToolBounds {
  policy?: ToolPolicy;
  /** Patterns of what it may touch (bots/tools/patterns.ts): addresses, rooms, folders, recipients, agents. Empty or not set: everything. */
  allow?: string[];
  /** The same of what it may not; says more than `allow`. */
  refuse?: string[];
  perRun?: number;
  /** UTC hours and days. */
  perHour?: number;
  perDay?: number;
  /** Model tokens that its calls may take on a UTC day. */
  tokensPerDay?: number;
  /** Power level of who may approve, 50 when not set. */
  level?: number;
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
  /** Who named it so, and what untrusted thing an agent had read when it did; not set for names from before this was kept. */
  named?: { by: string; untrusted: string | null };
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
  /** `runs.turn` when the attempts were counted: a run that waited for somebody begins to count anew. */
  turn?: number;
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
  | { kind: "make_team"; teamId: string }
  /** Puts the question of an approval into its room, or says there who decided it: as its row says. */
  | { kind: "approval"; approvalId: string }
  /** A text in Markdown as m.text, in as many messages as it needs. `untrusted`: what it comes from, when nobody vouches for that. */
  | {
      kind: "message";
      as: string;
      text: string;
      threadRoot?: string;
      replyTo?: string;
      mentions?: string[];
      untrusted?: string;
    };

/** A JSON Schema (2020-12) of an object, as models, forms and MCP take it. */
export interface JsonSchema {
  type?: string;
  title?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  [keyword: string]: unknown;
}

/** How mail goes out. The password stands beside it, sealed. */
export interface MailSettings {
  host: string;
  port: number;
  /** TLS from the first byte; else STARTTLS where the server has it. */
  secure: boolean;
  user: string | null;
  /** `Name <address>` or an address. */
  from: string;
}

export interface SearchSettings {
  kind: "searxng" | "brave";
  /** Of a SearXNG; Brave has its own. */
  url: string | null;
}

/** When a schedule is due. */
export type ScheduleTime =
  | { kind: "once"; at: string }
  /** Minutes, from when it was made. */
  | { kind: "every"; minutes: number }
  /** Five fields; `zone` is an IANA name. */
  | { kind: "cron"; pattern: string; zone: string };

/** What makes a form tool, versioned as agents are. */
export interface FormDefinition {
  /** What people and agents call it: a–z, 0–9, "_". */
  name: string;
  title: string;
  description: string;
  /** The form. */
  input: JsonSchema;
  /** With `{{field}}` for what was filled in. */
  prompt: string;
  /** Id of the agent that does it; null: the model alone. */
  agent: string | null;
  /** Name of a model; null: the default. Only without an agent. */
  model: string | null;
  /** What the answer must be; null: a text. */
  output: JsonSchema | null;
}

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
