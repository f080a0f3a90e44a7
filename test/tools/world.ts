/** An agent with tools in a room of a test's own database, a homeserver that keeps what is sent, and the scripted model. */
import { onTestFinished } from "vitest";
import { bringApproval } from "../../bots/approvals/post.ts";
import { deliver as deliverAnswer } from "../../bots/deliver.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import { settleEnd } from "../../bots/end-run.ts";
import { addModel } from "../../bots/models.ts";
import { outletOf } from "../../bots/outlet.ts";
import { signalOf } from "../../bots/signals.ts";
import { think } from "../../bots/think.ts";
import { addToolSource } from "../../bots/tools/sources.ts";
import type { Tool, ToolRun } from "../../bots/tools/tool.ts";
import { runOfWorkflow } from "../../bots/waiting.ts";
import { loadWork } from "../../bots/work.ts";
import type { Context } from "../../core/context.ts";
import type { AgentDefinition, AgentTools, RoomState } from "../../migrations/types.ts";
import { ok, type Request, scriptedHomeserver } from "../bots/homeserver.ts";
import {
  ALICE,
  BOB,
  CONTROL,
  deliver,
  event,
  makeTenant,
  PLANNER,
  ROOM,
  reaction,
  says,
  TENANT,
  WRITER,
} from "../bots/tenant.ts";
import { type ModelServer, startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";

export interface Sent {
  id: string;
  txn: string;
  as: string | null;
  type: string;
  content: Record<string, unknown> & { body?: string; "m.new_content"?: { body: string } };
}

export interface World {
  ctx: Context;
  model: ModelServer;
  /** What our users sent to the homeserver, once for each transaction id. */
  sent: Sent[];
  homeserver: Awaited<ReturnType<typeof scriptedHomeserver>>;
  /** Somebody says something; returns the event's id. Routes it. */
  say(text: string, from?: string): Promise<string>;
  /** Delivers an event and routes it; returns the ids of runs that it queued. */
  event(wish: Parameters<typeof event>[0]): Promise<string[]>;
  react(to: string, key: string, from?: string): Promise<string[]>;
  reply(to: string, text: string, from?: string): Promise<string[]>;
  /** Works on what is queued until nothing is left to do. */
  work(): Promise<void>;
  /** One attempt at a run. */
  attempt(runId: string): Promise<"ended" | "deliver" | "waiting" | "over">;
  /** Does the actions that wait: approvals are shown. */
  act(): Promise<void>;
  runs(): Promise<{ id: string; state: string; untrusted: string | null; text: string | null }[]>;
  calls(): Promise<{ id: string; tool: string; state: string; result: string | null; reason: string | null }[]>;
  approvals(): Promise<{ id: string; state: string; eventId: string | null; decidedBy: string | null }[]>;
}

/** Boundaries of the agent Writer; Alice is a moderator of the room (50), Bob a member. */
export async function world(
  tools: AgentTools,
  options: { levels?: Record<string, number>; rooms?: Parameters<typeof makeTenant>[1] } = {},
): Promise<World> {
  const ctx = await testContext();
  const model = await startModelServer();
  onTestFinished(() => model.stop());
  const homeserver = await scriptedHomeserver();
  const sent: Sent[] = [];
  homeserver.answer = (request) => keep(sent, request);
  const state: Partial<RoomState> = {
    powerLevels: {
      users: { [ALICE]: 50, ...options.levels },
      usersDefault: 0,
      events: {},
      eventsDefault: 0,
      stateDefault: 50,
      redact: 50,
      kick: 50,
      ban: 50,
      invite: 0,
    },
    federated: false,
    name: "general",
  };
  await makeTenant(ctx, {
    url: homeserver.url,
    ...(options.rooms ?? { rooms: [{ id: ROOM, members: [CONTROL, ALICE, BOB, WRITER, PLANNER], state }] }),
  });
  await setTools(ctx, "writer", tools);
  await addModel(ctx, {
    tenantId: null,
    name: "scripted",
    provider: "openai-compatible",
    baseUrl: `${model.url}/v1`,
    model: "scripted",
    isDefault: true,
  });
  return open({ ctx, model, homeserver, sent });
}

export async function setTools(
  ctx: Context,
  agentId: string,
  tools: AgentTools,
  wish: Partial<AgentDefinition> = {},
): Promise<void> {
  await ctx.sql`update agents set definition = definition || ${JSON.stringify({ tools, ...wish })}::text::jsonb where id = ${agentId}`;
}

function keep(sent: Sent[], request: Request) {
  const [, eventId] = /\/event\/(.+)$/.exec(request.path) ?? [];
  if (eventId) return ok({ event_id: eventId, ...sent.find(({ id }) => id === eventId) });
  const [, redacts, under = ""] = /\/redact\/([^/]+)\/(.+)$/.exec(request.path) ?? [];
  if (redacts)
    sent.push({
      id: `$sent${sent.length}`,
      txn: under,
      as: request.as,
      type: "m.room.redaction",
      content: { redacts },
    });
  const [, type = "", txn = ""] = /\/send\/([^/]+)\/(.+)$/.exec(request.path) ?? [];
  if (request.method !== "PUT" || !txn) return undefined;
  const known = sent.find((one) => one.txn === txn && one.as === request.as);
  const made = known ?? {
    id: `$sent${sent.length}`,
    txn,
    as: request.as,
    type,
    content: request.body as Sent["content"],
  };
  if (!known) sent.push(made);
  return ok({ event_id: made.id });
}

function open(base: Pick<World, "ctx" | "model" | "homeserver" | "sent">): World {
  const { ctx, sent } = base;
  const route = async (): Promise<string[]> => {
    const queued: string[] = [];
    for (const { roomId } of await ctx.sql<
      { roomId: string }[]
    >`select distinct room_id as "roomId" from inbox where routed_at is null`)
      await drainRoom(ctx, { tenantId: TENANT, roomId }, (ids) => queued.push(...ids));
    return queued;
  };
  const self: World = {
    ...base,
    async say(text, from = ALICE) {
      const question = event({ sender: from, content: says(`Writer: ${text}`, WRITER) });
      await self.event(question as never);
      return question.event_id;
    },
    async event(wish) {
      await deliver(ctx, "event_id" in wish ? wish : event(wish));
      return await route();
    },
    react: (to, key, from = ALICE) => self.event({ sender: from, type: "m.reaction", content: reaction(to, key) }),
    reply: (to, text, from = ALICE) =>
      self.event({ sender: from, content: { ...says(text), "m.relates_to": { "m.in_reply_to": { event_id: to } } } }),
    async work() {
      for (let turn = 0; turn < 50; turn++) {
        await self.act();
        const open = await ctx.sql<
          { id: string }[]
        >`select id from runs where state in ('queued', 'running') order by created_at`;
        if (open.length === 0) return self.act();
        for (const { id } of open) await self.attempt(id);
      }
      throw new Error("There is always something left to do.");
    },
    async attempt(runId) {
      const work = await loadWork(ctx, runOfWorkflow(runId), { attempt: true });
      if (!work) return "over";
      const next = await think(ctx, work, outletOf(work).surroundings(ctx, work), signalOf(work.runId));
      if (next === "waiting") return next;
      const again = next === "deliver" ? await loadWork(ctx, work.runId, { attempt: false }) : null;
      if (again) await deliverAnswer(ctx, again);
      await settleEnd(ctx, work);
      return next;
    },
    async act() {
      const rows = await ctx.sql<{ id: string; approvalId: string }[]>`
        update actions set state = 'done' where state = 'open' and payload->>'kind' = 'approval' returning id, payload->>'approvalId' as "approvalId"`;
      for (const { approvalId } of rows) {
        await bringApproval(ctx, approvalId);
        await echo(ctx, sent);
      }
    },
    runs: async () =>
      await ctx.sql`
      select r.id, r.state, r.untrusted, s.output as text from runs r left join steps s on s.run_id = r.id and s.position = 0 order by r.created_at`,
    calls: async () =>
      await ctx.sql`select id, tool, state, result, reason from tool_calls order by created_at, turn, index`,
    approvals: async () =>
      await ctx.sql`
      select id, state, event_id as "eventId", decided_by as "decidedBy" from approvals order by created_at`,
  };
  return self;
}

/** Our own messages come back to us, as from Synapse. */
async function echo(ctx: Context, sent: Sent[]): Promise<void> {
  await deliver(ctx, ...sent.map(({ id, as, type, content }) => event({ id, sender: as ?? CONTROL, type, content })));
  await ctx.sql`update inbox set routed_at = now(), outcome = 'ignored:own' where event_id = any(${sent.map(({ id }) => id)}::text[])`;
}

export const probed = new Map<string, ToolRun[]>();

/** A tool of the test's own. Its calls are kept in `probed` under its name. */
export function probe(wish: Partial<Tool> & { name: string }): Tool {
  const tool: Tool = {
    group: "probe",
    title: `Probe ${wish.name}`,
    summary: "Looks at a word.",
    description: "For tests.",
    input: { type: "object", properties: { word: { type: "string" } }, additionalProperties: false },
    risk: "low",
    reads: "nothing",
    sends: "nothing",
    repeatable: false,
    sentence: ({ word }) => `probe ${wish.name} with ${word}`,
    run: async ({ args }) => ({ text: `did ${args.word}` }),
    ...wish,
  };
  const run = tool.run;
  return {
    ...tool,
    run: async (call) => {
      probed.set(tool.name, [...(probed.get(tool.name) ?? []), call]);
      return await run(call);
    },
  };
}

export const addProbes = (...tools: Tool[]): void => addToolSource({ list: async () => tools });
