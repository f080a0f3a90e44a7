/** Ends one form that was filled in, whoever does it: a model or an agent. */
import type { Context } from "../../core/context.ts";
import { stopRun } from "../runs.ts";
import { stopForms } from "./stop.ts";

/** What waits for its result is told that it was stopped, and by whom. False for one that is over, or was told before. */
export async function stopFilledForm(
  ctx: Context,
  { tenantId, id, by }: { tenantId: string; id: string; by: string },
): Promise<boolean> {
  const { sql } = ctx;
  const which = sql`f.tenant_id = ${tenantId} and f.id = ${id}`;
  if ((await stopForms(sql, { which, reason: "operator", by })) > 0) return true;
  const [run] = await sql<{ id: string }[]>`
    select run_id as id from form_runs f where ${which} and state in ('queued', 'running') and run_id is not null`;
  return run ? await stopRun(ctx, run.id, "operator", by) : false;
}
