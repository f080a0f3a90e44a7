import { beforeAll, expect, test } from "vitest";
import { createAgent } from "../../bots/agents.ts";
import { answersIn, type RoomEvent } from "../harness/answers.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "crash-loops" });
let alice: Person;

beforeAll(async () => {
  alice = await shared.platform.person("alice");
});

const agent = (name: string) =>
  createAgent(shared.platform.ctx, {
    tenantId: "demo",
    definition: {
      name,
      description: "",
      instructions: `You are ${name}.`,
      model: null,
      whoMayInvite: "anyone",
      scope: "member",
    },
  });

test("two agents that always mention each other end by the hop budget, and the room is told once", async () => {
  const [ping, pong] = [await agent("Ping"), await agent("Pong")];
  const room = await alice.makeRoom({ name: "ping-pong", invite: [ping.userId, pong.userId] });
  shared.platform.model.script(({ messages }) => {
    const me = messages[0]?.text.includes("You are Ping") ? "Ping" : "Pong";
    return { text: `@${me === "Ping" ? "Pong" : "Ping"} what do you say? I am ${me}.` };
  });
  await alice.ask(room, ping.userId, "start #pingpong");
  await toldOnce(room, /in a row/);
  const answers = answersIn(await alice.history(room));
  expect(answers.length).toBeGreaterThan(2);
  expect(answers.length).toBeLessThanOrEqual(6);
  shared.platform.model.script(undefined);
});

test("an agent that quotes the question and itself answers once", async () => {
  const echo = await agent("Echo");
  const other = await agent("Otto");
  const room = await alice.makeRoom({ name: "echo", invite: [echo.userId, other.userId] });
  shared.platform.model.script(({ question }) => ({ text: `@Echo ${echo.userId} said: > ${question}` }));
  const question = await alice.ask(room, echo.userId, "say it #echo");
  await alice.answer(question);
  shared.platform.model.script(undefined);
  await alice.answer(await alice.ask(room, other.userId, "done? #echo-after"));
  expect(answersIn(await alice.history(room)).filter((answer) => answer.sender === echo.userId)).toHaveLength(1);
});

test("a bot that answers everything at once is taken for one: it ends, and the room is told once", async () => {
  const talker = await agent("Talker");
  const bot = await shared.platform.person("replybot");
  const room = await bot.makeRoom({ name: "bot", invite: [talker.userId], isDirect: true });
  await bot.client.invite(room, alice.userId);
  await alice.client.joinRoom(room);
  const answered = new Set<string>();
  const listen = bot.until(
    "the room to be told",
    (seen) => {
      for (const answer of answersIn(seen.filter((event) => event.room_id === room)))
        if (answer.final && !answered.has(answer.eventId)) {
          answered.add(answer.eventId);
          void bot.ask(room, talker.userId, `indeed #bot${answered.size}`);
        }
      return seen.some((event) => event.room_id === room && event.content.msgtype === "m.notice");
    },
    120_000,
  );
  await bot.ask(room, talker.userId, "hello #bot0");
  await listen;
  await toldOnce(room, /faster than people/);
  expect(answered.size).toBeGreaterThanOrEqual(30);
  expect(answered.size).toBeLessThan(45);
});

/** Waits for the notice and until all is at rest; there must be one. */
async function toldOnce(room: string, words: RegExp): Promise<void> {
  await alice.until("the room to be told", (seen) => notices(seen, room, words).length > 0, 60_000);
  await eventually("all to be at rest", async () => {
    const [row] = await shared.platform.ctx.sql<{ open: number }[]>`
      select (select count(*) from inbox where routed_at is null and room_id = ${room})
        + (select count(*) from runs where state in ('queued', 'running') and room_id = ${room})
        + (select count(*) from actions where state = 'open' and room_id = ${room}) as open`;
    return Number(row?.open) === 0;
  });
  expect(notices(await alice.history(room), room, words)).toHaveLength(1);
}

const notices = (events: RoomEvent[], room: string, words: RegExp) =>
  events.filter(
    (event) => event.room_id === room && event.content.msgtype === "m.notice" && words.test(event.content.body ?? ""),
  );
