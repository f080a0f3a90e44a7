/** Who is in a room. */
import type { RoomState } from "../../../migrations/types.ts";
import { nameIn } from "../../person-name.ts";
import { powerOf } from "../../room-state.ts";
import { serverOf } from "../../room-view.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";

const MOST = 200;

export const roomMembers: Tool = {
  name: "room_members",
  group: "room",
  title: "List who is in a room",
  summary: "Looks up who is in a room and what they may do there.",
  description:
    "Lists the people and agents who are in a room or invited, with their user ids and what they may do there.",
  input: {
    type: "object",
    properties: { room: { type: "string", maxLength: 300, description: "Its name or id; this room when left out." } },
    additionalProperties: false,
  },
  risk: "low",
  reads: "private",
  sends: "nothing",
  repeatable: true,
  rooms: ({ room }) => [{ room: String(room ?? ""), does: "read" }],
  sentence: ({ room }) => `list who is in ${room ? `the room “${oneLine(room)}”` : "this room"}`,
  run: list,
};

interface Member {
  userId: string;
  membership: "join" | "invite";
  name: string | null;
  agentName: string | null;
}

async function list({ ctx: { sql }, tenantId, rooms, agent }: ToolRun) {
  const [room] = rooms;
  if (!room) throw new Error("the caller finds the room");
  const members = await sql<Member[]>`
    select m.user_id as "userId", m.membership, m.display_name as name, a.name as "agentName" from room_members m
      left join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
      where m.tenant_id = ${tenantId} and m.room_id = ${room.roomId} and m.membership in ('join', 'invite')
        and m.user_id <> (select control_user_id from tenants where id = ${tenantId})
      order by m.membership desc, a.name nulls first, lower(coalesce(m.display_name, m.user_id)) limit ${MOST + 1}`;
  const [row] = await sql<{ state: RoomState | null }[]>`
    select state from rooms where tenant_id = ${tenantId} and room_id = ${room.roomId}`;
  const lines = members.slice(0, MOST).map((member) => lineOf(member, row?.state ?? null));
  if (members.length > MOST) lines.push(`and more than these ${MOST}`);
  // What strangers call themselves is theirs to say.
  const own = serverOf(agent.userId);
  const stranger = members.find(({ userId }) => serverOf(userId) !== own);
  const untrusted = stranger ? `the name of ${stranger.userId}` : null;
  return { text: [`In “${oneLine(room.name ?? room.roomId)}” are:`, ...lines].join("\n"), untrusted };
}

function lineOf({ userId, membership, name, agentName }: Member, state: RoomState | null): string {
  const level = state ? powerOf(state, userId) : 0;
  const may = level >= 100 ? ", administrator" : level >= 50 ? ", moderator" : level < 0 ? ", reads along" : "";
  const kind = agentName ? "agent" : "person";
  return `- ${oneLine(agentName ?? name ?? nameIn(userId), 60)} (${userId}, ${kind}${may}${membership === "invite" ? ", invited" : ""})`;
}
