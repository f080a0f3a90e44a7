/** The process in which heavy work is done, one at a time; see offload.ts. It has no database, no network and no files but our code. */
import { Worker } from "node:worker_threads";
import { AppError } from "../../core/errors.ts";

export interface Works {
  page: {
    given: { bytes: Uint8Array; contentType: string; url: string; whole: boolean };
    result: { title: string; text: string };
  };
  pdf: { given: { bytes: Uint8Array }; result: { pages: number; title: string; text: string } };
  calculate: { given: { expression: string }; result: string };
  javascript: { given: { code: string; timeoutMs: number }; result: { printed: string; value: string } };
}

export type Order = {
  [K in keyof Works]: { id: number; kind: K; given: Works[K]["given"]; timeoutMs: number };
}[keyof Works];

export type Answer = { id: number } & (
  | { begun: true }
  | { result: unknown }
  /** A sentence about the input. */
  | { problem: string }
  /** What went wrong otherwise. */
  | { failure: string }
);

const WORK = {
  page: () => import("./offloaded/page.ts"),
  pdf: () => import("./offloaded/pdf.ts"),
  calculate: () => import("./offloaded/calculate.ts"),
  javascript: () => import("./offloaded/javascript.ts"),
} as const;

const watchdog = new Worker(new URL("./offloaded/watchdog.ts", import.meta.url), {
  resourceLimits: { maxOldGenerationSizeMb: 16 },
});
watchdog.unref();
const watch = (limitMs: number) => watchdog.postMessage({ limitMs, parent: process.ppid });

// Ctrl-C reaches us too: the platform ends us when it has ended what it does.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit());
process.on("message", (order: Order) => void answer(order));

async function answer(order: Order): Promise<void> {
  const tell = (answer: Answer) => process.send?.(answer);
  try {
    const work = (await WORK[order.kind]()) as unknown as { run(given: unknown): Promise<unknown> };
    watch(order.timeoutMs);
    tell({ id: order.id, begun: true });
    const result = await work.run(order.given);
    watch(0);
    tell({ id: order.id, result });
  } catch (error) {
    watch(0);
    const { id } = order;
    if (error instanceof AppError) tell({ id, problem: error.sentence });
    else tell({ id, failure: error instanceof Error ? `${error.stack}` : String(error) });
  }
}
