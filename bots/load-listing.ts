/** What the commands that list something are answered from. Read only for messages that are one. */
import type { TransactionSql } from "postgres";
import { text } from "./message.ts";
import type { ListingView, RoutedEvent, WaitingView } from "./room-view.ts";
import { listSchedules } from "./schedules/schedules.ts";
import { together } from "./together.ts";

/** True when a message may be such a command; routing reads it exactly. */
export const startsListing = (event: RoutedEvent): boolean =>
  event.type === "m.room.message" && /!(tools|approvals|schedules)\b/i.test(text(event.content.body) ?? "");

export async function loadListing(
  sql: TransactionSql,
  { tenantId, roomId }: { tenantId: string; roomId: string },
): Promise<ListingView> {
  const [tools, waiting, { schedules }] = await together([
    sql<ListingView["tools"]>`
      select a.id as "agentId", coalesce(a.definition->'tools', '{}') as tools, coalesce((
          select json_agg(g.tool order by g.tool) from grants g where g.agent_id = a.id and g.room_id = ${roomId} and g.revoked_at is null), '[]') as granted
      from room_members m join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
      where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership = 'join'`,
    sql<WaitingView[]>`
      select g.name as "agentName", p.kind, p.sentence, p.event_id as "eventId", extract(epoch from p.expires_at)::float8 * 1000 as "expiresAt",
        case when p.only_person is not null then coalesce((select display_name from room_members m where m.tenant_id = p.tenant_id
          and m.room_id = p.room_id and m.user_id = p.only_person), p.only_person) end as "onlyName"
      from approvals p join agents g on g.id = p.agent_id
      where p.tenant_id = ${tenantId} and p.room_id = ${roomId} and p.state = 'open' and p.sentence is not null order by p.created_at limit 50`,
    listSchedules({ sql: sql as never }, { tenantId, roomId, states: ["active", "paused"] }, { limit: 200 }),
  ]);
  return { tools, waiting, schedules };
}
