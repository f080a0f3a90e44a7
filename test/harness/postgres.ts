import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import pino from "pino";
import postgres from "postgres";
import { inject, onTestFinished } from "vitest";
import type { Clock } from "../../core/clock.ts";
import { loadConfig } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { type Databases, openDatabase } from "../../core/database.ts";
import { openSecrets } from "../../core/secrets.ts";
import { databaseUrl, TEMPLATE } from "./postgres-once.ts";
import { makeResultsFolder } from "./results.ts";

let count = 0;

/** A migrated, empty database of the test's own. It is dropped when the test passed and dumped into its results when not. */
export async function testDatabase(): Promise<Databases> {
  const name = `test_${process.pid}_${++count}`;
  const server = inject("postgresUrl");
  await onServer(server, `create database ${name} template ${TEMPLATE} strategy = file_copy`);
  const database = openDatabase(databaseUrl(server, name), { max: 5, name });
  onTestFinished(async ({ task }) => {
    await database.close();
    if (task.result?.state === "fail")
      await dump(database.url, path.join(makeResultsFolder(task.name), "database.sql"));
    await onServer(server, `drop database if exists ${name} with (force)`);
  });
  return database;
}

/** A clock that stands still until it is moved. */
export interface TestClock extends Clock {
  move(ms: number): void;
}

export function testClock(start = Date.UTC(2026, 0, 15, 12)): TestClock {
  let now = start;
  return {
    now: () => now,
    move: (ms) => {
      now += ms;
    },
  };
}

/** A context with a database and a home folder of the test's own; its log lies in the test's results when it fails. */
export async function testContext(
  options: { clock?: Clock; env?: Record<string, string> } = {},
): Promise<Context & Pick<Databases, "close">> {
  const database = await testDatabase();
  const home = mkdtempSync(path.join(tmpdir(), "agentopia-test-"));
  const log = path.join(home, "context.log");
  onTestFinished(({ task }) => {
    if (task.result?.state === "fail") copyFileSync(log, path.join(makeResultsFolder(task.name), "context.log"));
    rmSync(home, { recursive: true, force: true });
  });
  const config = loadConfig({ AGENTOPIA_LOCAL_MODEL_PORTS: "none", ...options.env, AGENTOPIA_HOME: home });
  return {
    config,
    databaseUrl: database.url,
    sql: database.sql,
    db: database.db,
    close: database.close,
    secrets: openSecrets(config),
    clock: options.clock ?? { now: () => Date.now() },
    log: pino({ level: "debug" }, pino.destination({ dest: log, sync: true })),
  };
}

async function onServer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

async function dump(url: string, file: string): Promise<void> {
  await promisify(execFile)(path.join(inject("postgresBin"), "pg_dump"), ["-f", file, url]);
}
