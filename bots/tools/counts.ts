/** How often tools were used: counted in the database when a call begins, so that limits hold for calls that begin at once, whoever's they are. */
import type { TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import type { AgentTools } from "../../migrations/types.ts";
import { limitReached, type Used } from "./decide.ts";
import type { Tool } from "./tool.ts";

type Unit = "hour" | "day" | "tokens";

/** A call holds this much of the day's tokens until it is known what it took. */
const TOKENS_HELD = 8000;

interface Limit {
  key: string;
  unit: Unit;
  most: number;
  since: Date;
  /** What this call adds when it begins. */
  adds: number;
}

/** The limits that a call of this tool counts against, in the order in which their rows are locked. */
function limitsFor(bounds: AgentTools, tool: Pick<Tool, "name" | "group">, now: number): Limit[] {
  const hour = new Date(now - (now % 3_600_000));
  const day = new Date(now - (now % 86_400_000));
  const keys = [...new Set([tool.name, tool.group])].filter((key) => Object.hasOwn(bounds, key)).sort();
  // As much for the tool as for its group: what is given back when the call ends is one figure.
  const held = Math.min(TOKENS_HELD, ...keys.map((key) => bounds[key]?.tokensPerDay ?? TOKENS_HELD));
  return keys.flatMap((key) => {
    const { perHour, perDay, tokensPerDay } = bounds[key] ?? {};
    const limits: Limit[] = [];
    if (perHour !== undefined) limits.push({ key, unit: "hour", most: perHour, since: hour, adds: 1 });
    if (perDay !== undefined) limits.push({ key, unit: "day", most: perDay, since: day, adds: 1 });
    if (tokensPerDay !== undefined) limits.push({ key, unit: "tokens", most: tokensPerDay, since: day, adds: held });
    return limits;
  });
}

const WHEN: Record<Unit, string> = { hour: "in an hour", day: "on one day", tokens: "on one day" };

/** What was used so far, for a decision; what counts is what `beginCall` counts. Empty without a query where nothing is limited. */
export async function readUsed(
  ctx: Context,
  agent: { id: string; bounds: AgentTools },
  tool: Pick<Tool, "name" | "group">,
): Promise<Omit<Used, "run">> {
  const used = { hour: {}, day: {}, tokens: {} } as Record<Unit, Record<string, number>>;
  const limits = limitsFor(agent.bounds, tool, ctx.clock.now());
  if (limits.length === 0) return used;
  const rows = await ctx.sql<{ key: string; unit: Unit; since: Date; count: number }[]>`
    select key, unit, since, count::float8 as count from tool_counts where agent_id = ${agent.id}
      and key = any(${limits.map(({ key }) => key)}::text[]) and since >= ${new Date(Math.min(...limits.map(({ since }) => since.getTime())))}`;
  for (const limit of limits) {
    const row = rows.find(
      ({ key, unit, since }) =>
        key === limit.key && unit === limit.unit && new Date(since).getTime() === limit.since.getTime(),
    );
    if (row) used[limit.unit][limit.key] = row.count;
  }
  return used;
}

/** Thrown inside the transaction, so that what other limits counted is taken back. */
class Full extends Error {}

/** Whether a call has to be written down before it begins: what is repeatable is simply done again, unless it counts. */
export const mustBegin = (bounds: AgentTools, tool: Pick<Tool, "name" | "group" | "repeatable">): boolean =>
  !tool.repeatable || limitsFor(bounds, tool, 0).length > 0;

/** Somebody else began or ended the call meanwhile: another process that goes on with the same run. */
export const NOT_OURS = Symbol("begun or ended by somebody else");

/**
 * Writes that the call begins, counted against its limits: all of them or none. Null when it may; else the sentence that says which limit is reached. Of two that
 * begin one call at once one may.
 */
export async function beginCall(
  ctx: Context,
  call: {
    id: string;
    agent: { id: string; name: string; bounds: AgentTools };
    tool: Pick<Tool, "name" | "group" | "title">;
  },
): Promise<string | typeof NOT_OURS | null> {
  const now = ctx.clock.now();
  const limits = limitsFor(call.agent.bounds, call.tool, now);
  // By the clock by which its day is chosen: what it holds is given back to that day.
  const begin = (sql: Context["sql"] | TransactionSql, held: number) => sql`
    update tool_calls set state = 'running', started_at = ${new Date(now)}, held = ${held} where id = ${call.id} and state in ('proposed', 'approved')`;
  if (limits.length === 0) return (await begin(ctx.sql, 0)).count === 0 ? NOT_OURS : null;
  try {
    return await ctx.sql.begin(async (sql) => {
      const begun = await begin(sql, limits.find(({ unit }) => unit === "tokens")?.adds ?? 0);
      if (begun.count === 0) return NOT_OURS;
      for (const limit of limits) if (!(await count(sql, call.agent.id, limit))) throw new Full(sentence(call, limit));
      return null;
    });
  } catch (error) {
    if (error instanceof Full) return error.message;
    throw error;
  }
}

const sentence = ({ agent, tool }: Parameters<typeof beginCall>[1], { most, unit }: Limit) =>
  limitReached(agent.name, tool.title, most, unit, WHEN[unit]);

async function count(sql: TransactionSql, agentId: string, { key, unit, since, most, adds }: Limit): Promise<boolean> {
  const rows = await sql`
    insert into tool_counts (agent_id, key, unit, since, count) select ${agentId}, ${key}, ${unit}, ${since}, ${adds} where ${adds}::bigint <= ${most}::bigint
    on conflict (agent_id, key, unit, since) do update set count = tool_counts.count + excluded.count
      where tool_counts.count + excluded.count <= ${most}::bigint returning 1`;
  return rows.length > 0;
}
