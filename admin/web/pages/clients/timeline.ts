import type { ClientState, HealthView } from "../../../api/clients-views.ts";

/** A stretch of time in one state; null where nothing is known. */
export interface Stretch {
  state: ClientState | null;
  from: number;
  until: number;
}

/** From the changes (newest first) to stretches of the last `spanMs`, oldest first. */
export function stretchesOf(
  changes: readonly Pick<HealthView, "at" | "state">[],
  spanMs: number,
  now: number,
): Stretch[] {
  const begin = now - spanMs;
  const stretches: Stretch[] = [];
  let until = now;
  for (const { at, state } of changes) {
    const from = Math.max(begin, Math.min(Date.parse(at), until));
    if (until > from) stretches.unshift({ state, from, until });
    until = from;
    if (until <= begin) break;
  }
  if (until > begin) stretches.unshift({ state: null, from: begin, until });
  return stretches;
}

/** How much of the known time it ran, from 0 to 1; null when nothing is known. */
export function shareRunning(stretches: readonly Stretch[]): number | null {
  const lengthOf = (which: readonly Stretch[]) => which.reduce((sum, { from, until }) => sum + until - from, 0);
  const known = lengthOf(stretches.filter(({ state }) => state !== null));
  return known === 0 ? null : lengthOf(stretches.filter(({ state }) => state === "running")) / known;
}
