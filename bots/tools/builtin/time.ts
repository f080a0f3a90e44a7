/// <reference lib="esnext.temporal" />
/** What time it is, was and will be, in any time zone. */
import { AppError } from "../../../core/errors.ts";
import { oneLine } from "../one-line.ts";
import type { Args, Tool } from "../tool.ts";

const moment = (description: string) => ({ type: "string", maxLength: 80, description });

export const time: Tool = {
  name: "time",
  group: "time",
  title: "Tell the time",
  summary: "Tells the date and time anywhere, and counts days and hours.",
  description:
    "Tells the time now or another moment in a time zone, converts it into another zone, adds a duration to it, and tells how long it is until a second " +
    "moment. With no arguments: now in UTC.",
  input: {
    type: "object",
    properties: {
      zone: moment("Time zone by its IANA name, as Europe/Berlin; UTC when left out."),
      at: moment(
        "A moment as 2026-03-01T15:00 (in that zone) or with an offset, 2026-03-01T15:00Z; now when left out.",
      ),
      add: moment("A duration to add, in ISO 8601: P3D is three days, -PT90M is minus 90 minutes."),
      in_zone: moment("Convert it into this zone."),
      until: moment("A second moment, written as the first: how long is it until then?"),
    },
    additionalProperties: false,
  },
  labels: { zone: "Time zone", at: "Moment", in_zone: "Convert into zone" },
  risk: "low",
  reads: "nothing",
  sends: "nothing",
  repeatable: true,
  sentence: ({ zone }) => `look up the time${zone === undefined ? "" : ` in ${oneLine(zone, 80)}`}`,
  run: async ({ ctx, args }) => ({ text: tell(args, ctx.clock.now()), untrusted: null }),
};

function tell({ zone, at, add, in_zone, until }: Args, now: number): string {
  const place = zoneOf(zone ?? "UTC");
  const first =
    at === undefined ? Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(place) : read(at, place);
  const moment = add === undefined ? first : plus(first, add);
  const lines = [describe(moment)];
  if (in_zone !== undefined) lines.push(`This is ${describe(moment.withTimeZone(zoneOf(in_zone)))}`);
  if (until !== undefined) {
    const then = read(until, place);
    lines.push(`Until ${describe(then)}: ${lengthOf(moment, then)}`);
  }
  return lines.join("\n");
}

function zoneOf(name: unknown): string {
  const text = String(name).trim();
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch (cause) {
    const sentence = `There is no time zone “${oneLine(text, 60)}”. Write its IANA name, as Europe/Berlin or America/New_York.`;
    throw new AppError("invalid", sentence, { cause });
  }
}

/** With an offset it is that moment; without one it is what clocks show in the zone. */
function read(value: unknown, zone: string): Temporal.ZonedDateTime {
  const text = String(value).trim();
  try {
    if (text.endsWith("]")) return Temporal.ZonedDateTime.from(text).withTimeZone(zone);
    if (/\dT?.*(Z|[+-]\d\d:?\d\d)$/i.test(text) && /T|\d \d/i.test(text))
      return Temporal.Instant.from(text).toZonedDateTimeISO(zone);
    return Temporal.PlainDateTime.from(text).toZonedDateTime(zone);
  } catch (cause) {
    const sentence = `“${oneLine(text, 60)}” is no moment. Write it as 2026-03-01T15:00 or 2026-03-01T15:00Z.`;
    throw new AppError("invalid", sentence, { cause });
  }
}

function plus(moment: Temporal.ZonedDateTime, add: unknown): Temporal.ZonedDateTime {
  try {
    return moment.add(Temporal.Duration.from(String(add).trim()));
  } catch (cause) {
    const sentence = `“${oneLine(add, 60)}” cannot be added. Write a duration as P3D (days), P2W, P1M (a month), PT90M (minutes).`;
    throw new AppError("invalid", sentence, { cause });
  }
}

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function describe(moment: Temporal.ZonedDateTime): string {
  const clock = `${moment.toPlainDate()} ${moment.toPlainTime().toString({ smallestUnit: "second" })}`;
  const instant = moment.toInstant().toString({ smallestUnit: "second" });
  return `${DAYS[moment.dayOfWeek - 1]} ${clock} in ${moment.timeZoneId} (UTC${moment.offset}, week ${moment.weekOfYear}), that is ${instant}`;
}

const UNITS = ["year", "month", "day", "hour", "minute", "second"] as const;

function lengthOf(from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): string {
  const length = from.until(to, { largestUnit: "year", smallestUnit: "second" });
  const parts = UNITS.map((unit) => [Math.abs(length[`${unit}s`]), unit] as const).filter(([count]) => count > 0);
  const words = parts.map(([count, unit]) => `${count} ${unit}${count === 1 ? "" : "s"}`).join(" ") || "no time at all";
  const hours = Math.round(Math.abs(from.until(to, { largestUnit: "hour" }).total("hour")) * 100) / 100;
  return `${words}${length.sign < 0 ? " ago" : ""} (${hours} hours, ${Math.abs(dayCount(from, to))} calendar days)`;
}

const dayCount = (from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime): number =>
  from.toPlainDate().until(to.toPlainDate(), { largestUnit: "day" }).days;
