/** Calls of tools, newest first, as they may be shown. Whatever is asked for, an index bounds what has to be read for one page. */
import type { PendingQuery, Row as PgRow } from "postgres";
import type { Context } from "../../core/context.ts";
import { nameIn } from "../person-name.ts";
import type { CallState } from "./calls.ts";
import { labelsOf } from "./labels.ts";
import { showableArguments, showableResult } from "./showable.ts";
import { listTools } from "./sources.ts";
import type { Args } from "./tool.ts";

/** Calls that are looked at for one page where no index serves all filters: then a page may be short and still not the last. */
const SCAN = 2000;
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

export interface CallPlace {
  micros: number;
  id: string;
}

export async function listCalls(
  ctx: Context,
  filter: CallFilter,
  { limit, after }: { limit: number; after: CallPlace | null },
): Promise<{ calls: ListedCall[]; next: CallPlace | null }> {
  const { sql } = ctx;
  const { drive, rest } = conditions(ctx, filter);
  const at = (micros: number) => sql`(timestamptz 'epoch' + ${micros}::float8 * interval '1 microsecond')`;
  const all = [...drive, ...(after ? [sql`(created_at, id) < (${at(after.micros)}, ${after.id})`] : [])];
  const scan = rest.length > 0 ? SCAN : limit + 1;
  const micros = sql`(extract(epoch from created_at) * 1000000)::float8 as micros`;
  const rows = await sql<(CallPlace & { fits: boolean })[]>`
    with scanned as materialized (
      select id, created_at, ${every(ctx, rest)} as fits, row_number() over (order by created_at desc, id desc) as n
      from (select * from tool_calls where ${every(ctx, all)} order by created_at desc, id desc limit ${scan}) c)
    (select id, ${micros}, fits from scanned where fits order by n limit ${limit + 1})
    union all
    (select id, ${micros}, false from scanned where n = ${scan})`;
  const fitting = rows.filter(({ fits }) => fits);
  const shown = fitting.slice(0, limit);
  const last = fitting.length > limit ? shown.at(-1) : rows.find(({ fits }) => !fits);
  const calls = await readCalls(ctx, filter.tenantId, shown);
  return { calls, next: last ? { micros: last.micros, id: last.id } : null };
}

type Fragment = PendingQuery<PgRow[]>;

/** `drive`: what one index finds in order. `rest`: looked at row by row, in at most `SCAN` rows. */
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

const every = ({ sql }: Context, parts: Fragment[]): Fragment =>
  parts.reduce((all, part) => sql`${all} and ${part}`, sql`true`);

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

async function readCalls(ctx: Context, tenantId: string, places: CallPlace[]): Promise<ListedCall[]> {
  if (places.length === 0) return [];
  const { sql } = ctx;
  const [tools, rows] = await Promise.all([
    listTools(ctx, tenantId),
    sql<Row[]>`
      select c.id, c.run_id as "runId", c.agent_id as "agentId", a.name as "agentName", c.person_id as "personId", p.display_name as "personName",
        c.tool, c.tool_group as "group", c.state, c.reason, c.arguments, c.result, c.untrusted, c.tokens,
        extract(epoch from c.created_at)::float8 * 1000 as "createdAt",
        extract(epoch from c.finished_at - coalesce(c.started_at, c.created_at))::float8 * 1000 as "durationMs"
      from tool_calls c left join agents a on a.id = c.agent_id
        left join people p on p.tenant_id = c.tenant_id and p.user_id = c.person_id
      where c.id = any(${places.map(({ id }) => id)}::text[])`,
  ]);
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
  const result = row.result === null ? null : showableResult(row.result, { args: row.arguments, schema });
  return {
    arguments: row.arguments && showableArguments(row.arguments, schema),
    result: result !== null && result.length > SHOWN ? `${result.slice(0, SHOWN)} …` : result,
    erased: row.arguments === null && row.result === null && isOver(row.state),
    reason: row.reason === null ? null : showableResult(row.reason),
  };
}

const isOver = (state: CallState) => !["proposed", "waiting", "approved", "running"].includes(state);
