/** What an operator should look at first, over all clients, and what happened today. */
import { DEFAULT_LIMITS } from "../bots/limits.ts";
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import type { Attention, Today } from "./home.ts";

const MOST = 50;
const HOUR = 3_600_000;
const WEEK = 7 * 86_400_000;
/** Counted up to here: more is said as "1000+". */
export const COUNTED = 1000;

export async function operatorAttention(ctx: Context): Promise<Attention[]> {
  const found = await Promise.all([
    clientsDown(ctx),
    withoutModel(ctx),
    failedRuns(ctx),
    nearCap(ctx),
    backups(ctx),
    withoutSecondFactor(ctx),
  ]);
  return found.flat();
}

export async function operatorToday(ctx: Context): Promise<Today> {
  const day = utcDay(ctx.clock.now());
  const since = `${day}T00:00:00Z`;
  const [row] = await ctx.sql<Today[]>`
    select (select count(*)::int from runs where created_at >= ${since}::timestamptz and state = 'done' and source = 'room') as answers,
      coalesce((select sum(used)::float8 from token_days where day = ${day}::date), 0) as tokens, null as "tokensCap",
      (select count(*)::int from (select user_id from people where last_seen_at >= ${since}::timestamptz
        union select asked_by from runs where created_at >= ${since}::timestamptz
          and source = 'room' and not starts_with(asked_by, '@agent-')) seen) as "peopleActive",
      (select count(*)::int from people where created_at >= ${since}::timestamptz) as "newPeople"`;
  return row ?? { answers: 0, tokens: 0, tokensCap: null, peopleActive: 0, newPeople: 0 };
}

/** Whether any agent has ever answered somebody in a room. Where many have, the first row that is looked at says so. */
export async function anyAnswer({ sql }: Context): Promise<boolean> {
  const [row] = await sql<{ answered: boolean }[]>`
    select exists (select 1 from runs where state = 'done' and source = 'room') as answered`;
  return row?.answered ?? false;
}

async function clientsDown({ sql }: Context): Promise<Attention[]> {
  const rows = await sql<{ id: string; title: string; state: string; detail: string | null }[]>`
    select id, title, state, state_detail as detail from tenants
    where desired = 'running' and (state in ('failed', 'crash_loop', 'restarting', 'stopped')
      or (state in ('creating', 'starting') and state_detail is not null))
    order by lower(title) limit ${MOST}`;
  return rows.map(({ id, title, state, detail }) => ({
    kind: "client_down",
    client: { id, title },
    text: detail,
    names: [state],
    link: `/c/${id}/homeserver`,
  }));
}

/** None for everybody, and a client that has none of its own. */
async function withoutModel({ sql }: Context): Promise<Attention[]> {
  const [row] = await sql<{ missing: boolean }[]>`
    select not exists (select from models where tenant_id is null) and (not exists (select from tenants)
      or exists (select from tenants t where not exists (select from models m where m.tenant_id = t.id))) as missing`;
  return row?.missing ? [{ kind: "no_model", link: "/models" }] : [];
}

/** Client by client, so that each is a look into its own part of the index. */
async function failedRuns(ctx: Context): Promise<Attention[]> {
  const since = new Date(ctx.clock.now() - HOUR);
  const rows = await ctx.sql<{ id: string; title: string; count: number }[]>`
    select t.id, t.title, f.count from tenants t cross join lateral (
      select count(*)::int as count from (
        select 1 from runs r where r.tenant_id = t.id and r.state = 'failed' and r.created_at > ${since} limit ${COUNTED}) x) f
    where f.count > 0 order by f.count desc limit ${MOST}`;
  return rows.map(({ id, title, count }) => ({
    kind: "failed_runs",
    client: { id, title },
    count,
    link: `/c/${id}/runs?state=failed`,
  }));
}

async function nearCap(ctx: Context): Promise<Attention[]> {
  const day = utcDay(ctx.clock.now());
  const rows = await ctx.sql<{ id: string; title: string; percent: number }[]>`
    select * from (
      select t.id, t.title, floor(100 * d.used / greatest(1, coalesce((t.limits->>'tokensPerDay')::float8, ${DEFAULT_LIMITS.tokensPerDay}::float8)))::float8 as percent
      from token_days d join tenants t on t.id = d.tenant_id where d.day = ${day}::date) near
    where percent >= 90 order by percent desc limit ${MOST}`;
  return rows.map(({ id, title, percent }) => ({
    kind: "token_cap",
    client: { id, title },
    count: percent,
    link: `/c/${id}/usage`,
  }));
}

/** Of clients that are older than a week: none yet, the last one failed, or it is older than that. */
async function backups(ctx: Context): Promise<Attention[]> {
  const weekAgo = new Date(ctx.clock.now() - WEEK);
  const rows = await ctx.sql<{ id: string; title: string; failed: string | null; doneAt: number | null }[]>`
    select t.id, t.title, case when last.state = 'failed' then coalesce(last.error, '') end as failed, (extract(epoch from done.finished_at) * 1000)::float8 as "doneAt"
    from tenants t
      left join lateral (select state, error from tenant_backups where tenant_id = t.id and state in ('done', 'failed')
        order by created_at desc limit 1) last on true
      left join lateral (select finished_at from tenant_backups where tenant_id = t.id and state = 'done'
        order by created_at desc limit 1) done on true
    where t.driver = 'process' and t.state <> 'removing' and (last.state = 'failed'
      or (t.created_at < ${weekAgo} and (done.finished_at is null or done.finished_at < ${weekAgo})))
    order by lower(t.title) limit ${MOST}`;
  return rows.map(({ id, title, failed, doneAt }) => ({
    kind: failed !== null ? "backup_failed" : doneAt ? "backup_old" : "backup_none",
    client: { id, title },
    text: failed || null,
    at: doneAt,
    link: `/c/${id}/homeserver`,
  }));
}

async function withoutSecondFactor({ sql }: Context): Promise<Attention[]> {
  const rows = await sql<{ name: string }[]>`
    select name from operators where state = 'active' and totp_secret is null order by lower(name) limit ${MOST}`;
  if (rows.length === 0) return [];
  return [{ kind: "no_second_factor", count: rows.length, names: rows.map(({ name }) => name), link: "/operators" }];
}
