/** When schedules are due, as people read it. Pure. */
import type { ScheduleTime } from "../../migrations/types.ts";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const SHORT = DAYS.map((day) => day.slice(0, 3).toUpperCase());
/** The largest first. */
const UNITS: readonly [minutes: number, one: string][] = [
  [10_080, "week"],
  [1440, "day"],
  [60, "hour"],
  [1, "minute"],
];

/** "every 30 minutes", "every Monday at 09:00 (Europe/Berlin)"; a pattern that says nothing so simple stands as it is. */
export function timeText(time: ScheduleTime): string {
  switch (time.kind) {
    case "once":
      return `once, at ${minuteText(Date.parse(time.at))}`;
    case "every":
      return everyText(time.minutes);
    case "cron":
      return patternText(time.pattern, time.zone);
  }
}

/** "every day", "every 90 minutes". */
export function everyText(minutes: number): string {
  const [size, unit] = UNITS.find(([of]) => minutes % of === 0) ?? [1, "minute"];
  return minutes === size ? `every ${unit}` : `every ${minutes / size} ${unit}s`;
}

/** Takes whatever was typed, also what is no pattern. */
export function patternText(pattern: string, zone: string): string {
  const [minute = "", hour = "", day = "", month, weekday = "", more] = pattern.trim().split(/\s+/);
  const clock = clockText(hour, minute);
  const days = month === "*" && more === undefined ? daysText(day, weekday) : null;
  return clock && days ? `${days} at ${clock} (${zone})` : `by the pattern ${pattern} (${zone})`;
}

function clockText(hour: string, minute: string): string | null {
  const fits = /^\d{1,2}$/.test(hour) && /^\d{1,2}$/.test(minute) && Number(hour) < 24 && Number(minute) < 60;
  return fits ? `${hour.padStart(2, "0")}:${minute.padStart(2, "0")}` : null;
}

function daysText(day: string, weekday: string): string | null {
  if (weekday === "*" && day === "*") return "every day";
  if (weekday === "*") return /^([1-9]|[12]\d|3[01])$/.test(day) ? `on day ${day} of every month` : null;
  if (day !== "*") return null;
  if (/^(1-5|mon-fri)$/i.test(weekday)) return "every weekday";
  const named = weekday.split(",").map(dayName);
  const last = named.pop();
  if (!last || named.includes(null)) return null;
  return named.length === 0 ? `every ${last}` : `every ${named.join(", ")} and ${last}`;
}

/** Cron's days: 0 and 7 are Sunday, and each has a name of three letters. */
const dayName = (text: string): string | null =>
  (/^[0-7]$/.test(text) ? DAYS[Number(text) % 7] : DAYS[SHORT.indexOf(text.toUpperCase())]) ?? null;

/** "2026-12-24 08:00 UTC", for lists. */
export const minuteText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** The next time in the zone in which it was planned: "2026-12-24 09:00 (Europe/Berlin)". */
export function nextText(ms: number, time: ScheduleTime): string {
  if (time.kind !== "cron" || time.zone === "UTC") return minuteText(ms);
  const local = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "short", timeZone: time.zone });
  return `${local.format(ms)} (${time.zone})`;
}

/** "1 January 2020 at 09:00 UTC", for sentences. */
export const momentText = (ms: number): string => `${MOMENT.format(ms)} UTC`;

const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeStyle: "short", timeZone: "UTC" });
