/** The one place that reads the time, so that tests can hold it still. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
}

/** The UTC day of a moment, as `2026-11-21`. */
export const utcDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export const systemClock: Clock = { now: () => Date.now() };
