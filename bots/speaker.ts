import type { Sql, TransactionSql } from "postgres";
import type { RoomView } from "./room-view.ts";

/** Who says what the platform has to say in a room: the control bot where it is, else an agent that may post; null where none may. */
export function speaker(view: RoomView, preferred?: string): string | null {
  if (view.controlJoined) return view.controlUserId;
  const able = view.agents.filter(
    ({ membership, scope, state }) =>
      membership === "join" && scope !== "observer" && (state === "active" || state === "paused"),
  );
  return (able.find(({ id }) => id === preferred) ?? able[0])?.userId ?? null;
}

interface Place {
  tenantId: string;
  roomId: string;
  agentId: string | null;
}

/** Who could say something in a room outside of routing: the agent, if it is there and may speak, and the control bot, if it is there. */
export async function speakersIn(
  sql: Sql | TransactionSql,
  { tenantId, roomId, agentId }: Place,
): Promise<{ agent: string | null; control: string | null }> {
  const [row] = await sql<{ agent: string | null; control: string | null }[]>`
    select
      (select m.user_id from room_members m join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
          left join agent_scopes s on s.agent_id = a.id and s.room_id = m.room_id
        where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership = 'join' and a.id = ${agentId} and a.state in ('active', 'paused')
          and coalesce(s.scope, a.definition->>'scope') <> 'observer') as agent,
      (select m.user_id from room_members m join tenants t on t.id = m.tenant_id and t.control_user_id = m.user_id
        where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership = 'join') as control`;
  return row ?? { agent: null, control: null };
}

/** The agent where it may speak, else the control bot; null where neither is. */
export async function agentSpeaker(sql: Sql | TransactionSql, place: Place): Promise<string | null> {
  const { agent, control } = await speakersIn(sql, place);
  return agent ?? control;
}
