/** The database of a tenant's own Synapse: made, dropped, and set back so that Synapse sends again what we may have missed. */
import postgres from "postgres";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { APPSERVICE_ID } from "./access.ts";
import type { Unsent } from "./drivers/driver.ts";

export interface SynapseDatabase {
  name: string;
  password: string;
}

/** Events are handed over in batches of 100, in order within a room only: this many cover what may be out of order. */
const BACK = 300;

/** Host, port and TLS of the platform's database, where each Synapse has one of its own. */
export function databaseServer(databaseUrl: string): { host: string; port: string; sslmode?: string } {
  const url = new URL(databaseUrl);
  const sslmode = url.searchParams.get("sslmode");
  return {
    host: url.searchParams.get("host") ?? decodeURIComponent(url.hostname),
    port: url.searchParams.get("port") ?? (url.port || "5432"),
    ...(sslmode ? { sslmode } : {}),
  };
}

/** Makes role and database where they are missing; the role's password is made right. Throws `setup` when we may not. */
export async function ensureDatabase(ctx: Context, { name, password }: SynapseDatabase): Promise<void> {
  const { sql } = ctx;
  try {
    const [role] = await sql`select 1 from pg_roles where rolname = ${name}`;
    const verb = role ? "alter" : "create";
    await sql.unsafe(`${verb} role ${ident(name)} login password ${literal(password)}`);
    const [database] = await sql`select 1 from pg_database where datname = ${name}`;
    if (database) return;
    await sql.unsafe(`grant ${ident(name)} to current_user`);
    // Synapse refuses any other collation than C.
    await sql.unsafe(
      `create database ${ident(name)} owner ${ident(name)} encoding 'UTF8' lc_collate 'C' lc_ctype 'C' locale_provider libc template template0`,
    );
    await sql.unsafe(`revoke connect on database ${ident(name)} from public`);
  } catch (error) {
    if ((error as { code?: string }).code !== "42501") throw error;
    throw new AppError(
      "setup",
      "The role of DATABASE_URL may not make databases and roles, which each homeserver needs. Give it CREATEDB and CREATEROLE.",
      { cause: error },
    );
  }
}

/** Drops database and role, with whoever is connected. Doing it again is harmless. */
export async function dropDatabase(ctx: Context, name: string): Promise<void> {
  await ctx.sql.unsafe(`drop database if exists ${ident(name)} with (force)`);
  await ctx.sql.unsafe(`drop role if exists ${ident(name)}`);
}

/**
 * Before a start of Synapse: its queue for us was in memory and is gone. Sets the position from which it sends back behind the
 * newest events that the inbox holds (never forward), and marks us as up, so that it begins with the first new event. Duplicates
 * are harmless: the inbox is unique by event. Tables: synapse/storage/schema/main, appservice_*.
 */
export async function setBackAppservice(ctx: Context, tenantId: string, database: SynapseDatabase): Promise<void> {
  const held = await ctx.sql<{ event_id: string }[]>`
    select event_id from inbox where tenant_id = ${tenantId} and starts_with(room_id, '!') order by seq desc limit ${BACK}`;
  const ids = held.map((row) => row.event_id);
  await withSynapseDatabase(ctx, database, async (sql) => {
    const [made] = await sql`select to_regclass('appservice_stream_position') as position`;
    if (!made?.position) return;
    await sql.begin(async (tx) => {
      const waiting = await tx<{ event_ids: string }[]>`
        delete from application_services_txns where as_id = ${APPSERVICE_ID} returning event_ids`;
      const unsent = waiting.flatMap((row) => JSON.parse(row.event_ids) as string[]);
      const [known] = await tx<{ first: string | null; held: number }[]>`
        select min(stream_ordering) as first, count(*) filter (where event_id = any(${ids}))::int as held
        from events where event_id = any(${[...ids, ...unsent]})`;
      // Fewer than we looked for: the tenant is young, or this is another history than ours. Then all of it.
      const position = known?.first && known.held === BACK ? Number(known.first) - 1 : 0;
      await tx`update appservice_stream_position set stream_ordering = least(stream_ordering, ${position})`;
      await tx`update application_services_state set state = 'up' where as_id = ${APPSERVICE_ID}`;
    });
  });
}

/**
 * Events of transactions that Synapse keeps although it counts us as up. One is being sent, perhaps; but one that was made in the
 * moment in which its recoverer ended stays there until the next outage (synapse/appservice/scheduler.py: `on_recovered` sets the
 * state after the last look). To be received here: doing it twice changes nothing. While it counts us as down, it is `recovering`.
 */
export async function unsentEvents(ctx: Context, database: SynapseDatabase): Promise<Unsent> {
  return await withSynapseDatabase(ctx, database, async (sql) => {
    const [known] = await sql<{ state: string | null }[]>`
      select state from application_services_state where as_id = ${APPSERVICE_ID}`;
    if (known?.state === "down") return { recovering: true, events: [] };
    // Read after the state: what is made from now on is made by one that knows that we are up.
    const waiting = await sql<{ event_ids: string }[]>`
      select event_ids from application_services_txns where as_id = ${APPSERVICE_ID} order by txn_id`;
    const ids = waiting.flatMap((row) => JSON.parse(row.event_ids) as string[]);
    return { recovering: false, events: ids.length === 0 ? [] : await readEvents(sql, sql`e.event_id = any(${ids})`) };
  });
}

/**
 * Events that Synapse forgot to hand over. While its database is away its scheduler drops what it was about to send ("Error creating appservice
 * transaction", synapse/appservice/scheduler.py), although its position may have moved on. So after an outage: what is newer than what
 * we hold, in rooms that one of our users is in, and invites of our users; less what we hold. In the order of the stream.
 */
export async function forgottenEvents(
  ctx: Context,
  tenantId: string,
  database: SynapseDatabase,
): Promise<Record<string, unknown>[]> {
  const held = await ctx.sql<{ event_id: string }[]>`
    select event_id from inbox where tenant_id = ${tenantId} and starts_with(room_id, '!') order by seq desc limit ${BACK}`;
  const ids = held.map((row) => row.event_id);
  const newer = await withSynapseDatabase(ctx, database, async (sql) => {
    const [known] = await sql<{ first: string | null; held: number }[]>`
      select min(stream_ordering) as first, count(*)::int as held from events where event_id = any(${ids})`;
    const position = known?.first && known.held === BACK ? Number(known.first) : 0;
    return await readEvents(
      sql,
      sql`e.stream_ordering > ${position} and not e.outlier and e.rejection_reason is null and (
        (e.type = 'm.room.member' and e.state_key like '@agent-%')
        or e.room_id in (select room_id from local_current_membership where membership = 'join' and user_id ~ '^@agent(-|opia:)'))`,
    );
  });
  if (newer.length === 0) return [];
  const found = await ctx.sql<{ event_id: string }[]>`
    select event_id from inbox where tenant_id = ${tenantId} and event_id = any(${newer.map((event) => String(event.event_id))})`;
  const known = new Set(found.map((row) => row.event_id));
  return newer.filter((event) => !known.has(String(event.event_id)));
}

/** Events as an appservice gets them; those that were redacted without their content. */
async function readEvents(
  sql: postgres.Sql,
  which: postgres.PendingQuery<postgres.Row[]>,
): Promise<Record<string, unknown>[]> {
  const rows = await sql<{ event_id: string; json: string; redacted: boolean }[]>`
    select e.event_id, j.json, exists (select 1 from redactions r where r.redacts = e.event_id) as redacted
    from events e join event_json j on j.event_id = e.event_id where ${which} order by e.stream_ordering limit 20000`;
  return rows.map(({ event_id, json, redacted }) => {
    const event = JSON.parse(json) as Record<string, unknown>;
    return { ...event, event_id, ...(redacted ? { content: {} } : {}) };
  });
}

/** Opens the tenant's database as its own role for `use`. */
export async function withSynapseDatabase<T>(
  ctx: Context,
  { name, password }: SynapseDatabase,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const { host, port, sslmode } = databaseServer(ctx.databaseUrl);
  const sql = postgres({
    host,
    port: Number(port),
    database: name,
    username: name,
    password,
    max: 1,
    connect_timeout: 5,
    onnotice: () => undefined,
    ...(sslmode && sslmode !== "disable" ? { ssl: sslmode === "require" ? "require" : "prefer" } : {}),
    connection: { application_name: "agentopia" },
  });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const ident = (name: string) => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
