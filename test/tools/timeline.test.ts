/** Tool calls in a run's timeline, in its report, and what members see of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { eraseText } from "../../bots/erase.ts";
import { runReport } from "../../bots/run-report.ts";
import { readTimeline } from "../../bots/run-timeline.ts";
import { inOrder } from "../../bots/run-tools.ts";
import { apiFor } from "../api/harness.ts";
import { ALICE, BOB, TENANT, WRITER } from "../bots/tenant.ts";
import { addProbes, probe, probed, world } from "./world.ts";

const KEY = "sk-abcdef123456789";
addProbes(
  probe({
    name: "look",
    repeatable: true,
    reads: "untrusted",
    run: async ({ args }) => ({ text: `page of ${args.word}` }),
  }),
  probe({ name: "act", sends: "outside", group: "out" }),
  probe({
    name: "slow",
    run: async () => {
      await sleep(900);
      return { text: "did it" };
    },
  }),
);
beforeEach(() => probed.clear());

const TOOLS = { probe: { policy: "allowed" }, out: { policy: "ask" } } as const;

test("calls stand between the model's calls, with who decided, since when it is untrusted, and without keys", async () => {
  const w = await world(TOOLS);
  const question = await w.say(`[[call look {"word":"mango"}]] [[call act {"word":"${KEY}"}]] [[results]] #t`);
  await w.work();
  const [{ id } = { id: "" }] = await w.runs();
  const waiting = await readTimeline(w.ctx, TENANT, id);
  expect(waiting).toMatchObject({
    state: "waiting",
    tools: [
      { state: "done" },
      {
        state: "waiting",
        approval: { state: "open", sentence: "probe act with [removed]", level: 50, by: null, at: null },
      },
    ],
  });
  const [approval] = await w.approvals();
  await w.react(approval?.eventId ?? "", "✅");
  await w.work();

  const run = await readTimeline(w.ctx, TENANT, id);
  expect(run.untrusted).toBe("Probe look");
  expect(run.tools).toMatchObject([
    {
      tool: "look",
      title: "Probe look",
      group: "probe",
      arguments: { word: "mango" },
      untrusted: "Probe look",
      approval: null,
    },
    {
      tool: "act",
      state: "done",
      arguments: { word: "[removed]" },
      result: "did [removed]",
      reason: expect.stringContaining("nobody vouches for"),
      approval: { state: "approved", by: ALICE, name: "alice", via: "reaction", at: expect.any(Number) },
      durationMs: expect.any(Number),
      erased: false,
    },
  ]);
  const order = inOrder(run.calls, run.tools).map(({ call, tool }) => (call ? "model" : tool.tool));
  expect(order).toEqual(["model", "look", "model", "act", "model"]);

  const plain = runReport(run, { texts: false });
  expect(plain).toMatch(/tool look: done.*result not vouched for/);
  expect(plain).toMatch(/tool act: done, asked: approved by reaction/);
  expect(plain).not.toMatch(/mango|sk-abc|undefined/);
  const full = runReport(run, { texts: true });
  expect(full).toContain('arguments: {"word":"mango"}');
  expect(full).not.toMatch(/sk-abc|undefined/);

  await eraseText(w.ctx.sql, TENANT, question);
  const erased = await readTimeline(w.ctx, TENANT, id);
  expect(erased.tools).toMatchObject([
    { arguments: null, result: null, erased: true, untrusted: "an erased text" },
    { arguments: null, result: null, erased: true, approval: { state: "approved", sentence: null } },
  ]);
  expect(JSON.stringify(erased)).not.toContain("mango");
  expect(runReport(erased, { texts: true })).toContain("arguments: (erased)");
});

test("a call that takes its time is shown in the room without keys", async () => {
  const w = await world(TOOLS);
  await w.say(`[[call slow {"word":"${KEY}"}]] [[results]] #slow`);
  await w.work();
  const ours = JSON.stringify(w.sent.filter(({ as }) => as === WRITER));
  expect(ours).toContain("⏳ Probe slow with [removed]");
  expect(ours).not.toContain(KEY);
});

test("members see the calls of their own runs, and of work that was handed over for them, and of nobody else's", async () => {
  const w = await world(TOOLS);
  const api = apiFor(w.ctx);
  await w.say(`[[call look {"word":"mango"}]] #m`);
  await w.work();
  const [{ id } = { id: "" }] = await w.runs();
  const [alice, bob] = [await api.person(TENANT, "member", ALICE), await api.person(TENANT, "member", BOB)];
  const path = `/clients/${TENANT}/runs/${id}`;
  expect((await alice("GET", path)).json.tools).toMatchObject([{ tool: "look", arguments: { word: "mango" } }]);
  expect((await bob("GET", path)).status).toBe(404);
  await w.ctx
    .sql`update runs set source = 'task', asked_by = '@agent-planner:acme.test', on_behalf_of = ${BOB}, parent_call = (select id from tool_calls)`;
  const { json } = await bob("GET", path);
  expect(json).toMatchObject({ source: "task", room: null, parent: { id, agentName: "Writer" } });
  expect((await alice("GET", path)).status).toBe(404);
});

test.each([
  ["nothing", [], [], ""],
  ["calls alone", [1, 2], [], "c1 c2"],
  ["tools between", [1, 5], [2, 3], "c1 t2 t3 c5"],
  ["tools at the end", [1], [2], "c1 t2"],
  ["of the same moment the model's call first", [1, 2], [2], "c1 c2 t2"],
  ["tools whose model call is not known", [], [1], "t1"],
])("in order: %s", (_name, calls, tools, expected) => {
  const found = inOrder(
    calls.map((at) => ({ at })),
    tools.map((at) => ({ at })),
  );
  expect(found.map(({ call, tool }) => (call ? `c${call.at}` : `t${tool.at}`)).join(" ")).toBe(expected);
});
