/** Give a task to another agent and get its answer back. */
import type { TransactionSql } from "postgres";
import { AppError } from "../../../core/errors.ts";
import type { TenantLimits } from "../../../migrations/types.ts";
import { budgetSentence, exceededBudget } from "../../budgets.ts";
import { tellQueued } from "../../drain.ts";
import { limitsOf } from "../../limits.ts";
import { isAgentUser, serverOf } from "../../room-view.ts";
import { startRun } from "../../start-run.ts";
import { oneLine } from "../one-line.ts";
import type { Tool, ToolRun } from "../tool.ts";
import { findAgent, type KnownAgent } from "../who.ts";

export const handOver: Tool = {
  name: "hand_over",
  group: "agents",
  title: "Hand work to another agent",
  summary: "Gives a task to another agent in the room and uses its answer.",
  description:
    "Gives a task to another agent of this room and returns its answer. That agent sees only what you write: say everything that it needs to know. Use it for " +
    "what the other agent is made for.",
  input: {
    type: "object",
    properties: {
      agent: { type: "string", minLength: 1, maxLength: 100, description: "The other agent's name." },
      task: { type: "string", minLength: 1, maxLength: 20_000 },
    },
    required: ["agent", "task"],
    additionalProperties: false,
  },
  risk: "low",
  reads: "private",
  sends: "inside",
  repeatable: true,
  targets: ({ agent }) => [{ kind: "agent", value: plain(agent) }],
  sentence: ({ agent, task }) => `hand a task to ${plain(agent)}: “${oneLine(task)}”`,
  run: handTo,
};

/** By name alone, so that what a manager allows by name is what is meant. */
const plain = (agent: unknown) => oneLine(agent, 100).replace(/^@/, "");

async function handTo(call: ToolRun) {
  const { ctx, tenantId, callId, run, roomId } = call;
  if (!run || roomId === null)
    throw new AppError("invalid", "There is no conversation here out of which work could be handed over.");
  const other = await findAgent(ctx, { tenantId, roomId, wanted: plain(call.args.agent) });
  const agent = checked(call, other);
  const id = await ctx.sql.begin(async (sql) => {
    // Of two that are handed over at once the second counts the first (advisory lock 7436, room).
    await sql`select pg_advisory_xact_lock(7436, hashtext(${roomId}))`;
    const [before] = await sql<{ id: string }[]>`select id from runs where parent_call = ${callId} limit 1`;
    if (before) return before.id;
    const over = await overBudget(sql, call, agent, run.hops + 1);
    if (over) throw new AppError("forbidden", over);
    return await startRun(sql, {
      kind: "task",
      cause: [callId],
      tenantId,
      agentId: agent.id,
      source: "task",
      roomId,
      threadRoot: call.threadRoot,
      text: String(call.args.task),
      askedBy: call.agent.userId,
      onBehalfOf: personOf(call),
      untrusted: run.untrusted,
      hops: run.hops + 1,
      parentCall: callId,
      now: ctx.clock.now(),
    });
  });
  if (id === null) throw new AppError("conflict", `${agent.name} does not answer now.`);
  tellQueued(ctx, [id]);
  return { waiting: true as const };
}

/** An agent that asks for nobody hands nobody on. */
const personOf = ({ person, agent }: ToolRun): string | null =>
  isAgentUser(person, { serverName: serverOf(agent.userId) }) ? null : person;

function checked({ agent: self, args, roomId }: ToolRun, agent: KnownAgent | null): KnownAgent {
  const name = plain(args.agent);
  if (!agent) throw new AppError("not_found", `There is no agent called “${name}”.`);
  if (agent.id === self.id) throw new AppError("invalid", "That is you: do it yourself.");
  const inRoom = roomId?.startsWith("!") === true;
  if (inRoom && !agent.joined)
    throw new AppError("not_found", `${agent.name} is not in this room. Somebody invites it first.`);
  if (inRoom && agent.scope === "observer")
    throw new AppError("forbidden", `${agent.name} only reads along in this room.`);
  if (agent.state !== "active")
    throw new AppError(
      "conflict",
      agent.state === "paused"
        ? `${agent.name} is paused. A manager can resume it.`
        : `${agent.name} is still being made.`,
    );
  return agent;
}

/** The same budgets as for agents who ask each other by name: in a row, and of a pair within an hour. */
async function overBudget(
  sql: TransactionSql,
  { tenantId, agent, roomId }: ToolRun,
  other: KnownAgent,
  hops: number,
): Promise<string | null> {
  const [row] = await sql<{ limits: TenantLimits; pair: number; now: number }[]>`
    select limits, extract(epoch from now())::float8 * 1000 as now, (
        select count(*)::int from runs r where r.tenant_id = t.id and r.room_id = ${roomId} and r.created_at > now() - interval '1 hour'
          and ((r.asked_by = ${agent.userId} and r.agent_id = ${other.id}) or (r.asked_by = ${other.userId} and r.agent_id = ${agent.id}))) as pair
    from tenants t where id = ${tenantId}`;
  if (!row) return "This client is gone.";
  const limits = limitsOf(row);
  const over = exceededBudget(
    { askedAt: row.now, askedByAgent: true, hops },
    { pairLastHour: row.pair, recent: [] },
    limits,
  );
  return over ? budgetSentence(over, { agent: other.name, asker: agent.name }, limits) : null;
}
