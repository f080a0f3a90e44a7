/** What must be fetched from the homeserver before a room's events can be routed. Done outside of the transaction. */
import type { TransactionSql } from "postgres";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { type RoomEvent, readMessages, readState } from "../homeserver/matrix.ts";
import type { RoomRow } from "./load-view.ts";
import { isOpen, roomStateOf, type StateEvent } from "./room-state.ts";
import { isAgentUser, type RoutedEvent } from "./room-view.ts";

const HISTORY = 50;
const STATE_READ = "state";

/** True when the room was never looked at and one of these events cannot be judged without. An agent's invite can. */
export function needsState(room: RoomRow, events: RoutedEvent[], prepared: ReadonlySet<string>): boolean {
  if (room.state !== null || prepared.has(STATE_READ)) return false;
  return events.some(
    ({ type, stateKey, content }) =>
      !(type === "m.room.member" && stateKey !== null && isAgentUser(stateKey, room) && content.membership !== "join"),
  );
}

/** True when this event is the first of our users coming into a room: what was said before never reached us. */
export async function isFirstOfOurs(
  sql: TransactionSql,
  room: RoomRow,
  event: RoutedEvent,
  prepared: ReadonlySet<string>,
): Promise<boolean> {
  if (event.type !== "m.room.member" || event.content.membership !== "join" || room.kind !== "other") return false;
  if (event.stateKey === null || !isAgentUser(event.stateKey, room) || prepared.has(event.eventId)) return false;
  const others = await sql`
    select 1 from room_members m left join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
    where m.tenant_id = ${room.tenantId} and m.room_id = ${room.roomId} and m.membership = 'join'
      and (a.id is not null or m.user_id = ${room.controlUserId}) limit 1`;
  return others.length === 0;
}

/** Reads the room's state, or the history that a newcomer may see; `prepared` remembers it for this round. */
export async function prepareRoom(
  ctx: Context,
  room: RoomRow,
  events: RoutedEvent[],
  prepared: Set<string>,
): Promise<void> {
  const [first] = events;
  if (needsState(room, events, prepared)) {
    await readRoom(ctx, room, events);
    prepared.add(STATE_READ);
  } else if (first) {
    await readHistory(ctx, room, first);
    prepared.add(first.eventId);
  }
}

async function readRoom(ctx: Context, room: RoomRow, events: RoutedEvent[]): Promise<void> {
  const found = await stateAsOneOfUs(ctx, room);
  if (!found) {
    ctx.log.warn({ tenant: room.tenantId, room: room.roomId }, "none of our users may read this room's state");
    return;
  }
  const state = found.map(
    ({ type, state_key, sender, content }): StateEvent => ({ type, stateKey: state_key ?? "", sender, content }),
  );
  // What waits may be older than the change to open history that the state shows already: then it opens when that change is routed.
  const changes = events.some(({ type }) => type === "m.room.history_visibility");
  const read = roomStateOf(state, 0);
  const known = changes ? { ...read, historyVisibility: "joined" as const, sharedSince: null } : read;
  const members = state.filter(({ type }) => type === "m.room.member");
  // Agents whose coming waits to be routed are written then: from then on they see the room.
  const coming = await agentsThatCome(ctx, room);
  const rows = members
    .filter(({ stateKey }) => !coming.includes(stateKey))
    .map(({ stateKey, content }) => ({
      user_id: stateKey,
      membership: content.membership,
      display_name: content.displayname ?? null,
    }));
  const from = isOpen(known.historyVisibility) ? 0 : (events[0]?.seq ?? 0);
  await ctx.sql.begin(async (sql) => {
    const written = await sql`update rooms set state = ${JSON.stringify(known)}::text::jsonb
      where tenant_id = ${room.tenantId} and room_id = ${room.roomId} and state is null returning 1`;
    if (written.length === 0) return;
    await sql`insert into room_members (tenant_id, room_id, user_id, membership, display_name, visible_from)
      select ${room.tenantId}, ${room.roomId}, user_id, membership, display_name, ${from}
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as (user_id text, membership text, display_name text)
      where membership in ('join', 'invite', 'leave', 'ban', 'knock')
      on conflict (tenant_id, room_id, user_id) do update set membership = excluded.membership,
        display_name = coalesce(excluded.display_name, room_members.display_name)`;
  });
}

async function agentsThatCome(ctx: Context, { tenantId, roomId }: RoomRow): Promise<string[]> {
  const rows = await ctx.sql<{ userId: string }[]>`
    select distinct state_key as "userId" from inbox where tenant_id = ${tenantId} and room_id = ${roomId}
      and routed_at is null and type = 'm.room.member' and starts_with(state_key, '@agent-')`;
  return rows.map(({ userId }) => userId);
}

/** Asks as each of our users that may be in the room. Null when none may read it; throws when the homeserver is down. */
async function stateAsOneOfUs(ctx: Context, room: RoomRow): Promise<RoomEvent[] | null> {
  const { tenantId, roomId } = room;
  const agents = await ctx.sql<{ userId: string }[]>`
    select a.user_id as "userId" from agents a where a.tenant_id = ${tenantId} and a.user_id in (
      select state_key from inbox where tenant_id = ${tenantId} and room_id = ${roomId} and type = 'm.room.member'
        and content->>'membership' = 'join' and routed_at is null
      union all
      select user_id from room_members where tenant_id = ${tenantId} and room_id = ${roomId} and membership = 'join')
    limit 3`;
  for (const as of [...agents.map(({ userId }) => userId), room.controlUserId])
    try {
      return await readState(ctx, { tenantId, as, roomId });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "homeserver_refused") throw error;
    }
  return null;
}

/**
 * The newest messages that the newcomer may see go into the inbox: those since its invite as questions still to be routed, for nobody
 * heard them while it was on its way; those before as context only.
 */
async function readHistory(ctx: Context, room: RoomRow, join: RoutedEvent): Promise<void> {
  const { tenantId, roomId } = room;
  if (!join.stateKey || !room.state || room.state.historyVisibility === "joined") return;
  const chunk = await messagesFor(ctx, { tenantId, as: join.stateKey, roomId });
  const [member] = await ctx.sql<{ invitedAt: number }[]>`
    select seen_since::float8 as "invitedAt" from room_members where tenant_id = ${tenantId} and room_id = ${roomId}
      and user_id = ${join.stateKey} and membership = 'invite' and seen_since > 0`;
  const since = member?.invitedAt ?? join.ts;
  const rows = chunk
    .filter(({ type, state_key, origin_server_ts: ts }) => {
      return type === "m.room.message" && state_key === undefined && ts <= join.ts;
    })
    .reverse()
    .map(({ event_id, sender, origin_server_ts: ts, content }) => {
      return { event_id, sender, ts, content, before: ts < since };
    });
  await ctx.sql`
    insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content, routed_at, outcome)
    select ${tenantId}, event_id, ${roomId}, sender, 'm.room.message', ts, content, case when before then now() end,
      case when before then 'backfill' end
    from rows from (jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
      as (event_id text, sender text, ts bigint, content jsonb, before boolean)) with ordinality order by ordinality
    on conflict do nothing`;
}

async function messagesFor(ctx: Context, who: { tenantId: string; as: string; roomId: string }): Promise<RoomEvent[]> {
  try {
    return (await readMessages(ctx, { ...who, limit: HISTORY, dir: "b" })).chunk;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "homeserver_refused") throw error;
    const about = { err: error, tenant: who.tenantId, room: who.roomId };
    ctx.log.warn(about, "the history before an agent's arrival cannot be read");
    return [];
  }
}
