import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { systemClock } from "../../core/clock.ts";
import { type Config, loadConfig } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { openDatabase } from "../../core/database.ts";
import { AppError } from "../../core/errors.ts";
import { openLog } from "../../core/log.ts";
import { openSecrets } from "../../core/secrets.ts";
import { notRunning, platformDatabaseUrl } from "../database-url.ts";

export { notRunning, platformDatabaseUrl } from "../database-url.ts";

/** Runs `work` over the platform's database: rows are what a command and the running platform meet in. */
export async function withPlatform<T>(work: (ctx: Context) => Promise<T>): Promise<T> {
  const config = loadConfig();
  const databaseUrl = platformDatabaseUrl(config);
  const database = openDatabase(databaseUrl, { max: 4, name: "agentopia cli" });
  try {
    await reach(database.sql, config);
    const log = openLog({ file: path.join(config.home, "logs/cli.log"), level: config.logLevel });
    const secrets = openSecrets(config);
    return await work({ config, databaseUrl, sql: database.sql, db: database.db, secrets, clock: systemClock, log });
  } finally {
    await database.close();
  }
}

async function reach(sql: Context["sql"], config: Config): Promise<void> {
  try {
    const [row] = await sql<{ ours: string | null }[]>`select to_regclass('tenants')::text as ours`;
    if (!row?.ours) throw notRunning(config.home);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    if (!config.databaseUrl) throw notRunning(config.home, cause);
    const host = new URL(config.databaseUrl).host;
    throw new AppError(
      "database_down",
      `The database at ${host} (DATABASE_URL) does not answer: start it, or correct the address.`,
      {
        cause,
      },
    );
  }
}

/** What the platform's own process says of itself; its database may live on without it. */
export async function platformState(config: Config): Promise<"running" | "starting" | "stopped"> {
  const { request } = await import("undici");
  const port = config.port ?? keptPublicPort(config.home);
  if (!port) return "stopped";
  const host = config.host === "0.0.0.0" || config.host === "::" ? "127.0.0.1" : config.host;
  const at = host.includes(":") ? `[${host}]` : host;
  try {
    const answer = await request(`http://${at}:${port}/healthz`, { headersTimeout: 3_000, bodyTimeout: 3_000 });
    await answer.body.dump();
    return answer.statusCode === 200 ? "running" : "starting";
  } catch {
    return "stopped"; // nobody listens
  }
}

function keptPublicPort(home: string): number | undefined {
  const file = path.join(home, "ports.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { public?: number }).public : undefined;
}
