import { describe, expect, onTestFinished, test } from "vitest";
import { deliver as deliverAnswer } from "../../bots/deliver.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import { eraseText } from "../../bots/erase.ts";
import { addModel } from "../../bots/models.ts";
import { outletOf } from "../../bots/outlet.ts";
import { distances, positionsOf } from "../../bots/positions.ts";
import { runAgain } from "../../bots/run-again.ts";
import { redact, runReport } from "../../bots/run-report.ts";
import { readTimeline } from "../../bots/run-timeline.ts";
import { signalOf } from "../../bots/signals.ts";
import { think } from "../../bots/think.ts";
import { loadWork } from "../../bots/work.ts";
import type { Context } from "../../core/context.ts";
import { startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";
import { scriptedHomeserver } from "./homeserver.ts";
import { ALICE, BOB, deliver, edit, event, makeTenant, ROOM, reaction, says, TENANT, WRITER } from "./tenant.ts";

async function setUp() {
  const ctx = await testContext();
  const model = await startModelServer();
  onTestFinished(() => model.stop());
  const homeserver = await scriptedHomeserver();
  await makeTenant(ctx, { url: homeserver.url });
  await ctx.sql`update room_members set display_name = 'Alice A.' where user_id = ${ALICE}`;
  await addModel(ctx, {
    tenantId: null,
    name: "scripted",
    provider: "openai-compatible",
    baseUrl: `${model.url}/v1`,
    model: "scripted",
    isDefault: true,
  });
  return { ctx, model, homeserver };
}

async function route(ctx: Context, ...events: Parameters<typeof deliver>[1][]): Promise<string> {
  await deliver(ctx, ...events);
  let runId = "";
  await drainRoom(ctx, { tenantId: TENANT, roomId: ROOM }, ([id]) => {
    runId = id ?? runId;
  });
  return runId;
}

async function attempt(ctx: Context, runId: string): Promise<void> {
  const work = await loadWork(ctx, runId, { attempt: true });
  if (!work) throw new Error("The run is over.");
  const next = await think(ctx, work, outletOf(work).surroundings(ctx, work), signalOf(runId));
  const again = next === "deliver" ? await loadWork(ctx, runId, { attempt: false }) : null;
  if (again) await deliverAnswer(ctx, again);
}

test("an answered question as a timeline: who asked, what went to the model, what it cost, what came of it", async () => {
  const { ctx } = await setUp();
  await route(ctx, event({ id: "$before", sender: BOB, content: says("I like tea.") }));
  await route(ctx, event({ id: "$edit", sender: BOB, content: edit("$before", "I like coffee.") }));
  const runId = await route(ctx, event({ id: "$question", content: says("Writer: what does he like? #q", WRITER) }));
  await attempt(ctx, runId);
  const [answered] = await ctx.sql<{ id: string }[]>`select event_ids->>0 as id from answers`;
  await route(ctx, event({ content: reaction(answered?.id ?? "", "👍"), type: "m.reaction" }));

  const run = await readTimeline(ctx, TENANT, runId);
  expect(run).toMatchObject({
    state: "done",
    source: "room",
    again: 0,
    agent: { id: "writer", name: "Writer", version: 1 },
    room: { id: ROOM },
    question: { by: ALICE, name: "Alice A.", text: "Writer: what does he like? #q" },
    attempts: 1,
    error: null,
    stop: null,
    answer: { text: "Answer to #q", messages: [{ eventId: answered?.id }] },
    feedback: [{ by: ALICE, name: "Alice A.", value: 1 }],
    others: [],
  });
  expect(run.question.link).toBe(
    `https://matrix.to/#/${encodeURIComponent(ROOM)}/${encodeURIComponent("$question")}?via=acme.test`,
  );
  expect(run.context?.instructions).toBe("Write.");
  expect(run.context?.messages.map(({ name, text, own }) => [name, text, own])).toEqual([
    ["bob", "I like coffee.", false],
    ["Alice A.", "Writer: what does he like? #q", false],
  ]);
  expect(run.calls).toMatchObject([{ state: "ok", model: "scripted" }]);
  expect(run.calls[0]?.inputTokens).toBeGreaterThan(0);
  expect(run.moments.map(({ what }) => what)).toEqual(["asked", "routed", "started", "first_text", "finished"]);
  expect(run.moments.every(({ at }) => Math.abs(at - Date.now()) < 60_000)).toBe(true);
});

test("what was erased is a gap and nothing else", async () => {
  const { ctx } = await setUp();
  await route(ctx, event({ id: "$before", sender: BOB, content: says("secret word: mango") }));
  const runId = await route(ctx, event({ id: "$question", content: says("Writer: hm? #q", WRITER) }));
  await attempt(ctx, runId);
  await eraseText(ctx.sql, TENANT, "$before");
  await eraseText(ctx.sql, TENANT, "$question");
  const run = await readTimeline(ctx, TENANT, runId);
  expect(run.context?.messages.map(({ text }) => text)).toEqual([null, null]);
  expect(run.question.text).toBeNull();
  expect(run.answer.text).toBeNull();
  expect(JSON.stringify(run)).not.toContain("mango");
});

test("a run of another client is not there", async () => {
  const { ctx } = await setUp();
  const runId = await route(ctx, event({ content: says("Writer: hm? #q", WRITER) }));
  await expect(readTimeline(ctx, "rival", runId)).rejects.toMatchObject({ code: "not_found" });
});

describe("run again", () => {
  const answered = async () => {
    const { ctx, ...rest } = await setUp();
    const runId = await route(ctx, event({ id: "$question", content: says("Writer: hello #q", WRITER) }));
    await attempt(ctx, runId);
    return { ctx, runId, ...rest };
  };

  test("is a second answer to the same question, once for each click", async () => {
    const { ctx, runId, homeserver } = await answered();
    const [first, same] = await Promise.all([
      runAgain(ctx, { tenantId: TENANT, runId, click: "one" }),
      runAgain(ctx, { tenantId: TENANT, runId, click: "one" }),
    ]);
    expect(first).toEqual(same);
    await attempt(ctx, first.run);
    expect(await ctx.sql`select again from answers order by again`).toEqual([{ again: 0 }, { again: 1 }]);
    expect(homeserver.to(/send\/m\.room\.message/)).toHaveLength(2);
    const run = await readTimeline(ctx, TENANT, first.run);
    expect(run).toMatchObject({ state: "done", again: 1, others: [{ id: runId, again: 0, state: "done" }] });
    expect(run.question.by).toBe(ALICE);
    const second = await runAgain(ctx, { tenantId: TENANT, runId, click: "two" });
    expect(second.run).not.toBe(first.run);
  });

  test.each([
    ["a paused agent", "update agents set state = 'paused'", /paused/],
    ["a removed agent", "update agents set state = 'removed'", /not there any more/],
    ["an agent that left", "update room_members set membership = 'leave'", /not in the room/],
    ["an erased question", "update inbox set content = '{}'", /erased/],
    ["an archived room", "update rooms set archived_at = now()", /archived/],
    ["a run under way", "update runs set state = 'running'", /still answering/],
    [
      "an observer",
      `insert into agent_scopes (agent_id, room_id, scope) values ('writer', '${ROOM}', 'observer')`,
      /reads along/,
    ],
    ["a try", "update runs set source = 'try'", /beside the agent's form/],
  ])("is refused for %s with a sentence", async (_name, change, sentence) => {
    const { ctx, runId } = await answered();
    await ctx.sql.unsafe(change);
    const refused = runAgain(ctx, { tenantId: TENANT, runId, click: "x" });
    await expect(refused).rejects.toMatchObject({ code: "conflict", message: expect.stringMatching(sentence) });
    expect(await ctx.sql`select 1 from answers`).toHaveLength(1);
  });
});

test("a report names no words of people unless asked, and never a key", async () => {
  const { ctx } = await setUp();
  const runId = await route(ctx, event({ content: says("Writer: my mango plan #q", WRITER) }));
  await attempt(ctx, runId);
  await ctx.sql`update runs set state = 'failed', error_code = 'model_refused',
    error = 'The model server refused the key sk-proj-abcdef1234567890 (Authorization: Bearer zyxw9876543210).'`;
  const run = await readTimeline(ctx, TENANT, runId);
  const plain = runReport(run, { texts: false });
  expect(plain).toContain(runId);
  expect(plain).toContain("model_refused");
  expect(plain).not.toMatch(/mango|sk-proj|zyxw|undefined|Answer to/);
  const full = runReport(run, { texts: true });
  expect(full).toContain("my mango plan");
  expect(full).toContain("Answer to #q");
  expect(full).not.toMatch(/sk-proj|zyxw|undefined/);
});

test.each([
  ["key sk-abcdefghijklmnop rejected", "key [removed] rejected"],
  ["api_key=hunter22; model x", "api_key=[removed]; model x"],
  ['{"token":"abcd-efgh"}', '{"token":"[removed]"}'],
  ["at https://bob:pass@host/x", "at https://[removed]@host/x"],
  ["agt_1234567890abcdef used", "[removed] used"],
  ["eyJhbGciOiJI.eyJzdWIiOiIx.sig", "[removed]"],
  ["The model “qwen3:8b” answered nothing.", "The model “qwen3:8b” answered nothing."],
  ["Agentopia run 3f9c2a7be01d4c5f8a9b0c1d2e3f4a5b", "Agentopia run 3f9c2a7be01d4c5f8a9b0c1d2e3f4a5b"],
])("what looks like a secret goes: %s", (text, left) => expect(redact(text)).toBe(left));

test("a text of many thousand spaces keeps nobody waiting", () => {
  const text = `x${" ".repeat(60_000)}x${"\n    ".repeat(12_000)}token${" ".repeat(60_000)}bearer${" ".repeat(60_000)}`;
  const began = performance.now();
  expect(redact(text)).toBe(text);
  expect(performance.now() - began).toBeLessThan(500);
});

test("positions come back from their distances", () => {
  const positions = [10_000_001, 10_000_007, 10_000_003, 10_000_400];
  expect(positionsOf(distances(positions))).toEqual(positions);
  expect(positionsOf(distances([]))).toEqual([]);
});
