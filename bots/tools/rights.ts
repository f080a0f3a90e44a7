/** What agent and person may in rooms: read out of the platform's own mirror of them, which routing keeps in step. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { RoomState } from "../../migrations/types.ts";
import { powerOf } from "../room-state.ts";
import { serverOf } from "../room-view.ts";
import type { RoomRights } from "./decide.ts";
import type { FoundRoom, RoomNeed } from "./tool.ts";

export interface RoomAsker {
  tenantId: string;
  agentUserId: string;
  person: string | null;
  /** The room of the run; null where there is none. */
  roomId: string | null;
}

export interface Found {
  room: FoundRoom;
  rights: RoomRights;
}

interface Row {
  roomId: string;
  name: string | null;
  channel: string | null;
  archived: boolean;
  state: RoomState | null;
  agentJoined: boolean;
  personJoined: boolean;
}

/** The room that the model means, with what may be done there. Throws `not_found`, `conflict` where several are called so, `forbidden` for an archived one. */
export async function findRoom(ctx: Context, asker: RoomAsker, need: RoomNeed): Promise<Found> {
  const rows = await readRooms(ctx, asker, need.room.trim());
  const row = chosen(rows, need.room.trim());
  if (row.archived && need.does !== "read")
    throw new AppError("forbidden", `${nameOf(row)} is archived, so nothing is said or changed there any more.`);
  const federated = row.state?.federated ?? true;
  const level = (userId: string) => (row.state ? powerOf(row.state, userId) : Number.NEGATIVE_INFINITY);
  return {
    room: { roomId: row.roomId, name: row.channel ?? row.name, federated },
    rights: {
      name: nameOf(row),
      agentJoined: row.agentJoined,
      personJoined: row.personJoined,
      agentLevel: level(asker.agentUserId),
      personLevel: asker.person ? level(asker.person) : Number.NEGATIVE_INFINITY,
      needed: row.state ? neededLevel(row.state, need.does) : Number.POSITIVE_INFINITY,
      federated,
      writes: need.does !== "read",
    },
  };
}

const nameOf = ({ channel, name, roomId }: Row) => `“${channel ?? name ?? roomId}”`;

/** Spec: client-server API, m.room.power_levels. */
function neededLevel({ powerLevels }: RoomState, does: RoomNeed["does"]): number {
  if (does === "read") return Number.NEGATIVE_INFINITY;
  if (does === "invite") return powerLevels.invite;
  if ("send" in does) return powerLevels.events[does.send] ?? powerLevels.eventsDefault;
  return powerLevels.events[does.set] ?? powerLevels.stateDefault;
}

/** By id, else by name: of rooms that the person is not in, nobody is told. */
async function readRooms({ sql }: Context, asker: RoomAsker, wanted: string): Promise<Row[]> {
  const { tenantId, agentUserId, person, roomId } = asker;
  const id = wanted === "" ? roomId : wanted.startsWith("!") ? wanted : null;
  const joined = (user: string | null) => sql`
    exists (select from room_members m where m.tenant_id = r.tenant_id and m.room_id = r.room_id and m.user_id = ${user} and m.membership = 'join')`;
  return await sql<Row[]>`
    select * from (
      select r.room_id as "roomId", r.state->>'name' as name, r.channel, r.archived_at is not null as archived, r.state,
        ${joined(agentUserId)} as "agentJoined", ${joined(person)} as "personJoined"
      from rooms r where r.tenant_id = ${tenantId} and r.kind <> 'space' and ${
        id === null
          ? sql`(lower(r.channel) = ${wanted.toLowerCase().replace(/^#/, "")} or lower(r.state->>'name') = ${wanted.toLowerCase()})`
          : sql`r.room_id = ${id}`
      }) found
    where "personJoined" or "roomId" = ${roomId} limit 20`;
}

function chosen(rows: Row[], wanted: string): Row {
  const both = rows.filter(({ agentJoined, personJoined }) => agentJoined && personJoined);
  const [row, other] = both.length > 0 ? both : rows;
  if (!row)
    throw new AppError(
      "not_found",
      wanted === ""
        ? "There is no room here to do this in. Name one."
        : `There is no room “${wanted.slice(0, 100)}” that agent and person are both in.`,
    );
  if (other && both.length > 0)
    throw new AppError(
      "conflict",
      `Several rooms are called “${wanted.slice(0, 100)}”. Use the room's id, one of: ${both.map(({ roomId }) => roomId).join(", ")}.`,
    );
  return row;
}

/** A chat of this one person of the company and the agent: nobody else is there or invited. A stranger is not alone with it: nobody here vouches for them. */
export async function isDirect(ctx: Context, asker: RoomAsker & { controlUserId: string }): Promise<boolean> {
  const { tenantId, roomId, person, agentUserId, controlUserId } = asker;
  if (roomId === null || person === null || serverOf(person) !== serverOf(agentUserId)) return false;
  const rows = await ctx.sql<{ userId: string }[]>`
    select m.user_id as "userId" from room_members m join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id
    where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership in ('join', 'invite')
      and m.user_id not in (${agentUserId}, ${controlUserId}) and not coalesce(r.state->'functionalMembers' ? m.user_id, false) limit 2`;
  return rows.length === 1 && rows[0]?.userId === person;
}
