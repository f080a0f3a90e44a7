/** The same question once more, asked from the panel: as the 🔁 reaction does it in the room. */
import type { TransactionSql } from "postgres";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { stableId } from "../core/ids.ts";
import { tellQueued } from "./drain.ts";
import { runIdOf } from "./run-ids.ts";
import { together } from "./together.ts";
import { writeRun } from "./write-decision.ts";

/**
 * A new answer to a run's question, in the same place and for whoever asked. `click` is made by who asks, once for each time they want it:
 * the same click twice is one answer. Throws `not_found`, and `conflict` with the reason why it cannot be.
 */
export async function runAgain(
  ctx: Context,
  { tenantId, runId, click }: { tenantId: string; runId: string; click: string },
): Promise<{ run: string }> {
  const run = await ctx.sql.begin(async (sql) => {
    const asked = await lockQuestion(sql, tenantId, runId);
    const triggerEvent = `$again-${stableId(tenantId, runId, click)}`;
    const known = await sql<{ id: string }[]>`
      select id from runs where answer_id in (select id from answers where tenant_id = ${tenantId} and question_event = ${asked.questionEvent})
        and trigger_event = ${triggerEvent}`;
    if (known[0]) return known[0].id;
    const why = refusal(asked);
    if (why) throw new AppError("conflict", why);
    const start = {
      agentId: asked.agentId,
      agentVersion: asked.version,
      questionEvent: asked.questionEvent,
      triggerEvent,
      threadRoot: asked.threadRoot,
      askedBy: asked.askedBy,
      hops: asked.hops,
      again: asked.lastAgain + 1,
      supersedes: null,
    };
    const event = { receivedAt: ctx.clock.now(), sender: asked.askedBy };
    await together(writeRun(sql, { tenantId, roomId: asked.roomId }, event, start));
    return runIdOf(tenantId, start);
  });
  tellQueued(ctx, [run]);
  return { run };
}

interface Asked {
  source: "room" | "try" | "task";
  roomId: string;
  threadRoot: string | null;
  questionEvent: string;
  askedBy: string;
  hops: number;
  agentId: string;
  agentName: string;
  agentState: string;
  version: number;
  scope: string;
  inRoom: boolean;
  archived: boolean;
  questionGone: boolean;
  answering: boolean;
  lastAgain: number;
}

/** The room's row is the lock under which its events are routed: a 🔁 that comes at the same moment waits, or is waited for. */
async function lockQuestion(sql: TransactionSql, tenantId: string, runId: string): Promise<Asked> {
  await sql`
    select 1 from rooms where tenant_id = ${tenantId} and room_id = (select room_id from runs where tenant_id = ${tenantId} and id = ${runId})
    for update`;
  const [asked] = await sql<Asked[]>`
    select r.source, r.room_id as "roomId", r.thread_root as "threadRoot", r.question_event as "questionEvent", r.asked_by as "askedBy",
      r.hops, a.id as "agentId", a.name as "agentName", a.state as "agentState", a.version,
      coalesce(c.scope, a.definition->>'scope') as scope, coalesce(m.membership = 'join', false) as "inRoom",
      o.archived_at is not null as archived, coalesce(q.content, '{}') = '{}' as "questionGone",
      exists (select from answers n join runs x on x.answer_id = n.id where n.tenant_id = ${tenantId}
        and n.question_event = r.question_event and n.agent_id = r.agent_id and x.state in ('queued', 'running', 'waiting')) as answering,
      (select max(n.again) from answers n where n.tenant_id = ${tenantId} and n.question_event = r.question_event
        and n.agent_id = r.agent_id) as "lastAgain"
    from runs r join agents a on a.id = r.agent_id
      left join rooms o on o.tenant_id = r.tenant_id and o.room_id = r.room_id
      left join agent_scopes c on c.agent_id = a.id and c.room_id = r.room_id
      left join room_members m on m.tenant_id = r.tenant_id and m.room_id = r.room_id and m.user_id = a.user_id
      left join inbox q on q.tenant_id = r.tenant_id and q.event_id = r.question_event
    where r.tenant_id = ${tenantId} and r.id = ${runId}`;
  if (!asked) throw new AppError("not_found", "There is no such run. It may be older than texts and runs are kept.");
  return asked;
}

/** Why it cannot be asked again, as a sentence; null when it can. Pure. */
export function refusal(asked: Omit<Asked, "lastAgain" | "version" | "hops" | "askedBy">): string | null {
  const { agentName: name } = asked;
  if (asked.source === "task") return "Another agent or a form waited for this answer. Ask there again.";
  if (asked.source === "try") return "This was tried beside the agent's form. Ask again there.";
  if (asked.agentState === "paused") return `${name} is paused. Resume it, then run this again.`;
  if (asked.agentState !== "active") return `${name} is not there any more, so it cannot answer again.`;
  if (asked.archived) return "The room is archived, so nothing is said in it any more.";
  if (!asked.inRoom) return `${name} is not in the room any more. Invite it there, then run this again.`;
  if (asked.scope === "observer") return `${name} only reads along in this room. Give it the scope member there first.`;
  if (asked.questionGone) return "The question was erased, so there is nothing to answer again.";
  if (asked.answering) return `${name} is still answering this question. Wait for it, or stop it first.`;
  return null;
}
