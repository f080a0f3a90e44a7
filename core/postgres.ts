import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { ROOT } from "./config.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import { isFree, portTaken } from "./ports.ts";
import { chooseUser, type RunAs } from "./postgres-user.ts";
import {
  adopt,
  adoptPid,
  commandOf,
  growingPause,
  killNow,
  type ProcessHandle,
  plainEnv,
  spawnDetached,
  stop,
  tailOf,
} from "./processes.ts";

/** The Postgres of the platform's own, running. It is started again when it dies. */
export interface EmbeddedPostgres {
  url: string;
  /** True when it was left running by an earlier platform process. */
  adopted: boolean;
  stop(): Promise<void>;
  killNow(): void;
}

export interface PostgresOptions {
  home: string;
  port: number;
  log: Log;
  /** A line for the person who started us. */
  say(line: string): void;
}

interface Place extends PostgresOptions {
  data: string;
  logFile: string;
  pidFile: string;
  runAs: RunAs;
  password: string;
}

/** A program of the Postgres that setup.mjs installed: `postgres`, `pg_dump`, `psql`. */
export const postgresProgram = (name: string): string => path.join(ROOT, ".runtime/postgres/bin", name);

const USER = "agentopia";
const DATABASE = "agentopia";
const READY_MS = 120_000;
// Small: one machine, a few dozen connections of each Synapse, rows that fit into the page cache.
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "64MB",
  io_method: "sync",
  jit: "off",
  max_wal_size: "512MB",
  log_line_prefix: "%m [%p] %q%d ",
  log_timezone: "UTC",
};

/**
 * Takes over the Postgres that an earlier process left over this data, or starts one (making its data folder first), and makes
 * sure that our database with pgvector is in it. Throws `setup` with a sentence.
 */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const place = await prepare(options);
  let handle = await takeOver(place);
  const { adopted } = handle ?? { adopted: false };
  handle ??= await launch(place);
  const current = { handle, stopping: new AbortController() };
  await ensureDatabase(place);
  const watching = supervise(place, current);
  return {
    url: urlOf(place, DATABASE),
    adopted,
    async stop() {
      current.stopping.abort();
      // SIGINT: a fast shutdown, which rolls back what is open
      await stop(current.handle, { signal: "SIGINT" });
      await watching;
    },
    killNow: () => killNow(current.handle),
  };
}

async function prepare(options: PostgresOptions): Promise<Place> {
  const data = path.join(options.home, "pgdata");
  const place = {
    ...options,
    data,
    logFile: path.join(options.home, "logs/postgres.log"),
    pidFile: path.join(options.home, "postgres.pid"),
    runAs: chooseUser(data, postgresProgram("postgres")),
    password: passwordOf(options.home, existsSync(data)),
  };
  if (!existsSync(data)) await initialise(place);
  return place;
}

function passwordOf(home: string, needed: boolean): string {
  const file = path.join(home, "postgres.password");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  if (needed)
    throw new AppError(
      "setup",
      `${file} is missing, and the database does not open without it. Put it back from a backup.`,
    );
  const password = randomBytes(24).toString("base64url");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Makes the data folder under another name first: a set-up that is interrupted leaves nothing that looks finished. */
async function initialise(place: Place): Promise<void> {
  place.say("Preparing the database …");
  const fresh = `${place.data}.new`;
  const passwordFile = `${place.data}.password`;
  const { uid, gid, prefix } = place.runAs;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  writeFileSync(passwordFile, place.password, { mode: 0o600 });
  for (const made of [fresh, passwordFile]) chownSync(made, uid, gid);
  const initdb = ["initdb", "-D", fresh, "-U", USER, "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"];
  try {
    await run([...prefix, postgresProgram("initdb"), ...initdb.slice(1), `--pwfile=${passwordFile}`]);
    renameSync(fresh, place.data);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function run([command = "", ...args]: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env: plainEnv(), cwd: "/" });
    let stderr = "";
    child.stderr.on("data", (part) => {
      stderr += part;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(startFailed(stderr));
    });
  });
}

const startFailed = (output: string) =>
  /No space left on device/.test(output)
    ? Object.assign(new Error(output), { code: "ENOSPC" })
    : new AppError("setup", `The database did not start. What it said last:\n${output.trimEnd()}`);

/** What an earlier platform process left over this data: taken over when it answers on our port, else ended. */
async function takeOver(place: Place): Promise<ProcessHandle | null> {
  const left = adopt({ name: "Postgres", pidFile: place.pidFile }) ?? adoptByData(place);
  if (!left) return null;
  if (portInUse(place) === place.port && !programReplaced(left.pid)) {
    try {
      await untilReady(place, left);
      place.log.info({ postgres: left.pid }, "took over the Postgres that was left running");
      return left;
    } catch (error) {
      place.log.warn({ err: error }, "the Postgres that was left running does not answer");
    }
  }
  place.say(
    `The database that was left running (pid ${left.pid}) cannot be taken over: ending it and starting it anew.`,
  );
  await stop(left, { signal: "SIGINT" });
  return null;
}

/** Without a pid file of ours: Postgres has one in its data folder. */
function adoptByData({ data, pidFile }: Place): ProcessHandle | null {
  const pid = Number(postmasterLine(data, 0));
  return pid && commandOf(pid)?.includes(data) ? adoptPid({ name: "Postgres", pid, pidFile }) : null;
}

const portInUse = ({ data }: Place) => Number(postmasterLine(data, 3));

function postmasterLine(data: string, line: number): string | undefined {
  const file = path.join(data, "postmaster.pid");
  return existsSync(file) ? readFileSync(file, "utf8").split("\n")[line] : undefined;
}

/** True when its program file was replaced by a newer set-up: it could not load its own extensions any more. */
function programReplaced(pid: number): boolean {
  return process.platform === "linux" && readlinkSync(`/proc/${pid}/exe`).endsWith(" (deleted)");
}

/**
 * Postgres will not start while the pid in its lock file belongs to any process of the same user: a zombie that nobody reaps, or
 * another program that got the number after a restart of the container. Once nothing works in the data folder, the file goes.
 */
function clearStaleLock({ data, log }: Place): void {
  const pid = Number(postmasterLine(data, 0));
  if (process.platform !== "linux" || !pid || commandOf(pid)?.includes(data) || someoneWorksIn(data)) return;
  log.warn({ stale: pid }, "removing the lock file of a Postgres that is gone");
  rmSync(path.join(data, "postmaster.pid"), { force: true });
}

/** True when a process has the folder as its working folder, as every process of Postgres has. */
function someoneWorksIn(folder: string): boolean {
  const real = realpathSync(folder);
  return readdirSync("/proc").some((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === real;
    } catch {
      return false; // gone meanwhile, a zombie, or another user's: Postgres runs as ours
    }
  });
}

async function launch(place: Place): Promise<ProcessHandle> {
  clearStaleLock(place);
  if (!(await isFree(place.port))) throw portTaken("postgres", place.port, place.home);
  const settings = Object.entries({ ...SETTINGS, port: String(place.port) }).flatMap(([k, v]) => ["-c", `${k}=${v}`]);
  const [command = "", ...args] = [...place.runAs.prefix, postgresProgram("postgres"), "-D", place.data, ...settings];
  const handle = await spawnDetached({ name: "Postgres", command, args, cwd: "/", ...place, env: plainEnv() });
  try {
    await untilReady(place, handle);
  } catch (error) {
    await stop(handle, { signal: "SIGINT" });
    throw error;
  }
  return handle;
}

/** Resolves when it answers our password; after a crash it first reads its log again, which may take a while. */
async function untilReady(place: Place, handle: ProcessHandle): Promise<void> {
  const gone = handle.exited.then(() => {
    throw startFailed(tailOf(place.logFile, 5));
  });
  gone.catch(() => undefined);
  const until = performance.now() + READY_MS;
  for (;;) {
    const answer = await Promise.race([gone, tryConnect(place)]);
    if (answer === true) return;
    if (performance.now() > until) throw answer;
    await Promise.race([gone, sleep(25)]);
  }
}

async function tryConnect(place: Place): Promise<unknown> {
  const sql = postgres(urlOf(place, "postgres"), { max: 1, connect_timeout: 5, fetch_types: false });
  try {
    await sql`select 1`;
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code?.startsWith("28")) throw wrongPassword(place, error);
    return error;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

const wrongPassword = (place: Place, cause: unknown) =>
  new AppError(
    "setup",
    `The database in ${place.data} refuses the password in postgres.password. Put back the file that belongs to this data; a backup holds it.`,
    { cause },
  );

async function ensureDatabase(place: Place): Promise<void> {
  const server = postgres(urlOf(place, "postgres"), { max: 1, onnotice: () => undefined, fetch_types: false });
  try {
    const [known] = await server`select 1 from pg_database where datname = ${DATABASE}`;
    if (!known) await server.unsafe(`create database ${DATABASE}`);
  } finally {
    await server.end();
  }
  const sql = postgres(urlOf(place, DATABASE), { max: 1, onnotice: () => undefined, fetch_types: false });
  try {
    await sql`create extension if not exists vector`;
  } finally {
    await sql.end();
  }
}

/** Starts it again whenever it dies, until stopped. Its old children may hold the shared memory for a moment: tried again. */
async function supervise(place: Place, current: { handle: ProcessHandle; stopping: AbortController }): Promise<void> {
  const { signal } = current.stopping;
  for (let attempt = 0; ; ) {
    const upSince = performance.now();
    const exit = await current.handle.exited;
    if (signal.aborted) return;
    if (performance.now() - upSince > 60_000) attempt = 0;
    place.log.error({ ...exit, postgres: current.handle.pid }, "Postgres ended; starting it again");
    for (let started = false; !started && !signal.aborted; attempt++) {
      await sleep(growingPause(attempt, { firstMs: 100, maxMs: 10_000 }), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      started = await relaunch(place, current);
    }
    // stop() may have come while it was starting
    if (signal.aborted) return stop(current.handle, { signal: "SIGINT" });
  }
}

async function relaunch(place: Place, current: { handle: ProcessHandle }): Promise<boolean> {
  try {
    current.handle = await launch(place);
    place.log.info({ postgres: current.handle.pid }, "Postgres is back");
    return true;
  } catch (error) {
    place.log.error({ reason: String(error) }, "Postgres did not start");
    return false;
  }
}

const urlOf = ({ password, port }: Place, database: string) =>
  `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;
