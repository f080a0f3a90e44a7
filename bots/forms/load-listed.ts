/** Which forms there are, for what is said about them in a room. Read only for messages in which a word follows a "!". */
import type { TransactionSql } from "postgres";
import { text } from "../message.ts";
import type { ListedForm, ListedForms, RoutedEvent } from "../room-view.ts";
import { together } from "../together.ts";

const SHOWN = 20;
/** Names are compared with a mistyped one, so they have a bound. */
const MOST_NAMES = 1000;

/** True when a message may ask for forms or mistype one; routing reads it exactly. */
export const mayNameForms = (event: RoutedEvent): boolean =>
  event.type === "m.room.message" && /(?:^|[\s:,])![a-z]/i.test(text(event.content.body) ?? "");

/** Shown is what can be filled in in this room; a name may be of a form whose agent is not there, which says so when it is tried. */
export async function loadListedForms(
  sql: TransactionSql,
  { tenantId, roomId }: { tenantId: string; roomId: string },
): Promise<ListedForms> {
  const [rows, named] = await together([
    sql<(ListedForm & { total: number })[]>`
      select name, definition->>'title' as title, definition->>'description' as description, definition->'input' as input, count(*) over ()::int as total
      from form_tools f where tenant_id = ${tenantId} and state = 'active' and (definition->>'agent' is null or exists (
        select from agents a join room_members m on m.tenant_id = a.tenant_id and m.user_id = a.user_id
        where a.tenant_id = ${tenantId} and a.id = f.definition->>'agent' and a.state = 'active' and m.room_id = ${roomId} and m.membership = 'join'))
      order by name limit ${SHOWN}`,
    sql<{ name: string }[]>`
      select name from form_tools where tenant_id = ${tenantId} and state = 'active' order by name limit ${MOST_NAMES}`,
  ]);
  return {
    shown: rows.map(({ total: _, ...form }) => form),
    total: rows[0]?.total ?? 0,
    names: named.map(({ name }) => name),
  };
}
