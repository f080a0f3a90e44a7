import { describe, expect, test } from "vitest";
import { nextTime, readTime, type TimeWish } from "../../bots/schedules/times.ts";
import { nextText, timeText } from "../../bots/schedules/words.ts";

const NOW = Date.UTC(2026, 2, 27, 12, 0, 30);
const at = (iso: string) => Date.parse(iso);

function times(wish: TimeWish, count: number, from = NOW): string[] {
  const time = readTime(wish, from);
  const found: string[] = [];
  for (let after: number | null = from; found.length < count; found.push(new Date(after).toISOString())) {
    after = nextTime(time, { after, from });
    if (after === null) break;
  }
  return found;
}

describe("when a schedule is due", () => {
  test.each<[string, TimeWish, string[]]>([
    ["once, at a time with its offset", { at: "2026-03-28T09:00:00+01:00" }, ["2026-03-28T08:00:00.000Z"]],
    ["once, in some minutes", { inMinutes: 90 }, ["2026-03-27T13:30:30.000Z"]],
    [
      "every so many minutes, from when it was made",
      { everyMinutes: 45 },
      ["2026-03-27T12:45:30.000Z", "2026-03-27T13:30:30.000Z"],
    ],
    ["on workdays at nine", { cron: "0 9 * * 1-5" }, ["2026-03-30T09:00:00.000Z", "2026-03-31T09:00:00.000Z"]],
    [
      "at nine of a zone, also when its clocks are put forward",
      { cron: "0 9 * * *", zone: "Europe/Berlin" },
      ["2026-03-28T08:00:00.000Z", "2026-03-29T07:00:00.000Z", "2026-03-30T07:00:00.000Z"],
    ],
    [
      "at an hour that does not exist on one night: after it",
      { cron: "30 2 * * *", zone: "Europe/Berlin" },
      ["2026-03-28T01:30:00.000Z", "2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"],
    ],
  ])("%s", (_, wish, wanted) => {
    expect(times(wish, wanted.length)).toEqual(wanted);
  });

  test("at an hour that comes twice on one night: once", () => {
    const from = at("2026-10-24T12:00:00Z");
    expect(times({ cron: "30 2 * * *", zone: "Europe/Berlin" }, 2, from)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ]);
  });

  test("what went by is not made up for: the next time is after now", () => {
    expect(nextTime({ kind: "every", minutes: 10 }, { after: NOW + 3_600_000 + 1, from: NOW })).toBe(NOW + 70 * 60_000);
    expect(
      nextTime({ kind: "once", at: "2026-03-28T08:00:00Z" }, { after: at("2026-03-28T08:00:00Z"), from: NOW }),
    ).toBeNull();
  });
});

describe("no time for a schedule is", () => {
  test.each<[string, TimeWish, RegExp]>([
    ["none", {}, /in one way/],
    ["two", { inMinutes: 5, everyMinutes: 5 }, /in one way/],
    ["one without an offset", { at: "2026-03-28T09:00:00" }, /with its offset/],
    ["one that is over", { at: "2026-03-27T12:00:00Z" }, /is over/],
    ["one in a far century", { at: "2126-03-27T12:00:00Z" }, /years away/],
    ["no number at all", { inMinutes: 1e300 }, /too far/],
    ["every minute", { everyMinutes: 1 }, /most often/],
    ["every minute by a pattern", { cron: "* * * * *" }, /too often/],
    ["two minutes in a row by a pattern", { cron: "0,1 9 * * *" }, /too often/],
    ["the 31st of February", { cron: "0 0 31 2 *" }, /never comes/],
    ["with seconds", { cron: "0 0 9 * * *" }, /five fields/],
    ["a nickname", { cron: "@hourly" }, /five fields/],
    ["words", { cron: "at nine every single day" }, /no cron pattern/],
    ["in a zone that there is not", { cron: "0 9 * * *", zone: "Mars/Olympus" }, /no time zone/],
  ])("%s", (_, wish, sentence) => {
    expect(() => readTime(wish, NOW)).toThrow(sentence);
  });
});

describe("a time in words", () => {
  test.each<[string, string]>([
    ["0 9 * * *", "every day at 09:00 (Europe/Berlin)"],
    ["05 17 * * 1-5", "every weekday at 17:05 (Europe/Berlin)"],
    ["0 9 * * MON-FRI", "every weekday at 09:00 (Europe/Berlin)"],
    ["0 9 * * 1", "every Monday at 09:00 (Europe/Berlin)"],
    ["0 9 * * 7", "every Sunday at 09:00 (Europe/Berlin)"],
    ["0 9 * * tue,4,6", "every Tuesday, Thursday and Saturday at 09:00 (Europe/Berlin)"],
    ["0 9 1 * *", "on day 1 of every month at 09:00 (Europe/Berlin)"],
    ["0 9 1 * 1", "by the pattern 0 9 1 * 1 (Europe/Berlin)"],
    ["0 9 * 6 *", "by the pattern 0 9 * 6 * (Europe/Berlin)"],
    ["0 9,17 * * *", "by the pattern 0 9,17 * * * (Europe/Berlin)"],
    ["*/10 9 * * *", "by the pattern */10 9 * * * (Europe/Berlin)"],
    ["0 9 * * 1#2", "by the pattern 0 9 * * 1#2 (Europe/Berlin)"],
    ["0 9 * * 1,FRIDAY", "by the pattern 0 9 * * 1,FRIDAY (Europe/Berlin)"],
  ])("the pattern %s", (pattern, words) => {
    expect(timeText({ kind: "cron", pattern, zone: "Europe/Berlin" })).toBe(words);
  });

  test.each<[number, string]>([
    [45, "every 45 minutes"],
    [60, "every hour"],
    [90, "every 90 minutes"],
    [1440, "every day"],
    [2880, "every 2 days"],
    [10_080, "every week"],
  ])("every %i minutes", (minutes, words) => {
    expect(timeText({ kind: "every", minutes })).toBe(words);
  });

  test("once, and when it is due next: in the zone in which it was planned", () => {
    expect(timeText({ kind: "once", at: "2026-03-28T08:00:00Z" })).toBe("once, at 2026-03-28 08:00 UTC");
    const nine = { kind: "cron", pattern: "0 9 * * *", zone: "Europe/Berlin" } as const;
    expect(nextText(at("2026-03-28T08:00:00Z"), nine)).toBe("2026-03-28 09:00 (Europe/Berlin)");
    expect(nextText(at("2026-03-28T08:00:00Z"), { kind: "every", minutes: 60 })).toBe("2026-03-28 08:00 UTC");
  });

  test("one that is over is said as people read dates, with what to do", () => {
    expect(() => readTime({ at: "2020-01-01T09:00:00Z" }, NOW)).toThrow(
      "1 January 2020 at 09:00 UTC is over: now it is 27 March 2026 at 12:00 UTC. Choose a time that is still to come.",
    );
  });
});
