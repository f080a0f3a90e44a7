/** The lists that the panel shows of people, read from the mirror, so that they are quick and there while a homeserver is down. */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { isPersonId, noSuchPerson, roomsOf } from "../homeserver/people.ts";
import { getTenant } from "../homeserver/tenants.ts";
import type { TenantRole } from "../migrations/types.ts";
import { type PersonState, refreshPerson } from "./people-sync.ts";

export interface PersonRow {
  userId: string;
  name: string | null;
  state: PersonState;
  role: TenantRole;
  /** Milliseconds since 1970. */
  lastSeenAt: number | null;
  createdAt: number;
  /** By which the list is sorted, with the user id. */
  search: string;
}

export interface PeopleQuery {
  q?: string | undefined;
  state?: PersonState | undefined;
  role?: TenantRole | undefined;
  after: readonly [search: string, userId: string] | null;
  limit: number;
}

const columns = ({ sql }: Pick<Context, "sql">) => sql`
  p.user_id as "userId", p.display_name as name, p.state, coalesce(r.role, 'member') as role, p.search,
  extract(epoch from p.last_seen_at)::float8 * 1000 as "lastSeenAt", extract(epoch from p.created_at)::float8 * 1000 as "createdAt"`;

/** People of a client by name, one more than the limit where there are more. `q` is a part of the name or the user id. */
export async function pagePeople(ctx: Context, tenantId: string, query: PeopleQuery): Promise<PersonRow[]> {
  const { sql } = ctx;
  const q = query.q?.trim().replace(/^@/, "") ?? "";
  const role =
    query.role === "member" ? sql`and coalesce(r.role, 'member') = 'member'` : sql`and r.role = ${query.role ?? ""}`;
  return await sql<PersonRow[]>`
    select ${columns(ctx)} from people p
      left join tenant_roles r on r.tenant_id = p.tenant_id and r.user_id = p.user_id
    where p.tenant_id = ${tenantId}
      ${query.state ? sql`and p.state = ${query.state}` : sql``}
      ${query.role ? role : sql``}
      ${q ? sql`and strpos(p.search, lower(${q})) > 0` : sql``}
      ${query.after ? sql`and (p.search, p.user_id) > (${query.after[0]}, ${query.after[1]})` : sql``}
    order by p.search, p.user_id limit ${query.limit + 1}`;
}

export interface TeamOfPerson {
  id: string;
  name: string;
}

/** The teams that these people are in: whose space they joined. */
export async function teamsOf(
  ctx: Context,
  tenantId: string,
  userIds: readonly string[],
): Promise<Map<string, TeamOfPerson[]>> {
  const rows =
    userIds.length === 0
      ? []
      : await ctx.sql<{ userId: string; id: string; name: string }[]>`
        select m.user_id as "userId", t.id, t.name from room_members m
          join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id and r.kind = 'space'
          join teams t on t.id = r.team_id and t.archived_at is null
        where m.tenant_id = ${tenantId} and m.user_id = any(${userIds as string[]}) and m.membership = 'join'
        order by t.name`;
  return Map.groupBy(rows, ({ userId }) => userId) as Map<string, TeamOfPerson[]>;
}

export interface RoomOfPerson {
  id: string;
  name: string | null;
  kind: "space" | "channel" | "other";
  team: string | null;
}

const MOST_ROOMS = 200;

export interface PersonDetails extends PersonRow {
  /** What they wrote is hidden from newcomers; null when the homeserver could not be asked. */
  erased: boolean | null;
  locked: boolean;
  /** Administers the homeserver itself. */
  admin: boolean;
  rooms: RoomOfPerson[];
  /** Says so when the homeserver could not be asked. */
  stale: string | null;
}

/** One person as the homeserver has them now; what is known of them when it is down. Throws `not_found`. */
export async function readPersonDetails(ctx: Context, tenantId: string, userId: string): Promise<PersonDetails> {
  const { serverName } = await getTenant(ctx, tenantId);
  if (!isPersonId(userId, serverName)) throw noSuchPerson(userId);
  const now = await lookNow(ctx, tenantId, userId);
  const [row] = await ctx.sql<PersonRow[]>`
    select ${columns(ctx)} from people p
      left join tenant_roles r on r.tenant_id = p.tenant_id and r.user_id = p.user_id
    where p.tenant_id = ${tenantId} and p.user_id = ${userId}`;
  if (!row || (now.stale === null && now.person === null)) throw noSuchPerson(userId);
  return {
    ...row,
    erased: now.person?.erased ?? null,
    locked: now.person?.locked ?? false,
    admin: now.person?.admin ?? false,
    rooms: await roomsByName(ctx, tenantId, userId, now.rooms),
    stale: now.stale,
  };
}

async function lookNow(ctx: Context, tenantId: string, userId: string) {
  try {
    const person = await refreshPerson(ctx, { tenantId, userId });
    return { person, rooms: person ? await roomsOf(ctx, { tenantId, userId }) : [], stale: null };
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "homeserver_down") throw error;
    return { person: null, rooms: null, stale: `${error.sentence} What you see is what was known before.` };
  }
}

/** Names of rooms, of those that the homeserver says, or that we heard of where it says nothing. */
async function roomsByName(
  ctx: Context,
  tenantId: string,
  userId: string,
  ids: string[] | null,
): Promise<RoomOfPerson[]> {
  const { sql } = ctx;
  const which =
    ids === null
      ? sql`in (select room_id from room_members where tenant_id = ${tenantId} and user_id = ${userId} and membership = 'join')`
      : sql`= any(${ids})`;
  return await sql<RoomOfPerson[]>`
    select r.room_id as id, coalesce(r.state->>'name', r.channel) as name, r.kind, t.name as team
    from rooms r left join teams t on t.id = r.team_id
    where r.tenant_id = ${tenantId} and r.room_id ${which}
    order by t.name nulls last, (r.kind <> 'space'), name nulls last, r.room_id limit ${MOST_ROOMS}`;
}
