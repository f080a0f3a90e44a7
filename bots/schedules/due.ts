/** One schedule that is due: its run begins and its next time is set in one transaction, so that no time is lost and none comes twice. */
import type { TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { ScheduleTime } from "../../migrations/types.ts";
import { nameIn } from "../person-name.ts";
import { startRun } from "../start-run.ts";
import { oneLine } from "../tools/one-line.ts";
import { sayInRoom } from "./say.ts";
import { hindrance, tell } from "./schedules.ts";
import { nextTime } from "./times.ts";
import { timeText } from "./words.ts";

interface Due {
  id: string;
  tenantId: string;
  agentId: string;
  roomId: string;
  threadRoot: string | null;
  createdBy: string;
  createdByName: string | null;
  task: string;
  time: ScheduleTime;
  untrusted: string | null;
  /** Milliseconds since 1970. */
  nextAt: number;
  createdAt: number;
}

/** Runs one that is due. Returns what `tellQueued` takes; null when none is. Times that went by meanwhile count as this one. */
export async function runDue(ctx: Context): Promise<string[] | null> {
  const now = ctx.clock.now();
  return await ctx.sql.begin(async (sql) => {
    const [due] = await sql<Due[]>`
      select id, tenant_id as "tenantId", agent_id as "agentId", room_id as "roomId", thread_root as "threadRoot", created_by as "createdBy",
        (select display_name from room_members m where m.tenant_id = schedules.tenant_id and m.room_id = schedules.room_id and m.user_id = created_by) as "createdByName",
        task, time, untrusted, extract(epoch from next_at)::float8 * 1000 as "nextAt", extract(epoch from created_at)::float8 * 1000 as "createdAt"
      from schedules where state = 'active' and next_at <= ${new Date(now)} order by next_at limit 1 for update skip locked`;
    if (!due) return null;
    const next = laterTime(due, now);
    const problem = next.problem ?? (await hindrance(sql, due));
    const runId = problem ? null : await begin(sql, due, now);
    await tell(sql, due.tenantId);
    if (runId === null) return await pause(sql, due, problem ?? "The agent does not answer now.");
    await sql`
      update schedules set state = ${next.at === null ? "done" : "active"}, next_at = ${next.at === null ? null : new Date(next.at)},
        last_at = ${new Date(now)}, last_run_id = ${runId}, times = times + 1 where id = ${due.id}`;
    return [runId];
  });
}

/** Milliseconds since 1970; null: nothing is planned. */
export async function nextDue({ sql }: Context): Promise<number | null> {
  const [row] = await sql<{ at: number | null }[]>`
    select extract(epoch from min(next_at))::float8 * 1000 as at from schedules where state = 'active'`;
  return row?.at ?? null;
}

/** A pattern that no clock knows any more must not hold up the others. */
function laterTime({ time, createdAt }: Due, now: number): { at: number | null; problem?: string } {
  try {
    return { at: nextTime(time, { after: now, from: createdAt }) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { at: null, problem: error.sentence };
  }
}

const begin = (sql: TransactionSql, due: Due, now: number): Promise<string | null> =>
  startRun(sql, {
    kind: "schedule",
    cause: [due.id, Math.round(due.nextAt)],
    tenantId: due.tenantId,
    agentId: due.agentId,
    source: "room",
    roomId: due.roomId,
    threadRoot: due.threadRoot,
    text: `This was planned (${timeText(due.time)}) and is due now. Do it; nobody wrote it at this moment.\n${due.task}`,
    heading: `Planned for ${oneLine(due.createdByName ?? nameIn(due.createdBy), 60)}: ${timeText(due.time)}`,
    askedBy: due.createdBy,
    onBehalfOf: due.createdBy,
    untrusted: due.untrusted,
    hops: 0,
    now,
  });

async function pause(sql: TransactionSql, due: Due, problem: string): Promise<string[]> {
  await sql`update schedules set state = 'paused', problem = ${problem}, next_at = null where id = ${due.id}`;
  await sayInRoom(sql, due, {
    cause: ["schedule", due.id, Math.round(due.nextAt)],
    text:
      `“${oneLine(due.task)}” was due and was not done. ${problem} It is paused now; \`!schedules resume ${due.id.slice(0, 6)}\` ` +
      "or a manager in the panel lets it go on.",
  });
  return [];
}
