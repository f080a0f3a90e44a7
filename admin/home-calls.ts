/** What tools failed to do lately that a manager should know of, though the run itself ended well: the agent said so in its room, to whoever was there. */
import { shownToolSettings } from "../bots/tools/settings.ts";
import { listTools } from "../bots/tools/sources.ts";
import type { Context } from "../core/context.ts";
import type { Attention } from "./home.ts";
import { COUNTED } from "./home-operator.ts";

const HOUR = 3_600_000;
const NAMED = 5;

interface Call {
  id: string;
  runId: string;
  tool: string;
  state: "failed" | "unknown";
  approved: boolean;
}

/**
 * Of the last hour: what nobody knows of whether it happened, what a person had allowed, and what was to go outside. Not counted: what only reads (a page, a
 * search), what the model wrote wrongly and writes anew, and what managers tried themselves.
 */
export async function callsToSee(ctx: Context, tenantId: string): Promise<Attention[]> {
  const calls = await endedBadly(ctx, tenantId);
  if (calls.length === 0) return [];
  const tools = await listTools(
    ctx,
    tenantId,
    calls.map(({ tool }) => tool),
  );
  const acts = ({ tool }: Call) => tools.get(tool)?.sends === "outside" && !tools.get(tool)?.repeatable;
  return (["unknown", "failed"] as const).flatMap((state): Attention[] => {
    const these = calls.filter((call) => call.state === state && (state === "unknown" || call.approved || acts(call)));
    const [only] = these;
    if (!only) return [];
    const names = [...new Set(these.map(({ tool }) => tools.get(tool)?.title ?? tool))].slice(0, NAMED);
    const link =
      these.length === 1 ? `/c/${tenantId}/runs/${only.runId}` : `/c/${tenantId}/tools?tab=calls&state=${state}`;
    return [{ kind: `calls_${state}`, count: these.length, names, link }];
  });
}

/**
 * Two looks into an index by time: the calls of the last hour, and those that a person allowed lately after they had waited for as long as questions wait. Each
 * is bounded before it is joined to anything: Postgres would join all calls with all approvals.
 */
async function endedBadly(ctx: Context, tenantId: string): Promise<Call[]> {
  const { sql } = ctx;
  const { approvalMinutes } = await shownToolSettings(ctx, tenantId);
  const now = ctx.clock.now();
  const since = new Date(now - HOUR);
  const asked = new Date(now - 2 * HOUR - approvalMinutes * 60_000);
  const bad = sql`c.state in ('failed', 'unknown') and c.run_id is not null and c.started_at is not null`;
  return await sql<Call[]>`
    with lately as materialized (select c.id, c.run_id, c.tool, c.state from tool_calls c
        where c.tenant_id = ${tenantId} and c.created_at > ${since} and ${bad} order by c.created_at desc limit ${COUNTED}),
      allowed as materialized (select call_id from approvals
        where tenant_id = ${tenantId} and created_at > ${asked} and state = 'approved' and decided_at > ${new Date(now - 2 * HOUR)}
        order by created_at desc limit ${COUNTED})
    select l.id, l.run_id as "runId", l.tool, l.state, (select count(*) from approvals a where a.call_id = l.id and a.state = 'approved') > 0 as approved
    from lately l
    union
    select c.id, c.run_id, c.tool, c.state, true from allowed a join tool_calls c on c.id = a.call_id where c.finished_at > ${since} and ${bad}`;
}
