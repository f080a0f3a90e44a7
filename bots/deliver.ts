import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { finishRun } from "./finish.ts";
import { outletOf } from "./outlet.ts";
import { untilItWorks, type Work } from "./work.ts";

/**
 * Puts the final text where it was asked, from what was kept; doing it twice changes nothing. Waits for a homeserver that is away; ends the
 * run as failed when it refuses.
 */
export async function deliver(ctx: Context, work: Work): Promise<void> {
  if (work.currentRunId !== work.runId || work.stopReason === "superseded") {
    await untilItWorks(ctx, "end a run", () => finishRun(ctx, work, { state: "superseded", eventIds: [] }));
    return;
  }
  const state = work.step.state === "running" ? "failed" : work.step.state;
  try {
    const eventIds = await outletOf(work).send(ctx, work);
    await untilItWorks(ctx, "end a run", () =>
      finishRun(ctx, work, {
        state,
        eventIds,
        edits: (work.step.detail.edits ?? 0) + 1,
        firstTextAt: work.step.detail.firstTextAt ?? ctx.clock.now(),
      }),
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ctx.log.warn({ run: work.runId, err: error }, "the homeserver did not take the answer");
    const refused = { code: error.code, sentence: error.sentence };
    await untilItWorks(ctx, "end a run", () =>
      finishRun(ctx, work, { state: "failed", eventIds: work.eventIds, error: refused }),
    );
  }
}
