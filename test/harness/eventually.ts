import { setTimeout as sleep } from "node:timers/promises";

/**
 * Looks again and again until it finds something; for what tells nobody when it changes (a page, a process, a row).
 * A throw of `look` ends it at once. Rejects after `timeoutMs`.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | null | Promise<T | undefined | false | null>,
  { timeoutMs = 20_000, everyMs = 50 } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms for ${what}.`);
    await sleep(everyMs);
  }
}
