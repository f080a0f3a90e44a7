/** Reads what routing needs to know for one event. All queries go out together: one way to the database and back. */
import type { TransactionSql } from "postgres";
import type { RoomState, TenantLimits } from "../migrations/types.ts";
import { limitsOf } from "./limits.ts";
import { object, readReaction, text } from "./message.ts";
import {
  type AgentView,
  type AnswerView,
  isAgentUser,
  type KnownEvent,
  type RoomView,
  type RoutedEvent,
  type RunView,
} from "./room-view.ts";
import { together } from "./together.ts";

/** What stays the same for all events of one batch. */
export interface RoomRow {
  tenantId: string;
  roomId: string;
  kind: "space" | "channel" | "other";
  state: RoomState | null;
  serverName: string;
  controlUserId: string;
  limits: TenantLimits;
}

export async function loadView(sql: TransactionSql, room: RoomRow, event: RoutedEvent, now: number): Promise<RoomView> {
  const { tenantId } = room;
  const targets = targetsOf(event);
  const speaks = event.type === "m.room.message" || event.type === "m.reaction";
  const [agents, people, known, answers, threads, open, pairs, recent] = await together([
    loadAgents(sql, room, event),
    loadPeople(sql, room, event.sender),
    targets.length > 0 ? loadKnown(sql, tenantId, targets) : [],
    targets.length > 0 ? loadAnswers(sql, tenantId, targets) : [],
    targets.length > 0 && event.type === "m.room.message" ? loadThread(sql, room, targets) : [],
    event.stateKey !== null || startsCommand(event) ? loadOpenRuns(sql, room) : [],
    speaks ? loadPairs(sql, room, event.sender, isAgentUser(event.sender, room)) : [],
    speaks ? loadRecent(sql, room, event.sender) : [],
  ]);
  return {
    tenantId,
    serverName: room.serverName,
    controlUserId: room.controlUserId,
    limits: limitsOf(room),
    ours: room.kind !== "other",
    state: room.state,
    controlJoined: people.controlJoined,
    agents: agents.map((agent) => ({
      ...agent,
      counts: {
        pairLastHour: pairs.find((pair) => pair.agentId === agent.id)?.count ?? 0,
        recent: recent.filter((run) => run.agentId === agent.id),
      },
    })),
    people: people.others,
    senderName: people.senderName,
    known,
    answers,
    threadAgents: threads.map(({ agentId }) => agentId),
    openRuns: open,
    now,
  };
}

/** The events that this one speaks of. */
function targetsOf({ content, redacts, type }: RoutedEvent): string[] {
  const relation = object(content["m.relates_to"]);
  const ids = [text(relation.event_id), text(object(relation["m.in_reply_to"]).event_id)];
  if (type === "m.room.redaction") ids.push(redacts, text(content.redacts));
  if (type === "m.reaction") ids.push(readReaction(content)?.target ?? null);
  return [...new Set(ids.filter((id) => id !== null))];
}

const startsCommand = (event: RoutedEvent) =>
  event.type === "m.room.message" && /!stop/i.test(text(event.content.body) ?? "");

type AgentRow = Omit<AgentView, "counts">;

/** Agents that are in the room or were, and the one that a member event is about. */
const loadAgents = (sql: TransactionSql, { tenantId, roomId }: RoomRow, event: RoutedEvent) => sql<AgentRow[]>`
  select a.id, a.user_id as "userId", a.name, a.version, a.state, coalesce(s.scope, a.definition->>'scope') as scope,
    a.definition->'whoMayInvite' as "whoMayInvite", a.definition->>'description' as description, m.membership
  from (
    select user_id, membership from room_members
      where tenant_id = ${tenantId} and room_id = ${roomId} and starts_with(user_id, '@agent-')
    union all
    select ${event.stateKey}, null where not exists (select from room_members
      where tenant_id = ${tenantId} and room_id = ${roomId} and user_id = ${event.stateKey})
  ) m join agents a on a.tenant_id = ${tenantId} and a.user_id = m.user_id
    left join agent_scopes s on s.agent_id = a.id and s.room_id = ${roomId}
  order by a.id`;

async function loadPeople(sql: TransactionSql, room: RoomRow, sender: string) {
  const functional = room.state?.functionalMembers ?? [];
  const [row] = await sql<{ others: number; controlJoined: boolean; senderName: string | null }[]>`
    select (select count(*)::int from (
        select from room_members where tenant_id = ${room.tenantId} and room_id = ${room.roomId}
          and membership in ('join', 'invite') and user_id <> ${room.controlUserId}
          and user_id <> all(${functional}::text[])
          and not (starts_with(user_id, '@agent-') and split_part(user_id, ':', 2) = split_part(${room.controlUserId}, ':', 2))
        limit 2) p) as others,
      exists (select from room_members where tenant_id = ${room.tenantId} and room_id = ${room.roomId}
        and user_id = ${room.controlUserId} and membership = 'join') as "controlJoined",
      (select display_name from room_members where tenant_id = ${room.tenantId} and room_id = ${room.roomId}
        and user_id = ${sender}) as "senderName"`;
  return row ?? { others: 0, controlJoined: false, senderName: null };
}

/** The events, and the questions of the answers that they belong to. */
const loadKnown = (sql: TransactionSql, tenantId: string, targets: string[]) => sql<KnownEvent[]>`
  select event_id as "eventId", sender, type, content from inbox
  where tenant_id = ${tenantId} and (event_id = any(${targets}::text[]) or event_id in (
    select n.question_event from answer_events e join answers n on n.id = e.answer_id
      where e.tenant_id = ${tenantId} and e.event_id = any(${targets}::text[])))`;

/**
 * Answers to these events, or of which they are messages; with each its sisters by the same question. A message of ours names its run, for
 * the moment between its arrival here and the row in `answer_events`.
 */
async function loadAnswers(sql: TransactionSql, tenantId: string, targets: string[]): Promise<AnswerView[]> {
  const rows = await sql<AnswerRow[]>`
    with marked as (
      select event_id, content->'dev.agentopia.run'->>'run' as run_id from inbox
      where tenant_id = ${tenantId} and event_id = any(${targets}::text[]) and starts_with(sender, '@agent-')
        and content ? 'dev.agentopia.run'
    ), questions as (
      select question_event as id from answers where tenant_id = ${tenantId} and question_event = any(${targets}::text[])
      union select n.question_event from answer_events e join answers n on n.id = e.answer_id
        where e.tenant_id = ${tenantId} and e.event_id = any(${targets}::text[])
      union select question_event from runs where tenant_id = ${tenantId} and id in (select run_id from marked)
    )
    select n.id as "answerId", n.agent_id as "agentId", n.question_event as "questionEvent", n.again,
      n.event_ids || coalesce((select jsonb_agg(m.event_id) from marked m join runs x on x.id = m.run_id and x.answer_id = n.id), '[]')
        as "messages", r.id as "runId", r.asked_by as "askedBy", r.thread_root as "threadRoot", r.hops,
      r.state in ('queued', 'running') and r.stop_reason is null as open
    from answers n join runs r on r.id = n.current_run_id
    where n.tenant_id = ${tenantId} and n.question_event in (select id from questions)`;
  return rows.map(({ answerId, agentId, questionEvent, again, messages, runId, askedBy, threadRoot, hops, open }) => ({
    answerId,
    agentId,
    questionEvent,
    again,
    eventIds: [questionEvent, ...messages],
    run: { id: runId, agentId, askedBy, threadRoot, hops, open },
  }));
}

interface AnswerRow {
  answerId: string;
  agentId: string;
  questionEvent: string;
  again: number;
  messages: string[];
  runId: string;
  askedBy: string;
  threadRoot: string | null;
  hops: number;
  open: boolean;
}

const loadThread = (sql: TransactionSql, { tenantId, roomId }: RoomRow, roots: string[]) => sql<{ agentId: string }[]>`
  select agent_id as "agentId" from thread_agents
  where tenant_id = ${tenantId} and room_id = ${roomId} and thread_root = any(${roots}::text[])`;

const loadOpenRuns = (sql: TransactionSql, { tenantId, roomId }: RoomRow) => sql<RunView[]>`
  select id, agent_id as "agentId", asked_by as "askedBy", thread_root as "threadRoot", hops, true as open
  from runs where tenant_id = ${tenantId} and room_id = ${roomId} and state in ('queued', 'running') and stop_reason is null`;

/** Runs of the last hour between the sender and each agent; between agents in both directions. */
const loadPairs = (sql: TransactionSql, { tenantId, roomId }: RoomRow, sender: string, byAgent: boolean) => sql<
  { agentId: string; count: number }[]
>`
  select agent_id as "agentId", count(*)::int as count from (
    select agent_id from runs where tenant_id = ${tenantId} and room_id = ${roomId} and asked_by = ${sender}
      and created_at > now() - interval '1 hour'
    ${
      byAgent
        ? sql`union all select b.id from runs r join agents a on a.id = r.agent_id and a.user_id = ${sender}
            join agents b on b.tenant_id = ${tenantId} and b.user_id = r.asked_by
          where r.tenant_id = ${tenantId} and r.room_id = ${roomId} and starts_with(r.asked_by, '@agent-')
            and r.created_at > now() - interval '1 hour'`
        : sql``
    }
  ) p group by agent_id`;

/** The newest runs that the sender asked for, newest first: enough of them to tell a bot. */
const loadRecent = (sql: TransactionSql, { tenantId, roomId, limits }: RoomRow, sender: string) => sql<
  { agentId: string; askedAt: number; finishedAt: number | null }[]
>`
  select agent_id as "agentId", extract(epoch from created_at)::float8 * 1000 as "askedAt",
    extract(epoch from finished_at)::float8 * 1000 as "finishedAt"
  from runs where tenant_id = ${tenantId} and room_id = ${roomId} and asked_by = ${sender}
    and created_at > now() - interval '1 hour'
  order by created_at desc limit ${Math.min(limitsOf({ limits }).quickReplies + 1, 200)}`;
