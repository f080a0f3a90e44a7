import { setTimeout as sleep } from "node:timers/promises";
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { forLog } from "./model-errors.ts";

/** For whom a model is called. `tenantId` null: the operator's own test of a model, under no cap. */
export interface Caller {
  tenantId: string | null;
  roomId: string | null;
  agentId: string | null;
  personId: string | null;
  /** The run; or the form, where a model does one without an agent. */
  runId: string | null;
}

export interface OpenCall {
  /** Id of the ledger row. */
  id: string;
  /** Its tokens are held against a limit of the agent's own too. */
  agentCapped: boolean;
  /** Most tokens that it may write: what was held, less the estimated input. */
  maxOutput: number;
}

export interface CallEnd {
  state: "ok" | "aborted" | "failed";
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  reasoningTokens: number;
  estimated: boolean;
  firstTokenMs: number | null;
  durationMs: number;
  /** Finish reason, or error code. */
  result: string;
}

/** What is asked of the model at most, and of the day under the agent's own limit, if it has one. */
export interface Wanted {
  input: number;
  output: number;
  agentTokensPerDay?: number | undefined;
}

/** An answer with less room than this is not worth beginning. */
const LEAST_OUTPUT = 64;
/** How long a call waits for tokens that other calls hold and will give back in part. */
const WAIT_FOR_OTHERS_MS = 30_000;
/** A call that was lost wrote an answer of unknown length: it counts at most this much of what was held for it. */
const LOST_OUTPUT = 500;

/**
 * Writes the open row of a call and holds its tokens against the day's cap, in one statement: the row of the day is
 * locked by its update, so calls that begin together are counted one after the other and never exceed the cap together.
 * Near the cap a call gets what is left. A limit of the agent's own is counted in the same statement. Throws `token_cap`,
 * or `agent_token_cap` where the agent's own limit is what is used up.
 */
export async function openCall(
  ctx: Context,
  caller: Caller,
  model: { id: string; model: string },
  tokens: Wanted,
  signal: AbortSignal,
): Promise<OpenCall> {
  if (caller.tenantId === null) return openUncapped(ctx, caller, model, tokens);
  const { tenantId, agentId } = caller;
  const agent =
    agentId === null || tokens.agentTokensPerDay === undefined ? null : { agentId, cap: tokens.agentTokensPerDay };
  const giveUpAt = performance.now() + WAIT_FOR_OTHERS_MS;
  const least = tokens.input + Math.min(LEAST_OUTPUT, tokens.output);
  let need = tokens.input + tokens.output;
  for (let pause = 20; ; pause = Math.min(pause * 2, 1000)) {
    const id = newId();
    if (await reserve(ctx, { ...caller, tenantId }, model, { id, input: tokens.input, need, agent }))
      return { id, maxOutput: need - tokens.input, agentCapped: agent !== null };
    const days = [{ ...(await readDay(ctx, tenantId)), reached: capReached }];
    if (agent) days.push({ ...(await readAgentDay(ctx, agent)), reached: agentCapReached });
    const late = performance.now() > giveUpAt;
    for (const { cap, used, reserved, reached } of days)
      if (used + least > cap || (late && used + reserved + least > cap)) throw reached();
    const left = Math.min(...days.map(({ cap, used, reserved }) => cap - used - reserved));
    need = Math.min(tokens.input + tokens.output, Math.max(least, left));
    if (left < least) await sleep(pause, undefined, { signal });
  }
}

const capReached = () =>
  new AppError(
    "token_cap",
    "The day's limit of model tokens is used up. Agents answer again after midnight UTC, or when the operator raises the limit.",
  );

const agentCapReached = () =>
  new AppError(
    "agent_token_cap",
    "This agent's own limit of model tokens for the day is used up. It answers again after midnight UTC, or when a manager raises its limit.",
  );

const dayOf = (ctx: Context): string => utcDay(ctx.clock.now());

const capOf = (ctx: Context) =>
  ctx.sql`coalesce((limits->>'tokensPerDay')::bigint, ${DEFAULT_LIMITS.tokensPerDay}::bigint)`;

interface AgentCap {
  agentId: string;
  cap: number;
}

interface Reservation {
  id: string;
  input: number;
  need: number;
  agent: AgentCap | null;
}

async function reserve(
  ctx: Context,
  caller: Caller & { tenantId: string },
  model: { id: string; model: string },
  { id, input, need, agent }: Reservation,
): Promise<boolean> {
  const { sql } = ctx;
  const day = dayOf(ctx);
  // The agent's row is locked first, here and where tokens are given back: two calls never wait for each other in a circle.
  const fits = agent
    ? sql`agent_fits as (
        select 1 from agent_token_days where agent_id = ${agent.agentId} and day = ${day}::date
          and used + reserved + ${need}::bigint <= ${agent.cap}::bigint for update),`
    : sql``;
  const agentHeld = agent
    ? sql`, agent_held as (
        update agent_token_days set reserved = reserved + ${need}::bigint from held
        where agent_id = ${agent.agentId} and day = ${day}::date)`
    : sql``;
  const rows = await sql`
    with cap as (select ${capOf(ctx)} as tokens from tenants where id = ${caller.tenantId}), ${fits}
    held as (
      insert into token_days (tenant_id, day, used, reserved)
      select ${caller.tenantId}, ${day}::date, 0, ${need}::bigint from cap ${agent ? sql`, agent_fits` : sql``} where ${need}::bigint <= tokens
      on conflict (tenant_id, day) do update set reserved = token_days.reserved + excluded.reserved
      where token_days.used + token_days.reserved + excluded.reserved <= (select tokens from cap)
      returning 1)${agentHeld}
    insert into ledger (id, tenant_id, room_id, agent_id, person_id, run_id, model_id, model, day, input_tokens, estimated, reserved_tokens,
      agent_capped)
    select ${id}, ${caller.tenantId}, ${caller.roomId}, ${caller.agentId}, ${caller.personId}, ${caller.runId}, ${model.id}, ${model.model},
      ${day}::date, ${input}::integer, true, ${need}::integer, ${agent !== null}
    from held returning id`;
  return rows.length > 0;
}

/** Also makes the day's row, which `reserve` only locks: the first call of an agent's day comes by here. */
async function readAgentDay(ctx: Context, { agentId, cap }: AgentCap) {
  const day = dayOf(ctx);
  const [row] = await ctx.sql<{ used: string; reserved: string }[]>`
    with made as (insert into agent_token_days (agent_id, day) values (${agentId}, ${day}::date) on conflict do nothing)
    select used, reserved from agent_token_days where agent_id = ${agentId} and day = ${day}::date`;
  return { cap, used: Number(row?.used ?? 0), reserved: Number(row?.reserved ?? 0) };
}

async function readDay(ctx: Context, tenantId: string): Promise<{ cap: number; used: number; reserved: number }> {
  const [row] = await ctx.sql<{ cap: string; used: string; reserved: string }[]>`
    select ${capOf(ctx)} as cap, coalesce(used, 0) as used, coalesce(reserved, 0) as reserved
    from tenants left join token_days on tenant_id = id and day = ${dayOf(ctx)}::date where id = ${tenantId}`;
  if (!row) throw new AppError("not_found", `There is no client "${tenantId}".`);
  return { cap: Number(row.cap), used: Number(row.used), reserved: Number(row.reserved) };
}

async function openUncapped(
  ctx: Context,
  caller: Caller,
  model: { id: string; model: string },
  tokens: { input: number; output: number },
): Promise<OpenCall> {
  const id = newId();
  await ctx.sql`
    insert into ledger (id, tenant_id, room_id, agent_id, person_id, run_id, model_id, model, day, input_tokens, estimated)
    values (${id}, '', ${caller.roomId}, ${caller.agentId}, ${caller.personId}, ${caller.runId}, ${model.id}, ${model.model},
      ${dayOf(ctx)}::date, ${tokens.input}::integer, true)`;
  return { id, maxOutput: tokens.output, agentCapped: false };
}

/**
 * Ends the row of a call and gives back what was held; a second time changes nothing. The answer is not thrown away when
 * the database is away: then this goes on in the background for a while, and what stays open is ended by `closeLostCalls`.
 */
export async function endCall(ctx: Context, call: OpenCall, end: CallEnd): Promise<void> {
  try {
    await writeEnd(ctx, call, end);
  } catch (error) {
    ctx.log.warn({ ledger: call.id, error: forLog(error) }, "the end of a model call could not be written yet");
    if (isTransient(error)) void endLater(ctx, call, end);
  }
}

async function endLater(ctx: Context, call: OpenCall, end: CallEnd): Promise<void> {
  for (let pause = 500; pause < 60_000; pause *= 2) {
    await sleep(pause, undefined, { ref: false });
    try {
      return await writeEnd(ctx, call, end);
    } catch (error) {
      ctx.log.warn({ ledger: call.id, error: forLog(error) }, "the end of a model call could not be written yet");
    }
  }
}

async function writeEnd(ctx: Context, { id, agentCapped }: OpenCall, end: CallEnd): Promise<void> {
  const { sql } = ctx;
  const total = end.inputTokens + end.outputTokens;
  const agentFreed = agentCapped
    ? sql`, agent_freed as (
        update agent_token_days d set used = used + ${total}::bigint, reserved = greatest(0, reserved - ended.reserved_tokens)
        from ended where d.agent_id = ended.agent_id and d.day = ended.day returning 1)`
    : sql``;
  await sql`
    with ended as (
      update ledger set state = ${end.state}, input_tokens = ${end.inputTokens}, output_tokens = ${end.outputTokens},
        cached_tokens = ${end.cachedTokens}, reasoning_tokens = ${end.reasoningTokens}, estimated = ${end.estimated},
        first_token_ms = ${end.firstTokenMs}, duration_ms = ${end.durationMs}, result = ${end.result}
      where id = ${id} and state = 'open' returning tenant_id, agent_id, day, reserved_tokens)${agentFreed}
    update token_days set used = used + ${total}::bigint, reserved = greatest(0, reserved - ended.reserved_tokens)
    from ended where token_days.tenant_id = ended.tenant_id and token_days.day = ended.day
      ${agentCapped ? sql`and (select count(*) from agent_freed) >= 0` : sql``}`;
}

/**
 * Ends the calls of a run that a crash left open: as `lost`, with the estimated input and up to 500 tokens of output, and gives back what was
 * held. The run calls this before it calls a model again. Returns how many there were.
 */
export const closeLostCalls = (ctx: Context, runId: string): Promise<number> =>
  closeLost(ctx, ctx.sql`run_id = ${runId}`);

/** The same for runs that have ended (or are gone) with calls left open, and for calls without a run after an hour. */
export const closeAllLostCalls = (ctx: Context): Promise<number> =>
  closeLost(
    ctx,
    ctx.sql`created_at < now() - interval '2 minutes' and case when run_id is null then created_at < now() - interval '1 hour'
      else not exists (select from runs where runs.id = ledger.run_id and runs.state in ('queued', 'running', 'waiting'))
        and not exists (select from form_runs f where f.id = ledger.run_id and f.state in ('queued', 'running')) end`,
  );

async function closeLost(ctx: Context, which: ReturnType<Context["sql"]>): Promise<number> {
  const [row] = await ctx.sql<{ count: number }[]>`
    with lost as (
      update ledger set state = 'lost', estimated = true, result = 'lost',
        output_tokens = greatest(0, least(${LOST_OUTPUT}::integer, reserved_tokens - input_tokens))
      where state = 'open' and ${which}
      returning tenant_id, agent_id, agent_capped, day, reserved_tokens, input_tokens + output_tokens as total),
    agent_days as (
      select agent_id, day, sum(reserved_tokens) as reserved, sum(total) as total from lost where agent_capped group by 1, 2),
    agents_freed as (
      update agent_token_days d set used = used + a.total, reserved = greatest(0, d.reserved - a.reserved)
      from agent_days a where d.agent_id = a.agent_id and d.day = a.day returning 1),
    days as (select tenant_id, day, sum(reserved_tokens) as reserved, sum(total) as total from lost group by 1, 2),
    freed as (
      update token_days set used = used + days.total, reserved = greatest(0, token_days.reserved - days.reserved)
      from days where token_days.tenant_id = days.tenant_id and token_days.day = days.day
        and (select count(*) from agents_freed) >= 0)
    select count(*)::integer as count from lost`;
  return row?.count ?? 0;
}
