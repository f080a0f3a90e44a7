/** What awaits who accepted an invite: the rooms of the link's team, the agents in them, and the pages to run the client with. */
import type { Context } from "../../core/context.ts";
import type { TenantRole } from "../../migrations/types.ts";
import type { InviteRow } from "../invites.ts";
import { publicUrl } from "../public-url.ts";
import { roleOf } from "../roles.ts";

const ROOMS = 5;
const AGENTS = 12;

export interface Place {
  /** Null for members: the page says nothing of the panel to them. */
  panel: { url: string; role: Exclude<TenantRole, "member"> } | null;
  /** Null for a link without a team. */
  team: { name: string; rooms: string[]; agents: { name: string; room: string }[] } | null;
}

/** Of the account that the link made: its role as it is now, and the first few rooms and agents of the link's team. */
export async function placeOf(ctx: Context, invite: InviteRow, userId: string): Promise<Place> {
  const role = await roleOf(ctx, invite.tenantId, userId);
  const panel = role === "member" ? null : { url: `${await publicUrl(ctx)}/panel/`, role };
  return { panel, team: await teamOf(ctx, invite) };
}

async function teamOf({ sql }: Context, { teamId, tenantId }: InviteRow): Promise<Place["team"]> {
  const [team] = await sql<{ name: string }[]>`
    select name from teams where id = ${teamId} and tenant_id = ${tenantId} and archived_at is null`;
  if (!team) return null;
  const rooms = await sql<{ name: string }[]>`
    select coalesce(state->>'name', channel) as name from rooms
    where tenant_id = ${tenantId} and team_id = ${teamId} and kind = 'channel' and archived_at is null
      and coalesce(state->>'name', channel) is not null
    order by created_at, room_id limit ${ROOMS}`;
  // Each agent once, with the first of its rooms: that is where one asks it.
  const agents = await sql<{ name: string; room: string }[]>`
    select name, room from (
      select distinct on (a.id) a.name, coalesce(r.state->>'name', r.channel) as room, r.created_at as made
      from agents a
        join room_members m on m.tenant_id = a.tenant_id and m.user_id = a.user_id and m.membership = 'join'
        join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id
      where a.tenant_id = ${tenantId} and a.state = 'active'
        and r.team_id = ${teamId} and r.kind = 'channel' and r.archived_at is null
        and coalesce(r.state->>'name', r.channel) is not null
      order by a.id, r.created_at, r.room_id) found
    order by made, lower(name) limit ${AGENTS}`;
  return { name: team.name, rooms: rooms.map(({ name }) => name), agents };
}
