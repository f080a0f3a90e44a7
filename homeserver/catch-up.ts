/** For homeservers whose database is not ours: looks in the rooms for what was sent while nobody listened. */
import { and, eq, inArray } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { agents, inbox } from "../migrations/schema.ts";
import type { TenantAccess } from "./access.ts";
import { callWith, pathOf } from "./http.ts";
import { receive } from "./inbox.ts";
import { joinedRooms, type RoomEvent, readMessages } from "./matrix.ts";

const PAGE = 50;
const MOST_PAGES = 40;
const AT_ONCE = 4;

/** Takes in missed events of all rooms in which we have a user. Events that we hold change nothing. Returns how many were looked at. */
export async function catchUpByMessages(ctx: Context, access: TenantAccess): Promise<number> {
  const ours = await ctx.db
    .select({ userId: agents.userId })
    .from(agents)
    .where(and(eq(agents.tenantId, access.id), inArray(agents.state, ["active", "paused"])));
  const readers = new Map<string, string>();
  await eachOf([access.controlUserId, ...ours.map((agent) => agent.userId)], async (userId) => {
    for (const roomId of await joinedRooms(ctx, { tenantId: access.id, as: userId })) readers.set(roomId, userId);
  });
  let looked = 0;
  await eachOf(ours, async ({ userId }) => {
    const invites = await invitesOf(access, userId);
    looked += invites.length;
    if (invites.length > 0) await receive(ctx, access.id, invites);
  });
  await eachOf([...readers], async ([roomId, as]) => {
    const missed = await missedIn(ctx, { tenantId: access.id, as, roomId });
    looked += missed.length;
    if (missed.length > 0) await receive(ctx, access.id, missed);
  });
  return looked;
}

/** The newest events of a room, oldest first, back to one that we hold or to where we came in. */
async function missedIn(ctx: Context, room: { tenantId: string; as: string; roomId: string }): Promise<RoomEvent[]> {
  const found: RoomEvent[] = [];
  let from: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const { chunk, end } = await readMessages(ctx, { ...room, limit: PAGE, dir: "b", from });
    const events = chunk.map((event) => ({ ...event, room_id: room.roomId }));
    found.push(...events);
    if (!end || events.some((event) => isOwnJoin(event, room.as)) || (await holdsAny(ctx, room.tenantId, events)))
      break;
    from = end;
  }
  return found.reverse();
}

const NO_EVENTS = { types: [] };
const INVITES_ONLY = JSON.stringify({
  presence: NO_EVENTS,
  account_data: NO_EVENTS,
  room: { timeline: { limit: 1, types: [] }, state: NO_EVENTS, ephemeral: NO_EVENTS, account_data: NO_EVENTS },
});

/** The invites that wait for a user of ours, as the events that they are: the user may not read them, an admin may. */
async function invitesOf(access: TenantAccess, userId: string): Promise<RoomEvent[]> {
  const query = { filter: INVITES_ONLY, timeout: 0 };
  const what = { method: "GET", path: "/_matrix/client/v3/sync", as: userId, query } as const;
  const { rooms } = await callWith<{ rooms?: { invite?: Record<string, unknown> } }>(access, what);
  const found: RoomEvent[] = [];
  for (const roomId of Object.keys(rooms?.invite ?? {})) {
    const path = `/_synapse/admin/v1/rooms${pathOf(roomId)}/state`;
    const { state } = await callWith<{ state: RoomEvent[] }>(access, {
      method: "GET",
      path,
      query: { type: "m.room.member" },
    });
    found.push(...state.filter((event) => event.type === "m.room.member" && event.state_key === userId));
  }
  return found;
}

const isOwnJoin = (event: RoomEvent, userId: string) =>
  event.type === "m.room.member" && event.state_key === userId && event.content.membership === "join";

async function holdsAny(ctx: Context, tenantId: string, events: RoomEvent[]): Promise<boolean> {
  const ids = events.map((event) => event.event_id);
  if (ids.length === 0) return false;
  const known = await ctx.db
    .select({ eventId: inbox.eventId })
    .from(inbox)
    .where(and(eq(inbox.tenantId, tenantId), inArray(inbox.eventId, ids)))
    .limit(1);
  return known.length > 0;
}

async function eachOf<T>(items: T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}
