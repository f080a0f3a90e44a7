import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Context } from "../../core/context.ts";
import { regularly } from "../../core/regularly.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const logged: string[] = [];
const ctx = { log: { warn: (_: object, sentence: string) => logged.push(sentence) } } as never as Context;

test("work begins at once and is done again in time; one turn that fails does not end the next ones", async () => {
  let turns = 0;
  const { stop } = regularly(ctx, 1000, "it did not work", async () => {
    if (++turns === 1) throw new Error("away");
  });
  expect(turns).toBe(1);
  await vi.advanceTimersByTimeAsync(2000);
  expect(turns).toBe(3);
  expect(logged).toEqual(["it did not work"]);
  await stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect(turns).toBe(3);
});

test("a turn that takes longer than the pause is not joined by another, and stopping waits for it", async () => {
  const events: string[] = [];
  const work = Promise.withResolvers<void>();
  const { stop } = regularly(ctx, 1000, "it did not work", async (enough) => {
    events.push("begun");
    await work.promise;
    events.push(enough() ? "ended, since it is enough" : "ended");
  });
  await vi.advanceTimersByTimeAsync(500);
  const stopping = stop().then(() => events.push("stopped"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(events).toEqual(["begun"]);
  work.resolve();
  await stopping;
  expect(events).toEqual(["begun", "ended, since it is enough", "stopped"]);
});

test("turns that come due while one is under way are done after it, one by one", async () => {
  let atOnce = 0;
  let most = 0;
  let turns = 0;
  const { stop } = regularly(ctx, 1000, "it did not work", async () => {
    turns++;
    most = Math.max(most, ++atOnce);
    await new Promise((done) => setTimeout(done, 1500));
    atOnce--;
  });
  await vi.advanceTimersByTimeAsync(9000);
  expect(most).toBe(1);
  expect(turns).toBeGreaterThan(4);
  const stopping = stop();
  await vi.advanceTimersByTimeAsync(30_000);
  await stopping;
});
