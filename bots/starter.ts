/** Starts the workflows of runs in this process: in the order in which they came, so many at a time, and of one run one after the other. */
import type { Context } from "../core/context.ts";
import { forgetSignal, isUnderWay, signalOf } from "./signals.ts";
import { runOfWorkflow } from "./waiting.ts";
import { forgetAhead, readAhead } from "./workflow.ts";

/** Runs at once in one process; more wait in order. */
const AT_ONCE = 128;

export interface Starter {
  /** Takes the id of a run's workflow: the run's own, from its second turn on `run.turn`. */
  start(workflowId: string): void;
  /** It waits here, or its run is under way here. */
  knows(workflowId: string): boolean;
  close(): void;
}

/** `work` starts a workflow and ends with it; a workflow of one id starts once. */
export function createStarter(ctx: Context, work: (workflowId: string) => Promise<void>): Starter {
  const waiting = new Set<string>();
  /** Next turns of runs whose last turn is just ending here. */
  const after = new Map<string, string>();
  /** Workflows that were started here, by their runs. A turn that has parked its run still has its own end to write. */
  const current = new Map<string, string>();
  let closed = false;

  async function run(workflowId: string): Promise<void> {
    const runId = runOfWorkflow(workflowId);
    current.set(runId, workflowId);
    signalOf(runId);
    readAhead(ctx, workflowId);
    try {
      await work(workflowId);
    } catch (error) {
      ctx.log.error({ run: workflowId, err: error }, "a run could not be started; the sweep tries again");
    } finally {
      forgetAhead(workflowId);
      forgetSignal(runId);
      if (current.get(runId) === workflowId) current.delete(runId);
      const follows = after.get(runId);
      after.delete(runId);
      if (follows !== undefined && !closed) waiting.add(follows);
      next();
    }
  }

  function next(): void {
    while (!closed && current.size < AT_ONCE) {
      const [workflowId] = waiting;
      if (workflowId === undefined) return;
      waiting.delete(workflowId);
      void run(workflowId);
    }
  }

  const isBusy = (runId: string) => current.has(runId) || isUnderWay(runId);

  return {
    knows: (workflowId) =>
      waiting.has(workflowId) ||
      current.get(runOfWorkflow(workflowId)) === workflowId ||
      after.get(runOfWorkflow(workflowId)) === workflowId,
    start(workflowId) {
      const runId = runOfWorkflow(workflowId);
      if (closed || waiting.has(workflowId) || current.get(runId) === workflowId) return;
      if (isBusy(runId)) {
        // A first turn that is under way here was resumed by the engine itself.
        if (workflowId !== runId) after.set(runId, workflowId);
        return;
      }
      // It waited for a turn that the engine had resumed, of whose end nobody here is told: whoever looks again starts it.
      after.delete(runId);
      waiting.add(workflowId);
      next();
    },
    close() {
      closed = true;
    },
  };
}
