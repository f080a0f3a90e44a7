import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { plainEnv } from "../../core/processes.ts";

const run = promisify(execFile);

/** What a folder takes on the disk. By `du`: a walk over a million files in here would be felt by every chat. */
export async function folderBytes(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  const { stdout } = await run("du", ["-sk", folder], { env: plainEnv(), timeout: 600_000 }).catch(keepFigure);
  return (Number.parseInt(stdout, 10) || 0) * 1024;
}

/** A file that went away meanwhile makes `du` end with 1, but it still says the sum. */
function keepFigure(error: unknown): { stdout: string } {
  const { stdout } = error as { stdout?: unknown };
  if (typeof stdout === "string" && /^\d+/.test(stdout)) return { stdout };
  throw error;
}
