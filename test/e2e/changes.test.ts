import { beforeAll, expect, test } from "vitest";
import { answersTo } from "../harness/answers.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-changes" });
let alice: Person;
let bob: Person;
let one: string;
let two: string;

beforeAll(async () => {
  alice = await shared.platform.person("alice");
  bob = await shared.platform.person("bob");
  [one = "", two = ""] = shared.agents.map((agent) => agent.userId);
});

const roomOf = async (name: string) => alice.makeRoom({ name, invite: [one, two] });

/** A stream that takes long enough to be changed while it runs; resolves when some of it can be seen. */
async function askSlowly(room: string, marker: string) {
  const question = await alice.ask(room, one, `${marker} [[text ${"so many words ".repeat(40)}]] [[chunks 100 20000]]`);
  const shown = await alice.until("the first words", (seen) => answersTo(seen, question)[0]);
  return { question, shown };
}

test("editing the question while it is being answered starts the answer over in the same message", async () => {
  const room = await roomOf("edits");
  const { question, shown } = await askSlowly(room, "#edit1");
  await alice.edit(room, question, "something else #edit2", [one]);
  const answer = await alice.answer(question);
  expect(answer.eventId).toBe(shown.eventId);
  expect(answer.text).toBe("Answer to #edit2");
  await shared.platform.model.until(
    (model) => model.asked("#edit1")[0]?.aborted === true,
    "the first call to be ended",
  );
  expect(answersTo(await alice.history(room), question)).toHaveLength(1);
});

test("redacting the question stops the answer", async () => {
  const room = await roomOf("redactions");
  const { question, shown } = await askSlowly(room, "#redact");
  await alice.redact(room, question);
  await shared.platform.model.until((model) => model.asked("#redact")[0]?.aborted === true, "the call to be ended");
  await runIs(question, "stopped");
  expect(shown.sender).toBe(one);
});

test("!stop ends it with what was written so far", async () => {
  const room = await roomOf("stops");
  const { question } = await askSlowly(room, "#stop");
  await alice.say(room, "!stop");
  const answer = await alice.answer(question);
  expect(answer.text).toMatch(/^so m/);
  expect(answer.text.length).toBeLessThan(500);
  await runIs(question, "stopped");
});

test("❌ by who asked stops it, by anybody else it does not", async () => {
  const room = await roomOf("crosses");
  await alice.client.invite(room, bob.userId);
  await bob.client.joinRoom(room);
  const { question, shown } = await askSlowly(room, "#cross");
  await bob.react(room, shown.eventId, "❌");
  await bob.answer(await bob.ask(room, two, "still there? #cross-after"));
  expect(shared.platform.model.asked("#cross")[0]?.aborted).toBe(false);
  await alice.react(room, shown.eventId, "❌");
  expect((await alice.answer(question)).finals).toHaveLength(1);
  await runIs(question, "stopped");
});

test("🔁 answers again", async () => {
  const room = await roomOf("again");
  const question = await alice.ask(room, one, "once more #again");
  const answer = await alice.answer(question);
  await alice.react(room, answer.eventId, "🔁");
  await shared.platform.model.until((model) => model.asked("#again").length === 2, "the second call");
  const answers = await alice.answers(question, { count: 2 });
  expect(answers.map(({ text }) => text)).toEqual(["Answer to #again", "Answer to #again"]);
});

test("👍 and 👎 are kept with the run, and gone when they are taken back", async () => {
  const room = await roomOf("feedback");
  const question = await alice.ask(room, one, "good? #feedback");
  const answer = await alice.answer(question);
  const kept = () => shared.platform.ctx.sql<{ value: number; user_id: string }[]>`
    select f.value, f.user_id from feedback f join runs r on r.id = f.run_id where r.question_event = ${question}`;
  const up = await alice.react(room, answer.eventId, "👍");
  await eventually("the thumb", async () => (await kept()).length === 1);
  expect(await kept()).toEqual([{ value: 1, user_id: alice.userId }]);
  await alice.redact(room, up);
  await eventually("no thumb", async () => (await kept()).length === 0);
  await alice.react(room, answer.eventId, "👎");
  await eventually("the other thumb", async () => (await kept())[0]?.value === -1);
});

test("redacting a message takes its text out of every table", async () => {
  const room = await roomOf("erasure");
  const secret = "Xylophon9134";
  const question = await alice.ask(room, one, `remember ${secret} #erase [[text Your word is ${secret}]]`);
  const answer = await alice.answer(question);
  expect(await tablesWith(secret)).not.toEqual([]);
  await alice.redact(room, question);
  await alice.redact(room, answer.eventId);
  await eventually("no table to hold it", async () => (await tablesWith(secret)).length === 0).catch(async () => {
    expect(await tablesWith(secret)).toEqual([]);
  });
});

async function runIs(question: string, state: string): Promise<void> {
  await eventually(`the run to be ${state}`, async () => {
    const rows = await shared.platform.ctx.sql`select state from runs where question_event = ${question}`;
    return rows.length === 1 && rows[0]?.state === state;
  });
}

/** Every table of the platform and of the workflow engine of which some row holds the text. */
async function tablesWith(text: string): Promise<string[]> {
  const { sql } = shared.platform.ctx;
  const tables = await sql<{ schema: string; name: string }[]>`
    select table_schema as schema, table_name as name from information_schema.tables
    where table_schema in ('public', 'dbos') and table_type = 'BASE TABLE'`;
  const found: string[] = [];
  for (const { schema, name } of tables) {
    const rows = await sql`
      select 1 from ${sql(schema)}.${sql(name)} as t where t::text like ${`%${text}%`} limit 1`;
    if (rows.length > 0) found.push(`${schema}.${name}`);
  }
  return found;
}
