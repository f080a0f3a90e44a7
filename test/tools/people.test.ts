import { expect, test } from "vitest";
import { closeApprovals } from "../../bots/approvals/write.ts";
import { ALICE, BOB, PLANNER, WRITER } from "../bots/tenant.ts";
import { type World, world } from "./world.ts";

const ALLOWED = { people: { policy: "allowed" } } as const;

const question = (w: World) =>
  w.sent.filter(({ type, content }) => type === "m.room.message" && content.body?.includes("asks:")).at(-1);

async function ask(w: World, args: object) {
  await w.say(`[[call ask_person ${JSON.stringify(args)}]] [[results]] #a`);
  await w.work();
}

test("an agent asks who asked it, and goes on with the reply", async () => {
  const w = await world(ALLOWED);
  await ask(w, { question: "Blue or red?" });
  expect(await w.runs()).toMatchObject([{ state: "waiting" }]);
  expect(question(w)?.content.body).toContain("Blue or red?");
  expect(question(w)?.content["m.mentions"]).toEqual({ user_ids: [ALICE] });
  await w.reply(question(w)?.id ?? "", "Blue, please.");
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "done", text: "Blue, please." }]);
});

test("another person of the room is asked by name, and only they answer", async () => {
  const w = await world(ALLOWED);
  await w.ctx.sql`update room_members set display_name = 'Bob Ross' where user_id = ${BOB}`;
  await ask(w, { question: "May we?", person: "bob ross" });
  await w.reply(question(w)?.id ?? "", "Sure, says Alice.", ALICE);
  await w.work();
  expect(await w.runs()).toMatchObject([{ state: "waiting" }]);
  await w.reply(question(w)?.id ?? "", "You may.", BOB);
  await w.work();
  expect((await w.calls())[0]).toMatchObject({ state: "done", result: "You may." });
});

test.each([
  ["an agent", "Planner"],
  ["an agent by its id", PLANNER],
  ["itself", WRITER],
  ["the control bot", "@agentopia:acme.test"],
  ["somebody who is not here", "carol"],
  ["a person of another server", "@mallory:evil.test"],
])("%s is not asked", async (_, person) => {
  const w = await world(ALLOWED);
  await w.ctx
    .sql`insert into room_members (tenant_id, room_id, user_id, membership) values ('acme', '!room:acme.test', '@mallory:evil.test', 'join')`;
  await ask(w, { question: "Well?", person });
  expect((await w.calls())[0]).toMatchObject({ state: "failed" });
  expect(await w.approvals()).toEqual([]);
});

test("when nobody answers in time the agent is told so, and answers without", async () => {
  const w = await world(ALLOWED);
  await ask(w, { question: "Still there?", minutes: 5 });
  await w.ctx.sql`update approvals set expires_at = now() - interval '1 second'`;
  await closeApprovals(w.ctx);
  await w.work();
  const [call] = await w.calls();
  expect(call).toMatchObject({ state: "declined" });
  expect(call?.result).toBe("Nobody answered in time.");
  expect(await w.runs()).toMatchObject([{ state: "done" }]);
});

test("a week is the longest that it waits", async () => {
  const w = await world(ALLOWED);
  await ask(w, { question: "When?", minutes: 10_081 });
  expect((await w.calls())[0]).toMatchObject({ state: "failed" });
  await ask(w, { question: "When?", minutes: 10_080 });
  const [row] = await w.ctx.sql<{ minutes: number }[]>`
    select round(extract(epoch from expires_at - created_at) / 60)::int as minutes from approvals`;
  expect(row?.minutes).toBe(10_080);
});
