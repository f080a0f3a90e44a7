/** Decisions become rows, once: what came first stands, and what came late changes nothing. */
import type { TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../../core/context.ts";
import { newId } from "../../core/ids.ts";
import { tellQueued } from "../drain.ts";
import { storable } from "../said.ts";
import { together } from "../together.ts";
import { finishCall } from "../tools/calls.ts";
import { takeUp } from "../waiting.ts";
import { showApproval } from "./ask.ts";

export interface NewVerdict {
  approvalId: string;
  verdict: "approved" | "declined" | "always" | "answered";
  /** A Matrix user id, or `operator:<name>`. */
  by: string;
  /** How people read their name. */
  via: "reaction" | "reply" | "panel";
  answer: string | null;
  /** When it was said, in milliseconds since 1970: it counts when that was in time. */
  at: number;
}

interface Decided {
  id: string;
  tenantId: string;
  runId: string;
  callId: string;
  agentId: string;
  roomId: string;
  kind: "tool" | "input";
  tool: string;
  schemaHash: string;
  state: "approved" | "declined" | "answered" | "expired" | "withdrawn";
  answer: string | null;
}

const COLUMNS = (sql: TransactionSql) => sql`
  id, tenant_id as "tenantId", run_id as "runId", call_id as "callId", agent_id as "agentId", room_id as "roomId", kind, tool,
  schema_hash as "schemaHash", state, answer`;

/** Writes the decision and takes the run up, in the caller's transaction. Returns what `tellQueued` takes; null when it was decided already or its time is over. */
export async function writeVerdict(sql: TransactionSql, wish: NewVerdict): Promise<string[] | null> {
  const state = wish.verdict === "always" ? "approved" : wish.verdict;
  const said = wish.answer === null ? null : storable(wish.answer);
  const [row] = await sql<Decided[]>`
    update approvals set state = ${state}, decided_by = ${wish.by}, decided_via = ${wish.via}, answer = ${said},
      decided_at = to_timestamp(${wish.at}::float8 / 1000)
    where id = ${wish.approvalId} and state = 'open' and expires_at >= to_timestamp(${wish.at}::float8 / 1000)
      and exists (select from runs r where r.id = run_id and r.stop_reason is null and r.state in ('queued', 'running', 'waiting'))
      and kind = ${state === "answered" ? "input" : "tool"} and (${wish.verdict !== "always"} or grantable)
    returning ${COLUMNS(sql)}`;
  if (!row) return null;
  if (wish.verdict === "always")
    await sql`
      insert into grants (id, tenant_id, agent_id, room_id, tool, schema_hash, granted_by)
      values (${newId()}, ${row.tenantId}, ${row.agentId}, ${row.roomId}, ${row.tool}, ${row.schemaHash}, ${wish.by})
      on conflict (agent_id, room_id, tool) where revoked_at is null do update
        set schema_hash = excluded.schema_hash, granted_by = excluded.granted_by, created_at = excluded.created_at`;
  return await follow(sql, row);
}

/** The call's row follows, the message in the room is brought in line, and the run goes on. */
async function follow(sql: TransactionSql, row: Decided): Promise<string[]> {
  const tried = row.roomId.startsWith("try:") ? row.roomId.slice("try:".length) : null;
  // All go out together: a person waits for what comes of it.
  const [, , , , queued] = await together([
    settleCall(sql, row),
    row.roomId.startsWith("!") ? showApproval(sql, row, row.state) : null,
    sql`select pg_notify(${CHANNELS.panel}, ${`approvals ${row.tenantId}`})`,
    tried === null ? null : sql`select pg_notify(${CHANNELS.try}, ${tried})`,
    takeUp(sql, row.runId),
  ]);
  return queued;
}

async function settleCall(sql: TransactionSql, { callId, kind, state, answer }: Decided): Promise<void> {
  switch (state) {
    case "approved":
      await sql`update tool_calls set state = 'approved' where id = ${callId} and state = 'waiting'`;
      return;
    case "answered":
      await finishCall(sql, callId, { state: "done", result: answer ?? "" });
      return;
    case "declined": {
      const reason = answer ? `A person declined it: ${answer}` : "A person declined it.";
      await finishCall(sql, callId, { state: "declined", result: reason, reason });
      return;
    }
    case "expired": {
      const reason = kind === "input" ? "Nobody answered in time." : "Nobody decided in time, so it was not done.";
      await finishCall(sql, callId, { state: "declined", result: reason, reason });
      return;
    }
    case "withdrawn":
      await finishCall(sql, callId, { state: "stopped", result: "The run was ended before anybody decided." });
  }
}

/** Ends all questions of an agent that is removed, whatever its runs are doing. Returns their ids. */
export async function withdrawOf(ctx: Context, agentId: string): Promise<string[]> {
  const { rows, queued } = await ctx.sql.begin(async (sql) => {
    const rows = await sql<Decided[]>`
      update approvals set state = 'withdrawn', decided_at = ${new Date(ctx.clock.now())} where agent_id = ${agentId} and state = 'open'
      returning ${COLUMNS(sql)}`;
    const queued: string[] = [];
    for (const row of rows) queued.push(...(await follow(sql, row)));
    return { rows, queued };
  });
  tellQueued(ctx, queued);
  return rows.map(({ id }) => id);
}

/** Ends the questions whose time is over (unless `expire` is false), and those of runs that have ended: all, or of one run. Returns how many. */
export async function closeApprovals(
  ctx: Context,
  { expire = true, runId }: { expire?: boolean; runId?: string } = {},
): Promise<number> {
  const now = new Date(ctx.clock.now());
  let closed = 0;
  const queued = await ctx.sql.begin(async (sql) => {
    const rows = await sql<Decided[]>`
      update approvals a set state = case when r.state in ('queued', 'running', 'waiting') then 'expired' else 'withdrawn' end, decided_at = ${now}
      from runs r where r.id = a.run_id and a.id in (
        select o.id from approvals o join runs x on x.id = o.run_id where o.state = 'open' ${runId === undefined ? sql`` : sql`and o.run_id = ${runId}`}
          and ((${expire} and o.expires_at < ${now}) or x.state not in ('queued', 'running', 'waiting')) limit 200 for update of o skip locked)
      returning a.id, a.tenant_id as "tenantId", a.run_id as "runId", a.call_id as "callId", a.agent_id as "agentId", a.room_id as "roomId",
        a.kind, a.tool, a.schema_hash as "schemaHash", a.state, a.answer`;
    closed = rows.length;
    const ids: string[] = [];
    for (const row of rows) ids.push(...(await follow(sql, row)));
    return ids;
  });
  tellQueued(ctx, queued);
  return closed;
}
