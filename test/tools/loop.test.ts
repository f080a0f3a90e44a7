import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { stopRun } from "../../bots/runs.ts";
import { askTry, openTry, stopTry } from "../../bots/try.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import { ALICE, TENANT, WRITER } from "../bots/tenant.ts";
import { addProbes, probe, probed, world } from "./world.ts";

addProbes(
  probe({ name: "look", repeatable: true }),
  probe({ name: "act", sends: "outside" }),
  probe({
    name: "slow",
    repeatable: true,
    run: async () => {
      await sleep(900);
      return { text: "did page" };
    },
  }),
);
beforeEach(() => probed.clear());

const ALLOWED = { probe: { policy: "allowed" } } as const;
const ASK = { probe: { policy: "ask" } } as const;

test("an agent calls a tool, hears what it returned, and answers once", async () => {
  const w = await world(ALLOWED);
  await w.say('[[call look {"word":"one"}]] [[call look {"word":"two"}]] [[results]] #a');
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "done", text: "did one\ndid two" }]);
  expect(probed.get("look")?.map(({ args }) => args.word)).toEqual(["one", "two"]);
  expect(w.sent.filter(({ type, as }) => type === "m.room.message" && as === WRITER)).toHaveLength(1);
});

test("an agent without boundaries is offered no tool", async () => {
  const w = await world({});
  await w.say("#b");
  await w.work();
  expect(w.model.requests[0]?.tools).toEqual([]);
});

test("what is asked waits for a person, who allows it with a reaction; then it is done once", async () => {
  const w = await world(ASK);
  await w.say('[[call act {"word":"mail"}]] [[results]] #c');
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "waiting" }]);
  expect(probed.get("act")).toBeUndefined();
  const [approval] = await w.approvals();
  expect(w.sent.find(({ id }) => id === approval?.eventId)?.content.body).toContain("**word:** mail");
  await w.react(approval?.eventId ?? "", "✅");
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "done", text: "did mail" }]);
  expect(probed.get("act")).toHaveLength(1);
  expect(await w.approvals()).toMatchObject([{ state: "approved", decidedBy: "@alice:acme.test" }]);
});

test("a run that showed what it was doing before it waited finishes the same message", async () => {
  const w = await world({ probe: { policy: "allowed" }, act: { policy: "ask" } });
  await w.say('[[call slow {"word":"page"}]] [[call act {"word":"mail"}]] [[results]] #slow');
  await w.work();
  const [approval] = await w.approvals();
  await w.react(approval?.eventId ?? "", "✅");
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "done", text: "did page\ndid mail" }]);
  const messages = w.sent.filter(({ type, content }) => type === "m.room.message" && content["dev.agentopia.run"]);
  expect(
    messages.map(({ content }) => [
      (content["m.new_content"]?.body ?? content.body ?? "").slice(0, 8),
      (content["dev.agentopia.run"] as { final: boolean }).final,
    ]),
  ).toEqual([
    ["*⏳ Probe", false],
    ["*⏳ Waiti", false],
    ["did page", true],
  ]);
});

test.each([
  ["command", ALICE, /^\*Stopped by .+\.\*$/],
  ["redacted", ALICE, /^\*Stopped by .+\.\*$/],
] as const)(
  "a run that had shown only what it was doing and is ended (%s) while it waits says so there",
  async (reason, by, says) => {
    const w = await world({ probe: { policy: "allowed" }, act: { policy: "ask" } });
    await w.say('[[call slow {"word":"page"}]] [[call act {"word":"mail"}]] #stop');
    await w.work();
    expect((await w.runs())[0]?.state).toBe("waiting");
    await stopRun(w.ctx, (await w.runs())[0]?.id ?? "", reason, by);
    await w.work();
    const answer = w.sent.filter(({ content, as }) => content["dev.agentopia.run"] && as === WRITER);
    const last = answer.at(-1)?.content;
    expect(last?.["m.new_content"]?.body).toMatch(says);
    expect(last?.["dev.agentopia.run"]).toMatchObject({ final: true });
    expect((await w.runs())[0]?.state).toBe("stopped");
  },
);

test.each([
  ["", "*⏳ Waiting …*"],
  ["I shall mail it.", "I shall mail it."],
])(
  "beside a form no line of what it was doing is left when it waits and when it is stopped (%s)",
  async (words, waits) => {
    const w = await world({});
    const tools = { probe: { policy: "allowed" }, act: { policy: "ask" } } as const;
    const [agent] = await w.ctx.sql<
      { definition: AgentDefinition }[]
    >`select definition from agents where id = 'writer'`;
    const definition = { ...(agent?.definition as AgentDefinition), tools };
    w.model.script(({ results }) => ({
      text: results.length === 0 ? words : "",
      calls: [{ tool: results.length === 0 ? "slow" : "act", args: { word: "x" } }],
    }));
    const chat = {
      tenantId: TENANT,
      chatId: (await openTry(w.ctx, { tenantId: TENANT, agentId: "writer", by: ALICE })).id,
    };
    await askTry(w.ctx, { ...chat, by: ALICE, text: "Go on.", definition });
    await w.work();
    expect(await w.runs()).toMatchObject([{ state: "waiting", text: waits }]);
    await stopTry(w.ctx, { ...chat, by: ALICE });
    await w.work();
    expect(await w.runs()).toMatchObject([{ state: "stopped", text: words }]);
  },
);
