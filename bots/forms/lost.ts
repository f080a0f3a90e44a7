/** Forms that a model does, of which nobody may know any more: what the sweep looks for. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import type { Context } from "../../core/context.ts";
import { tellQueued } from "../drain.ts";
import { isUnderWay } from "../signals.ts";
import { endForm, lockOpenForm } from "./ends.ts";
import { workflowOf } from "./stop.ts";

/** Without a workflow: what a crash left unstarted. They are taken to be started. */
export async function takeLost({ sql }: Context): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    update form_runs f set state = 'running', started_at = coalesce(started_at, now())
    where state in ('queued', 'running') and run_id is null and created_at < now() - interval '2 seconds'
      and not exists (select from dbos.workflow_status w where w.workflow_uuid = 'form-' || f.id) returning id`;
  return rows.map(({ id }) => id);
}

/** Ours and open, but worked on by nobody: the engine drops a workflow whose database is away for long. Those seen twice in a row are taken up. */
export function dropped(): (ctx: Context, executorId: string) => Promise<void> {
  let suspects = new Set<string>();
  return async ({ sql }, executorId) => {
    const rows = await sql<{ id: string }[]>`
      select f.id from form_runs f join dbos.workflow_status w on w.workflow_uuid = 'form-' || f.id
      where f.state = 'running' and f.run_id is null and w.status = 'PENDING' and w.executor_id = ${executorId}
        and f.created_at < now() - interval '10 seconds'`;
    const idle = rows.map(({ id }) => id).filter((id) => !isUnderWay(workflowOf(id)));
    const twice = idle.filter((id) => suspects.has(id));
    suspects = new Set(idle);
    if (twice.length > 0) await DBOS.resumeWorkflows(twice.map(workflowOf));
  };
}

/** The workflow ended, the form did not: a fault that must not leave people waiting. */
export async function endGivenUpForms(ctx: Context): Promise<void> {
  const rows = await ctx.sql<{ id: string }[]>`
    select f.id from form_runs f join dbos.workflow_status w on w.workflow_uuid = 'form-' || f.id
    where f.state in ('queued', 'running') and f.run_id is null and w.status not in ('PENDING', 'ENQUEUED', 'DELAYED')
      and f.created_at < now() - interval '1 minute'`;
  for (const { id } of rows) {
    ctx.log.error({ form: id }, "a form was left open by the engine");
    const error =
      "It ended inside the workflow engine. Fill it in again; whoever runs the platform finds the reason in its log.";
    const ids = await ctx.sql.begin(async (sql) => {
      const form = await lockOpenForm(sql, id);
      return form ? await endForm(sql, form, { untrusted: null, error }) : [];
    });
    tellQueued(ctx, ids);
  }
}
