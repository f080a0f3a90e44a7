/** Takes texts out of the platform's tables. The homeserver has redacted its own copy by the time we hear of it. */
import type { Sql, TransactionSql } from "postgres";
import { together } from "./together.ts";

/**
 * Erases what a redacted event said: the event, its edits, and what the runs that it belongs to wrote down, be it as their question (whose
 * words an answer may repeat) or as a message of their answer. Twice is the same as once. The engine's tables hold ids only.
 */
export async function eraseText(sql: Sql | TransactionSql, tenantId: string, eventId: string): Promise<void> {
  await together([
    sql`update steps set output = null where output is not null and run_id in (
        select r.id from runs r join answers n on n.id = r.answer_id
          where n.tenant_id = ${tenantId} and n.question_event = ${eventId}
        union all
        select r.id from runs r join answer_events e on e.answer_id = r.answer_id
          where e.tenant_id = ${tenantId} and e.event_id = ${eventId}
        union all
        select r.id from runs r join inbox i on r.id = i.content->'dev.agentopia.run'->>'run'
          where i.tenant_id = ${tenantId} and i.event_id = ${eventId} and r.tenant_id = ${tenantId}
        union all
        -- An edit alone: its question's runs, but not what one under way still has to send.
        select r.id from inbox i join answers n on n.tenant_id = i.tenant_id
            and n.question_event = i.content->'m.relates_to'->>'event_id'
          join runs r on r.answer_id = n.id and r.state not in ('queued', 'running', 'waiting')
          where i.tenant_id = ${tenantId} and i.event_id = ${eventId} and i.content->'m.relates_to'->>'rel_type' = 'm.replace')`,
    // Second: the marks above are read out of these contents.
    sql`update inbox set content = '{}' where tenant_id = ${tenantId} and state_key is null and content <> '{}' and (
        event_id = ${eventId}
        or (content->'m.relates_to'->>'event_id' = ${eventId} and content->'m.relates_to'->>'rel_type' = 'm.replace'))`,
  ]);
}
