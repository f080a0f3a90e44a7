import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Config } from "../core/config.ts";
import { AppError } from "../core/errors.ts";

export const notRunning = (home: string, cause?: unknown) =>
  new AppError("setup", `Agentopia is not running in ${home}. Start it with \`npm start\`.`, { cause });

/** `DATABASE_URL`, or the embedded Postgres by the files that its start leaves. Throws `setup` where there are none. */
export function platformDatabaseUrl(config: Config): string {
  if (!config.secretKey && !existsSync(path.join(config.home, "secret.key"))) throw notRunning(config.home);
  if (config.databaseUrl) return config.databaseUrl;
  try {
    const ports = JSON.parse(readFileSync(path.join(config.home, "ports.json"), "utf8")) as { postgres: number };
    const password = readFileSync(path.join(config.home, "postgres.password"), "utf8").trim();
    return `postgres://agentopia:${password}@127.0.0.1:${ports.postgres}/agentopia`;
  } catch (cause) {
    throw notRunning(config.home, cause);
  }
}
