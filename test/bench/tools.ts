/** What tools cost: one call within a run, one decision, and the way from a person's reaction to the tool. */
import { setTimeout as sleep } from "node:timers/promises";
import { createAgent } from "../../bots/agents.ts";
import { type Asking, decide } from "../../bots/tools/decide.ts";
import type { AgentTools } from "../../migrations/types.ts";
import { percentile } from "./measure.ts";
import { type Setting, TENANT } from "./setting.ts";

export interface ToolFigures {
  calls: number;
  /** Milliseconds from the model's call to the next question to the model, with a tool that takes none itself. */
  call: { p50: number; p95: number };
  approvals: number;
  /** Milliseconds from the reaction's reception to the tool's start, by the database's clock. */
  approval: { p50: number; p95: number };
}

let asked = 0;
const marker = () => `#t${String(++asked).padStart(6, "0")}`;

export async function measureTools(setting: Setting, count: number): Promise<ToolFigures> {
  return {
    calls: count * CALLS,
    ...(await measureCalls(setting, count)),
    approvals: count,
    approval: await measureApprovals(setting, count),
  };
}

const CALLS = 3;
const WARM_UP = 10;

async function measureCalls(setting: Setting, count: number): Promise<{ call: ToolFigures["call"] }> {
  const { agentId, room } = await place(setting, "Clock", { time: { policy: "allowed", perDay: 1_000_000 } });
  const gaps: number[] = [];
  for (let n = 0; n < count + WARM_UP; n++) {
    const question = marker();
    await setting.asker.ask(room, agentId, question, "[[call time {}]] ".repeat(CALLS));
    const requests = setting.platform.model.asked(question);
    if (requests.length !== CALLS + 1)
      throw new Error(`${requests.length} questions to the model in place of ${CALLS + 1}`);
    for (let turn = 1; n >= WARM_UP && turn < requests.length; turn++)
      gaps.push((requests[turn]?.startedAt ?? 0) - (requests[turn - 1]?.endedAt ?? 0));
  }
  return { call: { p50: percentile(gaps, 0.5), p95: percentile(gaps, 0.95) } };
}

async function measureApprovals(setting: Setting, count: number): Promise<ToolFigures["approval"]> {
  const { asker, ctx } = setting;
  const { agentId, room } = await place(setting, "Careful", { time: { policy: "ask" } });
  for (let n = 0; n < count + WARM_UP; n++) {
    const before = asker.seen(room).length;
    const answer = asker.ask(room, agentId, marker(), "[[call time {}]]");
    const question = () =>
      asker
        .seen(room)
        .slice(before)
        .find(({ content }) => "dev.agentopia.approval" in content && !("m.new_content" in content));
    await asker.until(() => question() !== undefined, "the question");
    // As a person, who reads before they decide: what the agent sends meanwhile is over.
    await sleep(300);
    await asker.react(room, question()?.event_id ?? "", "✅");
    await answer;
  }
  const rows = await ctx.sql<{ ms: number }[]>`
    select extract(epoch from c.started_at - i.received_at)::float8 * 1000 as ms
    from approvals a join tool_calls c on c.id = a.call_id
      join inbox i on i.tenant_id = a.tenant_id and i.type = 'm.reaction' and i.sender = a.decided_by
        and i.content->'m.relates_to'->>'event_id' = a.event_id
    where a.room_id = ${room} order by a.created_at desc limit ${count}`;
  if (rows.length !== count) throw new Error(`${rows.length} approvals in place of ${count}`);
  const ms = rows.map((row) => row.ms);
  return { p50: percentile(ms, 0.5), p95: percentile(ms, 0.95) };
}

/** An agent with these tools in a room with the person. */
async function place(
  { ctx, asker }: Setting,
  name: string,
  tools: AgentTools,
): Promise<{ agentId: string; room: string }> {
  const definition = {
    name,
    description: "Uses tools.",
    instructions: "Answer.",
    model: null,
    whoMayInvite: "anyone" as const,
    scope: "member" as const,
    tools,
  };
  const agent = await createAgent(ctx, { tenantId: TENANT, definition });
  const room = await asker.createRoom({ preset: "private_chat", invite: [agent.userId] });
  await asker.waitForMember(room, agent.userId);
  return { agentId: agent.userId, room };
}

/** Decisions a second, of calls with patterns, limits and a room, the costliest way through. */
export function measureDecisions(): number {
  const asking: Asking = {
    agent: "Writer",
    bounds: {
      web: {
        policy: "allowed",
        allow: ["*.example.org", "docs.acme.test", "https://acme.test/a/*"],
        refuse: ["*.evil.test"],
        perRun: 20,
        perHour: 100,
        perDay: 500,
      },
      web_fetch: { perDay: 200, level: 60 },
    },
    tool: { name: "web_fetch", group: "web", title: "Read a page", sends: "address" },
    stranger: false,
    targets: [{ kind: "address", value: "https://www.example.org/docs/page?id=12" }],
    rooms: [
      {
        name: "“plans”",
        agentJoined: true,
        personJoined: true,
        agentLevel: 50,
        personLevel: 50,
        needed: 50,
        federated: false,
        writes: true,
      },
    ],
    person: "@alice:acme.test",
    direct: false,
    used: { run: { web: 3 }, hour: { web: 20 }, day: { web: 40, web_fetch: 40 }, tokens: {} },
    granted: false,
    approved: false,
    untrusted: "the page https://evil.test/",
    said: false,
  };
  const rounds = 200_000;
  for (let n = 0; n < 20_000; n++) decide(asking);
  const began = performance.now();
  for (let n = 0; n < rounds; n++) if (decide(asking).kind !== "allow") throw new Error("the bench's call is allowed");
  return (rounds * 1000) / (performance.now() - began);
}
