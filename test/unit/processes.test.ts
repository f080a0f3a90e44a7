import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  adopt,
  growingPause,
  isSame,
  killNow,
  plainEnv,
  spawnDetached,
  startTime,
  stop,
  tailOf,
} from "../../core/processes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "agentopia-processes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const start = (script: string) =>
  spawnDetached({
    name: "a test's child",
    command: "/bin/sh",
    args: ["-c", script],
    logFile: path.join(folder, "logs/child.log"),
    pidFile: path.join(folder, "child.pid"),
  });

test("a child notes its pid before it becomes its command, leads its own group and writes to its log", async () => {
  const child = await start("echo $$ $(cat child.pid 2>/dev/null); exec sleep 60");
  const group = execFileSync("ps", ["-o", "pgid=", "-p", String(child.pid)], { encoding: "utf8", env: plainEnv() });
  expect(Number(group)).toBe(child.pid);
  await expect
    .poll(() => readFileSync(path.join(folder, "child.pid"), "utf8"))
    .toBe(`${child.pid}\n${child.startedAt}\n`);
  await expect.poll(() => tailOf(path.join(folder, "logs/child.log"), 5)).toContain(String(child.pid));
  await stop(child);
  expect(await child.exited).toEqual({ code: null, signal: "SIGTERM" });
  expect(isSame(child)).toBe(false);
});

test("a child is adopted by its pid file, watched and stopped", async () => {
  const child = await start("sleep 60");
  await expect.poll(() => adopt({ name: "it", pidFile: child.pidFile })?.pid).toBe(child.pid);
  const adopted = adopt({ name: "it", pidFile: child.pidFile });
  expect(adopted?.adopted).toBe(true);
  killNow(child);
  expect(await adopted?.exited).toEqual({ code: null, signal: null });
  expect(adopt({ name: "it", pidFile: child.pidFile })).toBeNull();
});

test("another process that got the same pid is not adopted", async () => {
  const pidFile = path.join(folder, "other.pid");
  writeFileSync(pidFile, `${process.pid}\n1\n`);
  expect(adopt({ name: "it", pidFile })).toBeNull();
  expect(adopt({ name: "it", pidFile: path.join(folder, "none.pid") })).toBeNull();
});

test("a child that does not listen to SIGTERM is ended with its whole group", async () => {
  const child = await start("trap '' TERM; sleep 61 & echo $! >&2; wait; sleep 60");
  const log = path.join(folder, "logs/child.log");
  await expect.poll(() => Number(tailOf(log, 1))).toBeGreaterThan(0);
  const grandchild = Number(tailOf(log, 1));
  expect(startTime(grandchild)).not.toBeNull();
  await stop(child, { graceMs: 200 });
  expect((await child.exited).signal).toBe("SIGKILL");
  await expect.poll(() => startTime(grandchild)).toBeNull();
});

test("a command that does not exist ends with 127 and says so in the log", async () => {
  const child = await spawnDetached({
    name: "nothing",
    command: path.join(folder, "no-such-program"),
    args: [],
    logFile: path.join(folder, "x.log"),
    pidFile: path.join(folder, "x.pid"),
  });
  expect((await child.exited).code).toBe(127);
  expect(tailOf(path.join(folder, "x.log"), 1)).toContain("no-such-program");
});

test("pauses grow and end growing", () => {
  expect([0, 1, 2, 3, 20, 500].map((attempt) => growingPause(attempt, { firstMs: 100, maxMs: 1000 }))).toEqual([
    100, 200, 400, 800, 1000, 1000,
  ]);
});
