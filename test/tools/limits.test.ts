/** Limits of tools: counted in the database, for calls that begin at once. */
import { beforeEach, expect, test } from "vitest";
import { finishCall } from "../../bots/tools/calls.ts";
import { beginCall, NOT_OURS, readUsed } from "../../bots/tools/counts.ts";
import type { AgentTools } from "../../migrations/types.ts";
import { TENANT } from "../bots/tenant.ts";
import { addProbes, probe, probed, type World, world } from "./world.ts";

const TOOL = probe({ name: "act" });
addProbes(TOOL, probe({ name: "other" }));
beforeEach(() => probed.clear());

/** Calls that wait to begin, of nobody's run. */
async function proposed(w: World, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, n) => `call-${n}`);
  for (const id of ids)
    await w.ctx
      .sql`insert into tool_calls (id, tenant_id, agent_id, turn, index, call_id, tool, tool_group, arguments_hash, schema_hash)
      values (${id}, ${TENANT}, 'writer', 0, 0, ${id}, 'act', 'probe', '', '')`;
  return ids;
}

const begin = (w: World, id: string, bounds: AgentTools) =>
  beginCall(w.ctx, { id, agent: { id: "writer", name: "Writer", bounds }, tool: TOOL });

const running = async (w: World) => (await w.ctx.sql`select 1 from tool_calls where state = 'running'`).length;

test("of a hundred calls that begin at once as many begin as the day allows", async () => {
  const w = await world({});
  const ids = await proposed(w, 100);
  const bounds: AgentTools = { probe: { policy: "allowed", perDay: 7 } };
  const refused = (await Promise.all(ids.map((id) => begin(w, id, bounds)))).filter((sentence) => sentence !== null);
  expect([refused.length, await running(w)]).toEqual([93, 7]);
  expect(refused[0]).toBe('Writer may use "Probe act" 7 times on one day, and has done so.');
});

test("what one limit counted is taken back when another one is reached", async () => {
  const w = await world({});
  const ids = await proposed(w, 40);
  const bounds: AgentTools = { probe: { policy: "allowed", perDay: 30 }, act: { perHour: 4 } };
  await Promise.all(ids.map((id) => begin(w, id, bounds)));
  expect(await running(w)).toBe(4);
  const used = await readUsed(w.ctx, { id: "writer", bounds }, TOOL);
  expect([used.day.probe, used.hour.act]).toEqual([4, 4]);
});

test("tokens are held while a call is under way, so that calls at once do not exceed the day together", async () => {
  const w = await world({});
  const ids = await proposed(w, 20);
  const bounds: AgentTools = { probe: { policy: "allowed", tokensPerDay: 20_000 } };
  await Promise.all(ids.map((id) => begin(w, id, bounds)));
  expect(await running(w)).toBe(2);
  const [first] = await w.ctx.sql<{ id: string }[]>`select id from tool_calls where state = 'running'`;
  await finishCall(w.ctx.sql, first?.id ?? "", { state: "done", result: "", tokens: 500 });
  expect((await readUsed(w.ctx, { id: "writer", bounds }, TOOL)).tokens.probe).toBe(8500);
});

test("a call that was begun is not begun again, and not counted again", async () => {
  const w = await world({});
  const [id = ""] = await proposed(w, 1);
  const bounds: AgentTools = { probe: { policy: "allowed", perDay: 1 } };
  expect(await begin(w, id, bounds)).toBeNull();
  expect(await begin(w, id, bounds)).toBe(NOT_OURS);
  expect((await readUsed(w.ctx, { id: "writer", bounds }, TOOL)).day.probe).toBe(1);
});

test("a run's own limit refuses what is more, and the model is told", async () => {
  const w = await world({ probe: { policy: "allowed", perRun: 2 } });
  await w.say('[[call act {"word":"1"}]] [[call other {"word":"2"}]] [[call act {"word":"3"}]] [[results]] #r');
  await w.work();
  expect(await w.calls()).toMatchObject([{ state: "done" }, { state: "done" }, { state: "refused" }]);
  expect((await w.runs())[0]?.text).toMatch(/may use "Probe act" 2 times in one run/);
});

test("a model that calls without end is made to answer", async () => {
  const w = await world({ probe: { policy: "allowed" } });
  w.model.script(() => ({ calls: [{ tool: "act", args: { word: "more" } }], text: "" }));
  await w.say("#endless");
  await w.work();
  expect(probed.get("act")).toHaveLength(24);
  expect(await w.runs()).toMatchObject([{ state: "done", text: expect.stringMatching(/used tools 24 times/) }]);
});

test("a model that wants fifty calls in one turn gets sixteen", async () => {
  const w = await world({ probe: { policy: "allowed" } });
  w.model.script((request) =>
    request.results.length === 0
      ? { calls: Array.from({ length: 50 }, (_, n) => ({ tool: "act", args: { word: String(n) } })), text: "" }
      : { sayResults: true },
  );
  await w.say("#many");
  await w.work();
  expect(probed.get("act")).toHaveLength(16);
});

test("a small limit of tokens of a tool holds beside a larger one of its group", async () => {
  const w = await world({});
  const ids = await proposed(w, 3);
  const bounds: AgentTools = {
    act: { policy: "allowed", tokensPerDay: 5000 },
    aaa: {},
    probe: { tokensPerDay: 100_000 },
  };
  for (const id of ids) {
    await begin(w, id, bounds);
    await finishCall(w.ctx.sql, id, { state: "done", result: "", tokens: 3000 });
  }
  const { tokens } = await readUsed(w.ctx, { id: "writer", bounds }, TOOL);
  expect(tokens).toEqual({ act: 3000, probe: 3000 });
  expect((await w.calls()).map(({ state }) => state)).toEqual(["done", "done", "done"]);
});
