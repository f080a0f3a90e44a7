/** Runs of which the engine has ended the workflow and nobody the run: they end here, by the way on which all runs end. */
import type { Context } from "../core/context.ts";
import { deliver } from "./deliver.ts";
import { endBroken, settleEnd } from "./end-run.ts";
import { saveThought, type Thought } from "./finish.ts";
import { isUnderWay } from "./signals.ts";
import { type AfterThinking, endUnasked } from "./think.ts";
import { loadTurns } from "./tools/calls.ts";
import { textOf } from "./tools/loop.ts";
import { loadWork, type Work } from "./work.ts";

const SENTENCE =
  "This ended inside the workflow engine before it was finished. Ask again; whoever runs the platform finds the reason in its log.";

/** Those that are being ended in this process: a homeserver that is away may take its time, and the sweep does not wait for it. */
const ending = new Set<string>();

/** Finds them and begins to end them; resolves with what is under way. */
export async function endGivenUp(ctx: Context): Promise<Promise<void>[]> {
  const rows = await ctx.sql<{ id: string }[]>`
    select r.id from runs r join dbos.workflow_status w on w.workflow_uuid = r.workflow_id
    where r.state in ('queued', 'running') and w.status not in ('PENDING', 'ENQUEUED', 'DELAYED') and r.created_at < now() - interval '1 minute'
    limit 100`;
  return rows.filter(({ id }) => !ending.has(id) && !isUnderWay(id)).map(({ id }) => endOne(ctx, id));
}

async function endOne(ctx: Context, runId: string): Promise<void> {
  ending.add(runId);
  ctx.log.error({ run: runId }, "a run was left open by the engine");
  try {
    const work = await loadWork(ctx, runId, { attempt: true });
    if (work) await endAsAlways(ctx, work);
  } catch (error) {
    ctx.log.error(
      { run: runId, err: error },
      "a run that the engine had left open was not ended; the sweep tries again",
    );
  } finally {
    ending.delete(runId);
  }
}

/** What it had said is kept, and with the sentence brought to where it was asked; everything about it is closed. */
async function endAsAlways(ctx: Context, work: Work): Promise<void> {
  try {
    const next = work.step.state === "running" ? await keepUnfinished(ctx, work) : "deliver";
    const kept = next === "deliver" ? await loadWork(ctx, work.runId, { attempt: false }) : null;
    if (kept) await deliver(ctx, kept);
    await settleEnd(ctx, work);
  } catch (error) {
    await endBroken(ctx, work, error);
  }
}

async function keepUnfinished(ctx: Context, work: Work): Promise<AfterThinking> {
  if (work.stopReason || work.agentState === "removed") return await endUnasked(ctx, work);
  const error = { code: "internal" as const, sentence: SENTENCE };
  const text = textOf(await loadTurns(ctx, work.runId));
  const thought: Thought = { state: "failed", text, detail: { errorCode: error.code }, error };
  await saveThought(ctx, work, thought, work.eventIds);
  return "deliver";
}
