/** Makes rows of a decision, within the transaction that routes the event. All statements go out together. */
import type { TransactionSql } from "postgres";
import { CHANNELS } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { stableId } from "../core/ids.ts";
import type { ActionPayload } from "../migrations/types.ts";
import { saidAt } from "./approvals/read.ts";
import { writeVerdict } from "./approvals/write.ts";
import type { Decision, MemberChange, Notice, RunStart, Stop } from "./decision.ts";
import { eraseText } from "./erase.ts";
import { stopForms } from "./forms/stop.ts";
import { submitForm } from "./forms/submit.ts";
import { isInNoRoom } from "./made-events.ts";
import type { RoutedEvent } from "./room-view.ts";
import { answerIdOf, runIdOf } from "./run-ids.ts";
import { writeScheduleChange } from "./schedules/schedules.ts";
import { together } from "./together.ts";
import { takeUp } from "./waiting.ts";

export interface Place {
  tenantId: string;
  roomId: string;
}

/** Returns the ids of the runs that were queued, as `tellQueued` takes them. */
export async function writeDecision(
  sql: TransactionSql,
  place: Place,
  event: RoutedEvent,
  decision: Decision,
): Promise<string[]> {
  switch (decision.kind) {
    case "ignore":
      return [];
    case "run":
      await writeNotices(sql, place, decision.notices);
      return await writeRuns(sql, place, event, decision.runs);
    case "edit":
      await together([writeStops(sql, decision.stops), writeNotices(sql, place, decision.notices)]);
      return await writeRuns(sql, place, event, decision.runs);
    case "again":
      return await writeRuns(sql, place, event, [decision.run]);
    case "cancel":
      await writeStops(sql, decision.stops);
      return [];
    case "command":
      await together([
        writeStops(sql, decision.stops),
        writeNotices(sql, place, decision.notices),
        ...(decision.schedules ?? []).map((change) => writeScheduleChange(sql, place.tenantId, change)),
      ]);
      return [];
    case "form":
      await writeNotices(sql, place, decision.notices);
      return decision.filling ? await writeFilling(sql, place, event, decision) : [];
    case "verdict":
      return (await writeVerdict(sql, { ...decision, at: saidAt(event) })) ?? [];
    case "no_verdict":
      await writeNotices(sql, place, decision.notices);
      return [];
    case "feedback":
      await sql`insert into feedback (tenant_id, reaction_event, run_id, agent_id, user_id, value)
        select ${place.tenantId}, ${event.eventId}, id, agent_id, ${event.sender}, ${decision.value}::int from runs where id = ${decision.runId}
        on conflict do nothing`;
      return [];
    case "redact":
      await together([
        writeStops(sql, decision.stops),
        sql`delete from feedback where tenant_id = ${place.tenantId} and reaction_event = ${decision.target}`,
        eraseText(sql, place.tenantId, decision.target),
      ]);
      return [];
    case "invite":
      await writeInvite(sql, place, event, decision);
      return [];
    case "member":
      await together([
        writeMember(sql, place, decision.member),
        writeStops(sql, decision.stops),
        writeNotices(sql, place, decision.notices),
        ...decision.leave.map((as) =>
          writeAction(sql, place, ["leave", event.eventId, as], {
            kind: "leave",
            as,
            reason: "Nobody else is left here.",
          }),
        ),
        decision.repairPower ? writePowerLevels(sql, place, event) : null,
      ]);
      return [];
    case "state":
      await together([
        sql`update rooms set state = ${JSON.stringify(decision.state)}::text::jsonb
          where tenant_id = ${place.tenantId} and room_id = ${place.roomId}`,
        writeNotices(sql, place, decision.notices),
        decision.repairPower ? writePowerLevels(sql, place, event) : null,
      ]);
      return [];
  }
}

async function writeRuns(sql: TransactionSql, place: Place, event: RoutedEvent, starts: RunStart[]): Promise<string[]> {
  await together(starts.flatMap((start) => writeRun(sql, place, event, start)));
  return starts.map((start) => runIdOf(place.tenantId, start));
}

/** The statements of one run, all under way. Its ids make the second time harmless. */
export function writeRun(
  sql: TransactionSql,
  { tenantId, roomId }: Place,
  event: Pick<RoutedEvent, "receivedAt" | "sender">,
  start: RunStart,
): Promise<unknown>[] {
  const id = runIdOf(tenantId, start);
  const answerId = answerIdOf(tenantId, start);
  const statements: PromiseLike<unknown>[] = [
    sql`with answer as (
        insert into answers (id, tenant_id, room_id, agent_id, question_event, again, current_run_id)
        values (${answerId}, ${tenantId}, ${roomId}, ${start.agentId}, ${start.questionEvent}, ${start.again}, ${id})
        on conflict (id) do update set current_run_id = excluded.current_run_id returning id
      ), run as (
        insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, thread_root, question_event, trigger_event,
          asked_by, on_behalf_of, untrusted, hops, created_at, timings)
        select ${id}, ${tenantId}, ${start.agentId}, ${start.agentVersion}, answer.id, ${roomId}, ${start.threadRoot},
          ${start.questionEvent}, ${start.triggerEvent}, ${start.askedBy}, ${inherited(sql, tenantId, start)},
          ${start.hops}, clock_timestamp(), jsonb_build_object(
            'routedMs', round((extract(epoch from clock_timestamp()) * 1000)::numeric - ${event.receivedAt}::numeric, 1))
        from answer on conflict (id) do nothing returning id)
      select pg_notify(${CHANNELS.run}, id) from run`,
  ];
  if (start.supersedes)
    statements.push(...stopStatements(sql, { runId: start.supersedes, reason: "superseded", by: event.sender }));
  if (start.threadRoot)
    statements.push(sql`insert into thread_agents (tenant_id, room_id, thread_root, agent_id)
      values (${tenantId}, ${roomId}, ${start.threadRoot}, ${start.agentId}) on conflict do nothing`);
  return statements.map(async (statement) => await statement);
}

/**
 * For whom it acts, and what untrusted thing that one had read: a person for themselves, an agent as the run that asks. One whose run is not named (a click on
 * "run again") is looked up in the first run of the same question.
 */
function inherited(sql: TransactionSql, tenantId: string, start: RunStart) {
  const first = sql`from runs where tenant_id = ${tenantId} and answer_id in (
      select id from answers where tenant_id = ${tenantId} and question_event = ${start.questionEvent}) order by created_at limit 1`;
  // What was planned or handed over may be made of what an agent had read, whoever asks for it once more.
  if (!start.askedBy.startsWith("@agent-"))
    return start.again > 0 && isInNoRoom(start.questionEvent)
      ? sql`${start.askedBy}, (select untrusted ${first})`
      : sql`${start.askedBy}, null`;
  const from = start.causedBy ? sql`from runs where tenant_id = ${tenantId} and id = ${start.causedBy}` : first;
  return sql`(select on_behalf_of ${from}), (select untrusted ${from})`;
}

/** What only the database knows (a pause, a room without its agent, too many at once) is said in the room; nothing is written then. */
async function writeFilling(
  sql: TransactionSql,
  { tenantId, roomId }: Place,
  event: RoutedEvent,
  { filling, as }: Extract<Decision, { kind: "form" }>,
): Promise<string[]> {
  if (!filling) return [];
  const { formId, values, threadRoot } = filling;
  const cause = ["command", event.eventId];
  const wish = {
    tenantId,
    formId,
    values,
    by: event.sender,
    via: "command" as const,
    cause,
    roomId,
    threadRoot,
    questionEvent: event.eventId,
  };
  try {
    return (await submitForm(sql, wish, Math.round(event.receivedAt))).runIds;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const place = threadRoot ? { threadRoot } : {};
    if (as)
      await writeNotices(sql, { tenantId, roomId }, [
        { key: ["form", event.eventId], as, text: error.sentence, replyTo: event.eventId, ...place },
      ]);
    return [];
  }
}

export async function writeStops(sql: TransactionSql, stops: Stop[]): Promise<void> {
  await together(
    stops.flatMap((stop) => {
      const which = sql`f.id = ${stop.runId}`;
      return stop.kind === "form" ? [stopForms(sql, { ...stop, which })] : stopStatements(sql, stop);
    }),
  );
}

function stopStatements(sql: TransactionSql, { runId, reason, by }: Stop): PromiseLike<unknown>[] {
  return [
    sql`update runs set stop_reason = ${reason}, stopped_by = ${by}
      where id = ${runId} and state in ('queued', 'running', 'waiting') and stop_reason is null`,
    sql`select pg_notify(${CHANNELS.stop}, ${runId})`,
    takeUp(sql, runId),
  ];
}

async function writeNotices(sql: TransactionSql, place: Place, notices: Notice[]): Promise<void> {
  await together(
    notices.map(({ key, ...rest }) => writeAction(sql, place, ["notice", ...key], { kind: "notice", ...rest })),
  );
}

/** A row in `actions`, once for each cause in its room. */
export async function writeAction(
  sql: TransactionSql,
  { tenantId, roomId }: Place,
  cause: (string | number)[],
  payload: ActionPayload,
): Promise<void> {
  await together([
    sql`insert into actions (id, tenant_id, room_id, payload)
      values (${stableId(tenantId, roomId, ...cause)}, ${tenantId}, ${roomId}, ${JSON.stringify(payload)}::text::jsonb)
      on conflict do nothing`,
    sql`select pg_notify(${CHANNELS.action}, '')`,
  ]);
}

const writePowerLevels = (sql: TransactionSql, place: Place, event: RoutedEvent) =>
  writeAction(sql, place, ["power_levels", event.eventId], { kind: "power_levels" });

async function writeInvite(
  sql: TransactionSql,
  place: Place,
  event: RoutedEvent,
  { as, ...invite }: Extract<Decision, { kind: "invite" }>,
): Promise<void> {
  const payload: ActionPayload = invite.accept ? { kind: "join", as } : { kind: "leave", as, reason: invite.why };
  const member: MemberChange = {
    userId: as,
    membership: "invite",
    displayName: null,
    visibleFrom: null,
    seenSince: event.ts,
  };
  await together([writeMember(sql, place, member), writeAction(sql, place, ["invite", event.eventId], payload)]);
}

export async function writeMember(
  sql: TransactionSql,
  { tenantId, roomId }: Place,
  member: MemberChange,
): Promise<void> {
  const { userId, membership, displayName, visibleFrom, seenSince } = member;
  await sql`insert into room_members (tenant_id, room_id, user_id, membership, display_name, visible_from, seen_since)
    values (${tenantId}, ${roomId}, ${userId}, ${membership}, ${displayName}, ${visibleFrom ?? 0}, ${seenSince ?? 0})
    on conflict (tenant_id, room_id, user_id) do update set membership = excluded.membership,
      display_name = coalesce(excluded.display_name, room_members.display_name),
      visible_from = coalesce(${visibleFrom}::bigint, room_members.visible_from),
      seen_since = coalesce(${seenSince}::bigint, room_members.seen_since)`;
}
