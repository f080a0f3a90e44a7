/** pg_dump and pg_restore, as children that are told their password in private. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { AppError } from "../core/errors.ts";
import { postgresProgram } from "../core/postgres-data.ts";
import { plainEnv } from "../core/processes.ts";

/** A password on the command line could be read by every user of the machine. */
export function withoutPassword(databaseUrl: string): { url: string; env: Record<string, string> } {
  const url = new URL(databaseUrl);
  const password = decodeURIComponent(url.password);
  url.password = "";
  return { url: url.href, env: plainEnv(password ? { PGPASSWORD: password } : {}) };
}

/** Runs a program of Postgres; what it says last on stderr becomes the sentence. */
export async function runProgram(
  name: string,
  args: string[],
  { env, signal }: { env: Record<string, string>; signal?: AbortSignal | undefined },
): Promise<void> {
  try {
    await promisify(execFile)(postgresProgram(name), args, { env, signal, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    throw programFailed(cause, `${name} failed`);
  }
}

export function programFailed(cause: unknown, what: string): AppError {
  const { code, stderr = "" } = cause as { code?: string; stderr?: string };
  if (code === "ENOENT")
    return new AppError("setup", "The programs of Postgres are not installed. Run `npm start` once.", { cause });
  const last = stderr.trim().split("\n").at(-1) || "it did not say why";
  return new AppError("setup", `${what}: ${last}`, { cause });
}
