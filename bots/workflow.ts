import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Context } from "../core/context.ts";
import { deliver } from "./deliver.ts";
import { endBroken, settleEnd } from "./end-run.ts";
import { outletOf } from "./outlet.ts";
import { forgetSignal, signalOf } from "./signals.ts";
import { type AfterThinking, think } from "./think.ts";
import { runOfWorkflow } from "./waiting.ts";
import { loadWork, type Surroundings, untilItWorks, type Work } from "./work.ts";

/** Work that was read ahead while the engine wrote its own row. */
export interface ReadAhead {
  work: Promise<Work | null>;
  /** What the agent can see there; null for a run that is over. */
  seen: Promise<Surroundings | null>;
}

const ahead = new Map<string, ReadAhead>();

/** Begins to read what a run needs, so that it is there when the first step begins. */
export function readAhead(ctx: Context, workflowId: string): void {
  const work = begin(ctx, workflowId);
  work.catch((error: unknown) =>
    ctx.log.debug({ run: workflowId, err: error }, "read ahead failed; the step will say so"),
  );
  const seen = work.then((found) => (found ? readRoom(ctx, found) : null));
  seen.catch((error: unknown) => ctx.log.debug({ run: workflowId, err: error }, "the room could not be read ahead"));
  ahead.set(workflowId, { work, seen });
}

const readRoom = (ctx: Context, work: Work): Promise<Surroundings> =>
  untilItWorks(ctx, "read the room", () => outletOf(work).surroundings(ctx, work));

const begin = (ctx: Context, workflowId: string) =>
  untilItWorks(ctx, "begin a run", () => loadWork(ctx, runOfWorkflow(workflowId), { attempt: true, workflowId }));

/** For a run that did not start here after all. */
export const forgetAhead = (workflowId: string): boolean => ahead.delete(workflowId);

/** Starts as `workflow(runId)`. */
export type AnswerWorkflow = (runId: string) => Promise<void>;

/**
 * Registers the durable workflows and returns the one that new runs begin with. A workflow's name changes when its steps do, and the older one stays
 * registered until no run of it is open: a run that began under one name is finished under it (docs/operations.md, "Upgrading").
 */
export function registerWorkflows(ctx: Context): AnswerWorkflow {
  return registerAnswer("answer.v1", (runId) => answer(ctx, runId));
}

/** Registers one version. It gets an id and returns nothing: no text is ever in the engine's tables. */
export const registerAnswer = (name: string, body: AnswerWorkflow): AnswerWorkflow =>
  // Every kill of the process counts as a recovery; a run must survive any number of them.
  DBOS.registerWorkflow(body, { name, maxRecoveryAttempts: 1_000_000 });

/** Version 1: ask the model, then send what it said unless that has happened on the way. */
export async function answer(ctx: Context, runId: string): Promise<void> {
  signalOf(runId); // from now on it is under way here, whoever began it
  const workflowId = DBOS.workflowID ?? runId;
  try {
    const next = await DBOS.runStep(() => thinkStep(ctx, workflowId), { name: "think" });
    if (next === "deliver") await DBOS.runStep(() => deliverStep(ctx, runId), { name: "deliver" });
  } finally {
    forgetSignal(runId);
    ahead.delete(workflowId);
  }
}

async function thinkStep(ctx: Context, workflowId: string): Promise<AfterThinking> {
  const runId = runOfWorkflow(workflowId);
  const signal = signalOf(runId);
  const early = ahead.get(workflowId);
  ahead.delete(workflowId);
  const work = await (early?.work ?? begin(ctx, workflowId));
  if (!work) return "ended";
  try {
    const seen = early ? early.seen.then((found) => found ?? readRoom(ctx, work)) : readRoom(ctx, work);
    seen.catch((error: unknown) => ctx.log.debug({ run: runId, err: error }, "the room could not be read"));
    const next = await think(ctx, work, seen, signal);
    if (next === "ended") await settleEnd(ctx, work);
    return next;
  } catch (error) {
    return await endBroken(ctx, work, error);
  }
}

async function deliverStep(ctx: Context, runId: string): Promise<"ended"> {
  const work = await untilItWorks(ctx, "deliver a run", () => loadWork(ctx, runId, { attempt: false }));
  if (!work) return "ended";
  try {
    await deliver(ctx, work);
    await settleEnd(ctx, work);
    return "ended";
  } catch (error) {
    return await endBroken(ctx, work, error);
  }
}
