import { existsSync } from "node:fs";
import path from "node:path";
import { systemClock } from "../core/clock.ts";
import type { Config } from "../core/config.ts";
import type { Context } from "../core/context.ts";
import { openDatabase } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { lockHome } from "../core/lock.ts";
import { openLog } from "../core/log.ts";
import { keptPorts } from "../core/ports.ts";
import { startPostgres } from "../core/postgres.ts";
import { openSecrets } from "../core/secrets.ts";
import { platformDatabaseUrl } from "./database-url.ts";

/**
 * Runs `work` over the platform's database, whether the platform runs or not: an embedded Postgres that is down is started for
 * the time, under the home folder's lock, so that no platform starts beside it.
 */
export async function withDatabase<T>(
  config: Config,
  say: (line: string) => void,
  work: (ctx: Context) => Promise<T>,
): Promise<T> {
  const url = platformDatabaseUrl(config);
  if (config.databaseUrl || (await answers(url))) return onDatabase(config, url, work);
  if (!existsSync(path.join(config.home, "pgdata")))
    throw new AppError("setup", `There is no database in ${config.home}, so there is nothing to back up.`);
  const taken = lockHome(config.home);
  if (!("lock" in taken))
    throw new AppError("database_down", "Agentopia is starting or stopping. Try again when it is done.");
  try {
    say("Starting the database for the time of the backup …");
    const log = openLog({ file: path.join(config.home, "logs/cli.log"), level: config.logLevel });
    const { postgres: port } = await keptPorts(config.home);
    const postgres = await startPostgres({ home: config.home, port, log, say });
    try {
      return await onDatabase(config, postgres.url, work);
    } finally {
      await postgres.stop();
    }
  } finally {
    taken.lock.release();
  }
}

async function answers(url: string): Promise<boolean> {
  const database = openDatabase(url, { max: 1 });
  try {
    await database.sql`select 1`;
    return true;
  } catch {
    return false; // down; whatever else is wrong shows when it is started
  } finally {
    await database.close();
  }
}

/** A context over a database that answers. */
export async function onDatabase<T>(config: Config, url: string, work: (ctx: Context) => Promise<T>): Promise<T> {
  const database = openDatabase(url, { max: 3, name: "agentopia cli" });
  try {
    const log = openLog({ file: path.join(config.home, "logs/cli.log"), level: config.logLevel });
    const { sql, db } = database;
    return await work({ config, databaseUrl: url, sql, db, secrets: openSecrets(config), clock: systemClock, log });
  } finally {
    await database.close();
  }
}
