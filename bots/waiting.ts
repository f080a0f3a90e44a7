/**
 * Runs that wait: for a person's decision, or for another run. Nothing of them is in memory, and the platform may be down in between; whoever writes what they
 * wait for takes them up again in the same transaction. The lock on the run's row keeps the two apart.
 */
import type { Sql, TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../core/context.ts";
import { together } from "./together.ts";

/**
 * Parks a run whose calls wait. False when there is nothing to wait for any more: somebody was faster, or it was stopped; then it goes on at once.
 * Parked twice (the answer to the commit was lost), a run that goes on already is not parked again.
 */
export async function park(ctx: Context, { runId, turn }: { runId: string; turn: number }): Promise<boolean> {
  return await ctx.sql.begin(async (sql) => {
    await sql`select 1 from runs where id = ${runId} for update`;
    const rows = await sql`
      update runs r set state = 'waiting' where id = ${runId} and turn = ${turn} and state = 'running' and stop_reason is null
        and not exists (select from tool_calls where run_id = r.id and state in ('proposed', 'approved', 'running'))
        and exists (select from tool_calls where run_id = r.id and state = 'waiting') returning id`;
    return rows.length > 0;
  });
}

/** Takes a run up again, if it waits. Returns the ids that `tellQueued` takes after the commit. */
export async function takeUp(sql: Sql | TransactionSql, runId: string): Promise<string[]> {
  // A statement of its own: an update that looks for 'waiting' would pass by the row of a run that is just being parked instead of waiting for it.
  const [, rows] = await together([
    sql`select 1 from runs where id = ${runId} for update`,
    sql<{ id: string }[]>`
      with r as (update runs set state = 'queued', turn = turn + 1 where id = ${runId} and state = 'waiting' returning workflow_id as id)
      select id, pg_notify(${CHANNELS.run}, id) from r`,
  ]);
  return rows.map(({ id }) => id);
}

/** What a crash may have left: waiting runs that were told to stop, that have nothing to wait for any more, or something to do. */
export async function takeUpForgotten(ctx: Context): Promise<string[]> {
  const rows = await ctx.sql<{ id: string }[]>`
    update runs r set state = 'queued', turn = turn + 1 where state = 'waiting' and (stop_reason is not null
      or not exists (select from tool_calls where run_id = r.id and state = 'waiting')
      or exists (select from tool_calls where run_id = r.id and state = 'approved')) returning workflow_id as id`;
  return rows.map(({ id }) => id);
}

/** The workflow in which a run goes on for the `turn`-th time. */
export const workflowOf = ({ runId, turn }: { runId: string; turn: number }): string =>
  turn === 0 ? runId : `${runId}.${turn}`;

/** The run of a workflow's id: `run` or `run.turn`. */
export const runOfWorkflow = (workflowId: string): string => workflowId.split(".")[0] ?? workflowId;
