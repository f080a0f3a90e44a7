/** The embedded Postgres, real: started, left behind, killed, taken over. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { killAllOf } from "../../core/leftovers.ts";
import { freePort } from "../../core/ports.ts";
import { type EmbeddedPostgres, startPostgres } from "../../core/postgres.ts";
import { startTime } from "../../core/processes.ts";
import { prepareHome } from "../../core/trouble.ts";
import { openWake } from "../../core/wake.ts";
import { eventually } from "../harness/eventually.ts";

const log = pino({ level: "silent" });
const said: string[] = [];
let home: string;
let port: number;

const start = (): Promise<EmbeddedPostgres> => startPostgres({ home, port, log, say: (line) => void said.push(line) });
const pidOf = () => Number(readFileSync(path.join(home, "postgres.pid"), "utf8").split("\n")[0]);

async function leaveOne(): Promise<void> {
  const script = path.join(import.meta.dirname, "leave-postgres.ts");
  const child = spawn(process.execPath, [script, home, String(port)], { stdio: ["ignore", "inherit", "inherit"] });
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
}

/** The fourth field of `stat` is who started it; the second, in brackets, may hold anything. */
const parentOf = (pid: string) => Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);
const childOf = (pid: number) =>
  Number(readdirSync("/proc").find((one) => /^\d+$/.test(one) && existsSync(`/proc/${one}`) && parentOf(one) === pid));

async function query(server: EmbeddedPostgres, text: string): Promise<unknown[]> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

beforeAll(async () => {
  // A folder that only its owner may pass, as mktemp makes it: as root the dropped user has to get through.
  home = path.join(mkdtempSync(path.join(tmpdir(), "agentopia-start-")), "home");
  prepareHome(home, { neededMb: 100 });
  port = await freePort();
  const server = await start();
  await query(server, "create table kept (value text)");
  await query(server, "insert into kept values ('still here')");
  await server.stop();
}, 60_000);

afterAll(() => {
  killAllOf(home);
  rmSync(path.dirname(home), { recursive: true, force: true });
});

test("it says that it prepares the database, once, and has pgvector, UTF8 and fsync", async () => {
  expect(said).toEqual(["Preparing the database …"]);
  const server = await start();
  onTestFinished(server.stop);
  expect(await query(server, "select value from kept")).toEqual([{ value: "still here" }]);
  expect(said).toHaveLength(1);
  expect(await query(server, "select '[1,2]'::vector <-> '[1,4]'::vector as distance")).toEqual([{ distance: 2 }]);
  const [facts] = await query(
    server,
    "select current_setting('fsync') as fsync, current_setting('server_encoding') as encoding, current_setting('listen_addresses') as listens, current_setting('unix_socket_directories') as sockets",
  );
  expect(facts).toEqual({ fsync: "on", encoding: "UTF8", listens: "127.0.0.1", sockets: "" });
});

test("without the password nobody gets in", async () => {
  const server = await start();
  onTestFinished(server.stop);
  const sql = postgres(server.url.replace(/agentopia:[^@]+@/, "agentopia:guess@"), { max: 1 });
  await expect(sql`select 1`).rejects.toMatchObject({ code: "28P01" });
  await sql.end();
});

describe("left running by a process that was killed", () => {
  test("it is taken over: the same process, and ended in the end", async () => {
    await leaveOne();
    const pid = pidOf();
    const second = await start();
    expect(second.adopted).toBe(true);
    expect(pidOf()).toBe(pid);
    await second.stop();
    expect(startTime(pid)).toBeNull();
    expect(existsSync(path.join(home, "postgres.pid"))).toBe(false);
  });

  test("it is found by its data folder when our pid file is gone", async () => {
    await leaveOne();
    const pid = pidOf();
    rmSync(path.join(home, "postgres.pid"));
    const second = await start();
    expect(second.adopted).toBe(true);
    await second.stop();
    expect(startTime(pid)).toBeNull();
  });

  test("it is ended and started anew when it listens elsewhere than we say", async () => {
    await leaveOne();
    const pid = pidOf();
    port = await freePort();
    const second = await start();
    onTestFinished(second.stop);
    expect(second.adopted).toBe(false);
    expect(startTime(pid)).toBeNull();
    expect(said.at(-1)).toMatch(/cannot be taken over: ending it and starting it anew/);
  });
});

test("killed while we run, it is started again, and who listens for NOTIFY is told to look", async () => {
  const server = await start();
  onTestFinished(server.stop);
  const wake = openWake(server.url, log);
  onTestFinished(wake.close);
  const heard: string[] = [];
  wake.on("test_channel", (payload) => void heard.push(payload));
  await eventually("the first listening", () => heard.length === 1);
  const pid = pidOf();
  process.kill(pid, "SIGKILL");
  await eventually("listening again", () => heard.length === 2);
  expect(pidOf()).not.toBe(pid);
  await query(server, "select pg_notify('test_channel', 'hello')");
  await eventually("the payload", () => heard.includes("hello"));
  expect(heard).toEqual(["", "", "hello"]);
});

test("processes that a killed one left behind are waited for", async () => {
  await leaveOne();
  const pid = pidOf();
  const child = childOf(pid);
  process.kill(child, "SIGSTOP");
  process.kill(pid, "SIGKILL");
  await eventually("it to be gone", () => startTime(pid) === null);
  const lines: string[] = [];
  const watched = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const starting = startPostgres({ home, port, log: watched, say: () => undefined });
  await eventually("the wait", () => lines.some((line) => line.includes("waiting until what is left")));
  process.kill(child, "SIGCONT");
  const server = await starting;
  onTestFinished(server.stop);
  expect(await query(server, "select value from kept")).toEqual([{ value: "still here" }]);
});

test("a lock file whose pid belongs to another program now is no obstacle", async () => {
  const lock = path.join(home, "pgdata/postmaster.pid");
  writeFileSync(lock, `${process.pid}\n${home}/pgdata\n1\n${port}\n\n127.0.0.1\n\nready\n`);
  const server = await start();
  onTestFinished(server.stop);
  expect(await query(server, "select value from kept")).toEqual([{ value: "still here" }]);
});

test("a port that another program took is named, with what to do", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  await expect(start()).rejects.toThrow(
    new RegExp(`^Port ${port} is used by another program\\. Stop that program, or delete "postgres" in .*ports\\.json`),
  );
});

test("a password that does not belong to the data, and a missing one, are named", async () => {
  const file = path.join(home, "postgres.password");
  const password = readFileSync(file, "utf8");
  onTestFinished(() => writeFileSync(file, password));
  writeFileSync(file, "another");
  await expect(start()).rejects.toThrow(/refuses the password in postgres\.password\. Put back the file/);
  expect(existsSync(path.join(home, "postgres.pid"))).toBe(false);
  rmSync(file);
  await expect(start()).rejects.toThrow(/postgres\.password is missing.*Put it back from a backup/);
});

test("a set-up that was cut off is begun again", async () => {
  const half = path.join(mkdtempSync(path.join(tmpdir(), "agentopia-half-")), "home");
  onTestFinished(() => rmSync(path.dirname(half), { recursive: true, force: true }));
  prepareHome(half, { neededMb: 100 });
  prepareHome(path.join(half, "pgdata.new"), { neededMb: 100 });
  writeFileSync(path.join(half, "pgdata.new/PG_VERSION"), "18\n");
  const server = await startPostgres({ home: half, port: await freePort(), log, say: () => undefined });
  onTestFinished(server.stop);
  expect(await query(server, "select 1 as one")).toEqual([{ one: 1 }]);
  expect(existsSync(path.join(half, "pgdata.new"))).toBe(false);
});
