import { expect, test } from "vitest";
import { clientKey, rateLimit } from "../../admin/rate-limit.ts";
import { testClock } from "../harness/postgres.ts";

test("so many at once, then one each so often, for each key by itself", () => {
  const clock = testClock(0);
  const limit = rateLimit({ burst: 3, refillMs: 1000, now: clock.now });
  for (let n = 0; n < 3; n++) {
    expect(limit.wait("a")).toBe(0);
    limit.count("a");
  }
  expect(limit.wait("a")).toBe(1);
  expect(limit.wait("b")).toBe(0);
  clock.move(1000);
  expect(limit.wait("a")).toBe(0);
  limit.count("a");
  expect(limit.wait("a")).toBe(1);
  clock.move(60_000);
  for (let n = 0; n < 3; n++) limit.count("a");
  expect(limit.wait("a")).toBe(1);
});

test("it forgets the key that was longest unused, never grows beyond its bound", () => {
  const clock = testClock(0);
  const limit = rateLimit({ burst: 1, refillMs: 1000, maxKeys: 2, now: clock.now });
  limit.count("a");
  limit.count("b");
  limit.count("a");
  limit.count("c");
  expect([limit.wait("a"), limit.wait("b"), limit.wait("c")]).toEqual([1, 0, 1]);
});

test.each([
  ["192.0.2.7", undefined, "192.0.2.7"],
  ["192.0.2.7", "198.51.100.1", "192.0.2.7"],
  ["127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"],
  ["127.0.0.1", undefined, "127.0.0.1"],
  ["::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["::ffff:192.0.2.7", undefined, "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", undefined, "2001:db8:1:2"],
  [undefined, "198.51.100.1", "unknown"],
])("the client of %s (forwarded for %s) is %s", (peer, forwarded, key) => {
  expect(clientKey(peer, forwarded)).toBe(key);
});
