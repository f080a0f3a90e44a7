/** The tables of tools: what agents do with them, what people approve, and what managers make and set. */
import { sql } from "drizzle-orm";
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";
import { agents, at, bytes, createdAt, runs, tenantId, tenants } from "./schema.ts";
import type { FormDefinition, MailSettings, ScheduleTime, SearchSettings } from "./types.ts";

/** What an agent wanted to do with a tool, and what became of it. Written before it is done: an intent without a result is not repeated. */
export const toolCalls = pgTable(
  "tool_calls",
  {
    /** stableId(run, turn, index); a random one where a manager tries a tool. */
    id: text().primaryKey(),
    tenantId: tenantId(),
    /** Null: tried on the tools page. */
    runId: text("run_id").references(() => runs.id, { onDelete: "cascade" }),
    agentId: text("agent_id").references(() => agents.id, { onDelete: "cascade" }),
    roomId: text("room_id"),
    /** For whom. */
    personId: text("person_id"),
    /** Which of the model's turns in the run, and which call of that turn. */
    turn: integer().notNull(),
    index: integer().notNull(),
    /** The model's own id of the call. */
    callId: text("call_id").notNull(),
    tool: text().notNull(),
    group: text("tool_group").notNull(),
    /** As the model wrote them; null once erased. */
    arguments: jsonb().$type<Record<string, unknown>>(),
    argumentsHash: text("arguments_hash").notNull(),
    schemaHash: text("schema_hash").notNull(),
    /**
     * `proposed` → `waiting` (for approval, or for what it began) → `approved` → `running` → its end. `unknown`: it was begun, and nobody
     * knows whether it happened.
     */
    state: text()
      .$type<
        | "proposed"
        | "waiting"
        | "approved"
        | "running"
        | "done"
        | "failed"
        | "refused"
        | "declined"
        | "unknown"
        | "stopped"
      >()
      .notNull()
      .default("proposed"),
    /** Why it was asked, refused or declined: a sentence. */
    reason: text(),
    /** What the model was given; null once erased. */
    result: text(),
    /** Where the result comes from, when nobody vouches for it: "the page https://…". */
    untrusted: text(),
    tokens: integer().notNull().default(0),
    /** Held against the day's tokens while it is under way. */
    held: integer().notNull().default(0),
    createdAt: createdAt(),
    startedAt: at("started_at"),
    finishedAt: at("finished_at"),
  },
  (t) => [
    index("tool_calls_run").on(t.runId, t.turn, t.index),
    index("tool_calls_waiting").on(t.createdAt).where(sql`state = 'waiting'`),
    index("tool_calls_newest").on(t.tenantId, t.createdAt, t.id),
    index("tool_calls_agent").on(t.agentId, t.createdAt),
    index("tool_calls_tool").on(t.tenantId, t.tool, t.createdAt),
  ],
);

/** A question to people: may this be done, or what is the answer. Decided by a row, so that the platform may be down in between. */
export const approvals = pgTable(
  "approvals",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    runId: text("run_id")
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    callId: text("call_id")
      .notNull()
      .references(() => toolCalls.id, { onDelete: "cascade" }),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    roomId: text("room_id").notNull(),
    threadRoot: text("thread_root"),
    /** `tool`: may it be done; `input`: a question whose answer is the result of the call. */
    kind: text().$type<"tool" | "input">().notNull(),
    tool: text().notNull(),
    /** What is asked, in one sentence; null once erased. */
    sentence: text(),
    /** What was shown, and what alone may be done: SHA-256 of arguments and schema. */
    argumentsHash: text("arguments_hash").notNull(),
    schemaHash: text("schema_hash").notNull(),
    /** Who may decide: people of this client in the room with at least this level, or this one person. */
    level: integer(),
    onlyPerson: text("only_person"),
    /** Whether "always" may be said: not where something untrusted was read. */
    grantable: boolean().notNull().default(false),
    /** Its message in the room; null until it is there, and in chats beside a form. */
    eventId: text("event_id"),
    state: text()
      .$type<"open" | "approved" | "declined" | "answered" | "expired" | "withdrawn">()
      .notNull()
      .default("open"),
    decidedBy: text("decided_by"),
    decidedVia: text("decided_via").$type<"reaction" | "reply" | "panel">(),
    /** What they said with it; for `input` the answer. Null once erased. */
    answer: text(),
    /** The state that the message in the room shows. */
    shown: text(),
    expiresAt: at("expires_at").notNull(),
    decidedAt: at("decided_at"),
    createdAt: createdAt(),
  },
  (t) => [
    index("approvals_open").on(t.expiresAt).where(sql`state = 'open'`),
    index("approvals_run").on(t.runId),
    index("approvals_call").on(t.callId),
    index("approvals_tenant").on(t.tenantId, t.createdAt, t.id),
    index("approvals_agent").on(t.agentId, t.createdAt, t.id),
    index("approvals_room").on(t.tenantId, t.roomId).where(sql`state = 'open'`),
  ],
);

/** "Always in this room for this tool": until it is revoked, or the tool's schema changes. */
export const grants = pgTable(
  "grants",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    roomId: text("room_id").notNull(),
    tool: text().notNull(),
    schemaHash: text("schema_hash").notNull(),
    grantedBy: text("granted_by").notNull(),
    createdAt: createdAt(),
    revokedAt: at("revoked_at"),
    revokedBy: text("revoked_by"),
  },
  (t) => [
    uniqueIndex("grants_active").on(t.agentId, t.roomId, t.tool).where(sql`revoked_at is null`),
    index("grants_tenant").on(t.tenantId, t.createdAt, t.id),
    // Also those that are over: what an approval once granted.
    index("grants_place").on(t.agentId, t.roomId, t.tool, t.createdAt),
  ],
);

/** How often an agent used a tool or group in an hour or a day, and its tokens: one row decides whether a call may begin. */
export const toolCounts = pgTable(
  "tool_counts",
  {
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    /** A tool's or a group's name. */
    key: text().notNull(),
    unit: text().$type<"hour" | "day" | "tokens">().notNull(),
    /** The UTC hour or day in which it is counted. */
    since: at("since").notNull(),
    count: bigint({ mode: "number" }).notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.agentId, t.key, t.unit, t.since] }), index("tool_counts_since").on(t.since)],
);

/** What tools need to reach the outside for a client. */
export const toolSettings = pgTable("tool_settings", {
  tenantId: text("tenant_id")
    .primaryKey()
    .references(() => tenants.id, { onDelete: "cascade" }),
  mail: jsonb().$type<MailSettings>(),
  /** AES-256-GCM. */
  mailPassword: text("mail_password"),
  search: jsonb().$type<SearchSettings>(),
  /** AES-256-GCM. */
  searchKey: text("search_key"),
  /** How long a question whether a call may be made waits for an answer; null: as the platform has it. */
  approvalMinutes: integer("approval_minutes"),
});

/** Secrets that a tool may put into a request to these hosts and nowhere else. */
export const toolSecrets = pgTable(
  "tool_secrets",
  {
    tenantId: tenantId(),
    name: text().notNull(),
    /** AES-256-GCM; never shown again. */
    value: text().notNull(),
    /** The header that carries it, and to which hosts. */
    header: text().notNull(),
    hosts: jsonb().$type<string[]>().notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.name] })],
);

/** A client's own file area. Paths are `folder/name`, without a slash at the beginning. */
export const files = pgTable(
  "files",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    path: text().notNull(),
    contentType: text("content_type").notNull(),
    size: integer().notNull(),
    bytes: bytes().notNull(),
    /** Where it comes from when nobody vouches for it. */
    untrusted: text(),
    /** A Matrix user id, or `operator:<name>`. */
    writtenBy: text("written_by").notNull(),
    createdAt: createdAt(),
    changedAt: at("changed_at").notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex("files_path").on(t.tenantId, t.path),
    // What the whole area takes, without reading the files.
    index("files_area").on(t.tenantId, t.size),
  ],
);

/** "Run me later", "run me every …": each time is a run like any other, in its room, for the person who asked for it. */
export const schedules = pgTable(
  "schedules",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    agentId: text("agent_id")
      .notNull()
      .references(() => agents.id, { onDelete: "cascade" }),
    roomId: text("room_id").notNull(),
    threadRoot: text("thread_root"),
    /** The person for whom it acts. */
    createdBy: text("created_by").notNull(),
    /** What the agent is told each time. */
    task: text().notNull(),
    time: jsonb().$type<ScheduleTime>().notNull(),
    state: text().$type<"active" | "paused" | "done" | "removed">().notNull().default("active"),
    /** Why it was paused by itself; a sentence. */
    problem: text(),
    /** Read something untrusted before it made this: so are its runs. */
    untrusted: text(),
    nextAt: at("next_at"),
    lastAt: at("last_at"),
    lastRunId: text("last_run_id"),
    /** How often it ran. */
    times: integer().notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [
    index("schedules_due").on(t.nextAt).where(sql`state = 'active'`),
    index("schedules_tenant").on(t.tenantId, t.createdAt, t.id),
    index("schedules_room").on(t.tenantId, t.roomId),
    index("schedules_agent").on(t.agentId),
  ],
);

/** Tools that managers make of a form and a prompt. */
export const formTools = pgTable(
  "form_tools",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    name: text().notNull(),
    state: text().$type<"draft" | "active" | "paused" | "removed">().notNull().default("draft"),
    version: integer().notNull().default(0),
    /** What is published; what is written, before it ever was. */
    definition: jsonb().$type<FormDefinition>().notNull(),
    draft: jsonb().$type<FormDefinition>(),
    draftRevision: integer("draft_revision").notNull().default(0),
    draftBy: text("draft_by"),
    draftAt: at("draft_at"),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex("form_tools_name").on(t.tenantId, t.name).where(sql`state <> 'removed'`)],
);

export const formVersions = pgTable(
  "form_versions",
  {
    formId: text("form_id")
      .notNull()
      .references(() => formTools.id, { onDelete: "cascade" }),
    version: integer().notNull(),
    definition: jsonb().$type<FormDefinition>().notNull(),
    createdBy: text("created_by"),
    note: text(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.formId, t.version] })],
);

/** A form that was filled in, by whomever and wherever, and what came of it. */
export const formRuns = pgTable(
  "form_runs",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    formId: text("form_id")
      .notNull()
      .references(() => formTools.id, { onDelete: "cascade" }),
    version: integer().notNull(),
    /** What was filled in; null once erased. */
    values: jsonb().$type<Record<string, unknown>>(),
    via: text().$type<"panel" | "link" | "command" | "tool" | "try">().notNull(),
    /** What the draft said that was tried; null: what the version says. */
    definition: jsonb().$type<FormDefinition>(),
    /** A Matrix user id, or `operator:<name>`: who filled it in, or for whom an agent did. */
    by: text().notNull(),
    /** Where the result goes; null: to who filled it in, or back to the tool call. */
    roomId: text("room_id"),
    threadRoot: text("thread_root"),
    /** The message that was the command. */
    questionEvent: text("question_event"),
    parentCall: text("parent_call"),
    hops: integer().notNull().default(0),
    untrusted: text(),
    /** The agent's run, where an agent does it. */
    runId: text("run_id"),
    state: text().$type<"queued" | "running" | "done" | "failed" | "stopped">().notNull().default("queued"),
    /** Set by whoever wants one to end that a model does without an agent, like a run's own. */
    stopReason: text("stop_reason").$type<typeof runs.$inferSelect.stopReason>(),
    stoppedBy: text("stopped_by"),
    /** The answer; null until it is there and once erased. */
    result: text(),
    error: text(),
    tokens: integer().notNull().default(0),
    createdAt: createdAt(),
    startedAt: at("started_at"),
    finishedAt: at("finished_at"),
  },
  (t) => [
    index("form_runs_newest").on(t.tenantId, t.createdAt, t.id),
    index("form_runs_form").on(t.formId, t.createdAt, t.id),
    index("form_runs_by").on(t.formId, t.by, t.createdAt, t.id),
    index("form_runs_run").on(t.runId).where(sql`run_id is not null`),
    index("form_runs_open").on(t.createdAt).where(sql`state in ('queued','running')`),
    index("form_runs_question").on(t.tenantId, t.questionEvent).where(sql`question_event is not null`),
    index("form_runs_call").on(t.parentCall).where(sql`parent_call is not null`),
  ],
);
