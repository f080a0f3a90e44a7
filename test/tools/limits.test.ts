/** Limits of tools: counted in the database, for calls that begin at once. */
import { beforeEach, expect, test } from "vitest";
import { finishRun } from "../../bots/finish.ts";
import { stopRun } from "../../bots/runs.ts";
import { finishCall } from "../../bots/tools/calls.ts";
import { beginCall, NOT_OURS, readUsed } from "../../bots/tools/counts.ts";
import { loadWork, type Work } from "../../bots/work.ts";
import type { AgentTools } from "../../migrations/types.ts";
import { ALICE, TENANT } from "../bots/tenant.ts";
import { addProbes, probe, probed, type World, world } from "./world.ts";

const TOOL = probe({ name: "act" });
/** Set: the platform is killed in the middle of the next call, and this is told of it. */
let killed: (() => void) | null = null;
const AGAIN = probe({
  name: "again",
  repeatable: true,
  run: async () => {
    if (killed === null) return { text: "did it", tokens: 30 };
    killed();
    return await new Promise<never>(() => undefined);
  },
});
addProbes(TOOL, AGAIN, probe({ name: "other" }));
const DONE = { state: "done", result: "", tokens: 30 } as const;
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

/** A run of the agent that is under way, with calls of a turn that have begun and hold tokens. */
async function cutOff(w: World, count: number, bounds: AgentTools): Promise<Work> {
  await w.say("#cut");
  const [run] = await w.runs();
  await w.ctx.sql`update runs set state = 'running'`;
  const ids = await proposed(w, count);
  await w.ctx.sql`update tool_calls set run_id = ${run?.id ?? ""}`;
  await Promise.all(ids.map((id) => begin(w, id, bounds)));
  const work = await loadWork(w.ctx, run?.id ?? "", { attempt: true });
  if (!work) throw new Error("the run is over");
  return work;
}

const MANY: AgentTools = { act: { tokensPerDay: 900_000 }, probe: { policy: "allowed", tokensPerDay: 900_000 } };
const heldOf = async (w: World, name: string) =>
  (await readUsed(w.ctx, { id: "writer", bounds: MANY }, { name, group: "probe" })).tokens;
const heldNow = (w: World) => heldOf(w, "act");

test("a run that is stopped after the platform was killed in the middle of its call gives back what the call held", async () => {
  const w = await world({});
  const { runId } = await cutOff(w, 1, MANY);
  expect(await heldNow(w)).toEqual({ act: 8000, probe: 8000 });
  await stopRun(w.ctx, runId, "command", ALICE);
  await w.work();
  expect(await w.calls()).toMatchObject([{ state: "unknown" }]);
  expect(await heldNow(w)).toEqual({ act: 0, probe: 0 });
});

test("a call that is taken up again after a kill gives back what it held once, with what it took counted", async () => {
  const w = await world(MANY);
  await w.say('[[call again {"word":"x"}]] [[results]] #a');
  const [run] = await w.runs();
  await new Promise<void>((resolve) => {
    killed = resolve;
    void w.attempt(run?.id ?? "");
  });
  killed = null;
  expect(await heldOf(w, "again")).toEqual({ probe: 8000 });
  await w.work();
  expect(await w.calls()).toMatchObject([{ state: "done" }]);
  expect(await heldOf(w, "again")).toEqual({ probe: 30 });
});

test("a hundred calls that end at once, some with their run and some twice, give back what they held once each", async () => {
  const w = await world({});
  const work = await cutOff(w, 100, MANY);
  expect(await heldNow(w)).toEqual({ act: 800_000, probe: 800_000 });
  const ids = (await w.calls()).map(({ id }) => id);
  const ends = ids.flatMap((id) => [1, 2].map(() => () => finishCall(w.ctx.sql, id, DONE)));
  ends.splice(
    40,
    0,
    ...([1, 2, 3].map(() => () => finishRun(w.ctx, work, { state: "failed", eventIds: [] })) as never[]),
  );
  await Promise.all(ends.map((end) => end()));
  const done = (await w.calls()).filter(({ state }) => state === "done").length;
  expect(await running(w)).toBe(0);
  expect([done > 0, done < 100]).toEqual([true, true]);
  expect(await heldNow(w)).toEqual({ act: done * 30, probe: done * 30 });
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
