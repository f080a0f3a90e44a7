import { beforeEach, expect, onTestFinished, test } from "vitest";
import { deliver as deliverAnswer } from "../../bots/deliver.ts";
import { addModel } from "../../bots/models.ts";
import { outletOf } from "../../bots/outlet.ts";
import { eraseOld } from "../../bots/retention.ts";
import { stopRun } from "../../bots/runs.ts";
import { signalOf, signalStop } from "../../bots/signals.ts";
import { think } from "../../bots/think.ts";
import { askTry, openTry, readTry, stopTry } from "../../bots/try.ts";
import { loadWork } from "../../bots/work.ts";
import type { Context } from "../../core/context.ts";
import { openWake } from "../../core/wake.ts";
import { eventually } from "../harness/eventually.ts";
import { type ModelServer, startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";
import { type ScriptedHomeserver, scriptedHomeserver } from "./homeserver.ts";
import { DEFINITION, makeTenant, TENANT } from "./tenant.ts";

const BY = "operator:ann";
let ctx: Context;
let model: ModelServer;
let homeserver: ScriptedHomeserver;
let chatId: string;

beforeEach(async () => {
  ctx = await testContext();
  model = await startModelServer();
  onTestFinished(() => model.stop());
  homeserver = await scriptedHomeserver();
  await makeTenant(ctx, { url: homeserver.url });
  await addModel(ctx, {
    tenantId: null,
    name: "scripted",
    provider: "openai-compatible",
    baseUrl: `${model.url}/v1`,
    model: "scripted",
    isDefault: true,
  });
  chatId = (await openTry(ctx, { tenantId: TENANT, agentId: "writer", by: BY })).id;
});

const ask = async (text: string, definition = DEFINITION) =>
  (await askTry(ctx, { tenantId: TENANT, chatId, text, definition, by: BY })).run;

/** The two steps of the workflow. */
async function attempt(runId: string): Promise<void> {
  const work = await loadWork(ctx, runId, { attempt: true });
  if (!work) throw new Error("The run is over.");
  const next = await think(ctx, work, outletOf(work).surroundings(ctx, work), signalOf(runId));
  const again = next === "deliver" ? await loadWork(ctx, runId, { attempt: false }) : null;
  if (again) await deliverAnswer(ctx, again);
}

const chat = () => readTry(ctx, { tenantId: TENANT, chatId, by: BY });

test("a try is answered by the definition in the form, without a word to the homeserver", async () => {
  const run = await ask("Hello #one", { ...DEFINITION, name: "Poet", instructions: "Rhyme everything." });
  await attempt(run);
  expect(await chat()).toEqual([
    { run, question: "Hello #one", state: "done", text: "Answer to #one", error: null, approvals: [] },
  ]);
  const system = model.requests[0]?.messages[0]?.text ?? "";
  expect(system).toContain("Rhyme everything.");
  expect(system).toContain("Your name is Poet. You are in a direct chat with ann of");
  expect(homeserver.requests).toEqual([]);
  const [row] = await ctx.sql`select source, state, definition->>'name' as name from runs`;
  expect(row).toEqual({ source: "try", state: "done", name: "Poet" });
  expect(await ctx.sql`select state, person_id, run_id from ledger`).toEqual([
    { state: "ok", person_id: BY, run_id: run },
  ]);
});

test("what was said before in the chat goes with the next question, the agent's words as its own", async () => {
  await attempt(await ask("First #one"));
  await attempt(await ask("Second #two"));
  const sent = model.requests[1]?.messages.slice(1).map(({ role, text }) => [role, text]);
  expect(sent).toEqual([
    ["user", "First #one"],
    ["assistant", "Answer to #one"],
    ["user", "Second #two"],
  ]);
  const [step] = await ctx.sql`select detail->'context' as context from steps s join runs r on r.id = s.run_id
    where position = 0 order by r.created_at desc limit 1`;
  expect(step?.context).toMatchObject({ omitted: 0, files: [] });
  expect(step?.context.messages).toHaveLength(3);
});

test("a growing text can be read while it grows, and readers elsewhere are woken", async () => {
  const wake = openWake(ctx.databaseUrl, ctx.log);
  onTestFinished(() => wake.close());
  const woken: string[] = [];
  wake.on("agentopia_try", (id) => woken.push(id));
  await eventually("listening", () => woken.length > 0);
  const under_way = attempt(await ask("#slow [[chunks 40 2000]]"));
  const growing = await eventually("a part of the text", async () => {
    const [one] = await chat();
    return one?.state === "running" && one.text.length > 3 ? one.text : null;
  });
  expect("Answer to #slow".startsWith(growing)).toBe(true);
  await under_way;
  const [ended] = await chat();
  expect(ended).toMatchObject({ state: "done", text: "Answer to #slow" });
  const times = woken.filter((id) => id === chatId).length;
  expect(times).toBeGreaterThan(3);
  expect(times, "at most one each 150 ms, and the question").toBeLessThan(20);
});

test("one question at a time; stopped it keeps what was written and the next one is taken", async () => {
  const run = await ask("#long [[chunks 100 20000]]");
  const under_way = attempt(run);
  await expect(ask("too soon")).rejects.toThrow("still answering");
  await eventually("some text", async () => ((await chat())[0]?.text.length ?? 0) > 1);
  expect(await stopTry(ctx, { tenantId: TENANT, chatId, by: BY })).toBe(true);
  signalStop(run, "operator");
  await under_way;
  const [stopped] = await chat();
  expect(stopped?.state).toBe("stopped");
  expect("Answer to #long".startsWith(stopped?.text ?? "no")).toBe(true);
  expect(await stopTry(ctx, { tenantId: TENANT, chatId, by: BY })).toBe(false);
  await attempt(await ask("#next"));
  expect((await chat())[1]).toMatchObject({ state: "done", text: "Answer to #next" });
  expect(homeserver.requests).toEqual([]);
});

test("a model that fails is said in the chat and not told to the model as words of the agent", async () => {
  await attempt(await ask("#bad [[context]]"));
  const [failed] = await chat();
  expect(failed?.state).toBe("failed");
  expect(failed?.error).toMatch(/\.$/);
  await attempt(await ask("#good"));
  const roles = model.requests.at(-1)?.messages.map(({ role }) => role);
  expect(roles).toEqual(["system", "user"]);
});

test("the day's cap holds for tries", async () => {
  await ctx.sql`update tenants set limits = '{"tokensPerDay": 1}'`;
  await attempt(await ask("#capped"));
  expect(await chat()).toMatchObject([{ state: "failed", error: expect.stringContaining("limit of model tokens") }]);
  expect(await ctx.sql`select 1 from actions`).toEqual([]);
});

test("killed between the answer and the end of the run: the answer is there once", async () => {
  const run = await ask("#killed");
  await attempt(run);
  await ctx.sql`update runs set state = 'running', finished_at = null`;
  await ctx.sql`update steps set state = 'running', output = 'Answ' where position = 0`;
  await ctx.sql`delete from steps where position = 1`;
  await attempt(run);
  expect(await chat()).toMatchObject([{ state: "done", text: "Answer to #killed" }]);
  expect(await ctx.sql`select 1 from inbox where room_id = ${`try:${chatId}`}`).toHaveLength(2);
});

test("a draft can be tried, a removed agent cannot, a chat belongs to who opened it", async () => {
  await ctx.sql`update agents set state = 'draft' where id = 'writer'`;
  await attempt(await ask("#draft"));
  expect((await chat())[0]?.text).toBe("Answer to #draft");
  const stranger = { tenantId: TENANT, chatId, by: "@eve:acme.test" };
  await expect(readTry(ctx, stranger)).rejects.toMatchObject({ code: "not_found" });
  await expect(askTry(ctx, { ...stranger, text: "hi", definition: DEFINITION })).rejects.toMatchObject({
    code: "not_found",
  });
  await expect(openTry(ctx, { tenantId: "other", agentId: "writer", by: BY })).rejects.toMatchObject({
    code: "not_found",
  });
  await ctx.sql`update agents set state = 'removed' where id = 'writer'`;
  await expect(ask("gone")).rejects.toMatchObject({ code: "not_found" });
  await expect(openTry(ctx, { tenantId: TENANT, agentId: "writer", by: BY })).rejects.toMatchObject({
    code: "not_found",
  });
});

test.each([
  ["nothing", "   "],
  ["too much", "x".repeat(20_001)],
])("a question of %s is refused with a sentence", async (_name, text) => {
  await expect(ask(text)).rejects.toMatchObject({ code: "invalid" });
});

test("a queued try that is stopped says nothing", async () => {
  const run = await ask("#never");
  await stopRun(ctx, run, "operator", BY);
  await attempt(run);
  expect(await chat()).toMatchObject([{ state: "stopped", text: "" }]);
  expect(model.requests).toEqual([]);
});

test("chats of yesterday go with their messages; one that is still used stays", async () => {
  await attempt(await ask("#old"));
  const fresh = await openTry(ctx, { tenantId: TENANT, agentId: "writer", by: BY });
  await ctx.sql`update try_chats set created_at = now() - interval '2 days' where id = ${chatId}`;
  await eraseOld(ctx);
  expect(await ctx.sql`select id from try_chats`).toHaveLength(2);
  await ctx.sql`update inbox set received_at = now() - interval '2 days'`;
  await eraseOld(ctx);
  expect(await ctx.sql`select id from try_chats`).toEqual([{ id: fresh.id }]);
  expect(await ctx.sql`select 1 from inbox`).toEqual([]);
  expect(await ctx.sql`select state from runs`).toEqual([{ state: "done" }]);
});
