import { DBOS } from "@dbos-inc/dbos-sdk";
import { CHANNELS, type Context } from "../core/context.ts";
import type { Wake } from "../core/wake.ts";
import { closeApprovals } from "./approvals/write.ts";
import { onRunQueued, tellQueued } from "./drain.ts";
import { type FormRunner, registerForms, startFormRunner } from "./forms/model-runs.ts";
import { stoppedForms } from "./forms/stop.ts";
import { endGivenUp } from "./given-up.ts";
import { closeAllLostCalls } from "./ledger.ts";
import { stopOrphans, tellForgottenEnds } from "./run-ends.ts";
import { isUnderWay, runsUnderWay, type StopReason, signalStop } from "./signals.ts";
import { type Slot, takeSlot } from "./slots.ts";
import { createStarter, type Starter } from "./starter.ts";
import { runOfWorkflow, takeUp, takeUpForgotten } from "./waiting.ts";
import { registerWorkflows } from "./workflow.ts";

const SWEEP_MS = 3000;
/** After a start nothing expires for so long: decisions that were made in time may still wait at the homeserver. */
const CATCH_UP_MS = 60_000;

/** Launches the workflow engine under a slot of its own and starts runs as they are queued. `stop` leaves open runs for the next start. */
export async function startRuns(
  ctx: Context,
  { wake, register = registerWorkflows }: { wake: Wake; register?: typeof registerWorkflows },
): Promise<{ stop(): Promise<void> }> {
  const slot = await takeSlot(ctx);
  const workflow = register(ctx);
  const formWorkflow = registerForms(ctx);
  DBOS.setConfig({
    name: "agentopia",
    systemDatabaseUrl: ctx.databaseUrl,
    systemDatabasePoolSize: 10,
    executorID: slot.executorId,
    // Constant: the version of a workflow is in its name.
    applicationVersion: "1",
    logger: engineLog(ctx),
    schedulerPollingIntervalMs: 60_000,
  });
  await DBOS.launch();
  const starter = createStarter(ctx, async (workflowId) => {
    const handle = await DBOS.startWorkflow(workflow, { workflowID: workflowId })(runOfWorkflow(workflowId));
    await handle.getResult();
  });
  const forms = startFormRunner(ctx, { wake, workflow: formWorkflow });
  const off = [
    onRunQueued((workflowId) => starter.start(workflowId)),
    // Whoever routes a run starts it. This is for runs that were queued where none are done (a command, the panel).
    wake.on(CHANNELS.run, (workflowId) => {
      if (workflowId && !starter.knows(workflowId)) setTimeout(() => void startIfLost(ctx, workflowId, starter), 300);
    }),
    wake.on(CHANNELS.stop, (runId) => void hearStopSafely(ctx, runId)),
  ];
  const sweep = () =>
    sweepOnce(ctx, slot, starter, forms).catch((error: unknown) =>
      ctx.log.warn({ err: error }, "sweep failed; it comes again"),
    );
  await sweep();
  const timer = setInterval(sweep, SWEEP_MS);
  return {
    async stop() {
      clearInterval(timer);
      for (const end of off) end();
      starter.close();
      forms.stop();
      for (const runId of runsUnderWay()) signalStop(runId, "shutdown");
      await DBOS.shutdown();
      await slot.release();
    },
  };
}

/** Ends a run with what it has written so far, wherever it is under way. Nothing happens to one that is over. */
export async function stopRun(
  ctx: Context,
  runId: string,
  reason: Exclude<StopReason, "shutdown">,
  by: string | null,
): Promise<boolean> {
  const rows = await ctx.sql`
    with r as (update runs set stop_reason = ${reason}, stopped_by = ${by}
      where id = ${runId} and state in ('queued', 'running', 'waiting') and stop_reason is null returning id)
    select id, pg_notify(${CHANNELS.stop}, id) from r`;
  if (rows.length > 0) tellQueued(ctx, await takeUp(ctx.sql, runId));
  return rows.length > 0;
}

async function startIfLost(ctx: Context, workflowId: string, starter: Starter): Promise<void> {
  if (starter.knows(workflowId)) return;
  try {
    const lost = await ctx.sql`
      select 1 from runs r where r.workflow_id = ${workflowId} and r.id = ${runOfWorkflow(workflowId)} and r.state = 'queued'
        and not exists (select from dbos.workflow_status w where w.workflow_uuid = r.workflow_id)`;
    if (lost.length > 0) starter.start(workflowId);
  } catch (error) {
    ctx.log.warn({ err: error, run: workflowId }, "whether a run is lost was not seen; the sweep looks again");
  }
}

/** "" says that a NOTIFY may have been missed: then all of ours are looked up. */
async function hearStop(ctx: Context, runId: string): Promise<void> {
  const ids = runId ? [runId] : runsUnderWay();
  if (!ids.some(isUnderWay)) return;
  const rows = await ctx.sql<{ id: string; reason: StopReason }[]>`
    select id, stop_reason as reason from runs where id in ${ctx.sql(ids)} and stop_reason is not null`;
  for (const row of rows) signalStop(row.id, row.reason);
  for (const form of await stoppedForms(ctx, ids)) signalStop(form.workflowId, form.reason);
}

/** A stop that is not heard because the database is away is found by the sweep. */
const hearStopSafely = (ctx: Context, runId: string) =>
  hearStop(ctx, runId).catch((error: unknown) =>
    ctx.log.warn({ err: error }, "a stop was not heard; the sweep looks again"),
  );

/** Starts what a crash left unstarted and takes over what a dead process had begun. */
async function sweepOnce(ctx: Context, slot: Slot, starter: Starter, forms: FormRunner): Promise<void> {
  const { sql } = ctx;
  const lost = await sql<{ id: string }[]>`
    select r.workflow_id as id from runs r where r.state in ('queued', 'running') and r.created_at < now() - interval '2 seconds'
      and not exists (select from dbos.workflow_status w where w.workflow_uuid = r.workflow_id)
    order by r.created_at limit 500`;
  for (const { id } of [...lost, ...(await forgotten(ctx))]) starter.start(id);
  await endGivenUp(ctx);
  await closeApprovals(ctx, { expire: ctx.clock.now() > slot.takenAt + CATCH_UP_MS });
  await stopOrphans(ctx);
  await tellForgottenEnds(ctx);
  await forms.sweep(slot.executorId);
  await closeAllLostCalls(ctx);
  if (runsUnderWay().length > 0) await hearStop(ctx, "");
  await resumeDropped(ctx, slot.executorId);
  for (const executorId of await slot.deadSlots()) {
    const left = await DBOS.listWorkflows({ executorId, status: "PENDING" });
    ctx.log.info({ slot: executorId, runs: left.length }, "took over the runs of a process that is gone");
    await DBOS.resumeWorkflows(left.map((status) => status.workflowID));
  }
}

const forgotten = async (ctx: Context) => (await takeUpForgotten(ctx)).map((id) => ({ id }));

/** Runs that are ours and open, but that nobody here works on: seen twice in a row they were dropped by the engine. */
let suspects = new Set<string>();

async function resumeDropped(ctx: Context, executorId: string): Promise<void> {
  const pending = await ctx.sql<{ id: string }[]>`
    select r.workflow_id as id from runs r join dbos.workflow_status w on w.workflow_uuid = r.workflow_id
    where r.state in ('queued', 'running') and w.status = 'PENDING' and w.executor_id = ${executorId}
      and r.created_at < now() - interval '10 seconds'`;
  const idle = pending.map(({ id }) => id).filter((id) => !isUnderWay(runOfWorkflow(id)));
  const dropped = idle.filter((id) => suspects.has(id));
  suspects = new Set(idle);
  if (dropped.length === 0) return;
  ctx.log.warn({ runs: dropped }, "runs that the engine had dropped are taken up again");
  await DBOS.resumeWorkflows(dropped);
}

/** The engine logs to our log; its chatter at info is debug to us. */
function engineLog(ctx: Context) {
  const log = ctx.log.child({ part: "dbos" });
  return {
    info: (entry: unknown) => log.debug(String(entry)),
    debug: (entry: unknown) => log.trace(String(entry)),
    warn: (entry: unknown) => log.warn(String(entry)),
    error: (entry: unknown) => log.error(entry instanceof Error ? { err: entry } : {}, String(entry)),
  };
}
