/** The one way to begin a run that no message in a room began: a schedule, a task of another agent, a form. */
import type { TransactionSql } from "postgres";
import { CHANNELS } from "../core/context.ts";
import { HEADING, madeEventId } from "./made-events.ts";
import { answerIdOf, runIdOf } from "./run-ids.ts";

export interface Task {
  kind: "schedule" | "task" | "form";
  /** What caused it: the same cause begins one run. */
  cause: (string | number)[];
  tenantId: string;
  agentId: string;
  /** Where it belongs. A `room` run answers there; a `task` gives its answer to who waits for it. */
  source: "room" | "task";
  roomId: string;
  threadRoot: string | null;
  /** What the agent is told. */
  text: string;
  /** What stands over the answer in the room. */
  heading?: string | undefined;
  /** Who is shown as the asker: a person, or the agent that hands over. */
  askedBy: string;
  onBehalfOf: string | null;
  untrusted: string | null;
  hops: number;
  /** The tool call, or the form's row, that gets the answer. */
  parentCall?: string | undefined;
  formRunId?: string | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

/**
 * Writes question, answer and run, and wakes whoever does runs, all in the caller's transaction: call `tellQueued` with the id after its commit. Returns the run's
 * id, or null when there is no such agent that could answer now.
 */
export async function startRun(sql: TransactionSql, task: Task): Promise<string | null> {
  const eventId = madeEventId(task.kind, ...task.cause);
  const start = { questionEvent: eventId, triggerEvent: eventId, agentId: task.agentId, again: 0 };
  const [runId, answerId] = [runIdOf(task.tenantId, start), answerIdOf(task.tenantId, start)];
  const { tenantId, agentId, roomId, threadRoot } = task;
  const content = {
    msgtype: "m.text",
    body: task.text,
    ...(task.heading === undefined ? {} : { [HEADING]: task.heading }),
    ...(threadRoot ? { "m.relates_to": { rel_type: "m.thread", event_id: threadRoot } } : {}),
  };
  const [agent] = await sql<{ version: number }[]>`
    select version from agents where id = ${agentId} and tenant_id = ${tenantId} and state = 'active'`;
  if (!agent) return null;
  await sql`
    insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content, routed_at, outcome)
    values (${tenantId}, ${eventId}, ${roomId}, ${task.askedBy}, 'm.room.message', ${task.now}, ${JSON.stringify(content)}::text::jsonb, now(),
      ${task.kind}) on conflict do nothing`;
  await sql`
    insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id)
    values (${answerId}, ${tenantId}, ${roomId}, ${agentId}, ${eventId}, ${runId}) on conflict do nothing`;
  await sql`
    with run as (
      insert into runs (id, tenant_id, agent_id, agent_version, source, answer_id, room_id, thread_root, question_event, trigger_event,
        asked_by, on_behalf_of, untrusted, hops, parent_call, form_run_id, created_at)
      values (${runId}, ${tenantId}, ${agentId}, ${agent.version}, ${task.source}, ${answerId}, ${roomId}, ${threadRoot}, ${eventId}, ${eventId},
        ${task.askedBy}, ${task.onBehalfOf}, ${task.untrusted}, ${task.hops}, ${task.parentCall ?? null}, ${task.formRunId ?? null},
        clock_timestamp()) on conflict do nothing returning id)
    select pg_notify(${CHANNELS.run}, id) from run`;
  return runId;
}
