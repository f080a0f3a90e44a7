import postgres from "postgres";
import type { Log } from "./log.ts";

/** One connection that hears NOTIFY for the whole process. */
export interface Wake {
  /**
   * Calls `fn` with the payload of every NOTIFY on the channel, and with "" when listening begins and when it begins again
   * after a lost connection: "look yourself, something may have been missed". Returns what ends it.
   */
  on(channel: string, fn: (payload: string) => void): () => void;
  close(): Promise<void>;
}

/** Opens the hub. A database that is down is tried again every second at most, for as long as it takes. */
export function openWake(databaseUrl: string, log: Log): Wake {
  const listeners = new Map<string, Set<(payload: string) => void>>();
  let closed = false;
  const sql = postgres(databaseUrl, {
    max: 1,
    onnotice: () => undefined,
    connect_timeout: 5,
    backoff: (attempt) => Math.min(1, 0.05 * 2 ** attempt),
    connection: { application_name: "agentopia wake" },
  });

  function call(channel: string, payload: string): void {
    for (const fn of listeners.get(channel) ?? [])
      try {
        fn(payload);
      } catch (error) {
        log.error({ err: error, channel }, "a listener of NOTIFY failed");
      }
  }

  function listen(channel: string): void {
    sql
      .listen(
        channel,
        (payload) => call(channel, payload),
        () => call(channel, ""),
      )
      // The driver keeps the channel and listens again with its next connection: nothing more to do than to say so.
      .catch((error: unknown) => closed || log.warn({ err: error, channel }, "listening for NOTIFY was interrupted"));
  }

  return {
    on(channel, fn) {
      const known = listeners.get(channel);
      if (known) {
        known.add(fn);
        queueMicrotask(() => fn(""));
      } else {
        listeners.set(channel, new Set([fn]));
        listen(channel);
      }
      return () => void listeners.get(channel)?.delete(fn);
    },
    async close() {
      closed = true;
      await sql.end({ timeout: 1 });
    },
  };
}
