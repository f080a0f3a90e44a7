/** What was used: closed days from their sums, later ones from the ledger. Days are UTC. */
import type { PendingQuery, Row } from "postgres";
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import { nameIn } from "./person-name.ts";
import { PLACE } from "./usage-days.ts";

export const USAGE_BY = ["day", "client", "agent", "room", "person", "model"] as const;
export type UsageBy = (typeof USAGE_BY)[number];

/** How many parts of the chart have a name of their own; the rest is one more. */
const SERIES = 8;

export interface UsageQuery {
  /** Null: of all clients. */
  tenantId: string | null;
  /** `YYYY-MM-DD`, both included. */
  from: string;
  to: string;
  by: UsageBy;
}

export interface UsageSums {
  calls: number;
  failed: number;
  inputTokens: number;
  outputTokens: number;
  durationMs: number;
}

export interface UsageRow extends UsageSums {
  key: string;
  /** Empty where nothing better is known. */
  name: string;
  /** Id of the client; of one of them where several are in one row. */
  tenantId: string;
}

export interface Usage {
  rows: UsageRow[];
  total: UsageSums;
  /** How many rows there would be without a limit. */
  keys: number;
  /** Tokens of each day; the last part is everything that has no place of its own. `key` null: that rest. */
  series: { key: string | null; name: string; tokens: number[] }[];
  days: string[];
}

type Fragment = PendingQuery<Row[]>;

/** The table, at most `limit` rows with the most tokens first (days: newest first), and the chart's parts. */
export async function readUsage(ctx: Context, query: UsageQuery, limit: number): Promise<Usage> {
  const { sql } = ctx;
  const order = query.by === "day" ? sql`key desc` : sql`sum(input + output) desc, key`;
  const [row] = await sql<{ rows: UsageRow[]; total: UsageSums; keys: number; parts: Part[] }[]>`
    with u as (${used(ctx, query)}),
    k as materialized (
      select day, ${keyOf(ctx, query.by)} as key, min(tenant_id) as tenant, sum(calls) as calls, sum(failed) as failed,
        sum(input) as input, sum(output) as output, sum(duration) as duration
      from u group by 1, 2),
    t as materialized (
      select key, min(tenant) as tenant, sum(calls) as calls, sum(failed) as failed, sum(input) as input, sum(output) as output,
        sum(duration) as duration, row_number() over (order by ${order}) as n
      from k group by key)
    select
      (select coalesce(json_agg(json_build_object('key', key, 'tenantId', tenant, 'calls', calls, 'failed', failed,
        'inputTokens', input, 'outputTokens', output, 'durationMs', duration) order by n), '[]') from t where n <= ${limit}) as rows,
      (select json_build_object('calls', coalesce(sum(calls), 0), 'failed', coalesce(sum(failed), 0), 'inputTokens', coalesce(sum(input), 0),
        'outputTokens', coalesce(sum(output), 0), 'durationMs', coalesce(sum(duration), 0)) from t) as total,
      (select count(*)::int from t) as keys,
      (select coalesce(json_agg(json_build_object('day', day, 'n', n, 'tokens', tokens)), '[]') from (
        select day::text as day, least(n, ${SERIES + 1})::int as n, sum(k.input + k.output) as tokens
        from k join t using (key) group by 1, 2) p) as parts`;
  if (!row) throw new Error("a select without a from clause has one row");
  const rows = await named(ctx, query.by, row.rows);
  return { rows, total: row.total, keys: row.keys, ...seriesOf(query, rows, row.parts) };
}

/** Every day and key of the time, for a file: at most `limit` lines, days in order, the most tokens first within each. */
export async function usageLines(
  ctx: Context,
  query: UsageQuery,
  limit: number,
): Promise<(UsageRow & { day: string })[]> {
  const { sql } = ctx;
  const rows = await sql<(UsageRow & { day: string })[]>`
    with u as (${used(ctx, query)})
    select day::text as day, ${keyOf(ctx, query.by)} as key, min(tenant_id) as "tenantId", sum(calls)::float8 as calls,
      sum(failed)::float8 as failed, sum(input)::float8 as "inputTokens", sum(output)::float8 as "outputTokens",
      sum(duration)::float8 as "durationMs"
    from u group by u.day, 2 order by u.day, sum(input + output) desc, 2 limit ${limit}`;
  return await named(ctx, query.by, rows);
}

/** Sums of closed days, and each call of the days after them. */
function used({ sql }: Context, { tenantId, from, to }: UsageQuery): Fragment {
  const [ofTenant, tenant] =
    tenantId === null ? [sql`true`, sql`true`] : [sql`tenant_id = ${tenantId}`, sql`t.id = ${tenantId}`];
  return sql`
    select tenant_id, day, agent_id, room_id, person_id, model, calls, failed, input_tokens as input, output_tokens as output,
      duration_ms as duration
    from usage_days where ${ofTenant} and day between ${from}::date and ${to}::date
    union all
    select l.* from tenants t
      cross join lateral (select coalesce(max(day), '-infinity') as day from usage_days where tenant_id = t.id) as summed
      cross join lateral (
        select tenant_id, day, coalesce(agent_id, '') as agent_id, ${sql.unsafe(PLACE)} as room_id, coalesce(person_id, '') as person_id,
          model, 1 as calls, (state in ('failed', 'lost'))::int as failed, input_tokens as input, output_tokens as output,
          coalesce(duration_ms, 0) as duration
        from ledger where tenant_id = t.id and day > summed.day and day between ${from}::date and ${to}::date) as l
    where ${tenant}`;
}

const keyOf = ({ sql }: Context, by: UsageBy): Fragment =>
  ({
    day: sql`u.day::text`,
    client: sql`u.tenant_id`,
    agent: sql`u.agent_id`,
    room: sql`u.room_id`,
    person: sql`u.person_id`,
    model: sql`u.model`,
  })[by];

/** Names of what the keys stand for; what is gone keeps its id. */
async function named<R extends UsageRow>(ctx: Context, by: UsageBy, rows: R[]): Promise<R[]> {
  const { sql } = ctx;
  const keys = [...new Set(rows.map(({ key }) => key))];
  const tenants = rows.map(({ tenantId }) => tenantId);
  const found =
    by === "client"
      ? sql`select id as key, title as name from tenants where id = any(${keys}::text[])`
      : by === "agent"
        ? sql`select id as key, name from agents where id = any(${keys}::text[])`
        : by === "room"
          ? sql`select r.room_id as key, coalesce(r.channel, r.state->>'name') as name
              from unnest(${rows.map(({ key }) => key)}::text[], ${tenants}::text[]) as w(room, tenant)
              join rooms r on r.tenant_id = w.tenant and r.room_id = w.room`
          : by === "person"
            ? sql`select w.person as key, coalesce(a.name, p.display_name) as name
                from unnest(${rows.map(({ key }) => key)}::text[], ${tenants}::text[]) as w(person, tenant)
                left join people p on p.tenant_id = w.tenant and p.user_id = w.person
                left join agents a on a.tenant_id = w.tenant and a.user_id = w.person`
            : null;
  const names = new Map<string, string>();
  if (found && keys.length > 0)
    for (const { key, name } of (await found) as unknown as { key: string; name: string | null }[])
      if (name) names.set(key, name);
  return rows.map((row) => ({ ...row, name: names.get(row.key) ?? (by === "person" ? nameIn(row.key) : row.key) }));
}

interface Part {
  day: string;
  n: number;
  tokens: number;
}

/** One line for each of the first rows and one for the rest, with a number for every day. Days are not split. */
function seriesOf({ by, from, to }: UsageQuery, rows: UsageRow[], parts: Part[]): Pick<Usage, "series" | "days"> {
  const days = daysBetween(from, to);
  const place = new Map(days.map((day, index) => [day, index]));
  const count = by === "day" ? 1 : Math.max(...parts.map(({ n }) => n), 0);
  const tokens = Array.from({ length: count }, () => days.map(() => 0));
  for (const { day, n, tokens: more } of parts) {
    const line = tokens[by === "day" ? 0 : n - 1];
    const at = place.get(day);
    if (line && at !== undefined) line[at] = (line[at] ?? 0) + more;
  }
  const series = tokens.map((line, index) => {
    const row = by === "day" || index >= SERIES ? undefined : rows[index];
    return { key: row?.key ?? null, name: row?.name ?? "", tokens: line };
  });
  return { days, series };
}

/** Both included. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = [];
  for (let at = Date.parse(from); at <= Date.parse(to); at += 86_400_000) days.push(utcDay(at));
  return days;
}
