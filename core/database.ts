import path from "node:path";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { migrate as runMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import * as panelTables from "../migrations/panel-tables.ts";
import * as tables from "../migrations/schema.ts";
import * as toolTables from "../migrations/tool-tables.ts";
import { ROOT } from "./config.ts";
import { AppError } from "./errors.ts";
import type { Secrets } from "./secrets.ts";

const schema = { ...tables, ...panelTables, ...toolTables };

export type Sql = postgres.Sql;
export type Database = PostgresJsDatabase<typeof schema>;

/** The platform's database: drizzle for queries, `sql` for LISTEN, NOTIFY and what drizzle cannot say. */
export interface Databases {
  url: string;
  sql: Sql;
  db: Database;
  close(): Promise<void>;
}

/** Opens a pool. Connections are made when first used, so this never fails. */
export function openDatabase(url: string, options: { max?: number; name?: string } = {}): Databases {
  const sql = postgres(url, {
    max: options.max ?? 10,
    onnotice: () => undefined,
    connect_timeout: 5,
    // The driver's own pauses grow to 20 s: a Postgres that is back after 5 s would be missed for as long again.
    backoff: (attempt) => Math.min(1, 0.05 * 2 ** attempt),
    connection: { application_name: options.name ?? "agentopia" },
  });
  const db = drizzle(sql, { schema });
  // drizzle hands JSON and times over as text and takes the driver's serializers away for them; `sql` hands over the value itself.
  const asJson = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  const asTime = (value: unknown) => (value instanceof Date ? value.toISOString() : value);
  Object.assign(sql.options.serializers, { 114: asJson, 3802: asJson, 1082: asTime, 1114: asTime, 1184: asTime });
  return { url, sql, db, close: () => sql.end({ timeout: 5 }) };
}

/** Brings the tables up to date; one process at a time does it (advisory lock 7430). */
export async function migrate({ url }: Pick<Databases, "url">): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, connect_timeout: 5 });
  try {
    await sql`select pg_advisory_lock(7430)`;
    await runMigrations(drizzle(sql), { migrationsFolder: path.join(ROOT, "migrations/sql") });
  } finally {
    await sql.end();
  }
}

/** The first start writes a value sealed with the key; every later one opens it. Throws `setup` for a wrong key. */
export async function checkSecretKey({ sql }: Pick<Databases, "sql">, secrets: Secrets): Promise<void> {
  // Not sql.json: drizzle takes the driver's serializer for JSON away.
  const fresh = secrets.seal("agentopia", "settings:key_check");
  await sql`insert into settings (key, value) values ('key_check', to_jsonb(${fresh}::text)) on conflict do nothing`;
  const [row] = await sql<{ value: string }[]>`select value from settings where key = 'key_check'`;
  secrets.open(row?.value ?? "", "settings:key_check");
}

/** True for a lost connection, a restarting server, a serialization failure: doing it again may work. */
export function isTransient(error: unknown): boolean {
  if (error instanceof AppError) return error.retry;
  const code =
    (error as { code?: string } | null)?.code ?? (error as { cause?: { code?: string } } | null)?.cause?.code;
  return (
    code !== undefined &&
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|CONNECT|CONNECTION_|57P0|08|40001|40P01|53)/.test(code)
  );
}
