/** The rows of a run's turns and tool calls. They are the checkpoints: a run that begins again reads them and goes on where they end. */
import type { Sql, TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { stableId } from "../../core/ids.ts";
import { argumentsOf, type SaidPart, storable } from "../said.ts";
import { argumentsHash, schemaHash } from "./hashes.ts";
import type { Args, Tool } from "./tool.ts";

export type CallState =
  | "proposed"
  | "waiting"
  | "approved"
  | "running"
  | "done"
  | "failed"
  | "refused"
  | "declined"
  | "unknown"
  | "stopped";

export interface CallRow {
  id: string;
  turn: number;
  callId: string;
  tool: string;
  /** Null: what the model wrote was no JSON object. */
  arguments: Args | null;
  argumentsHash: string;
  schemaHash: string;
  state: CallState;
  result: string | null;
  untrusted: string | null;
  begun: boolean;
}

/** One turn of the model in which it called tools. */
export interface Turn {
  n: number;
  /** What it said beside. */
  text: string;
  parts: SaidPart[];
  calls: CallRow[];
  inputTokens: number;
  outputTokens: number;
}

/** Where turns stand in `steps`: after the answer and the reply. */
const FIRST_TURN = 2;

/** What was done so far, oldest turn first. */
export async function loadTurns(ctx: Context, runId: string): Promise<Turn[]> {
  const { sql } = ctx;
  const [steps, calls] = await Promise.all([
    sql<{ position: number; output: string | null; inputTokens: number; outputTokens: number }[]>`
      select position, output, (detail->>'inputTokens')::int as "inputTokens", (detail->>'outputTokens')::int as "outputTokens" from steps where run_id = ${runId} and kind = 'tools' order by position`,
    sql<CallRow[]>`
      select id, turn, call_id as "callId", tool, arguments, arguments_hash as "argumentsHash", schema_hash as "schemaHash", state, result,
        untrusted, started_at is not null as begun
      from tool_calls where run_id = ${runId} order by turn, index`,
  ]);
  return steps.map(({ position, output, inputTokens, outputTokens }) => {
    const n = position - FIRST_TURN;
    const { text, parts } = JSON.parse(output ?? '{"text":"","parts":[]}') as Pick<Turn, "text" | "parts">;
    return { n, text, parts, inputTokens, outputTokens, calls: calls.filter(({ turn }) => turn === n) };
  });
}

/**
 * Keeps what the model said and wants, before any of it is done. Returns what holds: where another process with the same run was faster, what that one's model
 * said, since its calls have the same ids.
 */
export async function saveTurn(
  ctx: Context,
  run: { runId: string; tenantId: string; agentId: string; roomId: string; person: string | null },
  said: { n: number; text: string; parts: SaidPart[]; model: string; inputTokens: number; outputTokens: number },
  tools: ReadonlyMap<string, Tool>,
): Promise<Turn> {
  const calls = said.parts.filter((part) => part.type === "call");
  const rows = calls.map((call, index) => {
    const tool = tools.get(call.tool);
    const args = argumentsOf(call.input);
    return {
      id: stableId("call", run.runId, said.n, index),
      index,
      call_id: call.callId,
      tool: call.tool,
      tool_group: tool?.group ?? "",
      arguments: args,
      arguments_hash: argumentsHash(args),
      schema_hash: tool ? schemaHash(tool) : "",
    };
  });
  const output = JSON.stringify({ text: said.text, parts: said.parts });
  const detail = { model: said.model, inputTokens: said.inputTokens, outputTokens: said.outputTokens };
  const kept = await ctx.sql`
    with step as (
      insert into steps (run_id, position, kind, state, output, detail, finished_at)
      values (${run.runId}, ${said.n + FIRST_TURN}, 'tools', 'done', ${output}, ${JSON.stringify(detail)}::text::jsonb, now()) on conflict do nothing
      returning 1
    ), calls as (
      insert into tool_calls (id, tenant_id, run_id, agent_id, room_id, person_id, turn, index, call_id, tool, tool_group, arguments, arguments_hash,
        schema_hash)
      select c.id, ${run.tenantId}, ${run.runId}, ${run.agentId}, ${run.roomId}, ${run.person}, ${said.n}, c.index, c.call_id, c.tool, c.tool_group,
        c.arguments, c.arguments_hash, c.schema_hash
      from step, jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as c(id text, index int, call_id text, tool text, tool_group text,
        arguments jsonb, arguments_hash text, schema_hash text)
    )
    select 1 from step`;
  const stored = kept.length > 0 ? undefined : (await loadTurns(ctx, run.runId)).find(({ n }) => n === said.n);
  if (stored) return stored;
  return {
    n: said.n,
    text: said.text,
    parts: said.parts,
    inputTokens: said.inputTokens,
    outputTokens: said.outputTokens,
    calls: rows.map((row) => ({
      id: row.id,
      turn: said.n,
      callId: row.call_id,
      tool: row.tool,
      arguments: row.arguments,
      argumentsHash: row.arguments_hash,
      schemaHash: row.schema_hash,
      state: "proposed",
      result: null,
      untrusted: null,
      begun: false,
    })),
  };
}

export interface CallEnd {
  state: Exclude<CallState, "proposed" | "waiting" | "approved" | "running">;
  /** What the model gets. */
  result: string;
  /** Why it was refused or declined. */
  reason?: string | null;
  untrusted?: string | null;
  tokens?: number;
  /** When it was begun, in milliseconds since 1970, for what was not written when it began. */
  startedAt?: number;
}

/**
 * Ends a call, once: what came first stands. What it read taints its run, and its tokens are counted. Returns the run to take up (`takeUp`, in the same
 * transaction) when somebody else than the run itself ends it; null when the call had ended.
 */
export async function finishCall(sql: Sql | TransactionSql, id: string, end: CallEnd): Promise<string | null> {
  const { state, tokens = 0, startedAt } = end;
  const [result, reason, untrusted] = [end.result, end.reason, end.untrusted].map((text) =>
    text == null ? null : storable(text),
  ) as [string, string | null, string | null];
  const begun = startedAt === undefined ? null : new Date(startedAt);
  const [row] = await sql<{ runId: string }[]>`
    with ended as (
      update tool_calls set state = ${state}, result = ${result}, reason = coalesce(${reason}, reason), untrusted = ${untrusted},
        tokens = ${tokens}, started_at = coalesce(started_at, ${begun}::timestamptz), finished_at = now()
      where id = ${id} and state in ('proposed', 'approved', 'running', 'waiting')
      returning run_id, agent_id, tool, tool_group, held, tokens, started_at
    ), tainted as (
      update runs r set untrusted = coalesce(r.untrusted, ${untrusted}) from ended c where r.id = c.run_id and ${untrusted}::text is not null
    ), ${givenBack(sql)}
    select run_id as "runId" from ended`;
  return row?.runId ?? null;
}

/** Of calls that a run leaves behind. */
const NOT_DONE = "The run ended before this was done.";
const CUT_OFF = "Outcome unknown: The run ended while this was being done, so it may have happened or not.";

/**
 * For a statement that ends a run: what the run did not come to ends with it. What waits is told of by whoever it waits for. `counts`: the agent has tools, so
 * that something may be held for them; every run of the others is spared the rest of the statement.
 */
export const leftBehind = (sql: Sql | TransactionSql, { runId, counts }: { runId: string; counts: boolean }) => sql`
  ended as (
    update tool_calls set finished_at = now(), state = case when state = 'running' then 'unknown' else 'stopped' end,
      result = case when state = 'running' then ${CUT_OFF} else ${NOT_DONE} end
    where run_id = ${runId} and state in ('proposed', 'approved', 'running')
    returning agent_id, tool, tool_group, held, tokens, started_at
  )${counts ? sql`, ${givenBack(sql)}` : sql``}`;

/**
 * Of the calls that the statement's `ended` has ended: what was held against the day is given back and what they took is counted. A call ends once, so this
 * happens once. The rows are locked in the order in which calls that begin lock them.
 */
const givenBack = (sql: Sql | TransactionSql) => sql`
  owed as (
    select c.agent_id, k.key, date_trunc('day', c.started_at at time zone 'UTC') at time zone 'UTC' as since, sum(c.tokens - c.held) as more
    from ended c cross join lateral (select distinct unnest(array[c.tool, c.tool_group]) as key) k
    where c.held > 0 or c.tokens > 0 group by 1, 2, 3
  ), due as (
    select t.agent_id, t.key, t.since, o.more from tool_counts t
      join owed o on t.agent_id = o.agent_id and t.key = o.key and t.since = o.since and t.unit = 'tokens'
    order by t.agent_id, t.key for update of t
  ), counted as (
    update tool_counts t set count = greatest(0, t.count + d.more) from due d
    where t.agent_id = d.agent_id and t.key = d.key and t.since = d.since and t.unit = 'tokens'
  )`;
