import { beforeAll, expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import type { AgentFacts } from "../harness/platform.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-models" });
let alice: Person;
let one: string;
let two: string;
let room: string;

beforeAll(async () => {
  alice = await shared.platform.person("alice");
  [one = "", two = ""] = shared.agents.map((agent) => agent.userId);
  room = await alice.makeRoom({ name: "models", invite: [one, two] });
});

const failures: [what: string, marker: string, directives: string, sentence: RegExp][] = [
  ["is down", "#down", "[[503]]", /cannot be reached/],
  ["is asked too much", "#limited", "[[429 1]]", /asked too much/],
  ["is out of context", "#context", "[[context]]", /too long/],
  ["returns nothing", "#empty", "[[empty]]", /returned no text/],
  ["returns nonsense", "#garbage", "[[garbage]]", /broke off|not readable/],
  ["cuts the stream half-way", "#cut", "[[cut 3]]", /broke off|cannot be reached/],
];

test.each(failures)(
  "a model that %s: the person gets one sentence and the run shows why",
  async (_what, marker, directives, sentence) => {
    const question = await alice.ask(room, one, `${marker} ${directives}`);
    const answer = await alice.answer(question, 45_000);
    expect(answer.text).toMatch(sentence);
    const runs = await shared.platform.json<{ state: string; question: string; error?: unknown }[]>(
      "run",
      "list",
      "demo",
    );
    expect(runs.find((run) => run.question === question)?.state).toBe("failed");
    const calls = shared.platform.model.asked(marker).length;
    expect(calls).toBeGreaterThanOrEqual(1);
    expect(calls, "retries are bounded").toBeLessThanOrEqual(6);
    const [row] = await shared.platform.ctx.sql`select error_code from runs where question_event = ${question}`;
    expect(row?.error_code).toMatch(/^model_/);
  },
);

test("a model that fails once answers at the second try, after the pause that it asked for", async () => {
  const question = await alice.ask(room, one, "#retry [[429 2]] [[times 1]]");
  const answer = await alice.answer(question);
  expect(answer.text).toBe("Answer to #retry");
  const [first, second] = shared.platform.model.asked("#retry");
  expect((second?.startedAt ?? 0) - (first?.startedAt ?? 0)).toBeGreaterThanOrEqual(2000);
});

test("every call is in the ledger with its tokens, times and result", async () => {
  const question = await alice.ask(room, one, "#ledger");
  await alice.answer(question);
  await eventually("the ledger row", async () => {
    const [row] = await shared.platform.ctx.sql`
      select l.state, l.input_tokens, l.output_tokens, l.duration_ms, l.first_token_ms, l.person_id, l.room_id, l.estimated
      from ledger l join runs r on r.id = l.run_id where r.question_event = ${question}`;
    if (row?.state !== "ok") return false;
    expect(row).toMatchObject({ person_id: alice.userId, room_id: room, estimated: false });
    expect(row.input_tokens).toBeGreaterThan(0);
    expect(row.output_tokens).toBe(5); // characters of the answer, by fours
    return true;
  });
});

test("an aborted call is in the ledger with an estimate marked as one", async () => {
  const question = await alice.ask(
    room,
    one,
    `#aborted [[text ${"words and words ".repeat(30)}]] [[chunks 100 20000]]`,
  );
  await shared.platform.model.until(
    (model) => model.asked("#aborted")[0]?.firstPieceAt !== undefined,
    "the first piece",
  );
  await alice.say(room, "!stop");
  await eventually("the ledger row", async () => {
    const [row] = await shared.platform.ctx.sql`
      select l.state, l.estimated, l.input_tokens from ledger l join runs r on r.id = l.run_id where r.question_event = ${question}`;
    return row?.state === "aborted" && row.estimated === true && row.input_tokens > 0;
  });
});

test("an image goes to a model that takes it; one that cannot says so", async () => {
  const { platform } = shared;
  const agentWith = async (model: string, images: boolean) => {
    await platform.cli("model", "add", model, "--url", `${platform.model.url}/v1`, "--model", "scripted");
    await platform.ctx.sql`
      update models set abilities = abilities || jsonb_build_object('images', ${images}::boolean) where name = ${model}`;
    const args = ["--name", model, "--instructions", "Answer.", "--model", model];
    return (await platform.json<AgentFacts>("agent", "create", "demo", ...args)).userId;
  };
  const [seeing, blind] = [await agentWith("Seeing", true), await agentWith("Blind", false)];
  const gallery = await alice.makeRoom({ name: "gallery", invite: [seeing, blind] });
  const image = await alice.client.uploadContent(new Blob([PNG], { type: "image/png" }), { name: "dot.png" });
  const show = (agentId: string, body: string) =>
    alice.send(gallery, {
      msgtype: "m.image",
      body,
      filename: "dot.png",
      url: image.content_uri,
      info: { mimetype: "image/png", size: PNG.length },
      "m.mentions": { user_ids: [agentId] },
    });
  expect((await alice.answer(await show(seeing, "#image what is on it?"))).text).toContain("#image");
  expect(platform.model.asked("#image")[0]?.messages.at(-1)?.attachments).toEqual(["image_url"]);
  const refused = await alice.answer(await show(blind, "dot.png"));
  expect(refused.text).toMatch(/cannot/);
  expect(refused.text).toMatch(/image|picture|file/i);
});

test("at the day's token cap agents say so once and stop; the next day they go on", async () => {
  const { sql } = shared.platform.ctx;
  const limit = (tokensPerDay: number | null) =>
    sql`update tenants set limits = case when ${tokensPerDay === null} then limits - 'tokensPerDay'
      else limits || jsonb_build_object('tokensPerDay', ${tokensPerDay ?? 0}::int) end where id = 'demo'`;
  await limit(1);
  await sql.notify("agentopia_tenant", "demo");
  const capped = await alice.makeRoom({ name: "capped", invite: [one, two] });
  await alice.ask(capped, one, "#cap1");
  const told = await alice.until("the sentence", (seen) =>
    seen.find((event) => event.room_id === capped && event.sender === one && event.type === "m.room.message"),
  );
  expect(told.content.body).toMatch(/tokens?|today|tomorrow/i);
  const second = await alice.ask(capped, one, "#cap2");
  await eventually("the second run to be over", async () => {
    const [row] = await sql`select state from runs where question_event = ${second}`;
    return row && row.state !== "queued" && row.state !== "running";
  });
  expect(shared.platform.model.asked("#cap2")).toHaveLength(0);
  await limit(null);
  await sql.notify("agentopia_tenant", "demo");
  await alice.answer(await alice.ask(capped, one, "#cap3"));
  const said = (await alice.history(capped)).filter(
    (event) => event.sender === one && event.type === "m.room.message" && event.content.body === told.content.body,
  );
  expect(said).toHaveLength(1);
});

test("with no model, agents say in one sentence that none is set and where to set it", async () => {
  const { platform } = shared;
  await platform.kill9();
  await platform.start({ OPENAI_BASE_URL: "", OPENAI_API_KEY: "", AGENTOPIA_MODEL: "" });
  expect(platform.output()).toMatch(/model add/);
  const none = await alice.answer(await alice.ask(room, two, "#no-model"));
  expect(none.text).toMatch(/no model/i);
  expect(none.text).toMatch(/model add/);
  await platform.cli("model", "add", "later", "--url", `${platform.model.url}/v1`, "--model", "scripted", "--default");
  const some = await alice.answer(await alice.ask(room, two, "#model-again"));
  expect(some.text).toBe("Answer to #model-again");
});

/** One transparent pixel. */
const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
  "base64",
);
