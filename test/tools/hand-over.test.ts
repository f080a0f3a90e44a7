import { expect, test } from "vitest";
import { stopOrphans } from "../../bots/run-ends.ts";
import { stopRun } from "../../bots/runs.ts";
import { takeUpForgotten } from "../../bots/waiting.ts";
import { ALICE, PLANNER, ROOM, WRITER } from "../bots/tenant.ts";
import { addProbes, probe, setTools, type World, world } from "./world.ts";

addProbes(probe({ name: "page", reads: "untrusted", title: "a page" }));

const ALLOWED = { agents: { policy: "allowed" } } as const;

const runsOf = (w: World) => w.ctx.sql<
  { agent: string; source: string; hops: number; person: string; untrusted: string | null; state: string }[]
>`
  select agent_id as agent, source, hops, on_behalf_of as person, untrusted, state from runs order by hops, created_at`;

const task = (agent: string, words: string) => `[[call hand_over ${JSON.stringify({ agent, task: words })}]]`;

test("an agent gives a task to another one, gets its answer back, and only it answers in the room", async () => {
  const w = await world(ALLOWED);
  await w.say(`${task("planner", "Plan it #task")} [[results]] #a`);
  await w.work();
  expect((await w.calls())[0]).toMatchObject({ state: "done", result: "Answer to #task" });
  expect(await runsOf(w)).toMatchObject([
    { agent: "writer", source: "room", hops: 0, person: ALICE, state: "done" },
    { agent: "planner", source: "task", hops: 1, person: ALICE, state: "done" },
  ]);
  const said = w.sent.filter(({ type }) => type === "m.room.message");
  expect(said.every(({ as }) => as === WRITER)).toBe(true);
  expect((await w.runs()).find(({ text }) => text === "Answer to #task")).toBeTruthy();
});

test("the other agent sees the task alone, and its own boundaries hold for it", async () => {
  const w = await world(ALLOWED);
  await w.say("the password is swordfish");
  await w.work();
  await w.say(`${task("Planner", "Plan it #task")} [[results]] #a`);
  await w.work();
  const asked = w.model.requests.find(({ marker }) => marker === "#task");
  expect(JSON.stringify(asked)).not.toContain("swordfish");
  expect(asked?.tools).toEqual([]);
});

test("what untrusted thing one has read goes with the task, and comes back with the answer", async () => {
  const w = await world({ ...ALLOWED, probe: { policy: "allowed" } });
  await setTools(w.ctx, "planner", { probe: { policy: "allowed" } });
  await w.say(`[[call page {}]] ${task("Planner", "Plan it #task")} [[results]] #a`);
  await w.work();
  expect(await runsOf(w)).toMatchObject([{ untrusted: "a page" }, { agent: "planner", untrusted: "a page" }]);
  const other = await world(ALLOWED);
  await setTools(other.ctx, "planner", { probe: { policy: "allowed" } });
  other.model.script(({ marker, messages }) => readsOnce(marker, JSON.stringify(messages)));
  await other.say(`${task("Planner", "Read it #task")} [[results]] #a`);
  await other.work();
  expect(await runsOf(other)).toMatchObject([
    { agent: "writer", untrusted: "a page" },
    { agent: "planner", untrusted: "a page" },
  ]);
});

/** The other agent reads the page before it answers; everything else as the question says. */
const readsOnce = (marker: string | undefined, said: string) =>
  marker === "#task" && !said.includes("did undefined") ? { calls: [{ tool: "page", args: {} }] } : undefined;

test("agents that hand work in a circle end by the budget of agents in a row", async () => {
  const w = await world(ALLOWED);
  await setTools(w.ctx, "planner", ALLOWED);
  w.model.script(({ messages }) => handsOn(JSON.stringify(messages)));
  await w.say("go round #circle");
  await w.work();
  const runs = await runsOf(w);
  expect(runs.map(({ agent, hops }) => `${agent} ${hops}`)).toEqual([
    "writer 0",
    "planner 1",
    "writer 2",
    "planner 3",
    "writer 4",
  ]);
  expect(runs.every(({ state }) => state === "done")).toBe(true);
  const refused = (await w.calls()).filter(({ state }) => state === "failed");
  expect(refused).toHaveLength(1);
  expect(refused[0]?.result).toContain("4 agents in a row");
});

/** Hands the work on until it gets something back. */
const handsOn = (said: string) => {
  if (said.includes("agents in a row") || said.includes("Done at last")) return { text: "Done at last." };
  const other = said.includes("Your name is Planner") ? "Writer" : "Planner";
  return { calls: [{ tool: "hand_over", args: { agent: other, task: "Go round." } }] };
};

test("two agents hand each other no more work in an hour than they may ask each other", async () => {
  const w = await world(ALLOWED);
  await w.ctx.sql`update tenants set limits = '{"agentPairPerHour": 2}'`;
  await w.say(`${task("Planner", "#t1")} ${task("Planner", "#t2")} ${task("Planner", "#t3")} [[results]] #a`);
  await w.work();
  expect((await w.calls()).map(({ state }) => state)).toEqual(["done", "done", "failed"]);
  expect((await w.calls())[2]?.result).toContain("2 times within an hour");
});

test.each([
  ["itself", "Writer", /That is you/],
  ["one that there is not", "Poet", /no agent called/],
  ["a person", "alice", /no agent called/],
])("no work goes to %s", async (_, name, sentence) => {
  const w = await world(ALLOWED);
  await w.say(`${task(name, "x")} #a`);
  await w.work();
  expect((await w.calls())[0]?.result).toMatch(sentence);
  expect(await runsOf(w)).toHaveLength(1);
});

test("no work goes to an agent that is paused, only reads along, or is not in the room", async () => {
  const w = await world(ALLOWED);
  const hand = async () => {
    await w.say(`${task("Planner", "x")} #a`);
    await w.work();
    return (await w.calls()).at(-1)?.result;
  };
  await w.ctx.sql`insert into agent_scopes (agent_id, room_id, scope) values ('planner', ${ROOM}, 'observer')`;
  expect(await hand()).toMatch(/only reads along/);
  await w.ctx.sql`delete from agent_scopes`;
  await w.ctx.sql`update agents set state = 'paused' where id = 'planner'`;
  expect(await hand()).toMatch(/is paused/);
  await w.ctx.sql`update agents set state = 'active' where id = 'planner'`;
  await w.ctx.sql`update room_members set membership = 'leave' where user_id = ${PLANNER}`;
  expect(await hand()).toMatch(/is not in this room/);
});

test("an agent is excluded by name, however the name is written", async () => {
  const w = await world({ agents: { policy: "allowed", refuse: ["Planner"] } });
  for (const name of ["planner", "@PLANNER", " Planner ", PLANNER]) {
    await w.say(`${task(name, "x")} #a`);
    await w.work();
  }
  expect((await w.calls()).map(({ state }) => state)).not.toContain("done");
  expect((await runsOf(w)).filter(({ source }) => source === "task")).toEqual([]);
});

test("a run that is cut off after it handed work over hands it over once", async () => {
  const w = await world(ALLOWED);
  await w.say(`${task("Planner", "Plan it #task")} [[results]] #a`);
  const [run] = await w.ctx.sql<{ id: string }[]>`select id from runs`;
  await w.attempt(run?.id ?? "");
  await w.ctx.sql`update tool_calls set state = 'running'`;
  await w.ctx.sql`update runs set state = 'running' where id = ${run?.id ?? ""}`;
  await w.attempt(run?.id ?? "");
  await w.work();
  expect((await runsOf(w)).filter(({ source }) => source === "task")).toHaveLength(1);
  expect((await w.calls())[0]).toMatchObject({ state: "done" });
});

test("work that was handed over ends with the run that handed it over", async () => {
  const w = await world(ALLOWED);
  await setTools(w.ctx, "planner", { probe: { policy: "ask" } });
  w.model.script(({ marker }) => (marker === "#task" ? { calls: [{ tool: "page", args: {} }] } : undefined));
  await w.say(`${task("planner", "Read it #task")} #a`);
  await w.work();
  expect(await runsOf(w)).toMatchObject([{ state: "waiting" }, { state: "waiting" }]);
  const [parent] = await w.runs();
  await stopRun(w.ctx, parent?.id ?? "", "command", ALICE);
  await stopOrphans(w.ctx);
  await takeUpForgotten(w.ctx);
  await w.work();
  expect(await runsOf(w)).toMatchObject([{ state: "stopped" }, { state: "stopped" }]);
});
