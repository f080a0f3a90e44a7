/** Texts are kept for as long as the tenant says (`tenants.retention_days`). Small batches, so that nobody waits for them. */
import type { Context } from "../core/context.ts";
import { regularly } from "../core/regularly.ts";
import { completeRemovals } from "./agents.ts";
import { eraseRuns } from "./erase.ts";
import { workflowOf } from "./waiting.ts";

const EVERY_MS = 6 * 3_600_000;
const BATCH = 500;

/** At the start and every six hours: erases what is too old and completes what was left half done. */
export function startRetention(ctx: Context): { stop(): Promise<void> } {
  const failed = "old texts could not be erased; it is tried again in some hours";
  return regularly(ctx, EVERY_MS, failed, async (enough) => {
    await eraseOld(ctx, enough);
    await completeRemovals(ctx);
  });
}

/** Erases every text beyond its tenant's time. Ends early, between batches, when `enough` says so. */
export async function eraseOld(ctx: Context, enough: () => boolean = () => false): Promise<void> {
  for (const batch of [
    eraseEvents,
    deleteAnswers,
    deleteActions,
    deleteForms,
    eraseRedacted,
    deleteTried,
    deleteCounts,
    deleteTries,
    nameAgents,
    deleteSchedules,
  ])
    while (!enough() && (await batch(ctx)) === BATCH);
}

/** Contents go, the rows stay: a late copy of the event is still known. */
const eraseEvents = async ({ sql }: Context) =>
  (
    await sql`
    update inbox set content = '{}' where seq in (
      select i.seq from tenants t cross join lateral (
        select seq from inbox where tenant_id = t.id and received_at < now() - make_interval(days => t.retention_days)
          and content <> '{}' and routed_at is not null limit ${BATCH}) i limit ${BATCH})`
  ).count;

/** An answer goes with its runs and steps, and with what the workflow engine keeps of them. */
async function deleteAnswers({ sql }: Context): Promise<number> {
  const engine = await sql`select 1 where to_regclass('dbos.workflow_status') is not null`;
  const old = await sql<{ id: string; turn: number; answerId: string }[]>`
    select r.id, r.turn, r.answer_id as "answerId" from tenants t cross join lateral (
      select * from runs where tenant_id = t.id and created_at < now() - make_interval(days => t.retention_days)
        and state not in ('queued', 'running', 'waiting') order by created_at limit ${BATCH}) r limit ${BATCH}`;
  const ids = old.map(({ id }) => id);
  if (ids.length === 0) return 0;
  // Results of the engine's workflows go by foreign keys.
  // A run has a workflow for each time that it went on after it had waited.
  const workflows = old.flatMap(({ id, turn }) =>
    Array.from({ length: turn + 1 }, (_, n) => workflowOf({ runId: id, turn: n })),
  );
  if (engine.length > 0) await sql`delete from dbos.workflow_status where workflow_uuid = any(${workflows}::text[])`;
  await sql`delete from runs where id = any(${ids}::text[])`;
  await sql`delete from answers a where a.id = any(${old.map(({ answerId }) => answerId)}::text[]) and a.current_run_id = any(${ids}::text[])
    and not exists (select from runs where answer_id = a.id)`;
  return ids.length;
}

const deleteActions = async ({ sql }: Context) =>
  (
    await sql`
    delete from actions where id = any(array(
      select a.id from tenants t cross join lateral (
        select id from actions where tenant_id = t.id and state <> 'open' and created_at < now() - make_interval(days => t.retention_days)
          limit ${BATCH}) a limit ${BATCH}))`
  ).count;

/** What was filled into forms, with its results and with what the workflow engine keeps of it. */
async function deleteForms({ sql }: Context): Promise<number> {
  const engine = await sql`select 1 where to_regclass('dbos.workflow_status') is not null`;
  const old = await sql<{ id: string }[]>`
    delete from form_runs where id in (
      select f.id from tenants t cross join lateral (
        select id from form_runs where tenant_id = t.id and created_at < now() - make_interval(days => t.retention_days)
          and state not in ('queued', 'running') order by created_at limit ${BATCH}) f limit ${BATCH}) returning id`;
  if (engine.length > 0 && old.length > 0)
    await sql`delete from dbos.workflow_status where workflow_uuid = any(${old.map(({ id }) => `form-${id}`)}::text[])`;
  return old.length;
}

/** A run that was just ending when its question was redacted may have written after it. */
async function eraseRedacted({ sql }: Context): Promise<number> {
  const rows = await sql<{ id: string; tenantId: string }[]>`
    select id, tenant_id as "tenantId" from runs r where stop_reason = 'redacted' and state not in ('queued', 'running', 'waiting') and (
      exists (select from steps s where s.run_id = r.id and s.output is not null)
      or exists (select from tool_calls c where c.run_id = r.id and (c.arguments is not null or c.result is not null or c.reason is not null))
      or exists (select from approvals a where a.run_id = r.id and (a.sentence is not null or a.answer is not null))) limit ${BATCH}`;
  for (const { id, tenantId } of rows) await Promise.all(eraseRuns(sql, tenantId, [id]));
  return rows.length;
}

/** Calls of tools that somebody tried; those of runs go with their runs. */
const deleteTried = async ({ sql }: Context) =>
  (
    await sql`
    delete from tool_calls where id in (
      select c.id from tenants t cross join lateral (
        select id from tool_calls where tenant_id = t.id and run_id is null and created_at < now() - make_interval(days => t.retention_days)
          limit ${BATCH}) c limit ${BATCH})`
  ).count;

/** Limits are of an hour and of a day: what was counted before is asked by nobody. */
const deleteCounts = async ({ sql }: Context) =>
  (
    await sql`
    delete from tool_counts where (agent_id, key, unit, since) in (
      select agent_id, key, unit, since from tool_counts where since < now() - interval '3 days' limit ${BATCH})`
  ).count;

/** Chats beside agents' forms in which nothing was said for a day, with their messages. Their runs stay for as long as others. */
const deleteTries = async ({ sql }: Context) =>
  (
    await sql`
    with old as (
      select id, tenant_id, 'try:' || id as room_id from try_chats c where created_at < now() - interval '1 day'
        and not exists (select from inbox i where i.tenant_id = c.tenant_id and i.room_id = 'try:' || c.id
          and i.received_at > now() - interval '1 day')
        and not exists (select from runs r where r.tenant_id = c.tenant_id and r.room_id = 'try:' || c.id
          and r.state in ('queued', 'running', 'waiting'))
      limit ${BATCH}
    ), messages as (
      delete from inbox i using old where i.tenant_id = old.tenant_id and i.room_id = old.room_id
    )
    delete from try_chats using old where try_chats.id = old.id returning try_chats.id`
  ).count;

/** Feedback from before it named its agent. */
const nameAgents = async ({ sql }: Context) =>
  (
    await sql`
    update feedback f set agent_id = r.agent_id from runs r where r.id = f.run_id and f.reaction_event in (
      select reaction_event from feedback where agent_id is null limit ${BATCH}) and f.agent_id is null`
  ).count;

/** Planned tasks that are over or were removed, once nothing has come of them for the client's time. */
const deleteSchedules = async ({ sql }: Context) =>
  (
    await sql`
    delete from schedules where id in (
      select s.id from tenants t cross join lateral (
        select id from schedules where tenant_id = t.id and state in ('done', 'removed')
          and coalesce(last_at, created_at) < now() - make_interval(days => t.retention_days) limit ${BATCH}) s limit ${BATCH})`
  ).count;
