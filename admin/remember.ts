import type { Context } from "../core/context.ts";

interface Kept {
  until: number;
  answer: Promise<unknown>;
}

const kept = new WeakMap<Context, Map<string, Kept>>();
const MOST = 1000;

/** Asks at most once in `ms`, however many want to know: for figures of pages that many keep open. A failure is not kept. */
export function remembered<T>(ctx: Context, key: string, ms: number, ask: () => Promise<T>): Promise<T> {
  const all = kept.get(ctx) ?? new Map<string, Kept>();
  kept.set(ctx, all);
  const known = all.get(key);
  if (known && known.until > ctx.clock.now()) return known.answer as Promise<T>;
  const answer = ask();
  if (all.size >= MOST) all.clear();
  all.set(key, { until: ctx.clock.now() + ms, answer });
  answer.catch(() => all.get(key)?.answer === answer && all.delete(key));
  return answer;
}
