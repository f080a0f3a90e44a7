/**
 * Routes what the inbox holds, room by room, in order. Woken in this process, by NOTIFY, and by a slow timer; rows are the truth and a
 * wake-up only says "look". Nothing is lost: who finds a room locked by another looks again until it has itself seen nothing left.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { CHANNELS, type Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import type { Wake } from "../core/wake.ts";
import { anyLeft, drainRoom } from "./drain-room.ts";

type Received = (fn: (tenantId: string, roomIds: string[]) => void) => () => void;

const AT_ONCE = 6;
const LOOK_AGAIN_MS = 5000;
const LOCKED_MS = 20;

const queuedListeners = new Set<(runId: string) => void>();

/** Calls `fn` with the id of each run that this process queued, after the commit. Returns what removes it. */
export function onRunQueued(fn: (runId: string) => void): () => void {
  // Also told of from within a step of another run (an agent hands work over), where the engine would begin no workflow: so it is called as from here.
  const bound = AsyncLocalStorage.bind(fn);
  queuedListeners.add(bound);
  return () => void queuedListeners.delete(bound);
}

/** Starts runs without waiting for NOTIFY, where this process does runs. Call it after the commit. */
export function tellQueued(ctx: Context, runIds: string[]): void {
  for (const runId of runIds)
    for (const fn of queuedListeners)
      try {
        fn(runId);
      } catch (error) {
        ctx.log.error({ err: error, run: runId }, "a listener of queued runs failed; the sweeper starts it");
      }
}

interface Waiting {
  tenantId: string;
  roomId: string;
  /** Woken again while it was being drained. */
  again: boolean;
  /** Perhaps there is nothing: one look without a transaction first. Most of what NOTIFY says, this process has routed already. */
  doubtful: boolean;
  failures: number;
}

/** Starts routing. `stop` waits for what is under way. */
export async function startDrain(
  ctx: Context,
  { wake, onReceived }: { wake: Wake; onReceived: Received },
): Promise<{ stop(): Promise<void> }> {
  const rooms = new Map<string, Waiting>();
  const queue: Waiting[] = [];
  const pauses = new Set<NodeJS.Timeout>();
  const active = new Set<Promise<void>>();
  // Rooms of which this process was told directly: as many of NOTIFY's words about them say nothing new.
  const told = new Map<string, number>();
  let stopped = false;

  function add(tenantId: string, roomId: string, doubtful: boolean): void {
    const key = `${tenantId} ${roomId}`;
    const known = rooms.get(key);
    if (known) {
      known.again = true;
      return;
    }
    const room = { tenantId, roomId, again: false, doubtful, failures: 0 };
    rooms.set(key, room);
    queue.push(room);
    startNext();
  }

  function isOld(key: string): boolean {
    const times = told.get(key) ?? 0;
    if (times > 1) told.set(key, times - 1);
    else told.delete(key);
    return times > 0;
  }

  function startNext(): void {
    while (!stopped && active.size < AT_ONCE) {
      const room = queue.shift();
      if (!room) return;
      const work = drainOne(room).finally(() => {
        active.delete(work);
        startNext();
      });
      active.add(work);
    }
  }

  async function drainOne(room: Waiting): Promise<void> {
    room.again = false;
    try {
      const idle = room.doubtful && !(await anyLeft(ctx, room));
      const left = idle ? "nothing" : await drainRoom(ctx, room, (runIds) => tellQueued(ctx, runIds));
      room.failures = 0;
      room.doubtful = true;
      if (left === "locked") later(room, LOCKED_MS);
      else if (room.again) queue.push(room);
      else rooms.delete(`${room.tenantId} ${room.roomId}`);
    } catch (error) {
      room.failures++;
      const pause = (error as { retryAfterMs?: number }).retryAfterMs ?? Math.min(10_000, 100 * 2 ** room.failures);
      const about = { err: error, tenant: room.tenantId, room: room.roomId, pause };
      if (isTransient(error)) ctx.log.warn(about, "routing waits for something that is down");
      else ctx.log.error(about, "routing failed; it is tried again");
      later(room, pause);
    }
  }

  function later(room: Waiting, ms: number): void {
    const timer = setTimeout(() => {
      pauses.delete(timer);
      queue.push(room);
      startNext();
    }, ms);
    pauses.add(timer);
  }

  async function lookEverywhere(): Promise<void> {
    try {
      // A look through the partial index from room to room: as long as there are rooms, not events.
      const waiting = await ctx.sql<{ tenantId: string; roomId: string }[]>`
        with recursive waiting as (
          (select tenant_id, room_id from inbox where routed_at is null order by tenant_id, room_id limit 1)
          union all
          select n.tenant_id, n.room_id from waiting w cross join lateral (
            select tenant_id, room_id from inbox
            where routed_at is null and (tenant_id, room_id) > (w.tenant_id, w.room_id)
            order by tenant_id, room_id limit 1) n
        ) select tenant_id as "tenantId", room_id as "roomId" from waiting limit 2000`;
      for (const { tenantId, roomId } of waiting) add(tenantId, roomId, false);
    } catch (error) {
      ctx.log.warn({ err: error }, "could not look for events to route; it is tried again");
    }
  }

  const off = [
    onReceived((tenantId, roomIds) => {
      for (const roomId of roomIds) {
        const key = `${tenantId} ${roomId}`;
        told.set(key, (told.get(key) ?? 0) + 1);
        add(tenantId, roomId, false);
      }
    }),
    wake.on(CHANNELS.inbox, (payload) => {
      const [tenantId, roomId] = payload.split(" ");
      if (tenantId && roomId) {
        if (!isOld(payload)) add(tenantId, roomId, true);
        return;
      }
      // Words may have been lost on the way, so there is nothing left to count against.
      told.clear();
      void lookEverywhere();
    }),
  ];
  await lookEverywhere();
  const timer = setInterval(() => void lookEverywhere(), LOOK_AGAIN_MS);

  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      for (const pause of pauses) clearTimeout(pause);
      for (const end of off) end();
      await Promise.all(active);
    },
  };
}
