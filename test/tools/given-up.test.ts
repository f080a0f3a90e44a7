/** Runs of which the engine ended the workflow and nobody the run: they leave nothing open. */
import { expect, test } from "vitest";
import { createForm } from "../../bots/forms/drafts.ts";
import { endGivenUpForms } from "../../bots/forms/lost.ts";
import { publishForm } from "../../bots/forms/publish.ts";
import { endGivenUp } from "../../bots/given-up.ts";
import { forgetSignal } from "../../bots/signals.ts";
import { takeUpForgotten } from "../../bots/waiting.ts";
import type { AgentTools } from "../../migrations/types.ts";
import { ALICE, event, PLANNER, says, TENANT, WRITER } from "../bots/tenant.ts";
import { OFFER } from "../forms/offer.ts";
import type { WantedCall } from "../harness/model-wire.ts";
import { addProbes, probe, setTools, type World, world } from "./world.ts";

/** Told when the platform is killed in the middle of a call. */
let reached: () => void = () => undefined;
addProbes(
  probe({ name: "act", sends: "outside" }),
  probe({
    name: "stuck",
    run: () => {
      reached();
      return new Promise<never>(() => undefined);
    },
  }),
);

const TOOLS: AgentTools = {
  agents: { policy: "allowed" },
  forms: { policy: "allowed" },
  act: { policy: "ask" },
  stuck: { policy: "allowed" },
};
/** Asks a person, and then does something that takes long. */
const CALLS = [
  { tool: "act", args: { word: "mail" } },
  { tool: "stuck", args: {} },
];
const handOver = { tool: "hand_over", args: { agent: "Planner", task: "Do it #task" } };

/** What is called at once where the question has this marker; with results it answers with them. */
function calling(w: World, calls: Record<string, WantedCall[]>): void {
  w.model.script(({ marker = "", results }) =>
    results.length > 0 ? { sayResults: true } : calls[marker] && { calls: calls[marker] },
  );
}
const SENTENCE = "This ended inside the workflow engine before it was finished.";

const openRuns = (w: World) => w.ctx.sql<{ id: string; agent: string; state: string }[]>`
  select id, agent_id as agent, state from runs where state in ('queued', 'running', 'waiting') order by hops, created_at`;

/** Works on a run until the platform is killed in the middle of its call; the engine has lost it then. */
async function killed(w: World, runId: string): Promise<void> {
  await new Promise<void>((resolve) => {
    reached = resolve;
    void w.attempt(runId);
  });
  forgetSignal(runId);
  await giveUp(w, runId);
  await w.ctx.sql`update runs set created_at = now() - interval '2 minutes' where id = ${runId}`;
}

async function giveUp(w: World, workflowId: string): Promise<void> {
  await w.ctx.sql`create schema if not exists dbos`;
  await w.ctx.sql`create table if not exists dbos.workflow_status (workflow_uuid text primary key, status text)`;
  await w.ctx.sql`insert into dbos.workflow_status values (${workflowId}, 'ERROR')`;
}

/** What the sweep does, in two processes at once and once more. */
async function sweep(w: World): Promise<void> {
  await Promise.all(await endGivenUp(w.ctx));
  await Promise.all(await endGivenUp(w.ctx));
  await w.act();
}

const said = (w: World, as: string) =>
  w.sent.filter((one) => one.type === "m.room.message" && one.as === as).map(({ content }) => content);

test("its approval is withdrawn, its calls and what it had handed over end, and the room hears why", async () => {
  const w = await world(TOOLS);
  await setTools(w.ctx, "planner", TOOLS);
  calling(w, { "#q": [handOver, ...CALLS], "#task": [{ tool: "act", args: {} }] });
  await w.say("#q");
  const [run] = await openRuns(w);
  await killed(w, run?.id ?? "");
  const [, child] = await openRuns(w);
  await w.attempt(child?.id ?? "");
  await w.act();
  expect(await w.approvals()).toMatchObject([{ state: "open" }, { state: "open" }]);
  await sweep(w);
  await takeUpForgotten(w.ctx);
  await w.work();
  expect(await openRuns(w)).toEqual([]);
  expect((await w.runs()).map(({ state }) => state)).toEqual(["failed", "stopped"]);
  expect((await w.approvals()).map(({ state }) => state)).toEqual(["withdrawn", "withdrawn"]);
  expect((await w.calls()).map(({ tool, state }) => `${tool} ${state}`).sort()).toEqual([
    "act stopped",
    "act stopped",
    "hand_over failed",
    "stuck unknown",
  ]);
  // One message, which may have shown before what the agent was doing.
  const answer = said(w, WRITER).filter((content) => content["dev.agentopia.run"]);
  expect(answer.filter((content) => !content["m.new_content"])).toHaveLength(1);
  expect(JSON.stringify(answer.at(-1))).toContain(SENTENCE);
  const questions = said(w, WRITER).filter((content) => content["dev.agentopia.approval"] && content["m.new_content"]);
  expect(questions).toMatchObject([{ "m.new_content": { body: expect.stringContaining("ended before") } }]);
});

test("a run that waits for it goes on with a sentence", async () => {
  const w = await world(TOOLS);
  await setTools(w.ctx, "planner", TOOLS);
  calling(w, { "#q": [handOver], "#task": CALLS });
  await w.say("#q");
  const [parent] = await openRuns(w);
  await w.attempt(parent?.id ?? "");
  const [, child] = await openRuns(w);
  await killed(w, child?.id ?? "");
  await sweep(w);
  await w.work();
  expect(await openRuns(w)).toEqual([]);
  expect((await w.runs()).map(({ state }) => state).sort()).toEqual(["done", "failed"]);
  expect((await w.runs()).find(({ state }) => state === "done")?.text).toContain(
    `Planner did not finish this. ${SENTENCE}`,
  );
  expect(await w.approvals()).toMatchObject([{ state: "withdrawn" }]);
  expect(said(w, PLANNER).filter(({ body }) => body?.includes(SENTENCE))).toEqual([]);
});

test("a form that it worked on ends, and the room in which it was filled in hears why", async () => {
  const w = await world(TOOLS);
  await setTools(w.ctx, "planner", TOOLS);
  const definition = { ...OFFER, prompt: "{{amount}} {{customer}}", agent: "planner" };
  const draft = await createForm(w.ctx, { tenantId: TENANT, definition, by: ALICE });
  await publishForm(w.ctx, { tenantId: TENANT, formId: draft.id, revision: 1, by: ALICE });
  calling(w, { "#form": CALLS });
  const command = event({ content: says('!offer customer="#form" amount=1') });
  await w.event(command as never);
  const [run] = await openRuns(w);
  await killed(w, run?.id ?? "");
  await sweep(w);
  expect(await openRuns(w)).toEqual([]);
  expect(await w.approvals()).toMatchObject([{ state: "withdrawn" }]);
  const actions = await w.ctx.sql<{ payload: object }[]>`select payload from actions where payload->>'kind' = 'notice'`;
  expect(actions.map(({ payload }) => payload)).toMatchObject([
    {
      replyTo: command.event_id,
      text: expect.stringMatching(/filled in by alice, was not finished. This ended inside/),
    },
  ]);
});

test("a form that a model does and that the engine gave up ends once, and the agent that waits for it goes on", async () => {
  const w = await world(TOOLS);
  calling(w, { "#q": [{ tool: "form_offer", args: { customer: "A", amount: 1 } }] });
  const draft = await createForm(w.ctx, { tenantId: TENANT, definition: OFFER, by: ALICE });
  await publishForm(w.ctx, { tenantId: TENANT, formId: draft.id, revision: 1, by: ALICE });
  await w.say("#q");
  await w.work();
  const [form] = await w.ctx.sql<{ id: string }[]>`
    update form_runs set state = 'running', created_at = now() - interval '2 minutes' returning id`;
  await giveUp(w, `form-${form?.id}`);
  await Promise.all(Array.from({ length: 10 }, () => endGivenUpForms(w.ctx)));
  await w.work();
  expect(await w.ctx.sql`select state from form_runs`).toEqual([{ state: "failed" }]);
  const told = "“Offer” was not finished. It ended inside the workflow engine. Fill it in again;";
  expect(await w.runs()).toMatchObject([{ state: "done", text: expect.stringContaining(told) }]);
});
