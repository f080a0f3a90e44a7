/** What agents ask people, read for the panel: what waits, and what became of it. */
import type { Context } from "../../core/context.ts";
import type { RoomState } from "../../migrations/types.ts";
import { nameIn } from "../person-name.ts";
import { powerOf } from "../room-state.ts";
import { atMicros, type Fragment, type Place } from "../scan-page.ts";
import type { CallState } from "../tools/calls.ts";
import { type ApprovalState, type PanelAsker, whyNotInPanel } from "./panel.ts";

/** Who looks. */
export interface Looker {
  /** A Matrix user id, or `operator:<name>`. */
  by: string;
  /** Reads all of the client's. */
  reads: boolean;
  /** Decides all of the client's. */
  decides: boolean;
}

/** Moments are milliseconds since 1970. */
export interface ListedApproval {
  id: string;
  kind: "tool" | "input";
  /** One whose time is over is `expired`, before its row says so. */
  state: ApprovalState;
  runId: string;
  /** Who looks may look at the run as well. */
  opens: boolean;
  agentId: string;
  agentName: string;
  source: "room" | "try" | "task";
  roomId: string;
  roomName: string | null;
  /** The message in the room that asks; null until it is there, and beside a form. */
  eventId: string | null;
  tool: string;
  sentence: string | null;
  why: string | null;
  /** As they are: whoever decides must see them. Null once erased. */
  arguments: Record<string, unknown> | null;
  level: number | null;
  onlyPerson: Named | null;
  grantable: boolean;
  /** "Always" was said. */
  always: boolean;
  mayDecide: boolean;
  /** Why not; null for what is over. */
  whyNot: string | null;
  createdAt: number;
  expiresAt: number;
  decidedAt: number | null;
  decidedBy: Named | null;
  decidedVia: "reaction" | "reply" | "panel" | null;
  answer: string | null;
  /** What became of the call. */
  callState: CallState;
  /** Why an approved call was not done, or what nobody knows of it; as the model was told. */
  trouble: string | null;
}

interface Named {
  id: string;
  name: string;
}

/** Approvals that are looked at for one page of somebody who sees some of them only: then a page may be short and still not the last. */
const SCAN = 500;
/** Characters of why a call failed. */
const TROUBLE = 2000;

export interface ApprovalFilter {
  tenantId: string;
  /** What waits, or what is over. */
  open: boolean;
  agentId?: string | undefined;
}

/** Newest first: for those who may not read all, what they may decide or are asked, and what their own runs wait or waited for. */
export async function listApprovals(
  ctx: Context,
  filter: ApprovalFilter,
  looker: Looker,
  page: { limit: number; after: Place | null },
): Promise<{ approvals: ListedApproval[]; next: Place | null }> {
  const now = new Date(ctx.clock.now());
  const newest = (limit: number) => newestOf(ctx, filter, { now, after: page.after, limit });
  if (!looker.reads)
    return await listSeen(ctx, filter.tenantId, looker, { newest: newest(SCAN), now, limit: page.limit });
  const rows = await readRows(ctx, filter.tenantId, looker, newest(page.limit + 1));
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return {
    approvals: rows.slice(0, page.limit).map((row) => toApproval(row, looker, now.getTime())),
    next: last ? { micros: last.micros, id: last.id } : null,
  };
}

/** Rows of approvals in the list's order, found by an index before anything is joined to them. */
function newestOf(
  ctx: Context,
  { tenantId, open, agentId }: ApprovalFilter,
  { now, after, limit }: { now: Date; after: Place | null; limit: number },
): Fragment {
  const { sql } = ctx;
  const state = open ? sql`state = 'open' and expires_at >= ${now}` : sql`(state <> 'open' or expires_at < ${now})`;
  return sql`(
    select * from approvals where tenant_id = ${tenantId} and ${state} ${agentId === undefined ? sql`` : sql`and agent_id = ${agentId}`}
      ${after ? sql`and (created_at, id) < (${atMicros(ctx, after.micros)}, ${after.id})` : sql``}
    order by created_at desc, id desc limit ${limit})`;
}

/** Those of `newest` that somebody may see. */
async function listSeen(
  ctx: Context,
  tenantId: string,
  looker: Looker,
  { newest, now, limit }: { newest: Fragment; now: Date; limit: number },
): Promise<{ approvals: ListedApproval[]; next: Place | null }> {
  const { sql } = ctx;
  const rows = await sql<(Place & Omit<Seen, "power">)[]>`
    select a.id, (extract(epoch from a.created_at) * 1000000)::float8 as micros, a.kind, a.level, a.only_person as "onlyPerson", a.room_id as "roomId",
      coalesce(${isTheirs(sql, looker)}, false) as own, m.user_id is not null as joined
    from ${newest} a join runs r on r.id = a.run_id
      left join room_members m on m.tenant_id = ${tenantId} and m.room_id = a.room_id and m.user_id = ${looker.by} and m.membership = 'join'
    order by a.created_at desc, a.id desc`;
  const powers = await powersIn(
    ctx,
    tenantId,
    looker,
    rows.filter(({ joined }) => joined).map(({ roomId }) => roomId),
  );
  const seen = rows.filter((row) => isSeen({ ...row, power: powers.get(row.roomId) ?? NO_POWER }, looker));
  const ids = seen.slice(0, limit).map(({ id }) => id);
  const these = sql`(select * from approvals where id = any(${ids}::text[]))`;
  const shown = ids.length > 0 ? await readRows(ctx, tenantId, looker, these) : [];
  const last = seen.length > limit ? seen[limit - 1] : rows.length === SCAN ? rows.at(-1) : undefined;
  return {
    approvals: shown.map((row) => toApproval(row, looker, now.getTime())),
    next: last ? { micros: last.micros, id: last.id } : null,
  };
}

/** What somebody may do in rooms, once for each. */
async function powersIn(
  { sql }: Context,
  tenantId: string,
  { by }: Looker,
  rooms: string[],
): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; state: RoomState }[]>`
    select room_id as id, state from rooms where tenant_id = ${tenantId} and room_id = any(${[...new Set(rooms)]}::text[]) and state is not null`;
  return new Map(rows.map(({ id, state }) => [id, powerOf(state, by)]));
}

/** One of them; null when there is none, or none that they see. */
export async function readApproval(
  ctx: Context,
  { tenantId, id }: { tenantId: string; id: string },
  looker: Looker,
): Promise<ListedApproval | null> {
  const one = ctx.sql`(select * from approvals where tenant_id = ${tenantId} and id = ${id})`;
  const [row] = await readRows(ctx, tenantId, looker, one);
  return row && isSeen({ ...row, power: powerIn(row, looker) }, looker)
    ? toApproval(row, looker, ctx.clock.now())
    : null;
}

/** What waits in a room, or in a chat beside an agent's form; also what was asked by runs that others began there. */
export async function approvalsIn(
  ctx: Context,
  { tenantId, roomId }: { tenantId: string; roomId: string },
  looker: Looker,
): Promise<ListedApproval[]> {
  const oldest = ctx.sql`(
    select * from approvals where tenant_id = ${tenantId} and room_id = ${roomId} and state = 'open' order by created_at limit 100)`;
  const rows = await readRows(ctx, tenantId, looker, oldest);
  return rows.toReversed().map((row) => toApproval(row, looker, ctx.clock.now()));
}

interface Row extends Omit<ListedApproval, "onlyPerson" | "decidedBy" | "mayDecide" | "whyNot"> {
  micros: number;
  onlyPerson: string | null;
  onlyName: string | null;
  decidedBy: string | null;
  decidedName: string | null;
  own: boolean;
  joined: boolean;
  roomState: RoomState | null;
}

const isTheirs = (sql: Context["sql"], { by }: Looker): Fragment =>
  sql`(a.only_person = ${by} or r.asked_by = ${by} or r.on_behalf_of = ${by})`;

/** `from`: rows of approvals. Newest first. */
async function readRows(ctx: Context, tenantId: string, looker: Looker, from: Fragment): Promise<Row[]> {
  const { sql } = ctx;
  const ms = (at: Fragment) => sql`(extract(epoch from ${at})::float8 * 1000)`;
  const name = (id: Fragment) =>
    sql`(select display_name from people p where p.tenant_id = ${tenantId} and p.user_id = ${id})`;
  return await sql<Row[]>`
    select a.id, a.kind, a.state, a.run_id as "runId", a.agent_id as "agentId", g.name as "agentName", r.source, a.room_id as "roomId",
      coalesce(o.channel, o.state->>'name') as "roomName", a.event_id as "eventId", a.tool, a.sentence, c.reason as why, c.arguments, a.level,
      a.only_person as "onlyPerson", ${name(sql`a.only_person`)} as "onlyName", a.grantable, a.decided_by as "decidedBy",
      ${name(sql`a.decided_by`)} as "decidedName", a.decided_via as "decidedVia", a.answer, c.state as "callState",
      case when a.state = 'approved' and c.state in ('failed', 'unknown', 'refused', 'declined') then left(c.result, ${TROUBLE}) end as trouble, ${ms(sql`a.created_at`)} as "createdAt",
      ${ms(sql`a.expires_at`)} as "expiresAt", ${ms(sql`a.decided_at`)} as "decidedAt",
      (extract(epoch from a.created_at) * 1000000)::float8 as micros, coalesce(${isTheirs(sql, looker)}, false) as own,
      ${looker.reads} or r.asked_by = ${looker.by} or coalesce(r.source = 'task' and r.on_behalf_of = ${looker.by}, false) as opens,
      coalesce(m.membership = 'join', false) as joined, case when m.membership = 'join' then o.state end as "roomState",
      a.state = 'approved' and exists (select from grants t where t.agent_id = a.agent_id and t.room_id = a.room_id and t.tool = a.tool
        and t.created_at >= a.created_at and t.granted_by = a.decided_by) as always
    from ${from} a join runs r on r.id = a.run_id join agents g on g.id = a.agent_id join tool_calls c on c.id = a.call_id
      left join rooms o on o.tenant_id = ${tenantId} and o.room_id = a.room_id
      left join room_members m on m.tenant_id = ${tenantId} and m.room_id = a.room_id and m.user_id = ${looker.by}
    order by a.created_at desc, a.id desc`;
}

const NO_POWER = Number.NEGATIVE_INFINITY;

/** What tells whether somebody sees one. */
interface Seen {
  kind: "tool" | "input";
  level: number | null;
  onlyPerson: string | null;
  roomId: string;
  /** They are asked, or their own run waits. */
  own: boolean;
  joined: boolean;
  power: number;
}

const askerOf = ({ joined, power }: Pick<Seen, "joined" | "power">, { by, decides }: Looker): PanelAsker => ({
  by,
  all: decides,
  joined,
  power: joined ? power : NO_POWER,
});

const powerIn = ({ roomState }: Row, { by }: Looker): number => (roomState ? powerOf(roomState, by) : NO_POWER);

const isSeen = (row: Seen, looker: Looker): boolean =>
  looker.reads || row.own || whyNotInPanel(row, askerOf(row, looker)) === null;

function toApproval(row: Row, looker: Looker, now: number): ListedApproval {
  const { micros: _, own: __, joined: ___, roomState: ____, onlyName, decidedName, ...rest } = row;
  const state = row.state === "open" && row.expiresAt < now ? "expired" : row.state;
  const asker = askerOf({ joined: row.joined, power: powerIn(row, looker) }, looker);
  const whyNot = state === "open" ? whyNotInPanel(row, asker) : null;
  const named = (id: string | null, name: string | null) => (id === null ? null : { id, name: name ?? nameIn(id) });
  return {
    ...rest,
    state,
    onlyPerson: named(row.onlyPerson, onlyName),
    decidedBy: named(row.decidedBy, decidedName),
    mayDecide: state === "open" && whyNot === null,
    whyNot,
  };
}
