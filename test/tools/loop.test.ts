import { beforeEach, expect, test } from "vitest";
import { WRITER } from "../bots/tenant.ts";
import { addProbes, probe, probed, world } from "./world.ts";

addProbes(probe({ name: "look", repeatable: true }), probe({ name: "act", sends: "outside" }));
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
  expect(w.sent.find(({ id }) => id === approval?.eventId)?.content.body).toContain('"word": "mail"');
  await w.react(approval?.eventId ?? "", "✅");
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "done", text: "did mail" }]);
  expect(probed.get("act")).toHaveLength(1);
  expect(await w.approvals()).toMatchObject([{ state: "approved", decidedBy: "@alice:acme.test" }]);
});
