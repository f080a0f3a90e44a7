/** Schedules as rows: "run me later", "run me every …". Nothing here knows HTTP; rooms, agents' tools and the panel make, pause, resume and remove by it. */
import type { Sql, TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { ScheduleTime } from "../../migrations/types.ts";
import { nextTime } from "./times.ts";

/** Of one agent, paused ones counted. */
export const MOST_SCHEDULES = 50;

export interface Schedule {
  id: string;
  tenantId: string;
  agentId: string;
  agentName: string;
  roomId: string;
  roomName: string | null;
  threadRoot: string | null;
  /** The person for whom it acts. */
  createdBy: string;
  createdByName: string | null;
  task: string;
  time: ScheduleTime;
  state: "active" | "paused" | "done" | "removed";
  /** Why it was paused by itself; a sentence. */
  problem: string | null;
  untrusted: string | null;
  /** Milliseconds since 1970, all of these. */
  nextAt: number | null;
  lastAt: number | null;
  lastRunId: string | null;
  times: number;
  createdAt: number;
}

/** Where a page ended. Microseconds, as Postgres keeps them. */
export interface SchedulePlace {
  micros: number;
  id: string;
}

export interface ScheduleFilter {
  tenantId: string;
  roomId?: string | undefined;
  agentId?: string | undefined;
  /** Whose they are. */
  createdBy?: string | undefined;
  /** All but removed ones when not given. */
  states?: Schedule["state"][] | undefined;
}

const ms = (sql: Sql | TransactionSql, column: string) => sql`extract(epoch from s.${sql(column)})::float8 * 1000`;

const columns = (sql: Sql | TransactionSql) => sql`
  s.id, s.tenant_id as "tenantId", s.agent_id as "agentId", a.name as "agentName", s.room_id as "roomId",
  coalesce(r.channel, r.state->>'name') as "roomName", s.thread_root as "threadRoot", s.created_by as "createdBy",
  coalesce((select display_name from room_members m where m.tenant_id = s.tenant_id and m.room_id = s.room_id and m.user_id = s.created_by),
    (select display_name from people p where p.tenant_id = s.tenant_id and p.user_id = s.created_by)) as "createdByName",
  s.task, s.time, s.state, s.problem, s.untrusted, ${ms(sql, "next_at")} as "nextAt", ${ms(sql, "last_at")} as "lastAt",
  s.last_run_id as "lastRunId", s.times, ${ms(sql, "created_at")} as "createdAt"`;

const joined = (sql: Sql | TransactionSql) => sql`
  schedules s join agents a on a.id = s.agent_id left join rooms r on r.tenant_id = s.tenant_id and r.room_id = s.room_id`;

/** Newest first, at most `limit`; `next` is null after the last one. */
export async function listSchedules(
  { sql }: Pick<Context, "sql">,
  { tenantId, roomId, agentId, createdBy, states }: ScheduleFilter,
  page: { limit: number; after?: SchedulePlace | null | undefined },
): Promise<{ schedules: Schedule[]; next: SchedulePlace | null }> {
  const after = page.after ?? null;
  const rows = await sql<(Schedule & { micros: number })[]>`
    select ${columns(sql)}, (extract(epoch from s.created_at) * 1000000)::float8 as micros from ${joined(sql)}
    where s.tenant_id = ${tenantId} and s.state = any(${states ?? ["active", "paused", "done"]}::text[])
      ${roomId === undefined ? sql`` : sql`and s.room_id = ${roomId}`}
      ${agentId === undefined ? sql`` : sql`and s.agent_id = ${agentId}`}
      ${createdBy === undefined ? sql`` : sql`and s.created_by = ${createdBy}`}
      ${after ? sql`and (s.created_at, s.id) < (timestamptz 'epoch' + make_interval(secs => ${after.micros}::float8 / 1000000), ${after.id})` : sql``}
    order by s.created_at desc, s.id desc limit ${page.limit + 1}`;
  const last = rows.length > page.limit ? rows[page.limit - 1] : undefined;
  return {
    schedules: rows.slice(0, page.limit).map(({ micros: _, ...schedule }) => schedule),
    next: last ? { micros: last.micros, id: last.id } : null,
  };
}

/** Throws `not_found`. */
export async function readSchedule({ sql }: Pick<Context, "sql">, tenantId: string, id: string): Promise<Schedule> {
  const [row] = await sql<Schedule[]>`
    select ${columns(sql)} from ${joined(sql)} where s.tenant_id = ${tenantId} and s.id = ${id} and s.state <> 'removed'`;
  if (!row) throw gone();
  return row;
}

/** Why a schedule cannot run now: a sentence; null when it can. */
export async function hindrance(
  sql: Sql | TransactionSql,
  schedule: Pick<Schedule, "tenantId" | "agentId" | "roomId" | "createdBy">,
): Promise<string | null> {
  const { tenantId, agentId, roomId, createdBy } = schedule;
  const [row] = await sql<
    { name: string; state: string; archived: boolean | null; agentIn: boolean; personIn: boolean; account: string }[]
  >`
    select a.name, a.state, r.archived_at is not null as archived,
      exists (select from room_members m where m.tenant_id = a.tenant_id and m.room_id = ${roomId} and m.user_id = a.user_id and m.membership = 'join') as "agentIn",
      exists (select from room_members m where m.tenant_id = a.tenant_id and m.room_id = ${roomId} and m.user_id = ${createdBy} and m.membership = 'join') as "personIn",
      coalesce((select state from people p where p.tenant_id = a.tenant_id and p.user_id = ${createdBy}), 'active') as account
    from agents a left join rooms r on r.tenant_id = a.tenant_id and r.room_id = ${roomId}
    where a.id = ${agentId} and a.tenant_id = ${tenantId}`;
  if (!row || row.state === "removing" || row.state === "removed") return "The agent was removed.";
  if (row.archived) return "The room is archived.";
  if (!row.agentIn) return `${row.name} is not in the room any more.`;
  if (!row.personIn || createdBy.startsWith("@agent-"))
    return "The person for whom it acts is not in the room any more.";
  // They stay in their rooms, where nobody acts for them.
  if (row.account !== "active") return `The account of the person for whom it acts is ${row.account}.`;
  return row.state === "active" ? null : `${row.name} is paused.`;
}

/** What is to become of a schedule. `nextAt`: for one that goes on. */
export interface ScheduleChange {
  id: string;
  state: "active" | "paused" | "removed";
  nextAt: number | null;
}

/** Nothing is due while it is paused, and nothing is made up for afterwards. Throws `not_found`, `conflict` for one that is over. */
export const pauseSchedule = (ctx: Context, tenantId: string, id: string): Promise<Schedule> =>
  change(ctx, tenantId, id, "paused");

/** Goes on at its next time. Throws `not_found`, `conflict` for one that is over. */
export const resumeSchedule = (ctx: Context, tenantId: string, id: string): Promise<Schedule> =>
  change(ctx, tenantId, id, "active");

/** Throws `not_found`. */
export async function removeSchedule(ctx: Context, tenantId: string, id: string): Promise<Schedule> {
  const schedule = await readSchedule(ctx, tenantId, id);
  await ctx.sql.begin((sql) => writeScheduleChange(sql, tenantId, { id, state: "removed", nextAt: null }));
  return { ...schedule, state: "removed", nextAt: null };
}

async function change(ctx: Context, tenantId: string, id: string, state: "active" | "paused"): Promise<Schedule> {
  const schedule = await readSchedule(ctx, tenantId, id);
  const nextAt = whenResumed(schedule, ctx.clock.now());
  if (schedule.state === "done" || (state === "active" && nextAt === null))
    throw new AppError("conflict", "Its time is over. Make a new one.");
  await ctx.sql.begin((sql) =>
    writeScheduleChange(sql, tenantId, { id, state, nextAt: state === "active" ? nextAt : null }),
  );
  return await readSchedule(ctx, tenantId, id);
}

/** When it would be due next if it went on now; null: never. Pure. */
export const whenResumed = ({ time, createdAt }: Pick<Schedule, "time" | "createdAt">, now: number): number | null =>
  nextTime(time, { after: now, from: createdAt });

/** Also for whoever decides on it by a command in a room. Twice is once; one that has ended stays so. */
export async function writeScheduleChange(
  sql: TransactionSql,
  tenantId: string,
  { id, state, nextAt }: ScheduleChange,
): Promise<void> {
  const from = state === "active" ? ["paused"] : state === "paused" ? ["active"] : ["active", "paused", "done"];
  await sql`
    update schedules set state = ${state}, problem = null, next_at = ${nextAt === null ? null : new Date(nextAt)}
    where id = ${id} and tenant_id = ${tenantId} and state = any(${from}::text[])`;
  await tell(sql, tenantId);
}

/** Whoever runs schedules looks anew, and so do open pages. */
export async function tell(sql: TransactionSql, tenantId: string): Promise<void> {
  await sql`select pg_notify(${CHANNELS.schedule}, ''), pg_notify(${CHANNELS.panel}, ${`schedules ${tenantId}`})`;
}

/** How people name one in a room: the beginning of its id. */
export const shortId = (id: string): string => id.slice(0, 6);

const gone = () => new AppError("not_found", "There is no such schedule.");
