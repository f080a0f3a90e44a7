/**
 * Heavy work on what strangers wrote (pages, PDFs, sums, programs), in processes of their own: no input stops or ends the platform. Processes, because a
 * worker thread that runs out of memory may take the whole process with it (decision 14).
 */
import type { ChildProcess } from "node:child_process";
import { AppError } from "../../core/errors.ts";
import { hold, startProcess } from "./offload-process.ts";
import type { Answer, Order, Works } from "./offloaded.ts";

export interface OffloadOptions {
  signal: AbortSignal;
  /** For whom: one client's work does not keep others' waiting while a process is free. */
  tenantId: string;
  /** For the work itself, without waiting and loading. */
  timeoutMs?: number;
}

type Kind = keyof Works;

/** What it is called, how long it may take, and how much is taken at once. */
const KINDS: Record<Kind, { what: string; timeoutMs: number }> = {
  page: { what: "This page", timeoutMs: 10_000 },
  pdf: { what: "This PDF", timeoutMs: 15_000 },
  calculate: { what: "This calculation", timeoutMs: 5_000 },
  javascript: { what: "This program", timeoutMs: 5_000 },
};

const PROCESSES = 2;
const MOST_WAITING = 50;
/** Libraries are loaded at the first work of a kind, on a machine that may be busy. */
const LOAD_MS = 60_000;
const IDLE_MS = 5 * 60_000;
/** After so much work a process is replaced: memory of WebAssembly never shrinks. */
const WORKS_EACH = 200;

interface Job {
  order: Order;
  tenantId: string;
  signal: AbortSignal;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Worker {
  child: ChildProcess;
  job: Job | null;
  timer: NodeJS.Timeout | undefined;
  done: number;
  /** Its last words on stderr. */
  said: string;
}

const workers = new Set<Worker>();
const waiting: Job[] = [];
let orders = 0;

/**
 * Does the work and gives its result. Throws AppError with a sentence when the input is no good, takes too long or needs too much memory; the signal's
 * reason when aborted.
 */
export function offload<K extends Kind>(
  kind: K,
  given: Works[K]["given"],
  { signal, tenantId, timeoutMs = KINDS[kind].timeoutMs }: OffloadOptions,
): Promise<Works[K]["result"]> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const order = { id: ++orders, kind, given, timeoutMs } as Order;
  const job: Job = { order, tenantId, signal, resolve, reject };
  const aborted = () => abort(job);
  signal.addEventListener("abort", aborted, { once: true });
  if (signal.aborted) reject(signal.reason);
  else if (waiting.length >= MOST_WAITING)
    reject(new AppError("too_many", "Too much of this is going on at once. Try it again in a minute."));
  else waiting.push(job);
  pump();
  return promise.finally(() => signal.removeEventListener("abort", aborted)) as Promise<Works[K]["result"]>;
}

function abort(job: Job): void {
  const at = waiting.indexOf(job);
  if (at >= 0) {
    waiting.splice(at, 1);
    job.reject(job.signal.reason);
  }
  for (const worker of workers) if (worker.job === job) end(worker, job.signal.reason);
}

/** Gives what waits to who is free: first those clients' for whom nothing is being done. */
function pump(): void {
  while (waiting.length > 0) {
    const all = [...workers];
    const worker = all.find(({ job }) => !job) ?? (all.length < PROCESSES ? start() : undefined);
    if (!worker) return;
    const busy = new Set(all.map(({ job }) => job?.tenantId));
    const [job] = waiting.splice(
      Math.max(
        0,
        waiting.findIndex(({ tenantId }) => !busy.has(tenantId)),
      ),
      1,
    );
    if (job) begin(worker, job);
  }
}

function start(): Worker {
  const child = startProcess();
  const worker: Worker = { child, job: null, timer: undefined, done: 0, said: "" };
  workers.add(worker);
  child.stderr?.on("data", (chunk) => {
    worker.said = (worker.said + chunk).slice(-2000);
  });
  child.on("message", (answer) => hear(worker, answer as Answer));
  child.on("error", (cause) => end(worker, new Error("no process for heavy work could be started", { cause })));
  child.on("exit", (code, signal) => end(worker, whyItEnded(worker, code, signal)));
  return worker;
}

function begin(worker: Worker, job: Job): void {
  worker.job = job;
  hold(worker.child, "ref");
  clearTimeout(worker.timer);
  worker.timer = setTimeout(() => end(worker, tooLong(job)), LOAD_MS);
  worker.child.send(job.order, (error) => error && end(worker, error));
}

function hear(worker: Worker, answer: Answer): void {
  const { job } = worker;
  if (!job || job.order.id !== answer.id) return;
  clearTimeout(worker.timer);
  if ("begun" in answer) {
    worker.timer = setTimeout(() => end(worker, tooLong(job)), job.order.timeoutMs);
    return;
  }
  worker.job = null;
  worker.done++;
  if ("result" in answer) job.resolve(answer.result);
  else if ("problem" in answer) job.reject(new AppError("invalid", answer.problem));
  else job.reject(new Error(answer.failure));
  if (worker.done >= WORKS_EACH) end(worker);
  else rest(worker);
  pump();
}

/** Keeps nobody from ending, and ends itself when nothing comes for a while. */
function rest(worker: Worker): void {
  hold(worker.child, "unref");
  worker.timer = setTimeout(() => end(worker), IDLE_MS).unref();
}

/** Also what is heard of one that has ended already. */
function end(worker: Worker, error?: unknown): void {
  if (!workers.delete(worker)) return;
  clearTimeout(worker.timer);
  hold(worker.child, "unref");
  worker.child.kill("SIGKILL");
  worker.job?.reject(error);
  pump();
}

function tooLong({ order }: Job): AppError {
  const seconds = Math.max(1, Math.round(order.timeoutMs / 1000));
  return new AppError("invalid", `${KINDS[order.kind].what} took longer than ${seconds} s and was stopped.`);
}

/** SIGABRT: its heap was full. SIGKILL, when it is not ours: its watchdog or the system found that it takes too much. */
function whyItEnded(worker: Worker, code: number | null, signal: NodeJS.Signals | null): Error {
  const kind = worker.job?.order.kind;
  if (kind && (signal === "SIGABRT" || signal === "SIGKILL" || code === 134))
    return new AppError("invalid", `${KINDS[kind].what} needed more memory than it may have and was stopped.`);
  return new Error(`the process for heavy work ended (${signal ?? code}): ${worker.said.trim()}`);
}
