/** The end of forms that a model does without an agent, before it has answered: a column and a NOTIFY, as for runs. Whoever works on it ends it. */
import type { PendingQuery, Row, Sql, TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../../core/context.ts";
import type { StopReason } from "../decision.ts";

/** Its workflow's id, which is also under what it can be told to end. */
export const workflowOf = (formRunId: string): string => `form-${formRunId}`;

/** The form of a workflow's id; null for the workflow of a run. */
export const formOfWorkflow = (workflowId: string): string | null =>
  workflowId.startsWith("form-") ? workflowId.slice("form-".length) : null;

/**
 * Tells those of `which` (a condition on `form_runs f`) that are under way to end. One that an agent does has a run, which is told instead. Returns how many there
 * were.
 */
export async function stopForms(
  sql: Sql | TransactionSql,
  { which, reason, by }: { which: PendingQuery<Row[]>; reason: StopReason; by: string | null },
): Promise<number> {
  const rows = await sql`
    with stopped as (
      update form_runs f set stop_reason = ${reason}, stopped_by = ${by}
      where ${which} and f.state in ('queued', 'running') and f.run_id is null and f.stop_reason is null returning f.id)
    select pg_notify(${CHANNELS.stop}, 'form-' || id) from stopped`;
  return rows.length;
}

/** Those of these that were told to end, with why: for whoever may have missed it. */
export async function stoppedForms(
  { sql }: Context,
  workflowIds: string[],
): Promise<{ workflowId: string; reason: StopReason }[]> {
  const ids = workflowIds.map(formOfWorkflow).filter((id) => id !== null);
  if (ids.length === 0) return [];
  return await sql<{ workflowId: string; reason: StopReason }[]>`
    select 'form-' || id as "workflowId", stop_reason as reason from form_runs where id = any(${ids}::text[]) and stop_reason is not null`;
}
