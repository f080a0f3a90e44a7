import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { AppError } from "./errors.ts";
import { isFree, portTaken } from "./ports.ts";
import { type Place, type PostgresOptions, postgresProgram, prepare, startFailed, USER } from "./postgres-data.ts";
import { clearStaleLock, findLeft, portInUse, programReplaced, untilNobodyWorks } from "./postgres-left.ts";
import { growingPause, killNow, type ProcessHandle, plainEnv, spawnDetached, stop, tailOf } from "./processes.ts";

/** The Postgres of the platform's own, running. It is started again when it dies. */
export interface EmbeddedPostgres {
  url: string;
  /** True when it was left running by an earlier platform process. */
  adopted: boolean;
  stop(): Promise<void>;
  killNow(): void;
}

const DATABASE = "agentopia";
const READY_MS = 120_000;
/** For writing what is in memory to the disk, which may be a slow one. Killed before that it has to read its log again at the next start. */
const END_MS = 60_000;
const LATE_MS = 5000;
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
      const late = setTimeout(() => place.say("The database still writes to the disk. Please wait a moment."), LATE_MS);
      await end(current.handle);
      await watching;
      clearTimeout(late);
    },
    killNow: () => killNow(current.handle),
  };
}

/** SIGINT: a fast shutdown, which rolls back what is open. */
const end = (handle: ProcessHandle) => stop(handle, { signal: "SIGINT", graceMs: END_MS });

async function launch(place: Place): Promise<ProcessHandle> {
  await untilNobodyWorks(place);
  clearStaleLock(place);
  if (!(await isFree(place.port))) throw portTaken("postgres", place.port, place.home);
  const settings = Object.entries({ ...SETTINGS, port: String(place.port) }).flatMap(([k, v]) => ["-c", `${k}=${v}`]);
  const [command = "", ...args] = [...place.runAs.prefix, postgresProgram("postgres"), "-D", place.data, ...settings];
  const handle = await spawnDetached({ name: "Postgres", command, args, cwd: "/", ...place, env: plainEnv() });
  try {
    await untilReady(place, handle);
  } catch (error) {
    await end(handle);
    throw error;
  }
  return handle;
}

/** What an earlier platform process left over this data: taken over when it answers on our port, else ended. */
async function takeOver(place: Place): Promise<ProcessHandle | null> {
  const left = findLeft(place);
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
  await end(left);
  return null;
}

/** Resolves when it answers our password; after a crash it first reads its log again, which may take a while. */
async function untilReady(place: Place, handle: ProcessHandle): Promise<void> {
  const gone = handle.exited.then(() => "gone" as const);
  const until = performance.now() + READY_MS;
  for (;;) {
    const answer = await Promise.race([gone, tryConnect(place)]);
    if (answer === true) return;
    if (answer === "gone") throw startFailed(tailOf(place.logFile, 5));
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
      await pause(growingPause(attempt, { firstMs: 100, maxMs: 10_000 }), signal);
      if (signal.aborted) return;
      started = await relaunch(place, current);
    }
    // stop() may have come while it was starting
    if (signal.aborted) return end(current.handle);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
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
