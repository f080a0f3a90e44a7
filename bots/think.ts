import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../core/context.ts";
import { isUncertain } from "./answer.ts";
import { ask } from "./ask.ts";
import { finishRun, saveEvents, saveThought, type Thought } from "./finish.ts";
import { closeLostCalls } from "./ledger.ts";
import { outletOf, type Reached, type Showing } from "./outlet.ts";
import { StopSignal } from "./signals.ts";
import { loadTurns } from "./tools/calls.ts";
import { textOf } from "./tools/loop.ts";
import { park, workflowOf } from "./waiting.ts";
import { loadWork, type Surroundings, untilItWorks, type Work } from "./work.ts";

/**
 * `ended`: nothing is left to do; `deliver`: what the model said is kept and has to be sent; `waiting`: it is parked until somebody decides, and goes on in a
 * workflow of its own then.
 */
export type AfterThinking = "ended" | "deliver" | "waiting";

/**
 * Asks the model and shows its answer as it grows. What it said is kept before this returns, so that a replay does not ask again.
 * An answer that is complete before anything was shown and fits in one message goes out from here, as one event: its fixed
 * transaction id makes that safe (docs/decisions/0002).
 */
export async function think(
  ctx: Context,
  work: Work,
  seen: Promise<Surroundings>,
  signal: AbortSignal,
): Promise<AfterThinking> {
  if (work.step.state !== "running") return "deliver";
  if (work.stopReason || work.agentState === "removed") return await endUnasked(ctx, work);
  if ((work.step.detail.attempts ?? 1) > 1)
    await untilItWorks(ctx, "close lost calls", () => closeLostCalls(ctx, work.runId));
  if (work.runsOfAnswer > 1) work.eventIds = await olderRunsEnded(ctx, work);

  const outlet = outletOf(work);
  const shown = outlet.show(ctx, work);
  const surroundings = await seen;
  const thought = await ask(ctx, { work, seen: surroundings, shown, signal });
  await shown.close();
  if (thought === "wait") return await waitOrGoOn(ctx, work, seen, { shown, signal });
  if (shown.uncertain) thought.detail = { ...thought.detail, uncertain: true };
  const stop = signal.reason instanceof StopSignal ? signal.reason.reason : null;
  if (stop === "shutdown") return hang();
  if (thought.error?.code === "token_cap" || thought.error?.code === "agent_token_cap")
    return endAtCap(ctx, work, thought, thought.error);
  if (
    thought.state === "stopped" &&
    !thought.text &&
    shown.eventIds.length === 0 &&
    !isUncertain(work) &&
    !shown.uncertain
  )
    return endUnsaid(ctx, work, thought);

  const eventId = await outlet.sendWhole(ctx, work, { thought, shown, seen: surroundings });
  await thought.recorded;
  const keep = eventId
    ? () =>
        finishRun(ctx, work, {
          state: "done",
          thought,
          eventIds: [eventId],
          firstTextAt: shown.firstTextAt ?? ctx.clock.now(),
        })
    : () => saveThought(ctx, work, thought, shown.eventIds);
  await untilItWorks(ctx, "keep the answer", keep);
  return eventId ? "ended" : "deliver";
}

/** What is in the room already is kept, then the run is parked; where somebody decided meanwhile it goes on at once. */
async function waitOrGoOn(
  ctx: Context,
  work: Work,
  seen: Promise<Surroundings>,
  { shown, signal }: { shown: Showing; signal: AbortSignal },
): Promise<AfterThinking> {
  const unsure = shown.uncertain || (isUncertain(work) && work.runsOfAnswer === 1);
  const parked = await untilItWorks(ctx, "park a run", async () => {
    await saveEvents(ctx.sql, work, shown.eventIds);
    const detail = {
      ...(unsure ? { uncertain: true } : {}),
      ...(shown.firstTextAt ? { firstTextAt: shown.firstTextAt } : {}),
    };
    await ctx.sql`update steps set detail = detail || ${JSON.stringify(detail)}::text::jsonb where run_id = ${work.runId} and position = 0`;
    return await park(ctx, work);
  });
  if (parked) return "waiting";
  const workflowId = workflowOf(work);
  const again = await untilItWorks(ctx, "read the run again", () =>
    loadWork(ctx, work.runId, { attempt: false, workflowId }),
  );
  return again ? await think(ctx, again, seen, signal) : "ended";
}

/**
 * A run that was stopped before this turn of it began. What it has in the room is finished there, be it only a line that says what it was doing; what was shown
 * elsewhere is cut down to its words.
 */
export async function endUnasked(ctx: Context, work: Work): Promise<AfterThinking> {
  const text = await untilItWorks(ctx, "read what was said", async () => textOf(await loadTurns(ctx, work.runId)));
  const thought: Thought = { state: "stopped", text, detail: {} };
  const waited = work.turn > 0;
  const toSay = hasListener(work) && work.eventIds.length > 0 && (waited || text !== "");
  if (!toSay) return await endUnsaid(ctx, work, waited ? thought : undefined);
  await untilItWorks(ctx, "keep what was said", () => saveThought(ctx, work, thought, work.eventIds));
  return "deliver";
}

/** A newer run writes the same message, and nobody writes for an agent that is gone. */
const hasListener = ({ stopReason, agentState }: Work): boolean =>
  ["command", "reaction", "operator", "redacted"].includes(stopReason ?? "") && agentState !== "removed";

/** A run that says nothing: stopped before its first text, superseded, or its agent is gone. */
async function endUnsaid(ctx: Context, work: Work, thought?: Thought): Promise<AfterThinking> {
  const state = work.stopReason === "superseded" ? "superseded" : "stopped";
  await untilItWorks(ctx, "end a run", () =>
    finishRun(ctx, work, { state, eventIds: work.eventIds, ...(thought ? { thought } : {}) }),
  );
  return "ended";
}

async function endAtCap(ctx: Context, work: Work, thought: Thought, reached: Reached): Promise<AfterThinking> {
  await outletOf(work).sayCap(ctx, work, reached);
  await untilItWorks(ctx, "end a run", () =>
    finishRun(ctx, work, { state: "failed", thought, eventIds: work.eventIds }),
  );
  return "ended";
}

/**
 * The run that wrote the same message before has been told to end; its last edit must not come after our first. Returns the messages
 * that it left.
 */
async function olderRunsEnded(ctx: Context, work: Work): Promise<string[]> {
  const patience = ctx.clock.now() + 10_000;
  while (ctx.clock.now() < patience) {
    const open = await untilItWorks(
      ctx,
      "wait for the older run",
      () =>
        ctx.sql`select 1 from runs where answer_id = ${work.answerId} and id <> ${work.runId} and state = 'running' limit 1`,
    );
    if (open.length === 0) break;
    await sleep(50);
  }
  const again = await untilItWorks(ctx, "read the run again", () => loadWork(ctx, work.runId, { attempt: false }));
  return again?.eventIds ?? work.eventIds;
}

/** The process is ending: the step must neither succeed nor fail, so that the next start takes it up again. */
const hang = () => new Promise<never>(() => undefined);
