/** What was said in a room, as far as agent and person could both see it: edits folded in, what was redacted left out. */
import type { Context } from "../../core/context.ts";
import type { RoomState } from "../../migrations/types.ts";
import { isInNoRoom } from "../made-events.ts";
import { textOf } from "../prompt.ts";
import { isOpen } from "../room-state.ts";
import { serverOf } from "../room-view.ts";

/** Newest messages that are looked through for words. */
export const LOOKED_THROUGH = 5000;

export interface RoomQuery {
  tenantId: string;
  roomId: string;
  agentUserId: string;
  person: string;
  /** Words that must stand in it; "" for all. */
  search: string;
  /** The message that began the thread; null: all of the room. */
  thread: string | null;
  limit: number;
}

export interface RoomMessage {
  eventId: string;
  sender: string;
  name: string | null;
  /** Milliseconds since 1970. */
  ts: number;
  thread: string | null;
  text: string;
  /** What nobody vouches for in it: "a message of @x:other". */
  untrusted: string | null;
}

interface Row {
  eventId: string;
  sender: string;
  name: string | null;
  ts: number;
  content: Record<string, unknown>;
  thread: string | null;
  untrusted: string | null;
}

/** The newest of them, oldest first. */
export async function readRoomMessages(ctx: Context, query: RoomQuery): Promise<RoomMessage[]> {
  const rows = await readRows(ctx, query);
  const ours = serverOf(query.agentUserId);
  return rows
    .filter(({ eventId }) => !isInNoRoom(eventId))
    .map((row) => ({
      eventId: row.eventId,
      sender: row.sender,
      name: row.name,
      ts: row.ts,
      thread: row.thread,
      text: textOf(row.content),
      untrusted: serverOf(row.sender) === ours ? row.untrusted : `a message of ${row.sender}`,
    }))
    .filter(({ text }) => text !== "")
    .toSorted((a, b) => a.ts - b.ts);
}

/**
 * `since`: the later of the two arrivals, so that neither shows the other what it could not see. What was fetched at an agent's coming has a late place in the
 * inbox: it counts only where history is open.
 */
async function readRows({ sql }: Context, query: RoomQuery): Promise<Row[]> {
  const { tenantId, roomId, agentUserId, person, search, thread, limit } = query;
  const [room] = await sql<{ visibility: RoomState["historyVisibility"] | null; since: number | null }[]>`
    select r.state->>'historyVisibility' as visibility, (
        select max(visible_from)::float8 from room_members m where m.tenant_id = r.tenant_id and m.room_id = r.room_id and m.membership = 'join'
          and m.user_id in (${agentUserId}, ${person}) having count(*) = 2) as since
    from rooms r where r.tenant_id = ${tenantId} and r.room_id = ${roomId}`;
  if (!room || room.since === null) return [];
  const open = room.visibility !== null && isOpen(room.visibility);
  return await sql<Row[]>`
    select i.event_id as "eventId", i.sender, m.display_name as name, i.ts::float8 as ts, coalesce(e.content, i.content) as content,
      case when i.content->'m.relates_to'->>'rel_type' = 'm.thread' then i.content->'m.relates_to'->>'event_id' end as thread,
      -- An answer that was written anew is of another run than the message that it stands in.
      coalesce(e.content->>'dev.agentopia.untrusted', i.content->>'dev.agentopia.untrusted', (select untrusted from runs where tenant_id = ${tenantId}
        and starts_with(i.sender, '@agent-') and id in (i.content->'dev.agentopia.run'->>'run', e.content->'dev.agentopia.run'->>'run')
        and untrusted is not null order by created_at desc limit 1)) as untrusted
    from (
      select * from inbox where tenant_id = ${tenantId} and room_id = ${roomId} and type = 'm.room.message' and seq >= ${room.since}
        and content <> '{}' and outcome is distinct from 'ignored:before_arrival' and (${open} or outcome is distinct from 'backfill')
        and content->'m.relates_to'->>'rel_type' is distinct from 'm.replace'
        ${thread === null ? sql`` : sql`and (event_id = ${thread} or (content->'m.relates_to'->>'event_id' = ${thread} and content->'m.relates_to'->>'rel_type' = 'm.thread'))`}
      order by seq desc limit ${search === "" ? limit : LOOKED_THROUGH}) i
    left join lateral (
      select x.content->'m.new_content' as content from inbox x
      where x.tenant_id = ${tenantId} and x.room_id = ${roomId} and x.content->'m.relates_to'->>'event_id' = i.event_id
        and x.content->'m.relates_to'->>'rel_type' = 'm.replace' and x.sender = i.sender and x.type = 'm.room.message'
        and jsonb_typeof(x.content->'m.new_content') = 'object' order by x.ts desc, x.seq desc limit 1) e on true
    left join room_members m on m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.user_id = i.sender
    where ${search} = '' or position(${search.toLowerCase()} in lower(coalesce(e.content, i.content)->>'body')) > 0
    order by i.seq desc limit ${limit}`;
}
