/** When a homeserver is started again, and when its deaths are a crash loop. Pure. */
import { growingPause } from "../core/processes.ts";
import type { TenantRow } from "./access.ts";

export interface Health {
  /** When it died, within the last two minutes. */
  failures: number[];
  /** Since when it has answered. */
  since: number;
  /** Starts in a row that ended badly. */
  attempt: number;
  /** The next start is not before this. */
  notBefore: number;
  looping?: boolean;
}

export const noHealth = (): Health => ({ failures: [], since: 0, attempt: 0, notBefore: 0 });

/** Answering for this long makes the next pause short again. */
export const HEALTHY_MS = 60_000;
const LOOP_MS = 120_000;
const LOOP_DEATHS = 5;

export type Decision = "remove" | "stop" | "restart" | "died" | "start" | "check" | "wait";

/** What is to be done now, in this order. */
export function decide(now: {
  row: Pick<TenantRow, "desired" | "state" | "config">;
  running: boolean;
  dead: boolean;
  /** A restart was asked for and not done yet. */
  restart: boolean;
  now: number;
  health: Health;
}): Decision {
  const { row, running, dead, restart, health } = now;
  if (row.config.removal) return now.now >= health.notBefore ? "remove" : "wait";
  if (row.desired === "stopped") return running || row.state !== "stopped" ? "stop" : "wait";
  // Also while a crash loop pauses: who asks has changed something.
  if (restart) return "restart";
  if (dead) return "died";
  if (running) return "check";
  return now.now >= health.notBefore ? "start" : "wait";
}

/** After a death or a start that failed. `counts`: towards a crash loop, not only for a longer pause. */
export function noteFailure(health: Health, now: number, counts: boolean): Health {
  const healthy = health.since > 0 && now - health.since > HEALTHY_MS;
  const attempt = (healthy ? 0 : health.attempt) + 1;
  const failures = [...health.failures.filter((at) => now - at < LOOP_MS), ...(counts ? [now] : [])];
  const next = { failures, since: 0, attempt, looping: failures.length >= LOOP_DEATHS };
  return { ...next, notBefore: now + pauseAfter(next) };
}

/** 0.2, 1, 2, 4 … 60 s; the longest while it is a crash loop. */
export function pauseAfter({ attempt, looping }: Pick<Health, "attempt" | "looping">): number {
  if (looping) return 60_000;
  return attempt <= 1 ? 200 : growingPause(attempt - 2, { firstMs: 1000, maxMs: 60_000 });
}
