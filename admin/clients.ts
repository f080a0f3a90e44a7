/** Clients as their operator sees them: whose homeserver needs a look first, and what happened at each today. */
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import type { TenantRow } from "../homeserver/tenants.ts";

export interface ClientFacts {
  id: string;
  title: string;
  serverName: string;
  homeserverUrl: string;
  driver: TenantRow["driver"];
  state: TenantRow["state"];
  stateDetail: string | null;
  version: string | null;
  /** Its homeserver is not as its operator wants it. */
  needsLook: boolean;
  people: number;
  agents: number;
  /** Today in UTC, as tokens are counted. */
  runsToday: number;
  tokensToday: number;
  lastBackupAt: Date | null;
  createdAt: Date;
}

/** Where a page of the list ended. */
export interface ClientCursor {
  rank: number;
  title: string;
  id: string;
}

export interface ClientFilter {
  /** Part of the title, the name or the server name. */
  q?: string | undefined;
  state?: TenantRow["state"] | undefined;
  limit: number;
  after?: ClientCursor | undefined;
}

/** The figures of one client: without this row it has none. */
type Row = Omit<ClientFacts, "lastBackupAt" | "createdAt"> & {
  lastBackup: number | null;
  created: number;
  rank: number;
  sortTitle: string;
};

/**
 * Those that need a look first, then by title. What is counted is counted for the rows of the page only: with hundreds of clients and a
 * million runs that is a few milliseconds.
 */
export async function listClients(
  ctx: Pick<Context, "sql" | "clock">,
  { q, state, limit, after }: ClientFilter,
): Promise<{ facts: ClientFacts; cursor: ClientCursor }[]> {
  const { sql } = ctx;
  const day = utcDay(ctx.clock.now());
  const like = q ? `%${q.replaceAll(/[\\%_]/g, "\\$&")}%` : null;
  const rows = await sql<Row[]>`
    with ranked as (
      select *, lower(title) as sort_title, case
        when state in ('failed', 'crash_loop') then 0
        when state = 'restarting' or (state in ('creating', 'starting') and state_detail is not null) then 1
        when state in ('creating', 'starting', 'removing') then 2
        when state = 'running' then 3 else 4 end as rank
      from tenants
      where (${like}::text is null or title ilike ${like} or id ilike ${like} or server_name ilike ${like})
        and (${state ?? null}::text is null or state = ${state ?? null})),
    page as (
      select * from ranked
      where ${after ? sql`(rank, sort_title, id) > (${after.rank}::int, ${after.title}::text, ${after.id}::text)` : sql`true`}
      order by rank, sort_title, id limit ${limit})
    select page.id, title, server_name as "serverName", homeserver_url as "homeserverUrl", driver, state,
      state_detail as "stateDetail", version, rank, sort_title as "sortTitle", rank < 2 as "needsLook",
      extract(epoch from page.created_at)::float8 * 1000 as created,
      (select count(*)::int from people where tenant_id = page.id and people.state <> 'deactivated') as people,
      (select count(*)::int from agents where tenant_id = page.id and agents.state <> 'removed') as agents,
      (select count(*)::int from runs where tenant_id = page.id and created_at >= ${day}::timestamp at time zone 'UTC') as "runsToday",
      coalesce((select used::float8 from token_days where tenant_id = page.id and day = ${day}::date), 0) as "tokensToday",
      (select extract(epoch from finished_at)::float8 * 1000 from tenant_backups b
        where b.tenant_id = page.id and b.state = 'done' order by b.created_at desc limit 1) as "lastBackup"
    from page order by rank, sort_title, page.id`;
  return rows.map(({ lastBackup, created, rank, sortTitle, ...facts }) => ({
    facts: { ...facts, lastBackupAt: lastBackup === null ? null : new Date(lastBackup), createdAt: new Date(created) },
    cursor: { rank, title: sortTitle, id: facts.id },
  }));
}
