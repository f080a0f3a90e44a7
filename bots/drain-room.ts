/** One batch of a room's events: a short database transaction under the room's lock, without HTTP in it. */
import type { TransactionSql } from "postgres";
import type { Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { outcomeOf } from "./decision.ts";
import { loadView, type RoomRow } from "./load-view.ts";
import { isFirstOfOurs, needsState, prepareRoom } from "./prepare-room.ts";
import type { RoutedEvent } from "./room-view.ts";
import { route, routeWithoutRoom } from "./route.ts";
import { together } from "./together.ts";
import { writeDecision } from "./write-decision.ts";

const BATCH = 50;

type Left = "nothing" | "locked";

/**
 * Routes events of the room until it has seen none left ("nothing") or another process holds the room and events wait ("locked").
 * `queued` is told of runs after each commit. Throws when the database or the homeserver is down.
 */
export async function drainRoom(
  ctx: Context,
  room: { tenantId: string; roomId: string },
  queued: (runIds: string[]) => void,
): Promise<Left> {
  const prepared = new Set<string>();
  for (let careful = false; ; ) {
    try {
      const batch = await routeBatch(ctx, room, { prepared, careful });
      careful = false;
      if (batch.kind === "locked") return await lockedOrMissing(ctx, room);
      if (batch.kind === "nothing") return "nothing";
      if (batch.kind === "prepare") await prepareRoom(ctx, batch.room, batch.events, prepared);
      else {
        queued(batch.runIds);
        // What came since the batch was read wakes us again.
        if (!batch.more) return "nothing";
      }
    } catch (error) {
      if (isTransient(error) || careful) throw error;
      // Some event breaks the whole batch. Again, each in a savepoint of its own, so that it breaks only itself.
      ctx.log.error({ err: error, tenant: room.tenantId, room: room.roomId }, "a batch of events could not be routed");
      careful = true;
    }
  }
}

type Batch =
  | { kind: "locked" }
  | { kind: "nothing" }
  | { kind: "prepare"; room: RoomRow; events: RoutedEvent[] }
  | { kind: "routed"; runIds: string[]; more: boolean };

async function routeBatch(
  ctx: Context,
  { tenantId, roomId }: { tenantId: string; roomId: string },
  { prepared, careful }: { prepared: ReadonlySet<string>; careful: boolean },
): Promise<Batch> {
  return await ctx.sql.begin(async (sql): Promise<Batch> => {
    // The second statement takes its own snapshot, after the lock: what was committed before the lock was ours is in it.
    const [[room], events] = await together([lockRoom(sql, tenantId, roomId), nextEvents(sql, tenantId, roomId)]);
    if (!room) return { kind: "locked" };
    if (events.length === 0) return { kind: "nothing" };
    if (needsState(room, events, prepared)) return { kind: "prepare", room, events };
    const runIds: string[] = [];
    for (const [index, event] of events.entries()) {
      if (await isFirstOfOurs(sql, room, event, prepared)) {
        if (index === 0) return { kind: "prepare", room, events: [event] };
        // What comes before is routed and committed; then the history that a newcomer may see is fetched.
        return { kind: "routed", runIds, more: true };
      }
      runIds.push(...(await routeOne(ctx, sql, room, event, careful)));
    }
    return { kind: "routed", runIds, more: events.length === BATCH };
  });
}

async function lockedOrMissing(ctx: Context, room: { tenantId: string; roomId: string }): Promise<Left> {
  if (!(await anyLeft(ctx, room))) return "nothing";
  await ctx.sql`insert into rooms (tenant_id, room_id) values (${room.tenantId}, ${room.roomId}) on conflict do nothing`;
  return "locked";
}

const lockRoom = (sql: TransactionSql, tenantId: string, roomId: string) => sql<RoomRow[]>`
  select r.tenant_id as "tenantId", r.room_id as "roomId", r.kind, r.archived_at is not null as archived, r.state, t.server_name as "serverName",
    t.control_user_id as "controlUserId", t.limits
  from rooms r join tenants t on t.id = r.tenant_id
  where r.tenant_id = ${tenantId} and r.room_id = ${roomId} for update of r skip locked`;

const nextEvents = (sql: TransactionSql, tenantId: string, roomId: string) => sql<RoutedEvent[]>`
  select seq::float8 as seq, event_id as "eventId", room_id as "roomId", sender, type, state_key as "stateKey", ts::float8 as ts,
    extract(epoch from received_at)::float8 * 1000 as "receivedAt", content, redacts
  from inbox where tenant_id = ${tenantId} and room_id = ${roomId} and routed_at is null
  order by inbox.seq limit ${BATCH}`;

/** True when events of the room wait. */
export async function anyLeft(
  ctx: Context,
  { tenantId, roomId }: { tenantId: string; roomId: string },
): Promise<boolean> {
  const rows = await ctx.sql`
    select 1 from inbox where tenant_id = ${tenantId} and room_id = ${roomId} and routed_at is null limit 1`;
  return rows.length > 0;
}

async function routeOne(
  ctx: Context,
  sql: TransactionSql,
  room: RoomRow,
  event: RoutedEvent,
  careful: boolean,
): Promise<string[]> {
  if (!careful) return await decideAndWrite(ctx, sql, room, event);
  try {
    return await sql.savepoint((inner) => decideAndWrite(ctx, inner, room, event));
  } catch (error) {
    if (isTransient(error)) throw error;
    return await markBroken(ctx, sql, room, event, error);
  }
}

async function decideAndWrite(ctx: Context, sql: TransactionSql, room: RoomRow, event: RoutedEvent): Promise<string[]> {
  const quick = routeWithoutRoom(event, room);
  const decision = quick ?? route(event, await loadView(sql, room, event, ctx.clock.now()));
  const [runIds] = await together([
    writeDecision(sql, room, event, decision),
    markRouted(sql, event, outcomeOf(decision)),
  ]);
  if (decision.kind === "state") room.state = decision.state;
  return runIds;
}

/** Marked and passed over: one event that nobody foresaw must not silence its room. */
async function markBroken(
  ctx: Context,
  sql: TransactionSql,
  room: RoomRow,
  event: RoutedEvent,
  error: unknown,
): Promise<string[]> {
  ctx.log.error(
    { err: error, tenant: room.tenantId, room: room.roomId, event: event.eventId },
    "an event cannot be routed",
  );
  const reason = error instanceof Error ? error.name : "unknown";
  await markRouted(sql, event, `error:${reason}`);
  return [];
}

const markRouted = async (sql: TransactionSql, event: RoutedEvent, outcome: string) =>
  await sql`update inbox set routed_at = now(), outcome = ${outcome} where seq = ${event.seq}`;
