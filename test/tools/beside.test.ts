/** What is said beside a question instead of in a reply to it. */
import { expect, test } from "vitest";
import { ALICE, BOB, PLANNER, says } from "../bots/tenant.ts";
import { addProbes, probe, type World, world } from "./world.ts";

addProbes(probe({ name: "act", sends: "outside" }));

const inThread = (root: string, text: string, ...mentions: string[]) => ({
  ...says(text, ...mentions),
  "m.relates_to": { rel_type: "m.thread", event_id: root, is_falling_back: true, "m.in_reply_to": { event_id: root } },
});

const say = (w: World, content: object, sender = ALICE) => w.event({ sender, content } as never);

const told = (w: World) =>
  w.ctx.sql<{ text: string }[]>`select payload->>'text' as text from actions where payload->>'kind' = 'notice'`;

const outcomes = async (w: World) =>
  (await w.ctx.sql<{ outcome: string }[]>`select outcome from inbox order by seq desc limit 1`)[0]?.outcome;

/** The agent has asked whether it may do something; returns the question's event. */
async function wantsToAct(): Promise<{ w: World; question: string }> {
  const w = await world({ probe: { policy: "ask" } });
  await w.say('[[call act {"word":"x"}]] [[results]] #b', BOB);
  await w.work();
  return { w, question: (await w.approvals())[0]?.eventId ?? "" };
}

async function wantsAnAnswer(thread: boolean): Promise<{ w: World; question: string; root: string }> {
  const w = await world({ people: { policy: "allowed" } });
  const text = 'Writer: [[call ask_person {"question":"Blue or red?"}]] [[results]] #b';
  const mention = "@agent-writer:acme.test";
  const root = await w.say("#first");
  await w.work();
  if (thread) await say(w, inThread(root, text, mention));
  else await w.say(text);
  await w.work();
  return { w, question: (await w.approvals())[0]?.eventId ?? "", root };
}

test.each(["yes", "No.", "ok", "👍", "❌", "Go ahead!"])(
  "%s beside a question decides nothing, and says once how to decide",
  async (word) => {
    const { w, question } = await wantsToAct();
    await say(w, says(word));
    await say(w, says(word));
    await w.work();
    expect(await w.approvals()).toMatchObject([{ state: "open" }]);
    expect(await told(w)).toEqual([
      { text: "This decides nothing yet. React to the question with ✅ or ❌, or reply to that message." },
    ]);
    expect(await w.runs()).toHaveLength(1);
    await w.reply(question, word);
    await w.work();
    expect((await w.approvals())[0]?.state).not.toBe("open");
  },
);

test("in a thread that somebody began on the question too", async () => {
  const { w, question } = await wantsToAct();
  await say(w, inThread(question, "yes"));
  expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  expect(await told(w)).toHaveLength(1);
});

test.each([
  ["a longer text", says("yes, and what about lunch?"), ALICE],
  ["who may not decide it", says("yes"), BOB],
  ["another thread", inThread("$elsewhere", "yes"), ALICE],
])("%s: nothing is said about it", async (_, content, sender) => {
  const { w } = await wantsToAct();
  await say(w, content, sender);
  expect(await outcomes(w)).toMatch(/^ignored:/);
  expect(await told(w)).toEqual([]);
});

test("nothing waits: a bare yes is none of the agents' business", async () => {
  const w = await world({});
  await say(w, says("yes"));
  expect(await outcomes(w)).toMatch(/^ignored:/);
});

test("in the thread in which the agent asks, the next message of whom it asks is the answer", async () => {
  const { w, root } = await wantsAnAnswer(true);
  await say(w, inThread(root, "Red!"), BOB);
  expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  await say(w, inThread(root, "Blue."));
  await w.work();
  expect(await w.runs()).toContainEqual(expect.objectContaining({ state: "done", text: "Blue." }));
});

test("in a thread that was begun on the question too, but not beside it in the room, nor what is said to another agent", async () => {
  const { w, question } = await wantsAnAnswer(false);
  await say(w, says("Green"));
  await say(w, inThread(question, "Planner, which one?", PLANNER));
  expect(await w.approvals()).toMatchObject([{ state: "open" }]);
  await say(w, inThread(question, "Blue."));
  expect(await w.approvals()).toMatchObject([{ state: "answered" }]);
});
