import type { TransactionSql } from "postgres";
import type { Context } from "../core/context.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { StepDetail } from "../migrations/types.ts";
import { leftBehind } from "./tools/calls.ts";
import type { Work } from "./work.ts";

/** How the step that asks the model ended. */
export interface Thought {
  state: "done" | "failed" | "stopped";
  text: string;
  detail: StepDetail;
  error?: { code: ErrorCode; sentence: string } | undefined;
  /** The ledger row of the call is being ended. */
  recorded?: Promise<void>;
}

/** Keeps what the model said, with the messages that already show some of it: the checkpoint from which the answer is delivered. */
export async function saveThought(ctx: Context, work: Work, thought: Thought, eventIds: string[]): Promise<void> {
  await ctx.sql.begin(async (sql) => {
    await sql`update steps set state = ${thought.state}, output = ${unlessRedacted(sql, work, thought.text)}, finished_at = now(),
      detail = detail || ${sql.json(thought.detail as never)} where run_id = ${work.runId} and position = 0`;
    if (thought.error)
      await sql`update runs set error_code = ${thought.error.code}, error = ${thought.error.sentence} where id = ${work.runId}`;
    await saveEvents(sql as never, work, eventIds);
  });
}

/**
 * The text, or null when the question was redacted meanwhile: it may repeat it. The lock waits for a redaction that is being routed, so
 * that either this sees it, or it sees this.
 */
const unlessRedacted = (sql: Context["sql"] | TransactionSql, work: Work, text: string) => sql`
  (select case when r.stop_reason = 'redacted' then null else ${text}::text end from runs r where r.id = ${work.runId} for update)`;

/** Keeps which messages of the room belong to the answer. */
export async function saveEvents(sql: Context["sql"], work: Work, eventIds: string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await sql`
    with a as (update answers set event_ids = ${sql.json(eventIds)} where id = ${work.answerId})
    insert into answer_events (tenant_id, event_id, answer_id, part)
    select ${work.tenantId}, e.id, ${work.answerId}, (e.n - 1)::int
    from unnest(${eventIds}::text[]) with ordinality as e(id, n)
    on conflict (tenant_id, event_id) do update set part = excluded.part`;
}

/** Ends a run: its last write. `reply` describes what was sent. */
export async function finishRun(
  ctx: Context,
  work: Work,
  end: {
    state: "done" | "stopped" | "superseded" | "failed";
    thought?: Thought;
    eventIds: string[];
    edits?: number;
    firstTextAt?: number | undefined;
    error?: { code: ErrorCode; sentence: string };
  },
): Promise<void> {
  const { sql } = ctx;
  const now = ctx.clock.now();
  const since = (at: number | undefined) => (at === undefined ? undefined : at - work.receivedAt);
  const timings = { firstTextMs: since(end.firstTextAt), finishedMs: since(now) };
  const reply: StepDetail = { eventIds: end.eventIds, edits: end.edits ?? 0 };
  const thought = end.thought;
  const error = end.error ?? thought?.error;
  // One statement, so that a run has either ended with everything about it or not at all.
  await sql`
    with r as (
      -- A lock of its own, before the update below: a row that this statement has updated can no longer be read for update.
      select id, stop_reason from runs where id = ${work.runId} for update
    ), s as (
      ${
        thought
          ? sql`update steps set state = ${thought.state}, finished_at = now(), detail = detail || ${sql.json(thought.detail as never)},
              output = case when r.stop_reason = 'redacted' then null else ${thought.text}::text end
              from r where run_id = r.id and position = 0`
          : sql`update steps set finished_at = coalesce(finished_at, now()),
              state = case when state = 'running' then 'stopped' else state end where run_id = ${work.runId} and position = 0`
      }
    ), p as (
      insert into steps (run_id, position, kind, state, detail, finished_at)
      select ${work.runId}, 1, 'reply', 'done', ${sql.json(reply as never)}, now() where ${end.eventIds.length > 0}
      on conflict (run_id, position) do nothing
    ), a as (
      update answers set event_ids = ${sql.json(end.eventIds)} where id = ${work.answerId} and ${end.eventIds.length > 0}
    ), e as (
      insert into answer_events (tenant_id, event_id, answer_id, part)
      select ${work.tenantId}, e.id, ${work.answerId}, (e.n - 1)::int
      from unnest(${end.eventIds}::text[]) with ordinality as e(id, n)
      on conflict (tenant_id, event_id) do nothing
    ), ${leftBehind(sql, { runId: work.runId, counts: work.bounds !== null })}
    update runs set state = ${end.state}, finished_at = now(),
      error_code = coalesce(${error?.code ?? null}, error_code), error = coalesce(${error?.sentence ?? null}, error),
      timings = jsonb_strip_nulls(timings || jsonb_build_object(
        'routedMs', round(extract(epoch from created_at) * 1000 - ${work.receivedAt}::float8),
        'startedMs', round(extract(epoch from started_at) * 1000 - ${work.receivedAt}::float8)
      ) || ${sql.json(timings as never)})
    -- What came first stands.
    from r where runs.id = r.id and runs.state in ('queued', 'running', 'waiting')`;
}
