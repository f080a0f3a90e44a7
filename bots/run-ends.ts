/** Runs that somebody waits for give their answer back when they end: to the tool call of another agent, or to a form. */
import { CHANNELS, type Context } from "../core/context.ts";
import { tellQueued } from "./drain.ts";
import { endFormRun } from "./forms/ends.ts";
import { finishCall } from "./tools/calls.ts";
import { takeUp } from "./waiting.ts";
import type { Work } from "./work.ts";

interface Ended {
  state: string;
  agentName: string;
  output: string | null;
  error: string | null;
  untrusted: string | null;
  parentCall: string | null;
  tokens: number;
}

/** The run's end is written: who waits for it goes on. Twice is harmless. */
export const tellEnded = (ctx: Context, work: Pick<Work, "runId">): Promise<void> => endTask(ctx, work.runId);

async function endTask(ctx: Context, runId: string): Promise<void> {
  const ids = await ctx.sql.begin(async (sql) => {
    const next = await endFormRun(ctx, sql, runId);
    const [run] = await sql<Ended[]>`
      select r.state, a.name as "agentName", s.output, r.error, r.untrusted, r.parent_call as "parentCall",
        coalesce((select sum(input_tokens + output_tokens) from ledger where run_id = r.id), 0)::float8 as tokens
      from runs r join agents a on a.id = r.agent_id left join steps s on s.run_id = r.id and s.position = 0
      where r.id = ${runId} and r.state not in ('queued', 'running', 'waiting')`;
    if (!run?.parentCall) return next;
    const parent = await finishCall(sql, run.parentCall, {
      state: run.state === "done" ? "done" : "failed",
      result: resultOf(run),
      untrusted: run.untrusted,
      tokens: run.tokens,
    });
    return parent ? [...next, ...(await takeUp(sql, parent))] : next;
  });
  tellQueued(ctx, ids);
}

function resultOf({ state, agentName, output, error }: Ended): string {
  if (state === "done") return output ?? "The answer was erased.";
  const why = error ?? (state === "stopped" ? "It was stopped." : "It did not get to the end.");
  return [`${agentName} did not finish this. ${why}`, output ? `It had written so far:\n\n${output}` : ""]
    .filter(Boolean)
    .join("\n\n");
}

/** Nobody waits any more for what an ended run had begun: it ends too. Of all such runs, or of one. */
export async function stopOrphans({ sql }: Context, runId?: string): Promise<void> {
  await sql`
    with waited as (
      select c.id, coalesce(p.stop_reason, 'command') as reason, p.stopped_by from tool_calls c join runs p on p.id = c.run_id
      where c.state = 'waiting' and (p.stop_reason is not null or p.state not in ('queued', 'running', 'waiting'))
        ${runId === undefined ? sql`` : sql`and p.id = ${runId}`}
    ), forms as (
      update form_runs f set stop_reason = w.reason, stopped_by = w.stopped_by from waited w
      where f.parent_call = w.id and f.state in ('queued', 'running') and f.run_id is null and f.stop_reason is null returning f.id
    ), begun as (
      select r.id, w.reason, w.stopped_by from waited w join runs r on r.parent_call = w.id
      union all
      select f.run_id, w.reason, w.stopped_by from waited w join form_runs f on f.parent_call = w.id and f.state in ('queued', 'running')
    ), orphans as (
      update runs r set stop_reason = b.reason, stopped_by = b.stopped_by from begun b
      where r.id = b.id and r.state in ('queued', 'running', 'waiting') and r.stop_reason is null returning r.id)
    select pg_notify(${CHANNELS.stop}, id) from orphans union all select pg_notify(${CHANNELS.stop}, 'form-' || id) from forms`;
}

/** What a crash left: ended runs for which somebody still waits. */
export async function tellForgottenEnds(ctx: Context): Promise<void> {
  const rows = await ctx.sql<{ id: string }[]>`
    select r.id from tool_calls c join runs r on r.parent_call = c.id
    where c.state = 'waiting' and r.state not in ('queued', 'running', 'waiting')
    union all
    select r.id from form_runs f join runs r on r.id = f.run_id
    where f.state in ('queued', 'running') and r.state not in ('queued', 'running', 'waiting') limit 200`;
  for (const { id } of rows) await endTask(ctx, id);
}
