/** One run as a timeline: what was asked, what the model got, what it cost, what became of it. */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import type { AgentDefinition, RunTimings, StepContext, StepDetail } from "../migrations/types.ts";
import { nameIn } from "./person-name.ts";
import { positionsOf } from "./positions.ts";
import { textOf } from "./prompt.ts";
import { readTools, type TimelineApproval, type TimelineTool } from "./run-tools.ts";

/** Moments are milliseconds since 1970. */
export interface TimelineMessage {
  eventId: string;
  by: string;
  name: string;
  /** Said by the agent itself. */
  own: boolean;
  at: number;
  /** Null once it is erased. */
  text: string | null;
}

export interface TimelineCall {
  id: string;
  model: string;
  state: "open" | "ok" | "aborted" | "failed" | "lost";
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  reasoningTokens: number;
  /** The figures are ours, because the model server said none. */
  estimated: boolean;
  firstTokenMs: number | null;
  durationMs: number | null;
  /** Finish reason, or error code. */
  result: string | null;
  at: number;
}

export type RunState = "queued" | "running" | "waiting" | "done" | "stopped" | "superseded" | "failed";

export interface Timeline {
  id: string;
  state: RunState;
  source: "room" | "try" | "task";
  /** How often it was asked again before; 0 for the first answer. */
  again: number;
  agent: { id: string; name: string; state: string; version: number; userId: string };
  /** Null for a try. */
  room: { id: string; name: string | null; link: string } | null;
  question: { eventId: string; by: string; name: string; at: number; text: string | null; link: string | null };
  context: {
    instructions: string | null;
    messages: TimelineMessage[];
    omitted: number;
    files: string[];
    contextWindow: number;
  } | null;
  calls: TimelineCall[];
  /** What it did with tools, in order; `inOrder` puts them between the model's calls. */
  tools: TimelineTool[];
  /** What it has read that nobody vouches for: since a tool's result that says so, or from its beginning. */
  untrusted: string | null;
  /** The person for whom it acts. */
  onBehalfOf: string | null;
  /** The run that handed this work over, and waits for it. */
  parent: { id: string; agentName: string } | null;
  attempts: number;
  edits: number;
  answer: { text: string | null; messages: { eventId: string; link: string | null }[] };
  error: { code: string | null; sentence: string } | null;
  stop: { reason: string; by: string | null; name: string | null } | null;
  moments: { what: Moment; at: number; sinceMs: number }[];
  feedback: { by: string; name: string; value: number; at: number }[];
  /** Other answers to the same question by the same agent, oldest first. */
  others: { id: string; state: RunState; again: number }[];
}

export type Moment = "asked" | "routed" | "started" | "first_text" | "finished";

/** Throws `not_found`. */
export async function readTimeline(ctx: Context, tenantId: string, runId: string): Promise<Timeline> {
  const run = await readRun(ctx, tenantId, runId);
  const context = run.detail?.context;
  const [messages, calls, { tools, people }, feedback, others] = await Promise.all([
    context ? readMessages(ctx, run, positionsOf(context.messages)) : [],
    readCalls(ctx, runId),
    readTools(ctx, run),
    readFeedback(ctx, run),
    readOthers(ctx, run),
  ]);
  const names = await readNames(ctx, run, [
    run.askedBy,
    ...messages.map(({ by }) => by),
    ...feedback.map(({ by }) => by),
    ...(run.stoppedBy ? [run.stoppedBy] : []),
    ...people,
  ]);
  const nameOf = (userId: string) => names.get(userId) ?? nameIn(userId);
  const link = (eventId: string) => (run.source === "room" ? eventLink(run.roomId, eventId, run.serverName) : null);
  return {
    id: run.id,
    state: run.state,
    source: run.source,
    again: run.again,
    agent: { id: run.agentId, name: run.agentName, state: run.agentState, version: run.version, userId: run.agentUser },
    room:
      run.source === "room"
        ? { id: run.roomId, name: run.roomName, link: eventLink(run.roomId, null, run.serverName) }
        : null,
    question: {
      eventId: run.questionEvent,
      by: run.askedBy,
      name: nameOf(run.askedBy),
      at: run.askedAt,
      text: textOf(run.question ?? {}) || null,
      link: link(run.questionEvent),
    },
    context: context ? contextOf(run, context, messages, nameOf) : null,
    calls,
    tools: tools.map((tool) => ({ ...tool, approval: tool.approval && named(tool.approval, nameOf) })),
    untrusted: run.untrusted,
    onBehalfOf: run.onBehalfOf,
    parent: run.parentId === null ? null : { id: run.parentId, agentName: run.parentAgent ?? "" },
    attempts: run.detail?.attempts ?? 0,
    edits: run.reply?.edits ?? run.detail?.edits ?? 0,
    answer: { text: run.output, messages: run.eventIds.map((eventId) => ({ eventId, link: link(eventId) })) },
    error: run.error === null ? null : { code: run.errorCode, sentence: run.error },
    stop: run.stopReason
      ? { reason: run.stopReason, by: run.stoppedBy, name: run.stoppedBy ? nameOf(run.stoppedBy) : null }
      : null,
    moments: momentsOf(run),
    feedback: feedback.map((one) => ({ ...one, name: nameOf(one.by) })),
    others,
  };
}

const named = (approval: TimelineApproval, nameOf: (userId: string) => string): TimelineApproval => ({
  ...approval,
  onlyPerson: approval.onlyPerson === null ? null : nameOf(approval.onlyPerson),
  name: approval.by === null ? null : nameOf(approval.by),
});

/** https://spec.matrix.org: matrix.to links, which Element opens. */
function eventLink(roomId: string, eventId: string | null, server: string): string {
  const event = eventId === null ? "" : `/${encodeURIComponent(eventId)}`;
  return `https://matrix.to/#/${encodeURIComponent(roomId)}${event}?via=${encodeURIComponent(server)}`;
}

type Fragment = ReturnType<Context["sql"]>;

interface RunRow {
  id: string;
  tenantId: string;
  serverName: string;
  state: RunState;
  source: "room" | "try" | "task";
  again: number;
  agentId: string;
  agentName: string;
  agentState: string;
  agentUser: string;
  version: number;
  definition: AgentDefinition;
  roomId: string;
  roomName: string | null;
  answerId: string;
  questionEvent: string;
  question: Record<string, unknown> | null;
  askedBy: string;
  askedAt: number;
  createdAt: number;
  startedAt: number | null;
  finishedAt: number | null;
  timings: RunTimings;
  output: string | null;
  detail: StepDetail | null;
  thoughtAt: number | null;
  reply: StepDetail | null;
  eventIds: string[];
  errorCode: string | null;
  error: string | null;
  stopReason: string | null;
  stoppedBy: string | null;
  untrusted: string | null;
  onBehalfOf: string | null;
  parentId: string | null;
  parentAgent: string | null;
}

async function readRun({ sql }: Context, tenantId: string, runId: string): Promise<RunRow> {
  const ms = (at: Fragment) => sql`(extract(epoch from ${at})::float8 * 1000)`;
  const [row] = await sql<RunRow[]>`
    select r.id, r.tenant_id as "tenantId", t.server_name as "serverName", r.state, r.source, n.again, r.agent_id as "agentId",
      a.name as "agentName", a.state as "agentState", a.user_id as "agentUser", r.agent_version as version,
      coalesce(r.definition, v.definition, a.definition) as definition, r.room_id as "roomId",
      coalesce(m.channel, m.state->>'name') as "roomName", r.answer_id as "answerId", r.question_event as "questionEvent",
      coalesce((
        select e.content->'m.new_content' from inbox e where e.tenant_id = r.tenant_id and e.sender = q.sender
          and e.content->'m.relates_to'->>'event_id' = r.question_event and e.content->'m.relates_to'->>'rel_type' = 'm.replace'
          and e.received_at <= r.created_at order by e.seq desc limit 1), q.content) as question,
      r.asked_by as "askedBy", ${ms(sql`coalesce(g.received_at, r.created_at)`)} as "askedAt",
      ${ms(sql`r.created_at`)} as "createdAt", ${ms(sql`r.started_at`)} as "startedAt", ${ms(sql`r.finished_at`)} as "finishedAt",
      r.timings, s.output, s.detail, ${ms(sql`s.finished_at`)} as "thoughtAt",
      p.detail as reply, case when n.current_run_id = r.id then n.event_ids else '[]' end as "eventIds",
      r.error_code as "errorCode", r.error, r.stop_reason as "stopReason", r.stopped_by as "stoppedBy", r.untrusted,
      r.on_behalf_of as "onBehalfOf", b.id as "parentId", ba.name as "parentAgent"
    from runs r join tenants t on t.id = r.tenant_id join agents a on a.id = r.agent_id join answers n on n.id = r.answer_id
      left join agent_versions v on v.agent_id = r.agent_id and v.version = r.agent_version
      left join rooms m on m.tenant_id = r.tenant_id and m.room_id = r.room_id
      left join inbox q on q.tenant_id = r.tenant_id and q.event_id = r.question_event
      left join inbox g on g.tenant_id = r.tenant_id and g.event_id = r.trigger_event
      left join steps s on s.run_id = r.id and s.position = 0
      left join steps p on p.run_id = r.id and p.position = 1
      left join tool_calls c on c.id = r.parent_call and c.tenant_id = r.tenant_id
      left join runs b on b.id = c.run_id left join agents ba on ba.id = b.agent_id
    where r.tenant_id = ${tenantId} and r.id = ${runId}`;
  if (!row) throw new AppError("not_found", "There is no such run. It may be older than texts and runs are kept.");
  return row;
}

function contextOf(
  run: RunRow,
  context: StepContext,
  messages: Omit<TimelineMessage, "name">[],
  nameOf: (userId: string) => string,
): Timeline["context"] {
  return {
    instructions: run.definition.instructions,
    messages: messages.map((message) => ({ ...message, name: nameOf(message.by) })),
    omitted: context.omitted,
    files: context.files,
    contextWindow: context.contextWindow,
  };
}

/** With the edits that had come when the model was asked. What is gone from the inbox stays as a gap. */
async function readMessages(
  { sql }: Context,
  run: RunRow,
  positions: number[],
): Promise<Omit<TimelineMessage, "name">[]> {
  const rows = await sql<
    { position: number; eventId: string; by: string; ts: number; content: Record<string, unknown> }[]
  >`
    select i.seq::float8 as position, i.event_id as "eventId", i.sender as by, i.ts::float8 as ts,
      case when i.content = '{}' then i.content else coalesce((
        select e.content->'m.new_content' from inbox e where e.tenant_id = i.tenant_id and e.sender = i.sender
          and e.content->'m.relates_to'->>'event_id' = i.event_id and e.content->'m.relates_to'->>'rel_type' = 'm.replace'
          and (${run.thoughtAt}::float8 is null or e.received_at <= to_timestamp(${run.thoughtAt}::float8 / 1000)) order by e.seq desc limit 1), i.content) end as content
    from inbox i where i.seq = any(${positions}::bigint[]) and i.tenant_id = ${run.tenantId} and i.room_id = ${run.roomId}`;
  const known = new Map(rows.map((row) => [row.position, row]));
  return positions.map((position) => {
    const row = known.get(position);
    if (!row) return { eventId: "", by: "", own: false, at: run.createdAt, text: null };
    const { eventId, by, ts, content } = row;
    return { eventId, by, own: by === run.agentUser, at: ts, text: textOf(content) || null };
  });
}

const readCalls = ({ sql }: Context, runId: string) => sql<TimelineCall[]>`
  select id, model, state, input_tokens as "inputTokens", output_tokens as "outputTokens", cached_tokens as "cachedTokens",
    reasoning_tokens as "reasoningTokens", estimated, first_token_ms as "firstTokenMs", duration_ms as "durationMs", result,
    extract(epoch from created_at)::float8 * 1000 as at
  from ledger where run_id = ${runId} order by created_at limit 100`;

const readFeedback = ({ sql }: Context, run: RunRow) => sql<{ by: string; value: number; at: number }[]>`
  select user_id as by, value, extract(epoch from created_at)::float8 * 1000 as at from feedback where run_id = ${run.id} order by created_at limit 100`;

const readOthers = ({ sql }: Context, run: RunRow) => sql<Timeline["others"]>`
  select o.id, o.state, n.again from answers n join runs o on o.answer_id = n.id
  where n.tenant_id = ${run.tenantId} and n.question_event = ${run.questionEvent} and n.agent_id = ${run.agentId}
    and o.id <> ${run.id}
  order by o.created_at limit 50`;

/** What they are called in the room, else in the client. */
async function readNames({ sql }: Context, run: RunRow, userIds: string[]): Promise<Map<string, string>> {
  const ids = [...new Set(userIds.filter(Boolean))];
  const rows = await sql<{ userId: string; name: string | null }[]>`
    select u.id as "userId", coalesce(a.name, m.display_name, p.display_name) as name from unnest(${ids}::text[]) as u(id)
      left join agents a on a.tenant_id = ${run.tenantId} and a.user_id = u.id
      left join room_members m on m.tenant_id = ${run.tenantId} and m.room_id = ${run.roomId} and m.user_id = u.id
      left join people p on p.tenant_id = ${run.tenantId} and p.user_id = u.id`;
  return new Map(rows.flatMap(({ userId, name }) => (name ? [[userId, name] as const] : [])));
}

function momentsOf(run: RunRow): Timeline["moments"] {
  const asked = run.askedAt;
  const firstText =
    run.detail?.firstTextAt ?? (run.timings.firstTextMs !== undefined ? asked + run.timings.firstTextMs : null);
  const times: [Moment, number | null][] = [
    ["asked", asked],
    ["routed", run.createdAt],
    ["started", run.startedAt],
    ["first_text", firstText],
    ["finished", run.finishedAt],
  ];
  return times
    .flatMap(([what, at]) => (at === null ? [] : [{ what, at, sinceMs: Math.max(0, at - asked) }]))
    .sort((a, b) => a.sinceMs - b.sinceMs);
}
