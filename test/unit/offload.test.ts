import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { offload } from "../../bots/tools/offload.ts";
import { SANDBOX } from "../../bots/tools/offload-process.ts";
import { AppError } from "../../core/errors.ts";
import { makePdf, packedZeros } from "../bots/pdf.ts";
import { eventually } from "../harness/eventually.ts";

const NEVER = new AbortController().signal;
const options = { signal: NEVER, tenantId: "acme" };

const calculate = (expression: string, timeoutMs = 30_000) =>
  offload("calculate", { expression }, { ...options, timeoutMs });
const javascript = (code: string, rest: Partial<Parameters<typeof offload>[2]> = {}) =>
  offload("javascript", { code, timeoutMs: 60_000 }, { ...options, timeoutMs: 400, ...rest });
const pdf = (bytes: Uint8Array) => offload("pdf", { bytes }, options);

async function problem(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    (result) => result,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  return (error as AppError).sentence;
}

test("a small sum in a process that is warm takes less than 3 ms", async () => {
  await calculate("1 + 1");
  const times: number[] = [];
  for (let n = 0; n < 200; n++) {
    const began = performance.now();
    expect(await calculate(`${n} + 1`)).toBe(String(n + 1));
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  console.log(`a warm sum: p50 ${times[100]?.toFixed(2)} ms, p95 ${times[190]?.toFixed(2)} ms`);
  expect(times[100]).toBeLessThan(3);
});

test.each([
  ["a program that runs for ever", () => javascript("for (;;);"), "This program took longer than 1 s and was stopped."],
  [
    "a sum without end",
    () => calculate("factorial(10^8)", 400),
    "This calculation took longer than 1 s and was stopped.",
  ],
  [
    "a range that fills all memory",
    () => calculate("range(1, 10^9)"),
    "This calculation needed more memory than it may have and was stopped.",
  ],
  [
    "a matrix that fills all memory",
    () => calculate("zeros(10^5, 10^5)"),
    "This calculation needed more memory than it may have and was stopped.",
  ],
  [
    "a PDF that unpacks to gigabytes",
    () => pdf(makePdf(["x"], { packed: packedZeros(1500) })),
    "This PDF needed more memory than it may have and was stopped.",
  ],
])("%s is ended, the platform goes on meanwhile, and the next work is done", async (_name, work, sentence) => {
  await calculate("1 + 1");
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const stopped = problem(work());
  expect(await calculate("2 + 2")).toBe("4");
  expect(await stopped).toBe(sentence);
  delay.disable();
  expect(delay.max / 1e6).toBeLessThan(250);
  expect(await calculate("3 + 3")).toBe("6");
});

test("a program that is told to stop in time is ended by its own machine, and one that allocates for ever too", async () => {
  const run = (code: string) => offload("javascript", { code, timeoutMs: 300 }, options);
  expect(await problem(run("for (;;);"))).toBe("The program failed: it ran longer than 0.3 s and was stopped.");
  expect(await problem(run("console.log('so far'); for (;;);"))).toMatch(/Before that it printed:\nso far$/);
  expect(await problem(run("const a = []; for (;;) a.push(new ArrayBuffer(1e6))"))).toMatch(/out of memory/);
  expect(await problem(run("const f = () => 1 + f(); f()"))).toMatch(/stack overflow|too deeply/);
  expect(await problem(run("/(a+)+$/.test('a'.repeat(40) + 'b')"))).toMatch(/longer than/);
  expect(await problem(run("Object.prototype.toJSON = () => { for (;;); }; ({})"))).toMatch(/longer than/);
  expect((await run("6 * 7")).value).toBe("42");
});

test("what is aborted ends with the signal's reason, while it waits and while it is done", async () => {
  const reason = new Error("the person said stop");
  const controllers = [1, 2, 3].map(() => new AbortController());
  const works = controllers.map(({ signal }) => javascript("for (;;);", { signal, timeoutMs: 20_000 }));
  const outcomes = Promise.allSettled(works);
  for (const controller of controllers.toReversed()) controller.abort(reason);
  for (const outcome of await outcomes) expect(outcome).toEqual({ status: "rejected", reason });
  await expect(javascript("1", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(await calculate("1 + 1")).toBe("2");
});

test("no more than 50 works wait: the next is told so at once", async () => {
  const stop = new AbortController();
  const works = Array.from({ length: 60 }, () => javascript("for (;;);", { signal: stop.signal, timeoutMs: 20_000 }));
  const outcomes = Promise.allSettled(works);
  const refused = await problem(javascript("1", { tenantId: "other" }));
  expect(refused).toMatch(/^Too much of this is going on at once/);
  stop.abort();
  const reasons = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason);
  expect(reasons.filter((reason) => reason instanceof AppError)).toHaveLength(8);
});

test("one client's works do not keep another's waiting behind all of them", async () => {
  const order: string[] = [];
  const note = (name: string) => () => void order.push(name);
  const slow = "const end = Date.now() + 200; while (Date.now() < end);";
  const works = [1, 2, 3, 4, 5].map((n) => javascript(slow, { timeoutMs: 5000 }).then(note(`acme ${n}`)));
  works.push(javascript("1", { tenantId: "other" }).then(note("other")));
  await Promise.all(works);
  expect(order.indexOf("other")).toBeLessThan(3);
});

test("the processes may read our code and nothing else, and reach and start nothing", async () => {
  const attempts = `
    const fs = require("node:fs");
    const tries = {
      read: () => fs.readFileSync("/etc/passwd"),
      key: () => fs.readFileSync(${JSON.stringify(path.resolve("package-lock.json"))}),
      write: () => fs.writeFileSync("/tmp/agentopia-was-here", ""),
      start: () => require("node:child_process").execSync("true"),
      code: () => new Function("return 1")(),
    };
    const outcomes = {};
    for (const [name, attempt] of Object.entries(tries))
      try { attempt(); outcomes[name] = "done"; } catch (error) { outcomes[name] = error.code ?? error.name; }
    outcomes.env = Object.keys(process.env).length;
    const socket = require("node:net").connect(9, "127.0.0.1");
    socket.on("error", (error) => { outcomes.connect = error.code; console.log(JSON.stringify(outcomes)); });`;
  const { stdout } = await promisify(execFile)(process.execPath, [...SANDBOX, "-e", attempts], { env: {} });
  expect(JSON.parse(stdout)).toEqual({
    read: "ERR_ACCESS_DENIED",
    key: "ERR_ACCESS_DENIED",
    write: "ERR_ACCESS_DENIED",
    start: "ERR_ACCESS_DENIED",
    code: "EvalError",
    connect: "ERR_ACCESS_DENIED",
    env: 0,
  });
});

const user = (work: string) => [
  "--disable-warning=ExperimentalWarning",
  "--input-type=module",
  "-e",
  `import { offload } from ${JSON.stringify(path.resolve("bots/tools/offload.ts"))};
   const options = { signal: new AbortController().signal, tenantId: "t" };
   ${work}`,
];

test("whoever used it ends by themselves, without waiting for idle processes", async () => {
  const work = `console.log(await offload("calculate", { expression: "1 + 1" }, options));`;
  const { stdout } = await promisify(execFile)(process.execPath, user(work), { timeout: 15_000 });
  expect(stdout).toBe("2\n");
});

test.skipIf(process.platform === "win32")(
  "a platform that is killed leaves no work behind that runs for ever",
  async () => {
    const work = `await offload("javascript", { code: "for (;;);", timeoutMs: 60_000 }, { ...options, timeoutMs: 60_000 });`;
    const platform = spawn(process.execPath, user(work), { stdio: "ignore" });
    onTestFinished(() => void platform.kill("SIGKILL"));
    const busy = await eventually("its process for heavy work", () => childrenOf(platform.pid ?? 0)[0]);
    await eventually("the program to run", () => cpuSeconds(busy) >= 2);
    platform.kill("SIGKILL");
    await once(platform, "exit");
    await eventually("the end of its work", () => !isRunning(busy));
  },
);

function childrenOf(pid: number): number[] {
  try {
    return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
  } catch {
    // pgrep exits with 1 when there are none.
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^Z/.test(execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).trim());
  } catch {
    // ps exits with 1 when there is no such process.
    return false;
  }
}

function cpuSeconds(pid: number): number {
  const [minutes = 0, seconds = 0] = execFileSync("ps", ["-o", "time=", "-p", String(pid)], { encoding: "utf8" })
    .trim()
    .split(":")
    .slice(-2)
    .map(Number);
  return minutes * 60 + seconds;
}
