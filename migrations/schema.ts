/**
 * The tables of the platform; those of the panel are in `panel-tables.ts`, those of tools in `tool-tables.ts`. The workflow engine keeps its own in the schema `dbos`, each Synapse its own in a database
 * of its tenant. `npm run migrations` writes the SQL in `migrations/sql` from this file.
 */
import { sql } from "drizzle-orm";
import {
  bigint,
  bigserial,
  boolean,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import type {
  ActionPayload,
  AgentDefinition,
  ModelAbilities,
  ModelCheck,
  RoomState,
  RunTimings,
  StepDetail,
  TeamMaking,
  TenantConfig,
  TenantLimits,
} from "./types.ts";

export const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });
export const bytes = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
export const createdAt = () => at("created_at").notNull().defaultNow();

/** Single values of the whole platform: the secret key's check value, the operator's defaults. */
export const settings = pgTable("settings", { key: text().primaryKey(), value: jsonb().notNull() });

export const tenants = pgTable("tenants", {
  /** The short name that people type: a–z, 0–9, "-". */
  id: text().primaryKey(),
  title: text().notNull(),
  serverName: text("server_name").notNull().unique(),
  driver: text().$type<"process" | "external">().notNull(),
  /** What the operator wants; the supervisor makes it so. */
  desired: text().$type<"running" | "stopped">().notNull().default("running"),
  state: text()
    .$type<"creating" | "starting" | "running" | "stopped" | "restarting" | "crash_loop" | "failed" | "removing">()
    .notNull()
    .default("creating"),
  /** One sentence for people, with the last lines of the log where that helps. */
  stateDetail: text("state_detail"),
  homeserverUrl: text("homeserver_url").notNull(),
  config: jsonb().$type<TenantConfig>().notNull(),
  /** AES-256-GCM over JSON of `TenantSecrets`. */
  secrets: text().notNull(),
  /** SHA-256 of the token that Synapse shows us. */
  hsTokenHash: text("hs_token_hash").notNull().unique(),
  controlUserId: text("control_user_id").notNull(),
  limits: jsonb().$type<TenantLimits>().notNull().default(sql`'{}'::jsonb`),
  /** How long the texts of inbox, runs and steps are kept. */
  retentionDays: integer("retention_days").notNull().default(90),
  /** The Synapse process (pid and start time) up to which missed events have been taken in. */
  caughtUpWith: text("caught_up_with"),
  /** Synapse's version when it last answered. */
  version: text(),
  /** A restart that was asked for; the supervisor clears it when it has begun. */
  restartRequestedAt: at("restart_requested_at"),
  /** One of the operator's models that answers here by default; null: the client's own default, else the operator's. */
  defaultModelId: text("default_model_id"),
  /** When `people` was last as its homeserver lists them. */
  peopleSyncedAt: at("people_synced_at"),
  createdAt: createdAt(),
});

export const tenantId = () =>
  text("tenant_id")
    .notNull()
    .references(() => tenants.id, { onDelete: "cascade" });

export const teams = pgTable(
  "teams",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    name: text().notNull(),
    spaceRoomId: text("space_room_id"),
    /** What is still to be made of it, and how far that is; null when all is there. */
    making: jsonb().$type<TeamMaking>(),
    archivedAt: at("archived_at"),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex("teams_name").on(t.tenantId, t.name)],
);

/** Every room of which we got an event, ours or made by people. The row is the lock under which its events are routed. */
export const rooms = pgTable(
  "rooms",
  {
    tenantId: tenantId(),
    roomId: text("room_id").notNull(),
    teamId: text("team_id").references(() => teams.id, { onDelete: "set null" }),
    /** The name that the platform gave it ("campaigns"), once in its team; null in rooms that people made. */
    channel: text(),
    kind: text().$type<"space" | "channel" | "other">().notNull().default("other"),
    /** What routing needs to know of the room's state; null until it was read once from the homeserver. */
    state: jsonb().$type<RoomState>(),
    /** Nobody can post there any more; agents answer nobody. */
    archivedAt: at("archived_at"),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.roomId] }),
    index("rooms_team").on(t.teamId),
    uniqueIndex("rooms_channel").on(t.teamId, t.channel).where(sql`kind = 'channel'`),
  ],
);

export const roomMembers = pgTable(
  "room_members",
  {
    tenantId: tenantId(),
    roomId: text("room_id").notNull(),
    userId: text("user_id").notNull(),
    membership: text().$type<"join" | "invite" | "leave" | "ban" | "knock">().notNull(),
    displayName: text("display_name"),
    /** Inbox position from which this member could see the room. */
    visibleFrom: bigint("visible_from", { mode: "number" }).notNull().default(0),
    /**
     * The same by the homeserver's clock, in milliseconds, for users of ours: after a restart Synapse also hands out what was said before
     * they came. 0: not known.
     */
    seenSince: bigint("seen_since", { mode: "number" }).notNull().default(0),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.roomId, t.userId] }),
    index("room_members_user").on(t.tenantId, t.userId),
  ],
);

/** Room events as Synapse delivered them. Unique by event: a repeated transaction changes nothing. */
export const inbox = pgTable(
  "inbox",
  {
    seq: bigserial({ mode: "number" }).primaryKey(),
    tenantId: tenantId(),
    eventId: text("event_id").notNull(),
    roomId: text("room_id").notNull(),
    sender: text().notNull(),
    type: text().notNull(),
    stateKey: text("state_key"),
    ts: bigint({ mode: "number" }).notNull(),
    /** The event's content; `{}` once it was redacted or its time is over. */
    content: jsonb().$type<Record<string, unknown>>().notNull(),
    /** Set for m.room.redaction. */
    redacts: text(),
    receivedAt: at("received_at").notNull().defaultNow(),
    routedAt: at("routed_at"),
    /** What routing made of it: `run`, `command:stop`, `ignored:not_mentioned`, … */
    outcome: text(),
  },
  (t) => [
    uniqueIndex("inbox_event").on(t.tenantId, t.eventId),
    index("inbox_room").on(t.tenantId, t.roomId, t.seq),
    // From a message to its edits, its thread and its reactions.
    index("inbox_relation").on(t.tenantId, sql`(content->'m.relates_to'->>'event_id')`),
    index("inbox_unrouted").on(t.tenantId, t.roomId, t.seq).where(sql`routed_at is null`),
    // For the retention sweep: what was erased is not looked at again.
    index("inbox_received").on(t.tenantId, t.receivedAt).where(sql`content <> '{}'`),
  ],
);

export const agents = pgTable(
  "agents",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    name: text().notNull(),
    userId: text("user_id").notNull(),
    /** `draft` until it was published for the first time; `creating` until the homeserver has its user. */
    state: text()
      .$type<"draft" | "creating" | "active" | "paused" | "removing" | "removed">()
      .notNull()
      .default("creating"),
    version: integer().notNull().default(1),
    definition: jsonb().$type<AgentDefinition>().notNull(),
    templateId: text("template_id"),
    /** The template as what is published last took it: what differs from it are the agent's own edits. */
    templateDefinition: jsonb("template_definition").$type<AgentDefinition>(),
    /** What a manager is writing and nobody hears yet; null when all is published. */
    draft: jsonb().$type<AgentDefinition>(),
    /** The template that the draft has taken, which is forgotten with it; null: none. */
    draftTemplate: jsonb("draft_template").$type<AgentDefinition>(),
    /** Counts the saves of the draft, so that two who save the same one are told. */
    draftRevision: integer("draft_revision").notNull().default(0),
    draftBy: text("draft_by"),
    draftAt: at("draft_at"),
    /** The device with which it sends: Synapse keeps its transaction ids per device. */
    deviceId: text("device_id").notNull(),
    /** Which face its Matrix user was given last (`faceOf`); null: none, or it is not known. */
    profileFace: text("profile_face"),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex("agents_user").on(t.tenantId, t.userId),
    uniqueIndex("agents_name").on(t.tenantId, sql`lower(name)`).where(sql`state <> 'removed'`),
    index("agents_model").on(sql`(definition->>'model')`, t.tenantId).where(sql`state <> 'removed'`),
  ],
);

/** Definitions as they were: a run keeps the version with which it began. */
export const agentVersions = pgTable(
  "agent_versions",
  {
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    version: integer().notNull(),
    definition: jsonb().$type<AgentDefinition>().notNull(),
    /** Who published it, and what they said of it ("Back to version 3"). */
    createdBy: text("created_by"),
    note: text(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.version] })],
);

/** Where an agent has another scope than its definition's. */
export const agentScopes = pgTable(
  "agent_scopes",
  {
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    roomId: text("room_id").notNull(),
    scope: text().$type<"observer" | "member" | "moderator">().notNull(),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.roomId] })],
);

/** In which threads an agent was asked or which it started. */
export const threadAgents = pgTable(
  "thread_agents",
  {
    tenantId: tenantId(),
    roomId: text("room_id").notNull(),
    threadRoot: text("thread_root").notNull(),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.roomId, t.threadRoot, t.agentId] })],
);

export const models = pgTable(
  "models",
  {
    id: text().primaryKey(),
    /** Null: the operator's, for all tenants. */
    tenantId: text("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    name: text().notNull(),
    provider: text().$type<"openai-compatible" | "openai" | "anthropic" | "google">().notNull(),
    baseUrl: text("base_url"),
    /** The provider's name for it. */
    model: text().notNull(),
    /** AES-256-GCM; null where none is needed. */
    apiKey: text("api_key"),
    abilities: jsonb().$type<ModelAbilities>().notNull(),
    isDefault: boolean("is_default").notNull().default(false),
    source: text().$type<"added" | "environment" | "found">().notNull().default("added"),
    lastCheck: jsonb("last_check").$type<ModelCheck>(),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex("models_name").on(sql`coalesce(tenant_id, '')`, t.name),
    uniqueIndex("models_default").on(sql`coalesce(tenant_id, '')`).where(sql`is_default`),
  ],
);

/** What one agent says to one question, however often it is written anew: the messages in the room belong to it. */
export const answers = pgTable(
  "answers",
  {
    /** stableId(tenant, question event, agent, number of "again"). */
    id: text().primaryKey(),
    tenantId: tenantId(),
    roomId: text("room_id").notNull(),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    questionEvent: text("question_event").notNull(),
    again: integer().notNull().default(0),
    /** The run that writes it now. A run that is no longer the current one writes nothing more. */
    currentRunId: text("current_run_id").notNull(),
    /** Its messages in the room, in order; a long answer has several. */
    eventIds: jsonb("event_ids").$type<string[]>().notNull().default(sql`'[]'::jsonb`),
    createdAt: createdAt(),
  },
  (t) => [index("answers_question").on(t.tenantId, t.questionEvent)],
);

/** From a message in a room to the answer that it is a part of. */
export const answerEvents = pgTable(
  "answer_events",
  {
    tenantId: tenantId(),
    eventId: text("event_id").notNull(),
    answerId: text("answer_id")
      .notNull()
      .references(() => answers.id, { onDelete: "cascade" }),
    part: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.eventId] }), index("answer_events_answer").on(t.answerId)],
);

export const runs = pgTable(
  "runs",
  {
    /** stableId(tenant, trigger event, agent, again): also the id of the durable workflow, so it starts once. */
    id: text().primaryKey(),
    tenantId: tenantId(),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    agentVersion: integer("agent_version").notNull(),
    /** Where it was asked: in a room, beside the form in which the agent is made, or by a tool call or a form that waits for its answer. */
    source: text().$type<"room" | "try" | "task">().notNull().default("room"),
    /** The definition of a run that tries a draft; null: the version's. */
    definition: jsonb().$type<AgentDefinition>(),
    answerId: text("answer_id")
      .notNull()
      .references(() => answers.id, { onDelete: "cascade" }),
    roomId: text("room_id").notNull(),
    /** Set when question and answer are in a thread. */
    threadRoot: text("thread_root"),
    /** The message that was asked first, and the event that started this run: the same, or an edit, or a 🔁. */
    questionEvent: text("question_event").notNull(),
    triggerEvent: text("trigger_event").notNull(),
    askedBy: text("asked_by").notNull(),
    /** How many agents in a row led here; 0 when a person asked. */
    hops: integer().notNull().default(0),
    /** The person for whom it acts: who asked, or for whom the agent that asked was acting. Null: nobody is known. */
    onBehalfOf: text("on_behalf_of"),
    /** What it has read that nobody vouches for ("the page https://…"): from then on nothing goes outside without approval. */
    untrusted: text(),
    /** The tool call, or the form's row, that waits for its answer (`task`). */
    parentCall: text("parent_call"),
    formRunId: text("form_run_id"),
    /** `waiting`: parked until a person or another run has decided something; nothing of it is in anybody's memory. */
    state: text()
      .$type<"queued" | "running" | "waiting" | "done" | "stopped" | "superseded" | "failed">()
      .notNull()
      .default("queued"),
    /** How often it went on after it had waited. */
    turn: integer().notNull().default(0),
    /** The durable workflow of this turn. */
    workflowId: text("workflow_id")
      .notNull()
      .generatedAlwaysAs(sql`case when turn = 0 then id else id || '.' || turn::text end`),
    /** Set by whoever wants it to end: the run sees it at once by NOTIFY, or at its next step. */
    stopReason: text("stop_reason").$type<
      "command" | "reaction" | "redacted" | "superseded" | "removed" | "operator"
    >(),
    stoppedBy: text("stopped_by"),
    /** Error code and the sentence that the person got. */
    errorCode: text("error_code"),
    error: text(),
    timings: jsonb().$type<RunTimings>().notNull().default(sql`'{}'::jsonb`),
    createdAt: createdAt(),
    startedAt: at("started_at"),
    finishedAt: at("finished_at"),
  },
  (t) => [
    // Conditions on one or two of these use it too. Few, whoever's they are.
    index("runs_open").on(t.tenantId, t.roomId, t.createdAt).where(sql`state in ('queued','running','waiting')`),
    index("runs_parent").on(t.parentCall).where(sql`parent_call is not null`),
    index("runs_tenant").on(t.tenantId, t.createdAt),
    index("runs_newest").on(t.createdAt, t.id),
    index("runs_agent").on(t.agentId, t.createdAt, t.source),
    index("runs_room").on(t.tenantId, t.roomId, t.createdAt),
    index("runs_asker").on(t.tenantId, t.askedBy, t.createdAt),
    index("runs_failed").on(t.tenantId, t.createdAt).where(sql`state = 'failed'`),
    index("runs_budget").on(t.tenantId, t.roomId, t.askedBy, t.createdAt),
    index("runs_answer").on(t.answerId),
    index("runs_redacted").on(t.tenantId).where(sql`stop_reason = 'redacted'`),
  ],
);

export const steps = pgTable(
  "steps",
  {
    runId: text("run_id")
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    /** 0: the answer; 1: its reply; from 2 on what the model said with the tools it called, one turn each. */
    position: integer().notNull(),
    kind: text().$type<"model" | "reply" | "tools">().notNull(),
    state: text().$type<"running" | "done" | "failed" | "stopped">().notNull().default("running"),
    /** The text that the step made; null once erased. The engine's own tables hold no texts. */
    output: text(),
    detail: jsonb().$type<StepDetail>().notNull().default(sql`'{}'::jsonb`),
    startedAt: at("started_at").notNull().defaultNow(),
    finishedAt: at("finished_at"),
  },
  (t) => [primaryKey({ columns: [t.runId, t.position] })],
);

/** 👍 and 👎 on an answer; removed when the reaction is redacted. */
export const feedback = pgTable(
  "feedback",
  {
    tenantId: tenantId(),
    reactionEvent: text("reaction_event").notNull(),
    runId: text("run_id")
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    /** The run's agent, so that its feedback is counted without its runs. Null in rows from before, until the retention sweep. */
    agentId: text("agent_id"),
    userId: text("user_id").notNull(),
    value: integer().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.reactionEvent] }),
    index("feedback_run").on(t.runId),
    index("feedback_agent").on(t.agentId, t.createdAt, t.value),
  ],
);

/**
 * Small things to do in Matrix that routing decided on: join, decline, say a sentence, put power levels right. Written in the
 * transaction that routed the event, done at least once, harmless twice.
 */
export const actions = pgTable(
  "actions",
  {
    /** stableId of what caused it: a second identical cause changes nothing. */
    id: text().primaryKey(),
    tenantId: tenantId(),
    roomId: text("room_id").notNull(),
    payload: jsonb().$type<ActionPayload>().notNull(),
    state: text().$type<"open" | "done" | "failed">().notNull().default("open"),
    attempts: integer().notNull().default(0),
    dueAt: at("due_at").notNull().defaultNow(),
    error: text(),
    createdAt: createdAt(),
    finishedAt: at("finished_at"),
  },
  (t) => [
    index("actions_open").on(t.dueAt).where(sql`state = 'open'`),
    index("actions_over").on(t.tenantId, t.createdAt).where(sql`state <> 'open'`),
  ],
);

/** Append-only: what every model call cost. `state` goes once from open to its end. */
export const ledger = pgTable(
  "ledger",
  {
    id: text().primaryKey(),
    tenantId: text("tenant_id").notNull(),
    roomId: text("room_id"),
    agentId: text("agent_id"),
    personId: text("person_id"),
    runId: text("run_id"),
    modelId: text("model_id"),
    model: text().notNull(),
    day: date({ mode: "string" }).notNull(),
    state: text().$type<"open" | "ok" | "aborted" | "failed" | "lost">().notNull().default("open"),
    inputTokens: integer("input_tokens").notNull().default(0),
    outputTokens: integer("output_tokens").notNull().default(0),
    cachedTokens: integer("cached_tokens").notNull().default(0),
    reasoningTokens: integer("reasoning_tokens").notNull().default(0),
    /** True where the model server gave no figures and they were counted by us. */
    estimated: boolean().notNull().default(false),
    /** Held against the day's cap while the call is open. */
    reservedTokens: integer("reserved_tokens").notNull().default(0),
    /** They are held against a limit of the agent's own too (`agent_token_days`). */
    agentCapped: boolean("agent_capped").notNull().default(false),
    firstTokenMs: doublePrecision("first_token_ms"),
    durationMs: doublePrecision("duration_ms"),
    result: text(),
    createdAt: createdAt(),
  },
  (t) => [
    index("ledger_tenant_day").on(t.tenantId, t.day),
    index("ledger_run").on(t.runId),
    index("ledger_open").on(t.createdAt).where(sql`state = 'open'`),
  ],
);

/** The day's tokens of a tenant, used and held: one row decides whether a call may begin. Days are UTC. */
export const tokenDays = pgTable(
  "token_days",
  {
    tenantId: tenantId(),
    day: date({ mode: "string" }).notNull(),
    used: bigint({ mode: "number" }).notNull().default(0),
    reserved: bigint({ mode: "number" }).notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.day] })],
);

/** What an agent with a limit of its own used and holds today, like `token_days`. */
export const agentTokenDays = pgTable(
  "agent_token_days",
  {
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    day: date({ mode: "string" }).notNull(),
    used: bigint({ mode: "number" }).notNull().default(0),
    reserved: bigint({ mode: "number" }).notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.day] })],
);

/** Closed days of the ledger, summed. Empty text: not known. */
export const usageDays = pgTable(
  "usage_days",
  {
    tenantId: tenantId(),
    day: date({ mode: "string" }).notNull(),
    agentId: text("agent_id").notNull(),
    roomId: text("room_id").notNull(),
    personId: text("person_id").notNull(),
    model: text().notNull(),
    calls: integer().notNull(),
    failed: integer().notNull(),
    inputTokens: bigint("input_tokens", { mode: "number" }).notNull(),
    outputTokens: bigint("output_tokens", { mode: "number" }).notNull(),
    durationMs: bigint("duration_ms", { mode: "number" }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.tenantId, t.day, t.agentId, t.roomId, t.personId, t.model] }),
    index("usage_days_day").on(t.day),
  ],
);

/** Pictures that were uploaded for agents: PNG or JPEG, at most 1 MB. */
export const avatars = pgTable("avatars", {
  id: text().primaryKey(),
  tenantId: tenantId(),
  contentType: text("content_type").notNull(),
  bytes: bytes().notNull(),
  createdAt: createdAt(),
});

/** A chat beside the form in which an agent is made. Its messages stand in `inbox` under the room id `try:<id>`. */
export const tryChats = pgTable(
  "try_chats",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    openedBy: text("opened_by").notNull(),
    createdAt: createdAt(),
  },
  (t) => [index("try_chats_agent").on(t.agentId)],
);

/** People of a client as its homeserver listed them; it is the truth, this is what lists and searches read. */
export const people = pgTable(
  "people",
  {
    tenantId: tenantId(),
    userId: text("user_id").notNull(),
    displayName: text("display_name"),
    state: text().$type<"active" | "suspended" | "deactivated">().notNull().default("active"),
    lastSeenAt: at("last_seen_at"),
    createdAt: createdAt(),
    syncedAt: at("synced_at").notNull().defaultNow(),
    /** What is searched, and the order of the list: the name, then the user id without its @, in small letters. */
    search: text().notNull().generatedAlwaysAs(sql`lower(coalesce(display_name || ' ', '') || substr(user_id, 2))`),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.userId] }), index("people_search").on(t.tenantId, t.search, t.userId)],
);
