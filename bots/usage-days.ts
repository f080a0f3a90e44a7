/**
 * Closed days of the ledger, summed into `usage_days`. A client's days are rolled up in order and each as a whole, so that its newest row says
 * which days are in there: everything later is read from the ledger itself (usage.ts).
 */
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import { regularly } from "../core/regularly.ts";
import { together } from "./together.ts";

const EVERY_MS = 3_600_000;
/** A call takes its day when it begins and writes its row a moment later, perhaps by another machine's clock. */
const SETTLED_MS = 10 * 60_000;
const LOCK = 7433;

/** At the start and every hour. Of several processes one does it. */
export function startUsageDays(ctx: Context): { stop(): Promise<void> } {
  const failed = "usage of past days was not summed; it is tried again in an hour";
  return regularly(ctx, EVERY_MS, failed, (enough) => rollUp(ctx, enough));
}

/** Rolls up every client's days that are over and have no open call. Returns how many days; null when another process is at it. */
export async function rollUp(ctx: Context, enough: () => boolean = () => false): Promise<number | null> {
  // The lock is a connection's own, so a process that dies gives it back.
  const held = await ctx.sql.reserve();
  try {
    const [lock] = await held<{ mine: boolean }[]>`select pg_try_advisory_lock(${LOCK}) as mine`;
    if (!lock?.mine) return null;
    try {
      return await rollUpAll(ctx, enough);
    } finally {
      await held`select pg_advisory_unlock(${LOCK})`;
    }
  } finally {
    held.release();
  }
}

async function rollUpAll(ctx: Context, enough: () => boolean): Promise<number> {
  const before = utcDay(ctx.clock.now() - SETTLED_MS);
  const tenants = await ctx.sql<{ id: string }[]>`select id from tenants order by id`;
  let days = 0;
  for (const { id } of tenants) while (!enough() && (await rollUpNext(ctx, id, before))) days++;
  return days;
}

/** The client's oldest day that is not in yet. False when there is none, or a call of it is still open. */
async function rollUpNext(ctx: Context, tenantId: string, before: string): Promise<boolean> {
  const [next] = await ctx.sql<{ day: string | null; open: boolean }[]>`
    with next as (
      select min(day) as day from ledger where tenant_id = ${tenantId} and day < ${before}::date
        and day > coalesce((select max(day) from usage_days where tenant_id = ${tenantId}), '-infinity'))
    select day::text as day, exists (select from ledger where tenant_id = ${tenantId} and ledger.day = next.day and state = 'open') as open
    from next`;
  if (!next?.day || next.open) return false;
  await rollUpDay(ctx, tenantId, next.day);
  return true;
}

/** One day as a whole: a second time gives the same rows. */
export async function rollUpDay(ctx: Context, tenantId: string, day: string): Promise<void> {
  await ctx.sql.begin(async (sql) => {
    await together([
      sql`delete from usage_days where tenant_id = ${tenantId} and day = ${day}::date`,
      sql`
        insert into usage_days (tenant_id, day, agent_id, room_id, person_id, model, calls, failed, input_tokens, output_tokens, duration_ms)
        select tenant_id, day, coalesce(agent_id, ''), ${sql.unsafe(PLACE)}, coalesce(person_id, ''), model, count(*),
          count(*) filter (where state in ('failed', 'lost')), sum(input_tokens), sum(output_tokens),
          round(coalesce(sum(duration_ms), 0))
        from ledger where tenant_id = ${tenantId} and day = ${day}::date group by 1, 2, 3, 4, 5, 6`,
    ]);
  });
}

/** Each chat beside a form is a room of its own in the ledger; in sums they are one. Of a ledger row. */
export const PLACE = "case when starts_with(room_id, 'try:') then 'try' else coalesce(room_id, '') end";
