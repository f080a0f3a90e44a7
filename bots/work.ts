import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import type { AgentDefinition, AgentTools, RoomState, StepDetail, TenantLimits } from "../migrations/types.ts";
import type { InboxMessage } from "./prompt.ts";

/** A run with what its steps need to know, read in one query. */
export interface Work {
  runId: string;
  tenantId: string;
  tenantTitle: string;
  limits: TenantLimits;
  agentId: string;
  agentState: string;
  agentUserId: string;
  deviceId: string;
  definition: AgentDefinition;
  /** What it may use, as a manager says now and not when the run began; of a try, as the form says. */
  bounds: AgentTools | null;
  answerId: string;
  currentRunId: string;
  eventIds: string[];
  /** How many runs the answer has had: more than one when it is written anew. */
  runsOfAnswer: number;
  /** How often it went on after it had waited. */
  turn: number;
  /** The person for whom it acts. */
  onBehalfOf: string | null;
  /** What it has read that nobody vouches for. */
  untrusted: string | null;
  /** Who waits for its answer (`task`). */
  parentCall: string | null;
  formRunId: string | null;
  serverName: string;
  controlUserId: string;
  /** Where it was asked, and so where its answer goes (outlet.ts). */
  source: "room" | "try" | "task";
  roomId: string;
  roomState: RoomState | null;
  threadRoot: string | null;
  questionEvent: string;
  questionSeq: number;
  questionContent: Record<string, unknown>;
  triggerSeq: number;
  askedBy: string;
  askedByAgent: boolean;
  hops: number;
  stopReason: string | null;
  stoppedBy: string | null;
  /** Of the step that asks the model. */
  step: { state: "running" | "done" | "failed" | "stopped"; output: string | null; detail: StepDetail };
  /** Milliseconds since 1970. */
  receivedAt: number;
  error: string | null;
}

/**
 * Marks the run as running, counts the attempt and reads everything about it. Null when the run is over. With `attempt: false` it
 * only reads. `workflowId`: who asks; null for a workflow whose run has waited since and goes on in another one.
 */
export async function loadWork(
  ctx: Context,
  runId: string,
  how: { attempt: boolean; workflowId?: string },
): Promise<Work | null> {
  const { sql } = ctx;
  const step = how.attempt
    ? sql`insert into steps (run_id, position, kind, detail)
          select id, 0, 'model', jsonb_build_object('attempts', 1) || case when turn = 0 then '{}' else jsonb_build_object('turn', turn) end from r
          on conflict (run_id, position) do update set
            detail = steps.detail || excluded.detail || case when coalesce((steps.detail->>'turn')::int, 0) = coalesce((excluded.detail->>'turn')::int, 0)
              then jsonb_build_object('attempts', coalesce((steps.detail->>'attempts')::int, 0) + 1) else '{}' end
          returning state, output, detail`
    : sql`select state, output, detail from steps where run_id = ${runId} and position = 0`;
  const [row] = await sql<Work[]>`
    with r as (
      update runs set state = 'running', started_at = coalesce(started_at, now())
      where id = ${runId} and state in ('queued', 'running') ${how.workflowId === undefined ? sql`` : sql`and workflow_id = ${how.workflowId}`}
      returning *
    ), s as (${step})
    select r.id as "runId", r.tenant_id as "tenantId", t.title as "tenantTitle", t.limits,
      r.agent_id as "agentId", a.state as "agentState", a.user_id as "agentUserId", a.device_id as "deviceId",
      coalesce(r.definition, v.definition, a.definition) as definition, coalesce(r.definition, a.definition)->'tools' as bounds, r.source,
      r.answer_id as "answerId", n.current_run_id as "currentRunId", n.event_ids as "eventIds",
      (select count(*)::int from runs o where o.answer_id = r.answer_id) as "runsOfAnswer",
      r.room_id as "roomId", m.state as "roomState", r.thread_root as "threadRoot",
      r.question_event as "questionEvent", coalesce(q.seq, g.seq, 0)::int8::float8 as "questionSeq",
      coalesce(q.content, '{}') as "questionContent", coalesce(g.seq, q.seq, 0)::int8::float8 as "triggerSeq",
      r.asked_by as "askedBy", exists (select from agents x where x.tenant_id = r.tenant_id and x.user_id = r.asked_by) as "askedByAgent",
      r.hops, r.turn, r.on_behalf_of as "onBehalfOf", r.untrusted, r.parent_call as "parentCall", r.form_run_id as "formRunId",
      t.server_name as "serverName", t.control_user_id as "controlUserId", r.stop_reason as "stopReason", r.stopped_by as "stoppedBy", r.error,
      json_build_object('state', s.state, 'output', s.output, 'detail', s.detail) as step,
      extract(epoch from coalesce(g.received_at, r.created_at))::float8 * 1000 as "receivedAt"
    from r join s on true
      join tenants t on t.id = r.tenant_id
      join agents a on a.id = r.agent_id
      join answers n on n.id = r.answer_id
      left join agent_versions v on v.agent_id = r.agent_id and v.version = r.agent_version
      left join rooms m on m.tenant_id = r.tenant_id and m.room_id = r.room_id
      left join inbox q on q.tenant_id = r.tenant_id and q.event_id = r.question_event
      left join inbox g on g.tenant_id = r.tenant_id and g.event_id = r.trigger_event`;
  return row ?? null;
}

export interface Surroundings {
  messages: InboxMessage[];
  members: { userId: string; name: string | null; agentName: string | null }[];
}

/** The messages that the agent could see (spec: m.room.history_visibility; never from before it was there) and who is in the room. */
export async function loadSurroundings(
  ctx: Context,
  run: { tenantId: string; roomId: string; agentUserId: string; threadRoot: string | null },
): Promise<Surroundings> {
  const { sql } = ctx;
  const [messages, members] = await Promise.all([
    sql<InboxMessage[]>`
      with since as (
        select coalesce(min(visible_from), 9223372036854775807) as seq from room_members
        where tenant_id = ${run.tenantId} and room_id = ${run.roomId} and user_id = ${run.agentUserId}
      )
      -- What was fetched at the agent's coming got its numbers late, but was said before.
      select event_id as "eventId", sender, ts::float8 as ts, content,
        (case when outcome = 'backfill' then 0 else inbox.seq end)::float8 as seq, inbox.seq::float8 as position from inbox
      where tenant_id = ${run.tenantId} and room_id = ${run.roomId} and type = 'm.room.message' and content <> '{}'
        and outcome is distinct from 'ignored:before_arrival'
        and inbox.seq >= (select seq from since)
        ${run.threadRoot ? sql`and inbox.seq = any(array${threadOf(sql, run.tenantId, run.threadRoot)})` : sql``}
      order by inbox.seq desc limit 400`,
    sql<Surroundings["members"]>`
      select m.user_id as "userId", m.display_name as name, a.name as "agentName"
      from room_members m left join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
      where m.tenant_id = ${run.tenantId} and m.room_id = ${run.roomId} and m.membership = 'join' limit 200`,
  ]);
  return { messages, members };
}

/** Where the messages of a thread stand, with their edits. Found by what they relate to: a room may hold many thousand others. */
const threadOf = (sql: Context["sql"], tenantId: string, root: string) => sql`(
  with thread as materialized (
    select seq, event_id from inbox where tenant_id = ${tenantId} and event_id = ${root}
    union all
    select seq, event_id from inbox where tenant_id = ${tenantId} and content->'m.relates_to'->>'event_id' = ${root})
  select seq from thread
  union all
  select e.seq from thread t join inbox e on e.tenant_id = ${tenantId} and e.content->'m.relates_to'->>'event_id' = t.event_id
    and e.content->'m.relates_to'->>'rel_type' = 'm.replace')`;

/** The database or the homeserver is away. A model that fails is not infrastructure: the person is told. */
const isInfrastructure = (error: unknown): boolean =>
  error instanceof AppError ? error.code === "homeserver_down" || error.code === "database_down" : isTransient(error);

/**
 * Does it again, with growing pauses up to 5 s, as long as the failure is one of infrastructure: a database or homeserver that is away
 * now and comes back. Durable work waits for it; everything else is thrown.
 */
export async function untilItWorks<T>(
  ctx: Context,
  what: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (signal?.aborted || !isInfrastructure(error)) throw error;
      const wait = Math.max((error as { retryAfterMs?: number }).retryAfterMs ?? 0, Math.min(5000, 100 * 2 ** attempt));
      ctx.log.warn({ what, attempt, wait, error: String(error) }, "tried again later");
      await sleep(wait, undefined, signal ? { signal } : undefined);
    }
  }
}
