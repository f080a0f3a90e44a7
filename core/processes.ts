import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A child process in a process group of its own. It outlives us; `stop` ends it. */
export interface ProcessHandle {
  name: string;
  pid: number;
  /** When it began, as the system counts it: with the pid, the process's identity. */
  startedAt: string;
  /** True when an earlier platform process started it. */
  adopted: boolean;
  /** Resolves when it is gone. Code and signal are unknown (null) for an adopted one. */
  exited: Promise<ProcessExit>;
  pidFile: string;
}

export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SpawnOptions {
  /** What people call it: "Postgres", "homeserver of acme". */
  name: string;
  command: string;
  args: string[];
  cwd?: string;
  /** The whole environment of the child. Default: `plainEnv()`. */
  env?: Record<string, string>;
  /** Gets its stdout and stderr, appended. Over 20 MB it is moved to `.1` first. */
  logFile: string;
  /** Written by the child itself before it becomes `command`: no moment at which it runs without one. */
  pidFile: string;
}

const KEEP_LOG_BYTES = 20 * 1024 * 1024;
const WATCH_MS = 500;

// The shell notes its pid and start time, then becomes the command. Field 22 of /proc/PID/stat is the start time; where there
// is no /proc (macOS), ps says it.
const NOTE_PID = `f() { shift 21; printf %s "$1"; }
if [ -r "/proc/$$/stat" ]; then read -r s <"/proc/$$/stat"; at=$(f $s); else at=$(LC_ALL=C ps -o lstart= -p $$); fi
printf '%s\\n%s\\n' $$ "$at" >"$0.new" && mv "$0.new" "$0" && exec "$@"`;

/** Starts a process in a group of its own, so that Ctrl-C reaches only us. Throws what `fs` throws when log or folder cannot be made. */
export async function spawnDetached(options: SpawnOptions): Promise<ProcessHandle> {
  for (const file of [options.logFile, options.pidFile]) mkdirSync(path.dirname(file), { recursive: true });
  rotate(options.logFile);
  const log = openSync(options.logFile, "a", 0o600);
  const child = spawn("/bin/sh", ["-c", NOTE_PID, options.pidFile, options.command, ...options.args], {
    detached: true,
    stdio: ["ignore", log, log],
    env: options.env ?? plainEnv(),
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  closeSync(log);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  await new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  child.unref();
  const pid = child.pid ?? 0;
  const { name, pidFile } = options;
  return { name, pid, startedAt: startTime(pid) ?? "", adopted: false, exited, pidFile };
}

/** The process that a pid file names, if it still runs and is the same one (by start time); else null. */
export function adopt(options: { name: string; pidFile: string }): ProcessHandle | null {
  const [pid, startedAt] = readPidFile(options.pidFile);
  if (!pid || !startedAt || startTime(pid) !== startedAt) return null;
  return { ...options, pid, startedAt, adopted: true, exited: watch(pid, startedAt) };
}

/** Like `adopt`, for a process whose pid is known from elsewhere. Null when there is none. */
export function adoptPid(options: { name: string; pid: number; pidFile: string }): ProcessHandle | null {
  const startedAt = startTime(options.pid);
  return startedAt ? { ...options, startedAt, adopted: true, exited: watch(options.pid, startedAt) } : null;
}

/** The command line of a process, blanks between its parts. Null when there is none. */
export function commandOf(pid: number): string | null {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    return execFileSync("ps", ["-ww", "-o", "args=", "-p", String(pid)], { encoding: "utf8", env: plainEnv() }).trim();
  } catch {
    return null; // no such process
  }
}

/** Asks with `signal` (default SIGTERM), and after `graceMs` (default 8 s) ends the whole group. Resolves when it is gone. */
export async function stop(
  handle: ProcessHandle,
  options: { signal?: NodeJS.Signals; graceMs?: number } = {},
): Promise<void> {
  signalSame(handle, options.signal ?? "SIGTERM");
  const timer = setTimeout(() => killNow(handle), options.graceMs ?? 8000);
  await handle.exited;
  clearTimeout(timer);
  if (readPidFile(handle.pidFile)[0] === handle.pid) rmSync(handle.pidFile, { force: true });
}

/** Ends the whole group at once, without waiting. */
export function killNow(handle: ProcessHandle): void {
  if (isSame(handle)) signal(-handle.pid, "SIGKILL");
}

/** True while it runs (a zombie does not). */
export function isSame(handle: Pick<ProcessHandle, "pid" | "startedAt">): boolean {
  return startTime(handle.pid) === handle.startedAt;
}

/** The last lines of a log, for a sentence about why something stopped. Empty when there is none. */
export function tailOf(logFile: string, lines: number): string {
  let fd: number;
  try {
    fd = openSync(logFile, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
  const buffer = Buffer.alloc(32 * 1024);
  const size = statSync(logFile).size;
  const read = readSync(fd, buffer, 0, buffer.length, Math.max(0, size - buffer.length));
  closeSync(fd);
  return buffer.toString("utf8", 0, read).trimEnd().split("\n").slice(-lines).join("\n");
}

/** Milliseconds before try number `attempt` (from 0): doubling from `firstMs` to `maxMs`. */
export function growingPause(attempt: number, { firstMs = 500, maxMs = 60_000 } = {}): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}

/** An environment without our secrets: what a Unix program needs and nothing else. */
export function plainEnv(extra: Record<string, string> = {}): Record<string, string> {
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", TZ: "UTC", ...extra };
}

/**
 * Start time of a process, as the system counts it: ticks since boot (Linux) or a date (elsewhere). Null when there is none or it
 * is a zombie: after a `kill -9` of their parent, ended children may stay as zombies in a container whose first process reaps none.
 */
export function startTime(pid: number): string | null {
  if (process.platform === "linux") return linuxStartTime(pid);
  try {
    const out = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8", env: plainEnv() });
    const [, state, at] = /^(\S+)\s+(.*\S)\s*$/.exec(out.trim()) ?? [];
    return !at || state?.startsWith("Z") ? null : at;
  } catch {
    return null; // ps ends with 1 when there is no such process
  }
}

function linuxStartTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // After the command's name, which may hold anything but ends with the last ")": state is field 3, start time 22.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
  } catch {
    return null; // no such process
  }
}

function readPidFile(file: string): [number | undefined, string | undefined] {
  try {
    const [pid, at] = readFileSync(file, "utf8").split("\n");
    return [Number(pid) || undefined, at];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [undefined, undefined];
    throw error;
  }
}

async function watch(pid: number, startedAt: string): Promise<ProcessExit> {
  while (startTime(pid) === startedAt) await sleep(WATCH_MS, undefined, { ref: false });
  return { code: null, signal: null };
}

function signalSame(handle: ProcessHandle, name: NodeJS.Signals): void {
  if (isSame(handle)) signal(handle.pid, name);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function rotate(logFile: string): void {
  const size = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  if (size > KEEP_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
