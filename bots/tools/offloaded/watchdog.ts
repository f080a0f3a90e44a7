/**
 * A thread beside the work, which may be busy for ever: ends the process when it takes too much memory outside of the heap (that has a limit of its own), or
 * when the platform was killed and nobody else ends it.
 */
import { parentPort } from "node:worker_threads";

const EVERY_MS = 25;
const MOST_BYTES = 512 * 1024 * 1024;
/** The platform's own limit comes first. */
const GRACE_MS = 2_000;

let timer: NodeJS.Timeout | undefined;

/** `limitMs` 0: it is done. */
parentPort?.on("message", ({ limitMs, parent }: { limitMs: number; parent: number }) => {
  clearInterval(timer);
  if (limitMs === 0) return;
  const until = performance.now() + limitMs + GRACE_MS;
  timer = setInterval(() => {
    const over = performance.now() > until || process.memoryUsage.rss() > MOST_BYTES || process.ppid !== parent;
    if (over) process.kill(process.pid, "SIGKILL");
  }, EVERY_MS);
});
