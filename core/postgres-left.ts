import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Place } from "./postgres-data.ts";
import { adopt, adoptPid, commandOf, type ProcessHandle } from "./processes.ts";

/** The Postgres that runs over this data although we did not start it in this process. */
export const findLeft = (place: Place): ProcessHandle | null =>
  adopt({ name: "Postgres", pidFile: place.pidFile }) ?? adoptByData(place);

/** Without a pid file of ours: Postgres has one in its data folder. */
function adoptByData({ data, pidFile }: Place): ProcessHandle | null {
  const pid = Number(postmasterLine(data, 0));
  return pid && commandOf(pid)?.includes(data) ? adoptPid({ name: "Postgres", pid, pidFile }) : null;
}

/** The port on which the one that runs listens. */
export const portInUse = ({ data }: Place) => Number(postmasterLine(data, 3));

function postmasterLine(data: string, line: number): string | undefined {
  const file = path.join(data, "postmaster.pid");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n")[line] : undefined;
}

/** True when its program file was replaced by a newer set-up: it could not load its own extensions any more. */
export function programReplaced(pid: number): boolean {
  return process.platform === "linux" && readlinkSync(`/proc/${pid}/exe`).endsWith(" (deleted)");
}

/**
 * Postgres will not start while the pid in its lock file belongs to any process of the same user: a zombie that nobody reaps, or
 * another program that got the number after a restart of the container. Once nothing works in the data folder, the file goes.
 */
export function clearStaleLock({ data, log }: Place): void {
  const pid = Number(postmasterLine(data, 0));
  if (process.platform !== "linux" || !pid || commandOf(pid)?.includes(data) || someoneWorksIn(data)) return;
  log.warn({ stale: pid }, "removing the lock file of a Postgres that is gone");
  rmSync(path.join(data, "postmaster.pid"), { force: true });
}

const LEAVE_MS = 60_000;

/** The children of one that was killed hold its shared memory until they notice, or until the disk lets go of them: nothing starts before. */
export async function untilNobodyWorks({ data, log }: Place): Promise<void> {
  const left = () => process.platform === "linux" && someoneWorksIn(data, isPostgres);
  if (!left()) return;
  log.info("waiting until what is left of the last Postgres has ended");
  const until = performance.now() + LEAVE_MS;
  while (left() && performance.now() < until) await sleep(50);
}

const isPostgres = (pid: string) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("postgres");

/** True when a process has the folder as its working folder, as every process of Postgres has. */
function someoneWorksIn(folder: string, who: (pid: string) => boolean = () => true): boolean {
  const real = realpathSync(folder);
  return readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === real && who(pid);
    } catch {
      return false; // gone meanwhile, a zombie, or another user's: Postgres runs as ours
    }
  });
}
