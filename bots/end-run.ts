/** What belongs to the end of a run beside its own row: nobody waits for it any more, and nothing that it had begun or asked stays open. */
import type { Context } from "../core/context.ts";
import { sentenceOf } from "../core/errors.ts";
import { closeApprovals } from "./approvals/write.ts";
import { finishRun } from "./finish.ts";
import { outletOf } from "./outlet.ts";
import { stopOrphans } from "./run-ends.ts";
import { untilItWorks, type Work } from "./work.ts";

/**
 * Tells who waits for a run that has ended, withdraws what it asked people and stops what it had begun. Twice is harmless; what a crash cuts off here the sweep does.
 */
export async function settleEnd(ctx: Context, work: Work): Promise<void> {
  await untilItWorks(ctx, "tell of a run's end", () => outletOf(work).ended(ctx, work));
  // Without tools there is nothing else.
  if (work.bounds !== null) await untilItWorks(ctx, "close what a run left", () => closeWaiting(ctx, work.runId));
}

async function closeWaiting(ctx: Context, runId: string): Promise<void> {
  const waits = await ctx.sql`select 1 from tool_calls where run_id = ${runId} and state = 'waiting' limit 1`;
  if (waits.length === 0) return;
  await stopOrphans(ctx, runId);
  await closeApprovals(ctx, { expire: false, runId });
}

/** A fault of ours must end the run with a sentence rather than leave it open for ever. */
export async function endBroken(ctx: Context, work: Work, error: unknown): Promise<"ended"> {
  ctx.log.error({ run: work.runId, err: error }, "a run ended by a fault");
  const broken = { code: "internal" as const, sentence: sentenceOf(error) };
  await untilItWorks(ctx, "end a broken run", () =>
    finishRun(ctx, work, { state: "failed", eventIds: work.eventIds, error: broken }),
  );
  await settleEnd(ctx, work);
  return "ended";
}
