/** vitest's globalSetup: one Postgres for the whole run, with a migrated database that each test's own is copied from. */
import path from "node:path";
import postgres from "postgres";
import type { TestProject } from "vitest/node";
import { migrate } from "../../core/database.ts";
import { startTestPostgres } from "./postgres-process.ts";
import { clearOldResults } from "./results.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Address of the run's Postgres, its database `postgres`. */
    postgresUrl: string;
    /** Folder of its programs (`pg_dump`). */
    postgresBin: string;
  }
}

export const TEMPLATE = "agentopia_template";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  clearOldResults();
  const server = await startTestPostgres();
  try {
    const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
    await sql.unsafe(`create database ${TEMPLATE}`);
    await sql.end();
    await migrate({ url: databaseUrl(server.url, TEMPLATE) });
  } catch (error) {
    await server.stop();
    throw error;
  }
  project.provide("postgresUrl", server.url);
  project.provide("postgresBin", path.dirname(server.binary));
  return server.stop;
}

export function databaseUrl(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
