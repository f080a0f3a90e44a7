import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, openSync, realpathSync, rmSync, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import postgres from "postgres";
import { postgresProgram } from "../../core/postgres-data.ts";
import { chooseUser } from "../../core/postgres-user.ts";
import { plainEnv } from "../../core/processes.ts";

const run = promisify(execFile);

export interface TestPostgres {
  url: string;
  /** The `postgres` program. */
  binary: string;
  stop(): Promise<void>;
}

/** The `postgres` program where setup.mjs put it. */
export function postgresBinary(): string {
  const program = postgresProgram("postgres");
  if (!existsSync(program)) throw new Error("PostgreSQL is not installed. Run `node setup.mjs --tests` first.");
  return realpathSync(program);
}

/**
 * A Postgres in a temporary folder that is gone when the run ends. Unlike the platform's own it does not wait for the disk
 * (fsync off): its data need not outlive anything. As root its programs run as an ordinary user, which Postgres insists on.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const binary = postgresBinary();
  const folder = mkdtempSync(path.join(scratch(), "agentopia-postgres-"));
  const { uid, gid, prefix } = chooseUser(folder, binary);
  chmodSync(folder, 0o700);
  chownSync(folder, uid, gid);
  const initdb = ["-D", folder, "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"];
  const [first = "", ...before] = [...prefix, path.join(path.dirname(binary), "initdb")];
  await run(first, [...before, ...initdb], { cwd: "/", env: plainEnv() });
  const port = await freePort();
  const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"];
  const [command = "", ...args] = [...prefix, binary];
  const child = spawn(
    command,
    [...args, "-D", folder, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...settings.flatMap((one) => ["-c", one])],
    { cwd: "/", env: plainEnv(), stdio: ["ignore", "ignore", openSync(path.join(folder, "log"), "a")] },
  );
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGINT");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  await answering(url, () => child.exitCode);
  return { url, binary, stop };
}

const ROOM = 2 * 2 ** 30;

/** In memory where there is room: a database has 300 files, which take 0.3 s on some disks and 0.02 s there. */
function scratch(): string {
  const memory = "/dev/shm";
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= ROOM ? memory : tmpdir();
}

async function answering(url: string, exitCode: () => number | null): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const sql = postgres(url, { max: 1, connect_timeout: 2 });
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (exitCode() !== null || performance.now() > deadline) throw error;
      await sleep(50);
    } finally {
      await sql.end();
    }
  }
}

/** A loopback port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
