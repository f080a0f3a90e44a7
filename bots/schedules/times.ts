/** When schedules are due. Pure; croner knows the zones and their summer times. */
import { Cron } from "croner";
import { AppError } from "../../core/errors.ts";
import type { ScheduleTime } from "../../migrations/types.ts";
import { momentText } from "./words.ts";

/** What is done more often than this is not asked of a model. */
export const LEAST_MINUTES = 5;
const LEAST_MS = LEAST_MINUTES * 60_000;
const MINUTE = 60_000;
const YEAR = 366 * 86_400_000;
const MOST_YEARS = 5;
/** How many times of a pattern are looked at, and how far, for two that lie too close. */
const LOOKED_AT = 60;

/** As people and models say it; one of the four. */
export interface TimeWish {
  /** ISO 8601 with `Z` or an offset. */
  at?: string | undefined;
  inMinutes?: number | undefined;
  everyMinutes?: number | undefined;
  /** Five fields, in `zone` (an IANA name; UTC when not given). */
  cron?: string | undefined;
  zone?: string | undefined;
}

/** Throws `invalid` with a sentence for what is no time, is over, or comes too often. */
export function readTime(wish: TimeWish, now: number): ScheduleTime {
  const { at, inMinutes, everyMinutes, cron, zone } = wish;
  if ([at, inMinutes, everyMinutes, cron].filter((one) => one !== undefined).length !== 1)
    throw bad("Say when in one way: at a time, in some minutes, every so many minutes, or by a cron pattern.");
  if (at !== undefined) return { kind: "once", at: readMoment(at, now) };
  if (inMinutes !== undefined) return { kind: "once", at: readMoment(iso(now + inMinutes * MINUTE), now) };
  if (everyMinutes !== undefined) return { kind: "every", minutes: readMinutes(everyMinutes) };
  return readCron(cron ?? "", zone ?? "UTC", now);
}

function readMoment(text: string, now: number): string {
  const known = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:?\d\d)$/i.test(text.trim());
  const at = known ? Date.parse(text.trim()) : Number.NaN;
  if (Number.isNaN(at))
    throw bad(`“${text.slice(0, 40)}” is no time. Write it as 2026-12-24T09:00:00+01:00, with its offset or Z.`);
  if (at <= now)
    throw bad(`${momentText(at)} is over: now it is ${momentText(now)}. Choose a time that is still to come.`);
  if (at > now + MOST_YEARS * YEAR)
    throw bad(`${momentText(at)} is more than ${MOST_YEARS} years away. Choose an earlier time.`);
  return iso(at);
}

function readMinutes(minutes: number): number {
  if (!Number.isSafeInteger(minutes) || minutes < LEAST_MINUTES)
    throw bad(`Every ${LEAST_MINUTES} minutes is the most often that an agent can be run.`);
  if (minutes * MINUTE > YEAR) throw bad("Once a year is the most seldom that an agent can be run.");
  return minutes;
}

function readCron(pattern: string, zone: string, now: number): ScheduleTime {
  const fields = pattern.trim().split(/\s+/);
  if (fields.length !== 5 || pattern.length > 200)
    throw bad("A cron pattern has five fields: minute, hour, day of the month, month, day of the week.");
  const time = { kind: "cron", pattern: fields.join(" "), zone: readZone(zone) } as const;
  let last = now;
  for (let n = 0; n < LOOKED_AT; n++) {
    const next = nextOfCron(time, last);
    if (next === null) {
      if (n === 0) throw bad(`“${time.pattern}” never comes.`);
      break;
    }
    if (n > 0 && next - last < LEAST_MS)
      throw bad(`“${time.pattern}” comes too often: every ${LEAST_MINUTES} minutes at most.`);
    if (next > now + YEAR) break;
    last = next;
  }
  return time;
}

function readZone(zone: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch (error) {
    throw bad(`“${zone.slice(0, 40)}” is no time zone. Use a name like Europe/Berlin or UTC.`, error);
  }
}

function nextOfCron({ pattern, zone }: { pattern: string; zone: string }, after: number): number | null {
  // "?" would stand for the moment at which the pattern is read.
  if (!/^[\dA-Za-z*,/#LW -]+$/.test(pattern)) throw bad(`“${pattern}” is no cron pattern.`);
  try {
    const cron = new Cron(pattern, { timezone: zone, mode: "5-part", paused: true });
    return cron.nextRun(new Date(after))?.getTime() ?? null;
  } catch (error) {
    throw bad(`“${pattern}” is no cron pattern.`, error);
  }
}

/** The first time after `after`, in milliseconds since 1970; null: there is none any more. `from`: when the schedule was made. Throws `invalid`. */
export function nextTime(time: ScheduleTime, { after, from }: { after: number; from: number }): number | null {
  switch (time.kind) {
    case "once": {
      const at = Date.parse(time.at);
      return at > after ? at : null;
    }
    case "every": {
      const step = time.minutes * MINUTE;
      return from + (Math.floor(Math.max(0, after - from) / step) + 1) * step;
    }
    case "cron":
      return nextOfCron(time, after);
  }
}

function iso(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8e15) throw bad("That time is too far away.");
  return new Date(ms).toISOString();
}

const bad = (sentence: string, cause?: unknown) => new AppError("invalid", sentence, cause ? { cause } : {});
