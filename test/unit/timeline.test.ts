import { expect, test } from "vitest";
import type { ClientState } from "../../admin/api/clients-views.ts";
import { shareRunning, stretchesOf } from "../../admin/web/pages/clients/timeline.ts";

const NOW = Date.UTC(2026, 0, 2);
const HOUR = 3_600_000;
const change = (hoursAgo: number, state: ClientState) => ({ at: new Date(NOW - hoursAgo * HOUR).toISOString(), state });
const hours = (changes: ReturnType<typeof change>[]) =>
  stretchesOf(changes, 24 * HOUR, NOW).map(({ state, from, until }) => [state, (until - from) / HOUR]);

test.each([
  ["nothing is known", [], [[null, 24]], null],
  ["it runs since before the time shown", [change(100, "running")], [["running", 24]], 1],
  [
    "it came up within it",
    [change(6, "running"), change(8, "starting")],
    [
      [null, 16],
      ["starting", 2],
      ["running", 6],
    ],
    0.75,
  ],
  [
    "it failed for a while",
    [change(3, "running"), change(9, "failed"), change(48, "running"), change(72, "stopped")],
    [
      ["running", 15],
      ["failed", 6],
      ["running", 3],
    ],
    0.75,
  ],
  [
    "the platform's clock is ahead of the browser's",
    [change(-1, "running"), change(30, "stopped")],
    [["stopped", 24]],
    0,
  ],
] as const)("a homeserver's past as a bar: %s", (_name, changes, stretches, share) => {
  expect(hours([...changes])).toEqual(stretches);
  expect(shareRunning(stretchesOf(changes, 24 * HOUR, NOW))).toBe(share);
});
