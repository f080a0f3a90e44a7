import type { Context } from "./context.ts";

/**
 * Does work at once and again every so many milliseconds, never twice at a time. A failure is logged with the sentence `failed`, and the next
 * turn tries again. Stopping waits for the turn under way, whose `enough` then says true.
 */
export function regularly(
  { log }: Pick<Context, "log">,
  everyMs: number,
  failed: string,
  work: (enough: () => boolean) => Promise<unknown>,
): { stop(): Promise<void> } {
  let stopped = false;
  const turn = async () => {
    try {
      await work(() => stopped);
    } catch (error) {
      log.warn({ err: error }, failed);
    }
  };
  let underWay = turn();
  const timer = setInterval(() => {
    underWay = underWay.then(turn);
  }, everyMs);
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await underWay;
    },
  };
}
