import { spawnSync } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./config.ts";
import { AppError } from "./errors.ts";

/** Who works with the home folder now, as far as it has said so. */
export interface Holder {
  pid?: number;
  url?: string;
}

export interface HomeLock {
  /** Tells a second start where we are. */
  note(url: string): void;
  release(): void;
}

// flock(2) on a descriptor of ours, taken by a small program that gets the descriptor: the lock belongs to the open file, so it
// stays when that program ends and goes when we do, however we end. Nothing is ever left behind to be judged stale, and it holds
// between containers that share the folder, where pids say nothing.
const LOCKERS: [string, string[]][] = [
  ["flock", ["-n", "3"]],
  [
    path.join(ROOT, ".runtime/python/bin/python3"),
    ["-c", "import fcntl,sys\ntry: fcntl.flock(3,fcntl.LOCK_EX|fcntl.LOCK_NB)\nexcept BlockingIOError: sys.exit(1)"],
  ],
];

/** Takes the home folder for this process, or says who has it. Throws `setup` when the folder cannot be locked at all. */
export function lockHome(home: string): { lock: HomeLock } | { holder: Holder } {
  mkdirSync(home, { recursive: true });
  const file = path.join(home, "platform.lock");
  const fd = openSync(file, "a+", 0o600);
  if (!flock(fd, home)) {
    closeSync(fd);
    return { holder: readHolder(file) };
  }
  const write = (holder: Holder) => {
    ftruncateSync(fd);
    writeSync(fd, `${JSON.stringify(holder)}\n`);
  };
  write({ pid: process.pid });
  return {
    lock: {
      note: (url) => write({ pid: process.pid, url }),
      release() {
        ftruncateSync(fd);
        closeSync(fd);
      },
    },
  };
}

function flock(fd: number, home: string): boolean {
  for (const [command, args] of LOCKERS) {
    const { status, error } = spawnSync(command, args, { stdio: ["ignore", "ignore", "ignore", fd] });
    if (status === 0) return true;
    if (status === 1) return false;
    if ((error as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") break;
  }
  throw new AppError(
    "setup",
    `The folder ${home} cannot be locked, so two platforms could run over it. Choose a folder on a local disk with AGENTOPIA_HOME.`,
  );
}

function readHolder(file: string): Holder {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch (error) {
    if (error instanceof SyntaxError) return {}; // it is just writing it
    throw error;
  }
}
