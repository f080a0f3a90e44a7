/** Reads what routing needs to know for one event. All queries go out together: one way to the database and back. */
import type { TransactionSql } from "postgres";
import type { RoomState, TenantLimits } from "../migrations/types.ts";
import { formWord } from "./forms/command.ts";
import { loadListedForms, mayNameForms } from "./forms/load-listed.ts";
import { limitsOf } from "./limits.ts";
import { loadListing, startsListing } from "./load-listing.ts";
import { object, readReaction, text } from "./message.ts";
import {
  type AgentView,
  type AnswerView,
  type ApprovalView,
  type FormView,
  isAgentUser,
  type KnownEvent,
  type OpenRunView,
  type RoomView,
  type RoutedEvent,
} from "./room-view.ts";
import { together } from "./together.ts";

/** What stays the same for all events of one batch. */
export interface RoomRow {
  tenantId: string;
  roomId: string;
  kind: "space" | "channel" | "other";
  archived: boolean;
  state: RoomState | null;
  serverName: string;
  controlUserId: string;
  limits: TenantLimits;
}

export async function loadView(sql: TransactionSql, room: RoomRow, event: RoutedEvent, now: number): Promise<RoomView> {
  const { tenantId } = room;
  const targets = targetsOf(event);
  const speaks = event.type === "m.room.message" || event.type === "m.reaction";
  const word = event.type === "m.room.message" ? formWord(text(event.content.body) ?? "") : null;
  const [around, known, answers, approvals, threads, open, listing, named, forms] = await together([
    loadAround(sql, room, event, speaks),
    targets.length > 0 ? loadKnown(sql, tenantId, targets) : [],
    targets.length > 0 ? loadAnswers(sql, tenantId, targets) : [],
    targets.length > 0 && speaks ? loadApprovals(sql, tenantId, { targets, sender: event.sender }) : [],
    targets.length > 0 && event.type === "m.room.message" ? loadThread(sql, room, targets) : [],
    event.stateKey !== null || startsCommand(event) ? loadOpenRuns(sql, room) : [],
    startsListing(event) ? loadListing(sql, room, event.sender) : null,
    word === null ? [] : loadForm(sql, tenantId, word),
    mayNameForms(event) ? loadListedForms(sql, room) : null,
  ]);
  const { agents, people, controlJoined, since, senderName, pairs, recent } = around;
  return {
    tenantId,
    serverName: room.serverName,
    controlUserId: room.controlUserId,
    limits: limitsOf(room),
    ours: room.kind !== "other",
    archived: room.archived,
    state: room.state,
    controlJoined,
    since,
    agents: agents.map((agent) => ({
      ...agent,
      counts: { pairLastHour: pairs[agent.id] ?? 0, recent: recent.filter((run) => run.agentId === agent.id) },
    })),
    people,
    senderName,
    known,
    answers,
    approvals,
    asked: around.asked,
    form: named[0] ?? null,
    forms,
    threadAgents: threads.map(({ agentId }) => agentId),
    openRuns: open,
    listing,
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

const loadForm = (sql: TransactionSql, tenantId: string, name: string) => sql<FormView[]>`
  select id, name, definition->>'title' as title, definition->'input' as input from form_tools
  where tenant_id = ${tenantId} and name = ${name} and state = 'active'`;

const startsCommand = (event: RoutedEvent) =>
  event.type === "m.room.message" && /!stop/i.test(text(event.content.body) ?? "");

type AgentRow = Omit<AgentView, "counts">;

interface Around {
  agents: AgentRow[];
  people: number;
  controlJoined: boolean;
  since: number;
  senderName: string | null;
  /** By agent: runs of the last hour with the sender. */
  pairs: Record<string, number>;
  /** The newest runs that the sender asked for, newest first. */
  recent: { agentId: string; askedAt: number; finishedAt: number | null }[];
  /** Open questions to the sender, or to whoever may decide. */
  asked: ApprovalView[];
}

/**
 * What every event needs, in one statement: agents that are in the room or were, with the one that a member event is about; people; and
 * for what `speaks` the sender's runs of the last hour, enough of them to tell a bot.
 */
async function loadAround(sql: TransactionSql, room: RoomRow, event: RoutedEvent, speaks: boolean): Promise<Around> {
  const { tenantId, roomId, controlUserId } = room;
  const here = sql`from room_members where tenant_id = ${tenantId} and room_id = ${roomId}`;
  const [row] = await sql<Around[]>`
    with member as (
      select user_id, membership, seen_since ${here} and starts_with(user_id, '@agent-')
      union all
      select ${event.stateKey}, null, 0 where ${event.stateKey !== null} and not exists (select ${here} and user_id = ${event.stateKey})
    )
    select (
        select coalesce(json_agg(json_build_object('id', a.id, 'userId', a.user_id, 'name', a.name, 'version', a.version,
          'state', a.state, 'scope', coalesce(s.scope, a.definition->>'scope'), 'whoMayInvite', a.definition->'whoMayInvite',
          'description', a.definition->>'description', 'membership', m.membership, 'seenSince', m.seen_since) order by a.id), '[]')
        from member m join agents a on a.tenant_id = ${tenantId} and a.user_id = m.user_id
          left join agent_scopes s on s.agent_id = a.id and s.room_id = ${roomId}) as agents,
      (select count(*)::int from (
        select ${here} and membership in ('join', 'invite') and user_id <> ${controlUserId}
          and user_id <> all(${room.state?.functionalMembers ?? []}::text[])
          and not (starts_with(user_id, '@agent-') and split_part(user_id, ':', 2) = split_part(${controlUserId}, ':', 2))
        limit 2) p) as people,
      exists (select ${here} and user_id = ${controlUserId} and membership = 'join') as "controlJoined",
      (select coalesce(min(seen_since), 0)::float8 ${here} and membership = 'join'
        and (user_id = ${controlUserId} or user_id in (select user_id from agents where tenant_id = ${tenantId}
          and user_id in (select user_id from member)))) as since,
      (select display_name ${here} and user_id = ${event.sender}) as "senderName",
      ${speaks ? pairsOf(sql, room, event.sender) : sql`'{}'::json`} as pairs,
      ${speaks ? recentOf(sql, room, event.sender) : sql`'[]'::json`} as recent,
      ${speaks ? askedOf(sql, room, event.sender) : sql`'[]'::json`} as asked`;
  if (!row) throw new Error("a select without a from clause has one row");
  return row;
}

/** Between agents in both directions. */
const pairsOf = (sql: TransactionSql, room: RoomRow, sender: string) => sql`
  (select coalesce(json_object_agg(agent_id, runs), '{}') from (
    select agent_id, count(*)::int as runs from (
      select agent_id from runs where tenant_id = ${room.tenantId} and room_id = ${room.roomId} and asked_by = ${sender}
        and created_at > now() - interval '1 hour'
      ${
        isAgentUser(sender, room)
          ? sql`union all select b.id from runs r join agents a on a.id = r.agent_id and a.user_id = ${sender}
              join agents b on b.tenant_id = ${room.tenantId} and b.user_id = r.asked_by
            where r.tenant_id = ${room.tenantId} and r.room_id = ${room.roomId} and starts_with(r.asked_by, '@agent-')
              and r.created_at > now() - interval '1 hour'`
          : sql``
      }) asked group by agent_id) pair)`;

const recentOf = (sql: TransactionSql, room: RoomRow, sender: string) => sql`
  (select coalesce(json_agg(json_build_object('agentId', agent_id, 'askedAt', extract(epoch from created_at) * 1000,
      'finishedAt', extract(epoch from finished_at) * 1000)), '[]')
    from (select agent_id, created_at, finished_at from runs
      where tenant_id = ${room.tenantId} and room_id = ${room.roomId} and asked_by = ${sender}
        and created_at > now() - interval '1 hour'
      order by created_at desc limit ${chainSeen(limitsOf(room).quickReplies)}) newest)`;

const askedOf = (sql: TransactionSql, room: RoomRow, sender: string) => sql`
  (select coalesce(json_agg(${approvalJson(sql, sender)} order by a.created_at), '[]') from approvals a
    where tenant_id = ${room.tenantId} and room_id = ${room.roomId} and state = 'open' and (only_person = ${sender} or (kind = 'tool' and only_person is null)))`;

const approvalJson = (sql: TransactionSql, sender: string) => sql`
  json_build_object('id', a.id, 'eventId', coalesce(a.event_id, ''), 'agentId', a.agent_id, 'threadRoot', a.thread_root, 'kind', a.kind,
    'state', a.state, 'level', a.level, 'onlyPerson', a.only_person, 'grantable', a.grantable,
    'expiresAt', extract(epoch from a.expires_at)::float8 * 1000, 'byManager', exists (select from tenant_roles t
      where t.tenant_id = a.tenant_id and t.user_id = ${sender} and t.role in ('owner', 'manager')))`;

/**
 * By the mark in their messages, of which only our agents' count: it is there before the row knows its message. Those that are open are known by the message
 * too: a question may wait for longer than texts are kept.
 */
async function loadApprovals(
  sql: TransactionSql,
  tenantId: string,
  { targets, sender }: { targets: string[]; sender: string },
): Promise<ApprovalView[]> {
  const rows = await sql<{ eventId: string; approval: ApprovalView }[]>`
    select i.event_id as "eventId", ${approvalJson(sql, sender)} as approval
    from inbox i join approvals a on a.id = coalesce(i.content->'dev.agentopia.approval'->>'id', (select o.id from approvals o
          where o.tenant_id = i.tenant_id and o.room_id = i.room_id and o.state = 'open' and o.event_id = i.event_id)) and a.tenant_id = i.tenant_id and a.room_id = i.room_id
      join agents g on g.id = a.agent_id and g.user_id = i.sender
    where i.tenant_id = ${tenantId} and i.event_id = any(${targets}::text[])`;
  return rows.map(({ eventId, approval }) => ({ ...approval, eventId }));
}

/** A chain of 200 is not looked at: who sets the limit so high wants none. */
const chainSeen = (quickReplies: number) => (quickReplies < 200 ? quickReplies + 1 : 0);

/** The events, and the questions of the answers that they belong to. One set of ids: with an `or` Postgres would look through the client's whole inbox. */
const loadKnown = (sql: TransactionSql, tenantId: string, targets: string[]) => sql<KnownEvent[]>`
  select event_id as "eventId", sender, type, content from inbox
  where tenant_id = ${tenantId} and event_id in (
    select unnest(${targets}::text[])
    union select n.question_event from answer_events e join answers n on n.id = e.answer_id
      where e.tenant_id = ${tenantId} and e.event_id = any(${targets}::text[]))`;

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
      r.state in ('queued', 'running', 'waiting') and r.stop_reason is null as open
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

/** With the forms that were filled in there and that a model does without an agent. */
const loadOpenRuns = (sql: TransactionSql, { tenantId, roomId }: RoomRow) => sql<OpenRunView[]>`
  select id, agent_id as "agentId", asked_by as "askedBy", thread_root as "threadRoot", 'run' as kind
  from runs where tenant_id = ${tenantId} and room_id = ${roomId} and state in ('queued', 'running', 'waiting') and stop_reason is null
  union all
  select id, null, by, thread_root, 'form'
  from form_runs where tenant_id = ${tenantId} and room_id = ${roomId} and state in ('queued', 'running') and run_id is null and stop_reason is null`;
