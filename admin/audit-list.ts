/** The audit log, read: newest first, page by page, by indexed columns; free text within a bounded stretch at a time. */
import type { Context } from "../core/context.ts";

export interface AuditLine {
  seq: number;
  /** Milliseconds since 1970. */
  at: number;
  tenantId: string | null;
  actorKind: "operator" | "person" | "command_line" | "link" | "stranger";
  actorId: string;
  actorName: string;
  onBehalfOf: string | null;
  action: string;
  targetKind: string;
  targetId: string;
  targetName: string | null;
  before: unknown;
  after: unknown;
  outcome: "open" | "done" | "failed" | "refused";
  address: string | null;
}

export interface AuditFilter {
  /** Lines of one client; null: of all clients and the platform. */
  tenantId: string | null;
  actor?: string | undefined;
  /** One action, or all that begin like it: `agents` for `agents.publish`. */
  action?: string | undefined;
  target?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  /** Text in the names of who, what and which. */
  q?: string | undefined;
}

/** How many lines are looked through for a text at a time; who asks gets a cursor to look on from. */
const STRETCH = 2_000;

/** `next`: where the next page begins; null at the end. A page of a text search may hold few lines, or none, and go on all the same. */
export async function listAudit(
  ctx: Context,
  filter: AuditFilter,
  { limit, before }: { limit: number; before: number | null },
): Promise<{ lines: AuditLine[]; next: number | null }> {
  const { sql } = ctx;
  const bounds = await boundsOf(ctx, filter);
  if (bounds === null) return { lines: [], next: null };
  const indexed = indexedPart(ctx, filter, bounds);
  const older = before === null ? sql`` : sql`and seq < ${before}`;
  const stretch =
    filter.q === undefined
      ? sql`select * from audit where ${indexed} ${older} order by seq desc limit ${limit + 1}`
      : sql`select * from audit where ${indexed} ${older} order by seq desc limit ${STRETCH}`;
  const rows = await sql<(AuditLine & { last: string | null; looked: number })[]>`
    with stretch as materialized (${stretch}), looked as (select count(*)::int as looked, min(seq) as last from stretch)
    select ${columns(ctx)}, looked.looked, looked.last
    from looked left join lateral (
      select * from stretch where ${matches(ctx, filter.q)} order by seq desc limit ${limit + 1}) found on true
    order by found.seq desc`;
  const [{ looked = 0, last = null } = {}] = rows;
  const lines = rows.filter(({ action }) => action !== null).map(({ looked: _, last: __, ...line }) => line);
  if (lines.length > limit) return { lines: lines.slice(0, limit), next: lines[limit - 1]?.seq ?? null };
  const more = filter.q !== undefined && looked === STRETCH && last !== null;
  return { lines, next: more ? Number(last) : null };
}

/** The actions and actors that a filter can choose from, most used first among the newest lines. */
export async function auditChoices(
  ctx: Context,
  tenantId: string | null,
): Promise<{ actions: string[]; actors: { id: string; name: string }[] }> {
  const { sql } = ctx;
  const newest = sql`
    newest as materialized (select action, actor_id, actor_name, seq from audit
      where ${tenantId === null ? sql`true` : sql`tenant_id = ${tenantId}`} order by seq desc limit 5000)`;
  const actions = await sql<{ action: string }[]>`
    with ${newest} select action from newest group by action order by action limit 200`;
  const actors = await sql<{ id: string; name: string }[]>`
    with ${newest} select actor_id as id, (array_agg(actor_name order by seq desc))[1] as name from newest
    group by actor_id order by count(*) desc limit 100`;
  return { actions: actions.map(({ action }) => action), actors: [...actors] };
}

/** Times as positions in the log, which grows with them; null when there is nothing in between. */
async function boundsOf({ sql }: Context, { from, to }: AuditFilter): Promise<{ from: string; to: string } | null> {
  const [first] = from
    ? await sql<{ seq: string }[]>`
        select seq from audit where at >= ${new Date(from.getTime() - SLACK_MS)} order by at limit 1`
    : [{ seq: "0" }];
  const [last] = to
    ? await sql<{ seq: string }[]>`
        select seq from audit where at < ${new Date(to.getTime() + SLACK_MS)} order by at desc limit 1`
    : [{ seq: "9000000000000000" }];
  return first && last ? { from: first.seq, to: last.seq } : null;
}

/** What the indexes answer. */
function indexedPart({ sql }: Context, filter: AuditFilter, bounds: { from: string; to: string }) {
  const { tenantId, actor, action, target, from, to } = filter;
  return sql`
    ${tenantId === null ? sql`true` : sql`tenant_id = ${tenantId}`}
    ${actor === undefined ? sql`` : sql`and actor_id = ${actor}`}
    ${action === undefined ? sql`` : action.includes(".") ? sql`and action = ${action}` : sql`and action like ${`${escaped(action)}.%`}`}
    ${target === undefined ? sql`` : sql`and target_id = ${target}`}
    ${from === undefined ? sql`` : sql`and seq >= ${bounds.from}::bigint - ${SLACK_LINES} and at >= ${from}`}
    ${to === undefined ? sql`` : sql`and seq <= ${bounds.to}::bigint + ${SLACK_LINES} and at < ${to}`}`;
}

/** A line may get its number a little before or after its neighbour of the same moment: the exact time is asked besides. */
const SLACK_MS = 60_000;
const SLACK_LINES = 1_000;

/** For `like`: as it is typed. */
const escaped = (text: string): string => text.replace(/[\\%_]/g, "\\$&");

function matches({ sql }: Context, q: string | undefined) {
  if (q === undefined) return sql`true`;
  const like = `%${escaped(q)}%`;
  return sql`(actor_name ilike ${like} or on_behalf_of ilike ${like} or action ilike ${like} or target_name ilike ${like}
    or target_id ilike ${like} or target_kind ilike ${like})`;
}

const columns = ({ sql }: Context) => sql`
  found.seq::float8 as seq, extract(epoch from found.at)::float8 * 1000 as at, found.tenant_id as "tenantId",
  found.actor_kind as "actorKind", found.actor_id as "actorId", found.actor_name as "actorName",
  found.on_behalf_of as "onBehalfOf", found.action, found.target_kind as "targetKind", found.target_id as "targetId",
  found.target_name as "targetName", found.before, found.after, found.outcome, found.address`;
