import { mkdirSync, statfsSync, statSync } from "node:fs";
import path from "node:path";
import { AppError } from "./errors.ts";

/** Turns what a full disk or missing rights throw, anywhere in the start, into a sentence. Other errors come back as they are. */
export function explainTrouble(error: unknown, home: string): unknown {
  if (error instanceof AppError) return error;
  const { code, message } = error as { code?: string; message?: string };
  // 53100 is what Postgres says
  if (code === "ENOSPC" || code === "EDQUOT" || code === "53100" || /No space left on device/.test(message ?? ""))
    return new AppError("setup", `The disk that holds ${home} is full. Make room there and start again.`, {
      cause: error,
    });
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return new AppError(
      "setup",
      `Agentopia may not write to ${home} (${message ?? code}). Start it as the user who owns that folder, or choose another with AGENTOPIA_HOME.`,
      { cause: error },
    );
  return error;
}

/** Makes the home folder and looks for room in it. Throws `setup`. */
export function prepareHome(home: string, { neededMb }: { neededMb: number }): void {
  try {
    // Others may pass, not list: as root, Postgres runs as an ordinary user with its data below. Every file in it is 0600.
    makeFolder(home, 0o711);
    makeFolder(path.join(home, "logs"), 0o700);
    const { bavail, bsize } = statfsSync(home);
    const freeMb = Math.floor((bavail * bsize) / 1024 / 1024);
    if (freeMb < neededMb)
      throw new AppError(
        "setup",
        `The disk that holds ${home} has ${freeMb} MB left and ${neededMb} MB are needed. Make room there and start again.`,
      );
  } catch (error) {
    const known = explainTrouble(error, home);
    if (known instanceof AppError) throw known;
    throw new AppError(
      "setup",
      `The folder ${home} cannot be made (${(error as Error).message}). Choose another with AGENTOPIA_HOME.`,
      { cause: error },
    );
  }
}

/** Like `mkdir -p`. Node's own `recursive` tries for ever where a folder cannot be made below one that exists (/proc). */
function makeFolder(folder: string, mode: number): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const parent = path.dirname(folder);
  if (parent !== folder) makeFolder(parent, 0o755);
  mkdirSync(folder, { mode });
}
