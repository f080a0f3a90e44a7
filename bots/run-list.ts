/** Lists of runs, newest first. Whatever is asked for, an index bounds what has to be read for one page. */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import type { RunState } from "./run-timeline.ts";
import { atMicros, type Fragment, type Place, scanPage } from "./scan-page.ts";

export interface RunFilter {
  /** Null: of all clients. */
  tenantId: string | null;
  agentId?: string | undefined;
  roomId?: string | undefined;
  /** Matrix user id, or `operator:<name>`. Within one client only. */
  askedBy?: string | undefined;
  state?: RunState | undefined;
  source?: "room" | "try" | "task" | undefined;
  /** Milliseconds since 1970; `to` is the first moment that is not wanted. */
  from?: number | undefined;
  to?: number | undefined;
}

export interface ListedRun {
  id: string;
  tenantId: string;
  tenantTitle: string;
  state: RunState;
  source: "room" | "try" | "task";
  agentId: string;
  agentName: string;
  roomId: string | null;
  roomName: string | null;
  askedBy: string;
  askedByName: string | null;
  createdAt: number;
  /** From the question to the end; null while it goes on. */
  durationMs: number | null;
  tokens: number;
  error: string | null;
}

/** A page of at most `limit` runs; `next` is null after the last one. Throws `invalid`. */
export async function listRuns(
  ctx: Context,
  filter: RunFilter,
  page: { limit: number; after: Place | null },
): Promise<{ runs: ListedRun[]; next: Place | null }> {
  if (filter.askedBy !== undefined && filter.tenantId === null)
    throw new AppError("invalid", "Runs of one person are listed within a client. Choose the client first.");
  if (page.after && !isPlace(page.after))
    throw new AppError("invalid", "This is no cursor of this list. Begin again without one.");
  const { found, next } = await scanPage(ctx, "runs", conditions(ctx, filter), page);
  const ids = found.map(({ id }) => id);
  const byId = new Map((await readRuns(ctx, ids)).map((row) => [row.id, row]));
  return { runs: ids.flatMap((id) => byId.get(id) ?? []), next };
}

const isPlace = ({ micros }: Place) => Number.isSafeInteger(micros) && micros >= 0;

/** What an index finds in order, and what is looked at row by row (`scanPage`). */
function conditions(ctx: Context, filter: RunFilter): { drive: Fragment[]; rest: Fragment[] } {
  const { drive, rest } = filtered(ctx, filter);
  const { sql } = ctx;
  const from = filter.from === undefined ? [] : [sql`created_at >= ${atMicros(ctx, filter.from * 1000)}`];
  const to = filter.to === undefined ? [] : [sql`created_at < ${atMicros(ctx, filter.to * 1000)}`];
  return { drive: [...drive, ...from, ...to], rest };
}

function filtered({ sql }: Context, filter: RunFilter): { drive: Fragment[]; rest: Fragment[] } {
  const { tenantId, agentId, roomId, askedBy, state, source } = filter;
  const tenant = tenantId === null ? [] : [sql`tenant_id = ${tenantId}`];
  const agent = agentId === undefined ? [] : [sql`agent_id = ${agentId}`];
  const room = roomId === undefined ? [] : [sql`room_id = ${roomId}`];
  const asker = askedBy === undefined ? [] : [sql`asked_by = ${askedBy}`];
  const tried = source === undefined ? [] : [sql`source = ${source}`];
  const inState = state === undefined ? [] : [STATE[state](sql)];
  // runs_budget and runs_asker
  if (askedBy !== undefined) return { drive: [...tenant, ...room, ...asker], rest: [...agent, ...inState, ...tried] };
  // runs_agent: the tenant is looked at afterwards, for ids of other clients' agents
  if (agentId !== undefined) return { drive: agent, rest: [...tenant, ...room, ...inState, ...tried] };
  // runs_room
  if (roomId !== undefined && tenantId !== null) return { drive: [...tenant, ...room], rest: [...inState, ...tried] };
  // runs_open and runs_waiting: few, whoever's they are
  if (state === "queued" || state === "running" || state === "waiting")
    return { drive: [...inState, ...tenant], rest: [...room, ...tried] };
  // runs_failed
  if (state === "failed" && tenantId !== null) return { drive: [...tenant, ...inState], rest: tried };
  // runs_tenant and runs_newest
  return { drive: tenant, rest: [...room, ...inState, ...tried] };
}

/** Written out: a partial index is chosen for constants only. */
const STATE: Record<RunState, (sql: Context["sql"]) => Fragment> = {
  queued: (sql) => sql`state = 'queued'`,
  running: (sql) => sql`state = 'running'`,
  waiting: (sql) => sql`state = 'waiting'`,
  done: (sql) => sql`state = 'done'`,
  stopped: (sql) => sql`state = 'stopped'`,
  superseded: (sql) => sql`state = 'superseded'`,
  failed: (sql) => sql`state = 'failed'`,
};

/** A page's rows with names and tokens, each by its key. */
const readRuns = ({ sql }: Context, ids: string[]) => sql<ListedRun[]>`
  select r.id, r.tenant_id as "tenantId", t.title as "tenantTitle", r.state, r.source, r.agent_id as "agentId", a.name as "agentName",
    case when r.source = 'room' then r.room_id end as "roomId", coalesce(m.channel, m.state->>'name') as "roomName",
    r.asked_by as "askedBy", coalesce(b.name, w.display_name, p.display_name) as "askedByName",
    extract(epoch from r.created_at)::float8 * 1000 as "createdAt",
    extract(epoch from r.finished_at - coalesce(g.received_at, r.created_at))::float8 * 1000 as "durationMs",
    coalesce((select sum(input_tokens + output_tokens) from ledger where run_id = r.id), 0)::float8 as tokens, r.error
  from runs r join tenants t on t.id = r.tenant_id join agents a on a.id = r.agent_id
    left join inbox g on g.tenant_id = r.tenant_id and g.event_id = r.trigger_event
    left join rooms m on m.tenant_id = r.tenant_id and m.room_id = r.room_id
    left join room_members w on w.tenant_id = r.tenant_id and w.room_id = r.room_id and w.user_id = r.asked_by
    left join people p on p.tenant_id = r.tenant_id and p.user_id = r.asked_by
    left join agents b on b.tenant_id = r.tenant_id and b.user_id = r.asked_by
  where r.id = any(${ids}::text[])`;
