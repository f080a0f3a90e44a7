/** A full disk: a small file system of its own, which only root may mount. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pino from "pino";
import { expect, onTestFinished, test } from "vitest";
import { AppError } from "../../core/errors.ts";
import { freePort } from "../../core/ports.ts";
import { startPostgres } from "../../core/postgres.ts";
import { explainTrouble, prepareHome } from "../../core/trouble.ts";
import { startAndEnd } from "./start-process.ts";

const log = pino({ level: "silent" });

function disk(megabytes: number): string | null {
  const folder = mkdtempSync(path.join(tmpdir(), "agentopia-disk-"));
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=755`, "tmpfs", folder]);
  onTestFinished(() => {
    if (status === 0) execFileSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return status === 0 ? folder : null;
}

test("a disk with too little room for a first start", async ({ skip }) => {
  const folder = disk(100);
  if (!folder) return skip("mounting is not allowed here");
  const [code, output] = await startAndEnd(path.join(folder, "home"));
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(
      /^The disk that holds .*\/home has \d+ MB left and 400 MB are needed\. Make room there and start again\.\n$/,
    ),
  ]);
});

test("a disk that gets full while the database is made: one sentence, nothing half-made, and with room it goes on", async ({
  skip,
}) => {
  const folder = disk(20);
  if (!folder) return skip("mounting is not allowed here");
  const home = path.join(folder, "home");
  mkdirSync(home);
  const options = { home, port: await freePort(), log, say: () => undefined };
  const error = await startPostgres(options).catch((reason: unknown) => explainTrouble(reason, home));
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).sentence).toBe(`The disk that holds ${home} is full. Make room there and start again.`);
  expect(readdirSync(home)).toEqual(["postgres.password"]);
  execFileSync("mount", ["-o", "remount,size=300m", folder]);
  const server = await startPostgres(options);
  await server.stop();
  expect(existsSync(path.join(home, "pgdata/PG_VERSION"))).toBe(true);
});

test.each([
  ["ENOSPC", /is full\. Make room there/],
  ["53100", /is full\. Make room there/],
  ["EACCES", /may not write to \/data\/home .*Start it as the user who owns that folder/],
  ["EROFS", /may not write to \/data\/home/],
])("%s anywhere in the start is a sentence", (code, sentence) => {
  const explained = explainTrouble(Object.assign(new Error("open '/data/home/x'"), { code }), "/data/home");
  expect((explained as AppError).sentence).toMatch(sentence);
});

test.each(["/proc/agentopia", "/dev/null/agentopia"])("a home folder that cannot be made: %s", (home) => {
  expect(() => prepareHome(home, { neededMb: 1 })).toThrow(
    /cannot be made \(.*\)\. Choose another with AGENTOPIA_HOME\.$/,
  );
});

test("what is something else stays what it is", () => {
  const error = new TypeError("x is not a function");
  expect(explainTrouble(error, "/data")).toBe(error);
});
