/** Calls of tools, newest first, as they may be shown. Whatever is asked for, an index bounds what has to be read for one page. */
import type { Context } from "../../core/context.ts";
import { nameIn } from "../person-name.ts";
import { type Fragment, type Place, scanPage } from "../scan-page.ts";
import type { CallState } from "./calls.ts";
import { labelsOf } from "./labels.ts";
import { showableArguments, showableResult } from "./showable.ts";
import { listTools } from "./sources.ts";
import type { Args } from "./tool.ts";

/** Of a result in a list. */
const SHOWN = 4000;

export interface CallFilter {
  tenantId: string;
  agentId?: string | undefined;
  tool?: string | undefined;
  runId?: string | undefined;
  state?: CallState | undefined;
}

/** Moments are milliseconds since 1970. Arguments and result without what looks like a secret. */
export interface ListedCall {
  id: string;
  /** Null: somebody tried the tool in the panel. */
  runId: string | null;
  agent: { id: string; name: string } | null;
  /** For whom it was done. */
  person: { id: string; name: string } | null;
  tool: string;
  title: string;
  group: string;
  state: CallState;
  reason: string | null;
  arguments: Args | null;
  /** What people call its arguments. */
  labels: Record<string, string>;
  result: string | null;
  /** Its texts were taken away. */
  erased: boolean;
  untrusted: string | null;
  tokens: number;
  createdAt: number;
  durationMs: number | null;
}

export async function listCalls(
  ctx: Context,
  filter: CallFilter,
  page: { limit: number; after: Place | null },
): Promise<{ calls: ListedCall[]; next: Place | null }> {
  const { found, next } = await scanPage(ctx, "tool_calls", conditions(ctx, filter), page);
  return { calls: await readCalls(ctx, filter.tenantId, found), next };
}

/** What an index finds in order, and what is looked at row by row (`scanPage`). */
function conditions({ sql }: Context, filter: CallFilter): { drive: Fragment[]; rest: Fragment[] } {
  const { tenantId, agentId, tool, runId, state } = filter;
  const ofTenant = sql`tenant_id = ${tenantId}`;
  const ofAgent = agentId === undefined ? [] : [sql`agent_id = ${agentId}`];
  const ofTool = tool === undefined ? [] : [sql`tool = ${tool}`];
  const inState = state === undefined ? [] : [sql`state = ${state}`];
  // tool_calls_run: few, so all of them are looked at
  if (runId !== undefined)
    return { drive: [sql`run_id = ${runId}`], rest: [ofTenant, ...ofAgent, ...ofTool, ...inState] };
  // tool_calls_agent: the tenant is looked at afterwards, for ids of other clients' agents
  if (agentId !== undefined) return { drive: ofAgent, rest: [ofTenant, ...ofTool, ...inState] };
  // tool_calls_tool and tool_calls_newest
  return { drive: [ofTenant, ...ofTool], rest: inState };
}

interface Row {
  id: string;
  runId: string | null;
  agentId: string | null;
  agentName: string | null;
  personId: string | null;
  personName: string | null;
  tool: string;
  group: string;
  state: CallState;
  reason: string | null;
  arguments: Args | null;
  result: string | null;
  untrusted: string | null;
  tokens: number;
  createdAt: number;
  durationMs: number | null;
}

/** JSON is looked through as a whole; of a text so much that no secret is cut where it is shown. */
const readable = (sql: Context["sql"]): Fragment =>
  sql`case when c.result ~ '^\\s*[[{]' then c.result else left(c.result, ${3 * SHOWN}) end`;

async function readCalls(ctx: Context, tenantId: string, places: Place[]): Promise<ListedCall[]> {
  if (places.length === 0) return [];
  const { sql } = ctx;
  const rows = await sql<Row[]>`
    select c.id, c.run_id as "runId", c.agent_id as "agentId", a.name as "agentName", c.person_id as "personId", p.display_name as "personName",
      c.tool, c.tool_group as "group", c.state, c.reason, c.arguments, ${readable(sql)} as result, c.untrusted, c.tokens,
      extract(epoch from c.created_at)::float8 * 1000 as "createdAt",
      extract(epoch from c.finished_at - coalesce(c.started_at, c.created_at))::float8 * 1000 as "durationMs"
    from tool_calls c left join agents a on a.id = c.agent_id
      left join people p on p.tenant_id = c.tenant_id and p.user_id = c.person_id
    where c.id = any(${places.map(({ id }) => id)}::text[])`;
  const tools = await listTools(
    ctx,
    tenantId,
    rows.map(({ tool }) => tool),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return places.flatMap(({ id }) => {
    const row = byId.get(id);
    if (!row) return [];
    const { agentId, agentName, personId, personName, ...rest } = row;
    const tool = tools.get(row.tool);
    return [
      {
        ...rest,
        title: tool?.title ?? row.tool,
        labels: labelsOf(tool),
        agent: agentId === null ? null : { id: agentId, name: agentName ?? agentId },
        person: personId === null ? null : { id: personId, name: personName ?? nameIn(personId) },
        ...showable(row, tool?.input),
      },
    ];
  });
}

/** Texts of a call as they may be shown. */
export function showable(
  row: Pick<Row, "arguments" | "result" | "state" | "reason">,
  schema: Parameters<typeof showableArguments>[1],
): Pick<ListedCall, "arguments" | "result" | "erased" | "reason"> {
  return {
    arguments: row.arguments && showableArguments(row.arguments, schema),
    result: row.result === null ? null : showableResult(row.result, { args: row.arguments, schema }, SHOWN),
    erased: row.arguments === null && row.result === null && isOver(row.state),
    reason: row.reason === null ? null : showableResult(row.reason),
  };
}

const isOver = (state: CallState) => !["proposed", "waiting", "approved", "running"].includes(state);
