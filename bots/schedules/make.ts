/** Makes schedules: for agents that plan, and for people in the panel. */
import type { PendingQuery, Row, TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { nameIn } from "../person-name.ts";
import { oneLine } from "../tools/one-line.ts";
import { sayInRoom } from "./say.ts";
import { hindrance, MOST_SCHEDULES, readSchedule, type Schedule, tell } from "./schedules.ts";
import { nextTime, readTime, type TimeWish } from "./times.ts";
import { timeText } from "./words.ts";

export const MOST_TASK = 4000;

export interface NewSchedule {
  /** Made of what asks for it, so that twice is once; a new one when not given. */
  id?: string;
  tenantId: string;
  agentId: string;
  roomId: string;
  threadRoot?: string | null;
  /** The person for whom it acts: a Matrix user id. They must be in the room. */
  person: string;
  task: string;
  time: TimeWish;
  untrusted?: string | null;
  /** Who planned it outside of the room, which is told so then. */
  plannedBy?: string;
}

/** Throws `invalid` for what is no time or task, `forbidden` where agent or person are not in the room, `conflict` when the agent has too many, `not_found`. */
export async function makeSchedule(ctx: Context, wish: NewSchedule): Promise<Schedule> {
  const { tenantId, agentId, roomId, person } = wish;
  const id = wish.id ?? newId();
  const task = wish.task.trim();
  if (task === "") throw new AppError("invalid", "Say what the agent shall do then.");
  if (task.length > MOST_TASK) throw new AppError("invalid", `A task has at most ${MOST_TASK} characters.`);
  await ctx.sql.begin(async (sql) => {
    // Of two that are made at once the second sees the first (advisory lock 7435, agent).
    await sql`select pg_advisory_xact_lock(7435, hashtext(${agentId}))`;
    const known = await sql`select 1 from schedules where id = ${id}`;
    if (known.length > 0) return;
    const why = await whyNot(sql, wish);
    if (why) throw why;
    const now = ctx.clock.now();
    const time = readTime(wish.time, now);
    const next = nextTime(time, { after: now, from: now });
    await sql`
      insert into schedules (id, tenant_id, agent_id, room_id, thread_root, created_by, task, time, untrusted, next_at, created_at)
      values (${id}, ${tenantId}, ${agentId}, ${roomId}, ${wish.threadRoot ?? null}, ${person}, ${task}, ${JSON.stringify(time)}::text::jsonb,
        ${wish.untrusted ?? null}, ${next === null ? null : new Date(next)}, ${new Date(now)})`;
    await tell(sql, tenantId);
    if (wish.plannedBy) await announce(sql, id, wish.plannedBy);
  });
  return await readSchedule(ctx, tenantId, id);
}

async function whyNot(
  sql: TransactionSql,
  { tenantId, agentId, roomId, person }: NewSchedule,
): Promise<AppError | null> {
  const [agent] = await sql<{ name: string; count: number }[]>`
    select name, (select count(*)::int from schedules where agent_id = a.id and state in ('active', 'paused')) as count
    from agents a where id = ${agentId} and tenant_id = ${tenantId} and state not in ('removing', 'removed')`;
  if (!agent) return new AppError("not_found", "There is no such agent.");
  if (agent.count >= MOST_SCHEDULES)
    return new AppError(
      "conflict",
      `${agent.name} has ${MOST_SCHEDULES} schedules already. Remove one that is not needed any more.`,
    );
  const hindered = await hindrance(sql, { tenantId, agentId, roomId, createdBy: person });
  return hindered ? new AppError("forbidden", hindered) : null;
}

/** Who planned what for whom. */
async function announce(sql: TransactionSql, id: string, plannedBy: string): Promise<void> {
  const [one] = await sql<Announced[]>`
    select s.tenant_id as "tenantId", s.room_id as "roomId", s.agent_id as "agentId", a.name as "agentName", s.task, s.time, s.created_by as person,
      ${nameHere(sql, sql`s.created_by`)} as name, ${nameHere(sql, sql`${plannedBy}`)} as "byName"
    from schedules s join agents a on a.id = s.agent_id where s.id = ${id}`;
  if (!one) return;
  const by = oneLine(one.byName ?? nameIn(plannedBy), 60);
  const whom = one.person === plannedBy ? "themselves" : oneLine(one.name ?? nameIn(one.person), 60);
  await sayInRoom(sql, one, {
    cause: ["planned", id],
    text: `${by} planned this in the panel for ${whom}: ${one.agentName} does “${oneLine(one.task, 200)}” ${timeText(one.time)}. \`!schedules\` lists and changes it.`,
  });
}

interface Announced extends Pick<Schedule, "tenantId" | "roomId" | "agentId" | "agentName" | "task" | "time"> {
  person: string;
  name: string | null;
  byName: string | null;
}

const nameHere = (sql: TransactionSql, userId: PendingQuery<Row[]>) => sql`
  (select display_name from room_members m where m.tenant_id = s.tenant_id and m.room_id = s.room_id and m.user_id = ${userId})`;
