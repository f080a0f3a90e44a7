/** The tables of the panel and of those who run the platform: who signs in, what they may and did, invites, health and backups. */
import { sql } from "drizzle-orm";
import {
  bigint,
  bigserial,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { at, createdAt, teams, tenantId, tenants } from "./schema.ts";
import type { TenantRole } from "./types.ts";

export const invites = pgTable(
  "invites",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    teamId: text("team_id").references(() => teams.id, { onDelete: "cascade" }),
    tokenHash: text("token_hash").notNull().unique(),
    maxUses: integer("max_uses").notNull().default(1),
    uses: integer().notNull().default(0),
    /** Only for this user name. */
    username: text(),
    /** The name that others see, for a link with a user name. */
    displayName: text("display_name"),
    /** What its people may do in the panel; null: members. */
    role: text().$type<TenantRole>(),
    createdBy: text("created_by"),
    expiresAt: at("expires_at").notNull(),
    revokedAt: at("revoked_at"),
    createdAt: createdAt(),
  },
  (t) => [index("invites_tenant").on(t.tenantId, t.createdAt)],
);

/** One row per account that an invite made or is making: taken before the account is made, so that a link is never overspent. */
export const inviteUses = pgTable(
  "invite_uses",
  {
    inviteId: text("invite_id")
      .notNull()
      .references(() => invites.id, { onDelete: "cascade" }),
    username: text().notNull(),
    userId: text("user_id").notNull(),
    state: text().$type<"making" | "made">().notNull().default("making"),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.inviteId, t.username] })],
);

/** Accounts of those who run the platform. */
export const operators = pgTable(
  "operators",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    /** argon2id; null until the first sign-in by link. */
    passwordHash: text("password_hash"),
    /** AES-256-GCM; set while a second factor is asked for. */
    totpSecret: text("totp_secret"),
    /** The last time step that was used: a code works once. */
    totpLastStep: bigint("totp_last_step", { mode: "number" }),
    state: text().$type<"active" | "disabled">().notNull().default("active"),
    lastSignInAt: at("last_sign_in_at"),
    createdAt: createdAt(),
  },
  () => [uniqueIndex("operators_name").on(sql`lower(name)`)],
);

export const recoveryCodes = pgTable(
  "recovery_codes",
  {
    operatorId: text("operator_id")
      .notNull()
      .references(() => operators.id, { onDelete: "cascade" }),
    /** SHA-256 of a random code. */
    codeHash: text("code_hash").notNull(),
    usedAt: at("used_at"),
  },
  (t) => [primaryKey({ columns: [t.operatorId, t.codeHash] })],
);

/** What a person of a client may do in the panel. Without a row: member. */
export const tenantRoles = pgTable(
  "tenant_roles",
  {
    tenantId: tenantId(),
    userId: text("user_id").notNull(),
    role: text().$type<TenantRole>().notNull(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.userId] })],
);

/** Signed-in browsers: an operator, or a person of a client. */
export const sessions = pgTable(
  "sessions",
  {
    id: text().primaryKey(),
    tokenHash: text("token_hash").notNull().unique(),
    operatorId: text("operator_id").references(() => operators.id, { onDelete: "cascade" }),
    tenantId: text("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    userId: text("user_id"),
    userAgent: text("user_agent"),
    address: text(),
    lastSeenAt: at("last_seen_at").notNull().defaultNow(),
    expiresAt: at("expires_at").notNull(),
    revokedAt: at("revoked_at"),
    createdAt: createdAt(),
  },
  (t) => [index("sessions_operator").on(t.operatorId), index("sessions_person").on(t.tenantId, t.userId)],
);

/** Links that work once: an operator's sign-in, a person's sign-in to the panel, a new Matrix password. */
export const oneTimeLinks = pgTable(
  "one_time_links",
  {
    id: text().primaryKey(),
    tokenHash: text("token_hash").notNull().unique(),
    kind: text().$type<"operator" | "sign_in" | "password">().notNull(),
    operatorId: text("operator_id").references(() => operators.id, { onDelete: "cascade" }),
    tenantId: text("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    userId: text("user_id"),
    createdBy: text("created_by"),
    expiresAt: at("expires_at").notNull(),
    usedAt: at("used_at"),
    revokedAt: at("revoked_at"),
    createdAt: createdAt(),
  },
  (t) => [index("one_time_links_person").on(t.tenantId, t.userId), index("one_time_links_operator").on(t.operatorId)],
);

/** Tokens for programs: they act for whoever made them, with no more than both may. */
export const apiTokens = pgTable(
  "api_tokens",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    tokenHash: text("token_hash").notNull().unique(),
    operatorId: text("operator_id").references(() => operators.id, { onDelete: "cascade" }),
    tenantId: text("tenant_id").references(() => tenants.id, { onDelete: "cascade" }),
    userId: text("user_id"),
    /** Actions of the table in `admin/rights.ts`. */
    scopes: jsonb().$type<string[]>().notNull(),
    expiresAt: at("expires_at").notNull(),
    lastUsedAt: at("last_used_at"),
    revokedAt: at("revoked_at"),
    createdAt: createdAt(),
  },
  (t) => [index("api_tokens_operator").on(t.operatorId), index("api_tokens_person").on(t.tenantId, t.userId)],
);

/** Answers to creations, so that the same request sent twice creates once. Kept for a day. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    /** Who sent it: keys of two callers are two keys. */
    caller: text().notNull(),
    key: text().notNull(),
    /** SHA-256 of method, path and body. */
    requestHash: text("request_hash").notNull(),
    /** Null while the first one is under way. */
    status: integer(),
    /** AES-256-GCM: it may hold a token that is shown once. */
    response: text(),
    createdAt: createdAt(),
  },
  (t) => [primaryKey({ columns: [t.caller, t.key] }), index("idempotency_keys_age").on(t.createdAt)],
);

/** Every change: who, on whose behalf, what, before and after. Rows outlive what they are about. */
export const audit = pgTable(
  "audit",
  {
    seq: bigserial({ mode: "number" }).primaryKey(),
    at: at("at").notNull().defaultNow(),
    tenantId: text("tenant_id"),
    /** `stranger`: somebody who was not let in; the id is the address they came from. */
    actorKind: text("actor_kind").$type<"operator" | "person" | "command_line" | "link" | "stranger">().notNull(),
    actorId: text("actor_id").notNull(),
    actorName: text("actor_name").notNull(),
    /** For whom a program acted: the token's name stands in `actor_name`, its owner here. */
    onBehalfOf: text("on_behalf_of"),
    /** `agents.publish`, `people.suspend`, … */
    action: text().notNull(),
    targetKind: text("target_kind").notNull(),
    targetId: text("target_id").notNull(),
    targetName: text("target_name"),
    before: jsonb(),
    after: jsonb(),
    /**
     * Written before the change as `open`; one that stays so was cut off by a crash, and nobody knows whether it happened.
     * `refused`: a sign-in that was.
     */
    outcome: text().$type<"open" | "done" | "failed" | "refused">().notNull().default("open"),
    address: text(),
  },
  (t) => [
    index("audit_tenant").on(t.tenantId, t.seq),
    index("audit_actor").on(t.actorId, t.seq),
    index("audit_action").on(t.action, t.seq),
    index("audit_target").on(t.targetId, t.seq),
    index("audit_at").on(t.at),
    index("audit_refused").on(t.at).where(sql`outcome = 'refused'`),
  ],
);

/** Every change of a homeserver's state. */
export const tenantHealth = pgTable(
  "tenant_health",
  {
    id: bigserial({ mode: "number" }).primaryKey(),
    tenantId: tenantId(),
    at: at("at").notNull().defaultNow(),
    state: text().notNull(),
    detail: text(),
  },
  (t) => [index("tenant_health_tenant").on(t.tenantId, t.id)],
);

/** What a homeserver takes on the disk, measured once a day. */
export const tenantStorage = pgTable(
  "tenant_storage",
  {
    tenantId: tenantId(),
    day: date({ mode: "string" }).notNull(),
    databaseBytes: bigint("database_bytes", { mode: "number" }).notNull(),
    mediaBytes: bigint("media_bytes", { mode: "number" }).notNull(),
    measuredAt: at("measured_at").notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.tenantId, t.day] })],
);

/** Backups of one homeserver that were asked for. The running platform makes them. */
export const tenantBackups = pgTable(
  "tenant_backups",
  {
    id: text().primaryKey(),
    tenantId: tenantId(),
    state: text().$type<"waiting" | "running" | "done" | "failed">().notNull().default("waiting"),
    file: text(),
    bytes: bigint({ mode: "number" }),
    error: text(),
    /** How often it was begun: one that takes the platform down with it is not begun for ever. */
    attempts: integer().notNull().default(0),
    requestedBy: text("requested_by").notNull(),
    createdAt: createdAt(),
    startedAt: at("started_at"),
    finishedAt: at("finished_at"),
  },
  (t) => [
    index("tenant_backups_tenant").on(t.tenantId, t.createdAt),
    uniqueIndex("tenant_backups_open").on(t.tenantId).where(sql`state in ('waiting','running')`),
  ],
);
