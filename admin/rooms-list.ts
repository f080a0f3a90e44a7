/** Teams and rooms of a client as lists show them: with their agents' scopes and the number of people. Reads only. */
import type { Fragment } from "postgres";
import type { Context } from "../core/context.ts";
import { whyNotOurs } from "../homeserver/room-manage.ts";
import type { Scope, TeamMaking } from "../migrations/types.ts";

/** Of one client, and what one of its people may see: null sees all, a user id only the rooms it is in. */
export interface Seen {
  tenantId: string;
  onlyFor: string | null;
}

export interface TeamFacts {
  id: string;
  name: string;
  spaceRoomId: string | null;
  making: TeamMaking | null;
  /** Milliseconds since 1970, as all moments here. */
  archivedAt: number | null;
  createdAt: number;
  people: number;
  /** The one who asks is in it; false for operators, who are nobody in Matrix. */
  mine: boolean;
  rooms: RoomFacts[];
}

export interface AgentInRoom {
  id: string;
  userId: string;
  name: string;
  description: string;
  state: string;
  scope: Scope;
  /** Its definition's: what it has where nothing else was said. */
  usualScope: Scope;
  /** `invite`: it is on its way. */
  membership: "join" | "invite";
}

export interface RoomFacts {
  id: string;
  name: string | null;
  topic: string | null;
  kind: "space" | "channel" | "other";
  team: { id: string; name: string; archived: boolean } | null;
  historyVisibility: "world_readable" | "shared" | "invited" | "joined";
  encrypted: boolean;
  /** Milliseconds since 1970, as all moments here. */
  archivedAt: number | null;
  createdAt: number;
  /** Microseconds since 1970, for cursors. */
  createdUs: number;
  people: number;
  /** All of them; `agents` holds the first few in lists. */
  agentCount: number;
  agents: AgentInRoom[];
  whyNotManaged: string | null;
  serverName: string;
}

/** Rooms of one team that its line in the list holds; the others are found by `GET …/rooms?team=`. */
const ROOMS_OF_A_TEAM = 100;
/** Agents that a line of a list names, and that a room's own page does. */
const AGENTS_OF_A_LINE = 8;
const AGENTS_OF_A_ROOM = 200;

interface TeamsWish extends Seen {
  limit: number;
  archived: boolean;
  q?: string | undefined;
  after: { name: string } | null;
  id?: string;
  /** User id of the person who asks; null for operators. */
  asker: string | null;
}

/** By name, with their rooms: one more than `limit` when there are more. */
export async function listTeams(ctx: Context, wish: TeamsWish): Promise<TeamFacts[]> {
  const { sql } = ctx;
  const { tenantId, onlyFor, q, after, id } = wish;
  const rows = await sql<Omit<TeamFacts, "rooms">[]>`
    select t.id, t.name, t.space_room_id as "spaceRoomId", t.making, ${ms(ctx, "t.archived_at")} as "archivedAt",
      ${ms(ctx, "t.created_at")} as "createdAt",
      (select count(*)::int from room_members m where m.tenant_id = t.tenant_id and m.room_id = t.space_room_id
        and m.membership = 'join' and ${isPerson(ctx)}) as people,
      exists (select 1 from room_members m where m.tenant_id = t.tenant_id and m.room_id = t.space_room_id
        and m.user_id = ${wish.asker} and m.membership = 'join') as mine
    from teams t join tenants c on c.id = t.tenant_id
    where t.tenant_id = ${tenantId}
      ${id === undefined ? sql`and t.archived_at is ${wish.archived ? sql`not` : sql``} null` : sql`and t.id = ${id}`}
      ${q ? sql`and strpos(lower(t.name), lower(${q})) > 0` : sql``}
      ${after ? sql`and t.name > ${after.name}` : sql``}
      ${
        onlyFor
          ? sql`and exists (select 1 from rooms r join room_members m on m.tenant_id = r.tenant_id and m.room_id = r.room_id
              where r.team_id = t.id and m.user_id = ${onlyFor} and m.membership in ('join', 'invite'))`
          : sql``
      }
    order by t.name limit ${wish.limit + 1}`;
  const found = await readRooms(ctx, wish, {
    where: sql`r.team_id = any(${rows.map((row) => row.id)}::text[]) and r.kind = 'channel'`,
    order: sql`r.created_at, r.room_id`,
    limit: rows.length * ROOMS_OF_A_TEAM,
  });
  return rows.map((row) => ({
    ...row,
    rooms: found.filter(({ team }) => team?.id === row.id).slice(0, ROOMS_OF_A_TEAM),
  }));
}

interface RoomsWish extends Seen {
  limit: number;
  after: { createdUs: number; id: string } | null;
  team?: string | undefined;
  /** `ours`: made by the platform; `others`: by people. */
  made?: "ours" | "others" | undefined;
  archived?: boolean | undefined;
  agent?: string | undefined;
  q?: string | undefined;
}

/** Newest first: one more than `limit` when there are more. Spaces, and what only the platform itself uses, are left out. */
export async function listRooms(ctx: Context, wish: RoomsWish): Promise<RoomFacts[]> {
  const { sql } = ctx;
  const { team, made, archived, agent, q, after } = wish;
  const where = sql`r.kind <> 'space' and not (r.kind = 'other' and coalesce(r.state->'creators' ? c.control_user_id, false))
    and not starts_with(r.room_id, 'try:') and (r.kind <> 'other' or r.state is not null)
    ${team ? sql`and r.team_id = ${team}` : sql``}
    ${made ? sql`and r.kind = ${made === "ours" ? "channel" : "other"}` : sql``}
    ${archived === undefined ? sql`` : sql`and r.archived_at is ${archived ? sql`not` : sql``} null`}
    ${agent ? inRoom(ctx, sql`select user_id from agents where tenant_id = ${wish.tenantId} and id = ${agent}`) : sql``}
    ${q ? sql`and strpos(lower(coalesce(r.state->>'name', r.channel, '')), lower(${q})) > 0` : sql``}
    ${after ? sql`and (r.created_at, r.room_id) < (to_timestamp(${after.createdUs}::float8 / 1e6), ${after.id})` : sql``}`;
  return await readRooms(ctx, wish, { where, order: sql`r.created_at desc, r.room_id desc`, limit: wish.limit + 1 });
}

/** One room, or null: unknown, or not for this one. */
export async function findRoom(ctx: Context, seen: Seen, roomId: string): Promise<RoomFacts | null> {
  const { sql } = ctx;
  const [room] = await readRooms(ctx, seen, {
    where: sql`r.room_id = ${roomId}`,
    order: sql`r.room_id`,
    limit: 1,
    agents: AGENTS_OF_A_ROOM,
  });
  return room ?? null;
}

export interface MemberFacts {
  userId: string;
  name: string | null;
  /** `invite`: has not come yet. */
  membership: "join" | "invite";
  moderator: boolean;
}

/** People of a room by user id, without agents and the control bot: one more than `limit` when there are more. */
export async function listMembers(
  ctx: Context,
  wish: { tenantId: string; roomId: string; limit: number; after: string | null; q?: string | undefined },
): Promise<MemberFacts[]> {
  const { sql } = ctx;
  return await sql<MemberFacts[]>`
    select m.user_id as "userId", coalesce(m.display_name, p.display_name) as name, m.membership,
      coalesce((r.state->'powerLevels'->'users'->>m.user_id)::float8, 0) >= 50 as moderator
    from room_members m join tenants c on c.id = m.tenant_id
      left join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id
      left join people p on p.tenant_id = m.tenant_id and p.user_id = m.user_id
    where m.tenant_id = ${wish.tenantId} and m.room_id = ${wish.roomId} and m.membership in ('join', 'invite')
      and ${isPerson(ctx)} ${wish.after === null ? sql`` : sql`and m.user_id > ${wish.after}`}
      ${wish.q ? sql`and strpos(lower(coalesce(m.display_name, p.display_name, '') || ' ' || m.user_id), lower(${wish.q})) > 0` : sql``}
    order by m.user_id limit ${wish.limit + 1}`;
}

/** Neither an agent of this client nor its control bot. `m` is the member, `c` the client. */
const isPerson = ({ sql }: Context) => sql`m.user_id <> c.control_user_id
  and not (starts_with(m.user_id, '@agent-') and split_part(m.user_id, ':', 2) = split_part(c.control_user_id, ':', 2))`;

const inRoom = ({ sql }: Context, users: Piece) => sql`
  and exists (select 1 from room_members m where m.tenant_id = r.tenant_id and m.room_id = r.room_id
    and m.membership in ('join', 'invite') and m.user_id in (${users}))`;

/** A moment in milliseconds: the driver gives moments as text. */
const ms = ({ sql }: Context, column: string): Piece => sql`(extract(epoch from ${sql(column)}) * 1000)::float8`;

type Piece = Fragment;
type RoomRow = Omit<RoomFacts, "whyNotManaged" | "agents">;

async function readRooms(
  ctx: Context,
  { tenantId, onlyFor }: Seen,
  {
    where,
    order,
    limit,
    agents: most = AGENTS_OF_A_LINE,
  }: { where: Piece; order: Piece; limit: number; agents?: number },
): Promise<RoomFacts[]> {
  const { sql } = ctx;
  const rows = await sql<RoomRow[]>`
    with found as (
      select r.*, c.control_user_id, c.server_name from rooms r join tenants c on c.id = r.tenant_id
      where r.tenant_id = ${tenantId} and ${where} ${onlyFor ? inRoom(ctx, sql`${onlyFor}`) : sql``}
      order by ${order} limit ${limit})
    select r.room_id as id, coalesce(r.state->>'name', r.channel) as name, r.state->>'topic' as topic, r.kind,
      case when t.id is not null then json_build_object('id', t.id, 'name', t.name, 'archived', t.archived_at is not null) end as team,
      coalesce(r.state->>'historyVisibility', 'shared') as "historyVisibility",
      coalesce((r.state->>'encrypted')::boolean, false) as encrypted,
      ${ms(ctx, "r.archived_at")} as "archivedAt", ${ms(ctx, "r.created_at")} as "createdAt", (extract(epoch from r.created_at) * 1e6)::float8 as "createdUs",
      n.people, n.agents as "agentCount", r.server_name as "serverName"
    from found r left join teams t on t.id = r.team_id
      cross join lateral (
        select count(*) filter (where m.membership = 'join' and not m.agent)::int as people, count(*) filter (where m.agent)::int as agents
        from (select membership, starts_with(user_id, '@agent-')
              and split_part(user_id, ':', 2) = split_part(r.control_user_id, ':', 2) as agent from room_members
            where tenant_id = r.tenant_id and room_id = r.room_id and membership in ('join', 'invite')
              and user_id <> r.control_user_id) m) n
    order by ${order}`;
  const agents = await agentsOf(
    ctx,
    tenantId,
    rows.map(({ id }) => id),
    most,
  );
  return rows.map((row) => ({ ...row, agents: agents.get(row.id) ?? [], whyNotManaged: whyNotOurs(row) }));
}

/** In the order of their user ids, which is that of the index: the first few of many are found without the others. */
async function agentsOf(
  ctx: Context,
  tenantId: string,
  roomIds: string[],
  most: number,
): Promise<Map<string, AgentInRoom[]>> {
  const byRoom = new Map<string, AgentInRoom[]>();
  if (roomIds.length === 0) return byRoom;
  const rows = await ctx.sql<(AgentInRoom & { roomId: string })[]>`
    select r.id as "roomId", a.id, a.user_id as "userId", a.name, a.definition->>'description' as description, a.state,
      coalesce(s.scope, a.definition->>'scope') as scope, a.definition->>'scope' as "usualScope", m.membership
    from unnest(${roomIds}::text[]) r(id)
      cross join lateral (select user_id, membership from room_members
        where tenant_id = ${tenantId} and room_id = r.id and starts_with(user_id, '@agent-') and membership in ('join', 'invite')
          and exists (select 1 from agents x where x.tenant_id = ${tenantId} and x.user_id = room_members.user_id)
        order by user_id limit ${most}) m
      join agents a on a.tenant_id = ${tenantId} and a.user_id = m.user_id
      left join agent_scopes s on s.agent_id = a.id and s.room_id = r.id
    order by lower(a.name)`;
  for (const { roomId, ...agent } of rows) byRoom.set(roomId, [...(byRoom.get(roomId) ?? []), agent]);
  return byRoom;
}
