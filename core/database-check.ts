import postgres from "postgres";
import { AppError } from "./errors.ts";

/** What an existing Postgres must have. */
interface Facts {
  version: number;
  versionText: string;
  encoding: string;
  user: string;
  mayCreate: boolean;
  vector: boolean;
}

/** Looks whether the Postgres of DATABASE_URL can hold a platform, and puts pgvector into it. Throws `setup` with what to do. */
export async function checkDatabase(url: string): Promise<void> {
  const place = new URL(url).host + new URL(url).pathname;
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => undefined, fetch_types: false });
  try {
    const problem = problemWith(await readFacts(sql), place);
    if (problem) throw new AppError("setup", problem);
    await sql`create extension if not exists vector`;
  } catch (error) {
    throw explain(error, place);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function readFacts(sql: postgres.Sql): Promise<Facts> {
  const [row] = await sql<Facts[]>`
    select current_setting('server_version_num')::int as version, current_setting('server_version') as "versionText",
      current_setting('server_encoding') as encoding, current_user as "user",
      (select rolsuper or (rolcreatedb and rolcreaterole) from pg_roles where rolname = current_user) as "mayCreate",
      exists (select from pg_available_extensions where name = 'vector') as vector`;
  if (!row) throw new AppError("setup", "The database of DATABASE_URL says nothing about itself.");
  return row;
}

/** The first thing that is in the way, as a sentence; null when nothing is. */
export function problemWith(facts: Facts, place: string): string | null {
  const { version, versionText, encoding, user, mayCreate, vector } = facts;
  if (version < 160_000)
    return `The Postgres at ${place} (DATABASE_URL) is version ${versionText}, and Agentopia needs 16 or newer. Upgrade it, or unset DATABASE_URL to use the one that comes with Agentopia.`;
  if (encoding !== "UTF8")
    return `The database at ${place} (DATABASE_URL) has the encoding ${encoding}. Create one with: create database agentopia encoding 'UTF8' template template0.`;
  if (!mayCreate)
    return `The user ${user} at ${place} (DATABASE_URL) may not make the databases and roles of clients. As its administrator do: alter role "${user}" createdb createrole.`;
  if (!vector)
    return `The Postgres at ${place} (DATABASE_URL) has no pgvector. Install it there (on Debian and Ubuntu: apt install postgresql-${Math.floor(version / 10_000)}-pgvector).`;
  return null;
}

function explain(error: unknown, place: string): unknown {
  if (error instanceof AppError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const say = (sentence: string) => new AppError("setup", sentence, { cause: error });
  if (code === "3D000")
    return say(`The database at ${place} (DATABASE_URL) does not exist. Create it, or correct DATABASE_URL.`);
  if (code?.startsWith("28"))
    return say(`The Postgres at ${place} refuses the user or password of DATABASE_URL. Correct it.`);
  if (code === "42501")
    return say(
      `pgvector may not be put into the database at ${place}. As its administrator do there: create extension vector.`,
    );
  if (code && /^(ECONN|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|CONNECT|CONNECTION_|57P0)/.test(code))
    return say(
      `No Postgres answers at ${place} (DATABASE_URL). Start it or correct DATABASE_URL, or unset it to use the one that comes with Agentopia.`,
    );
  return say(
    `The Postgres at ${place} (DATABASE_URL) cannot be used: ${message ?? code}. Correct DATABASE_URL or the server.`,
  );
}
