/** What the commands that list something are answered from. Read only for messages that are one. */
import type { TransactionSql } from "postgres";
import { formSource } from "./forms/source.ts";
import { managesClient } from "./manages.ts";
import { text } from "./message.ts";
import type { ListingView, RoutedEvent, WaitingView } from "./room-view.ts";
import { listSchedules } from "./schedules/schedules.ts";
import { together } from "./together.ts";
import { BUILT_IN } from "./tools/built-in.ts";
import { showableSentence } from "./tools/showable.ts";
import type { Args, Tool } from "./tools/tool.ts";

/** True when a message may be such a command; routing reads it exactly. */
export const startsListing = (event: RoutedEvent): boolean =>
  event.type === "m.room.message" && /!(tools|approvals|schedules)\b/i.test(text(event.content.body) ?? "");

export async function loadListing(
  sql: TransactionSql,
  { tenantId, roomId }: { tenantId: string; roomId: string },
  sender: string,
): Promise<ListingView> {
  const [tools, waiting, { schedules }, forms, byManager] = await together([
    sql<ListingView["tools"]>`
      select a.id as "agentId", coalesce(a.definition->'tools', '{}') as tools, coalesce((
          select json_agg(g.tool order by g.tool) from grants g where g.agent_id = a.id and g.room_id = ${roomId} and g.revoked_at is null), '[]') as granted
      from room_members m join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
      where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership = 'join'`,
    sql<Waiting[]>`
      select g.name as "agentName", p.kind, p.sentence, p.tool, c.arguments as args, p.event_id as "eventId", extract(epoch from p.expires_at)::float8 * 1000 as "expiresAt",
        case when p.only_person is not null then coalesce((select display_name from room_members m where m.tenant_id = p.tenant_id
          and m.room_id = p.room_id and m.user_id = p.only_person), p.only_person) end as "onlyName"
      from approvals p join agents g on g.id = p.agent_id join tool_calls c on c.id = p.call_id
      where p.tenant_id = ${tenantId} and p.room_id = ${roomId} and p.state = 'open' and p.sentence is not null order by p.created_at limit 50`,
    listSchedules({ sql: sql as never }, { tenantId, roomId, states: ["active", "paused"] }, { limit: 200 }),
    formSource.list({ sql: sql as never }, tenantId),
    managesClient(sql, { tenantId }, sender),
  ]);
  const known = new Map([...forms, ...BUILT_IN].map((tool) => [tool.name, tool]));
  const titles = Object.fromEntries([...known.values()].map(({ name, title }) => [name, title]));
  return { tools, titles, waiting: waiting.map((one) => shown(one, known)), schedules, byManager };
}

interface Waiting extends WaitingView {
  tool: string;
  args: Args | null;
}

/** The question stands in the room with everything, for those who decide; a further message repeats no secrets. */
function shown({ tool, args, ...view }: Waiting, known: ReadonlyMap<string, Tool>): WaitingView {
  return { ...view, sentence: showableSentence({ ...view, tool, args }, known.get(tool)) };
}
