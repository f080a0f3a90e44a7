/** Takes texts out of the platform's tables. The homeserver has redacted its own copy by the time we hear of it. */
import type { Sql, TransactionSql } from "postgres";
import { CHANNELS } from "../core/context.ts";
import { stopForms } from "./forms/stop.ts";
import { together } from "./together.ts";

/** In the place of where something came from; it stays untrusted. */
const ERASED = "an erased text";

/**
 * Erases what a redacted event said: the event, its edits, and what the runs that it belongs to wrote down, be it as their question (whose
 * words an answer may repeat), as a message of their answer, or as what was said to a question of theirs. With a run goes what its tools were given and
 * returned, and the runs that they began. Twice is the same as once. The engine's tables hold ids only.
 */
export async function eraseText(sql: Sql | TransactionSql, tenantId: string, eventId: string): Promise<void> {
  const rows = await sql<{ id: string; begun: boolean }[]>`
    with recursive touched as (
      select r.id from runs r join answers n on n.id = r.answer_id
        where n.tenant_id = ${tenantId} and n.question_event = ${eventId}
      union
      select r.id from runs r join answer_events e on e.answer_id = r.answer_id
        where e.tenant_id = ${tenantId} and e.event_id = ${eventId}
      union
      select r.id from runs r join inbox i on r.id = i.content->'dev.agentopia.run'->>'run'
        where i.tenant_id = ${tenantId} and i.event_id = ${eventId} and r.tenant_id = ${tenantId}
      union
      -- An edit alone: its question's runs, but not what one under way still has to send.
      select r.id from inbox i join answers n on n.tenant_id = i.tenant_id
          and n.question_event = i.content->'m.relates_to'->>'event_id'
        join runs r on r.answer_id = n.id and r.state not in ('queued', 'running', 'waiting')
        where i.tenant_id = ${tenantId} and i.event_id = ${eventId} and i.content->'m.relates_to'->>'rel_type' = 'm.replace'
      union
      -- A question to people, or what somebody replied to it: likewise.
      select r.id from inbox i
        left join inbox q on q.tenant_id = i.tenant_id and q.event_id = i.content->'m.relates_to'->'m.in_reply_to'->>'event_id'
        join approvals a on a.tenant_id = i.tenant_id
          and a.id in (i.content->'dev.agentopia.approval'->>'id', q.content->'dev.agentopia.approval'->>'id')
        join runs r on r.id = a.run_id and r.state not in ('queued', 'running', 'waiting')
        where i.tenant_id = ${tenantId} and i.event_id = ${eventId}
    ), all_runs as (
      select id, false as begun from touched
      union
      -- The message filled in a form.
      select run_id, true from form_runs where tenant_id = ${tenantId} and question_event = ${eventId} and run_id is not null
      union
      -- What their tools began: work that was handed over, forms that were filled in.
      select b.id, true from all_runs p join tool_calls c on c.run_id = p.id
        join lateral (select id from runs where parent_call = c.id union all select run_id from form_runs where parent_call = c.id) b on b.id is not null
    ) select id, bool_and(begun) as begun from all_runs group by id`;
  const runs = rows.map(({ id }) => id);
  const begun = rows.filter((row) => row.begun).map(({ id }) => id);
  const filled = formsOf(sql, { tenantId, eventId, runs });
  await together([
    ...(begun.length > 0 ? [stopBegun(sql, begun)] : []),
    stopForms(sql, { which: sql`f.id in ${filled}`, reason: "redacted", by: null }),
    ...eraseRuns(sql, tenantId, runs),
    sql`update form_runs set "values" = null, result = null where tenant_id = ${tenantId} and ("values" is not null or result is not null)
        and id in ${filled}`,
    sql`update inbox set content = '{}' where tenant_id = ${tenantId} and state_key is null and content <> '{}' and (
        event_id = ${eventId}
        or (content->'m.relates_to'->>'event_id' = ${eventId} and content->'m.relates_to'->>'rel_type' = 'm.replace'))`,
  ]);
}

/** What the message filled in, and what its runs did or filled in. One set of ids: with an `or` Postgres would look through all forms. */
const formsOf = (
  sql: Sql | TransactionSql,
  { tenantId, eventId, runs }: { tenantId: string; eventId: string; runs: string[] },
) => sql`(
  select id from form_runs where tenant_id = ${tenantId} and question_event = ${eventId}
  union select id from form_runs where run_id = any(${runs}::text[])
  union select o.id from tool_calls c join form_runs o on o.parent_call = c.id where c.run_id = any(${runs}::text[]))`;

/** What was begun for an erased question has nobody to answer to; those that wait are taken up by the sweep. */
const stopBegun = (sql: Sql | TransactionSql, runs: string[]) => sql`
  with stopped as (
    update runs set stop_reason = 'redacted' where id = any(${runs}::text[]) and state in ('queued', 'running', 'waiting') and stop_reason is null
    returning id)
  select pg_notify(${CHANNELS.stop}, id) from stopped`;

/** What these runs wrote down, and what was handed over by them. */
export function eraseRuns(sql: Sql | TransactionSql, tenantId: string, runs: string[]) {
  if (runs.length === 0) return [];
  return [
    sql`update steps set output = null where output is not null and run_id = any(${runs}::text[])`,
    sql`update tool_calls set arguments = null, result = null, reason = null, untrusted = case when untrusted is not null then ${ERASED} end
        where run_id = any(${runs}::text[]) and (arguments is not null or result is not null or reason is not null)`,
    sql`update runs set untrusted = ${ERASED} where id = any(${runs}::text[]) and untrusted <> ${ERASED}`,
    sql`update approvals set sentence = null, answer = null where run_id = any(${runs}::text[]) and (sentence is not null or answer is not null)`,
    sql`update inbox set content = '{}' where tenant_id = ${tenantId} and content <> '{}' and event_id in (
        select question_event from runs where id = any(${runs}::text[]) and (parent_call is not null or form_run_id is not null))`,
  ];
}
