/** What is said in a room about its schedules, by nobody's message. */
import type { TransactionSql } from "postgres";
import { writeAction } from "../write-decision.ts";
import type { Schedule } from "./schedules.ts";

type Place = Pick<Schedule, "tenantId" | "roomId" | "agentId"> & { threadRoot?: string | null };

/** Once for each cause; by the control bot where it is, else the agent; not at all where neither is. */
export async function sayInRoom(
  sql: TransactionSql,
  place: Place,
  { cause, text }: { cause: (string | number)[]; text: string },
): Promise<void> {
  const as = await whoSays(sql, place);
  if (!as) return;
  const thread = place.threadRoot ? { threadRoot: place.threadRoot } : {};
  await writeAction(sql, place, cause, { kind: "notice", as, text, ...thread });
}

async function whoSays(sql: TransactionSql, { tenantId, roomId, agentId }: Place): Promise<string | null> {
  const [row] = await sql<{ userId: string }[]>`
    select m.user_id as "userId" from room_members m join tenants t on t.id = m.tenant_id
    where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership = 'join'
      and (m.user_id = t.control_user_id or m.user_id = (select user_id from agents where id = ${agentId} and state not in ('removing', 'removed')))
    order by m.user_id = t.control_user_id desc limit 1`;
  return row?.userId ?? null;
}
