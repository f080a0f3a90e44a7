import { expect, test } from "vitest";
import { drainRoom } from "../../bots/drain-room.ts";
import { eraseText } from "../../bots/erase.ts";
import { eraseOld } from "../../bots/retention.ts";
import { startRun } from "../../bots/start-run.ts";
import type { Context } from "../../core/context.ts";
import { testContext } from "../harness/postgres.ts";
import { ALICE, deliver, edit, event, makeTenant, ROOM, says, TENANT, WRITER } from "./tenant.ts";

const SECRET = "Xylophon9134";
const drain = (ctx: Context) => drainRoom(ctx, { tenantId: TENANT, roomId: ROOM }, () => undefined);

/** A question with the secret, edited once, and an answer that repeats it, streamed by an edit. */
async function answered(ctx: Context) {
  await makeTenant(ctx);
  const question = event({ content: says(`Writer: ${SECRET}`, WRITER) });
  await deliver(ctx, question, event({ content: edit(question.event_id, `Writer: it is ${SECRET}`, WRITER) }));
  await drain(ctx);
  const [run] = await ctx.sql<{ id: string; answerId: string }[]>`
    select id, answer_id as "answerId" from runs where stop_reason is null`;
  const mark = { "dev.agentopia.run": { run: run?.id, hops: 0, final: false } };
  const answer = event({ sender: WRITER, content: { ...says(`You said ${SECRET}`, ALICE), ...mark } });
  await deliver(ctx, answer, event({ sender: WRITER, content: edit(answer.event_id, `You said ${SECRET}!`, ALICE) }));
  await drain(ctx);
  await ctx.sql`insert into steps (run_id, position, kind, output) select id, 0, 'model', ${SECRET} from runs`;
  await ctx.sql`update runs set state = 'done', finished_at = now()`;
  return { question: question.event_id, answer: answer.event_id, run: run! };
}

const redact = (ctx: Context, target: string) =>
  deliver(ctx, event({ type: "m.room.redaction", redacts: target, content: { reason: "private" } })).then(() =>
    drain(ctx),
  );

/** Tables of which some row holds the secret. */
async function holders(ctx: Context): Promise<string[]> {
  const tables = await ctx.sql<
    { name: string }[]
  >`select table_name as name from information_schema.tables where table_schema = 'public'`;
  const found: string[] = [];
  for (const { name } of tables)
    if ((await ctx.sql`select 1 from ${ctx.sql(name)} as t where t::text like ${`%${SECRET}%`} limit 1`).length > 0)
      found.push(name);
  return found;
}

test("redacting question and answer leaves their text in no table", async () => {
  const ctx = await testContext();
  const { question, answer } = await answered(ctx);
  expect(await holders(ctx)).toEqual(expect.arrayContaining(["inbox", "steps"]));
  await redact(ctx, question);
  expect(await ctx.sql`select 1 from steps where output is not null`).toHaveLength(0);
  const left = await ctx.sql`select sender from inbox where content::text like ${`%${SECRET}%`}`;
  expect(left.every(({ sender }) => sender === WRITER)).toBe(true);
  await redact(ctx, answer);
  expect(await holders(ctx)).toEqual([]);
});

test("redacting only the answer keeps the question", async () => {
  const ctx = await testContext();
  const { answer, question } = await answered(ctx);
  await redact(ctx, answer);
  expect(
    await ctx.sql`select 1 from steps s join runs r on r.id = s.run_id where r.stop_reason is null and output is not null`,
  ).toHaveLength(0);
  const left = await ctx.sql`select event_id from inbox where content::text like ${`%${SECRET}%`} order by seq limit 1`;
  expect(left[0]?.event_id).toBe(question);
});

test("redacting the edit alone erases it and what was answered to it", async () => {
  const ctx = await testContext();
  await answered(ctx);
  const [change] =
    await ctx.sql`select event_id as id from inbox where sender = ${ALICE} and content->'m.relates_to' is not null`;
  await redact(ctx, change?.id);
  expect(await ctx.sql`select content from inbox where event_id = ${change?.id}`).toEqual([{ content: {} }]);
  expect(await ctx.sql`select 1 from steps where output is not null`).toHaveLength(0);
});

test("erasing twice, or what is unknown, changes nothing more", async () => {
  const ctx = await testContext();
  const { question } = await answered(ctx);
  await eraseText(ctx.sql, TENANT, question);
  await eraseText(ctx.sql, TENANT, question);
  await eraseText(ctx.sql, TENANT, "$unknown");
  await eraseText(ctx.sql, "another", question);
  expect(await holders(ctx)).toEqual(["inbox"]);
});

test("a redaction stops the run under way, and other tenants' events of the same id stay", async () => {
  const ctx = await testContext();
  const { question } = await answered(ctx);
  await ctx.sql`update runs set state = 'running' where stop_reason is null`;
  await redact(ctx, question);
  const reasons = await ctx.sql`select stop_reason from runs order by created_at`;
  expect(reasons.map((row) => row.stop_reason)).toEqual(["superseded", "redacted"]);
});

test("texts beyond their time go, with runs and what the engine keeps of them; newer ones and open runs stay", async () => {
  const ctx = await testContext();
  const { run } = await answered(ctx);
  await ctx.sql`create schema dbos`;
  await ctx.sql`create table dbos.workflow_status (workflow_uuid text primary key)`;
  await ctx.sql`insert into dbos.workflow_status select id from runs`;
  await ctx.sql`update inbox set received_at = now() - interval '91 days'`;
  await ctx.sql`update runs set created_at = now() - interval '91 days'`;
  await ctx.sql`update runs set state = 'running' where id = ${run.id}`;
  const fresh = event({ content: says(`still here ${SECRET}`) });
  await deliver(ctx, fresh);
  await drain(ctx);
  await eraseOld(ctx);
  expect(await ctx.sql`select event_id from inbox where content <> '{}'`).toEqual([{ event_id: fresh.event_id }]);
  expect(await ctx.sql`select id from runs`).toEqual([{ id: run.id }]);
  expect(await ctx.sql`select * from dbos.workflow_status`).toEqual([{ workflow_uuid: run.id }]);
  await ctx.sql`update runs set state = 'done'`;
  await eraseOld(ctx);
  expect(await ctx.sql`select 1 from answers`).toHaveLength(0);
  expect(await ctx.sql`select 1 from steps`).toHaveLength(0);
  expect(await ctx.sql`select * from dbos.workflow_status`).toHaveLength(0);
});

test("each tenant has a time of its own, and more than one batch is done", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  await ctx.sql`
    insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content, received_at, routed_at)
    select ${TENANT}, '$' || n, ${ROOM}, ${ALICE}, 'm.room.message', 0, '{"body":"x"}', now() - interval '10 days', now()
    from generate_series(1, 1200) n`;
  await eraseOld(ctx);
  expect(await ctx.sql`select 1 from inbox where content <> '{}'`).toHaveLength(1200);
  await ctx.sql`update tenants set retention_days = 7`;
  await eraseOld(ctx);
  expect(await ctx.sql`select 1 from inbox where content <> '{}'`).toHaveLength(0);
});

/** What a run with tools wrote down: its arguments and results, what people were asked and said, the work that it handed over, a form that it filled in. */
async function withTools(ctx: Context) {
  const { question, answer, run } = await answered(ctx);
  await ctx.sql`insert into steps (run_id, position, kind, output) values (${run.id}, 2, 'tools', ${JSON.stringify({ text: SECRET })})`;
  await ctx.sql`update runs set untrusted = ${`the page https://x.test/${SECRET}`} where id = ${run.id}`;
  await ctx.sql`
    insert into tool_calls (id, tenant_id, run_id, agent_id, turn, index, call_id, tool, tool_group, arguments, arguments_hash, schema_hash, state,
      reason, result, untrusted)
    values ('call', ${TENANT}, ${run.id}, 'writer', 0, 0, 'x', 'act', 'probe', ${ctx.sql.json({ word: SECRET })}, '', '', 'done', ${SECRET}, ${SECRET},
      ${`the page ${SECRET}`})`;
  await ctx.sql`
    insert into approvals (id, tenant_id, run_id, call_id, agent_id, room_id, kind, tool, sentence, answer, arguments_hash, schema_hash, state, expires_at)
    values ('approval', ${TENANT}, ${run.id}, 'call', 'writer', ${ROOM}, 'tool', 'act', ${`send ${SECRET}`}, ${SECRET}, '', '', 'approved', now())`;
  const child = await ctx.sql.begin((sql) =>
    startRun(sql, {
      kind: "task",
      cause: ["call"],
      tenantId: TENANT,
      agentId: "planner",
      source: "task",
      roomId: ROOM,
      threadRoot: null,
      text: `Look after ${SECRET}`,
      askedBy: WRITER,
      onBehalfOf: ALICE,
      untrusted: null,
      hops: 1,
      parentCall: "call",
      now: 0,
    }),
  );
  await ctx.sql`insert into steps (run_id, position, kind, output) values (${child}, 0, 'model', ${SECRET})`;
  await ctx.sql`insert into form_tools (id, tenant_id, name, definition) values ('form', ${TENANT}, 'offer', '{}')`;
  await ctx.sql`
    insert into form_runs (id, tenant_id, form_id, version, "values", via, by, parent_call, state, result)
    values ('filled', ${TENANT}, 'form', 1, ${ctx.sql.json({ about: SECRET })}, 'tool', ${ALICE}, 'call', 'done', ${SECRET})`;
  return { question, answer, run, child };
}

test("with a redacted question goes what its tools were given and returned, what people were asked, and what was handed over", async () => {
  const ctx = await testContext();
  const { question, answer, child } = await withTools(ctx);
  const held = ["approvals", "form_runs", "inbox", "runs", "steps", "tool_calls"];
  expect((await holders(ctx)).toSorted()).toEqual(held);
  await redact(ctx, question);
  expect(await holders(ctx)).toEqual(["inbox"]); // the agent's own message, until it is redacted too
  await redact(ctx, answer);
  expect(await holders(ctx)).toEqual([]);
  expect(await ctx.sql`select untrusted from runs where untrusted is not null`).toEqual([
    { untrusted: "an erased text" },
  ]);
  expect(await ctx.sql`select stop_reason as why from runs where id = ${child}`).toEqual([{ why: "redacted" }]);
});

test.each([
  ["the agent's question to people", WRITER, { "dev.agentopia.approval": { id: "approval" } }],
  ["what somebody replied to it", ALICE, { "m.relates_to": { "m.in_reply_to": { event_id: "$asked" } } }],
])("redacting %s erases what the run wrote down, once it is over", async (_name, sender, more) => {
  const ctx = await testContext();
  const { run } = await withTools(ctx);
  const asked = { ...says("May I?"), "dev.agentopia.approval": { id: "approval" } };
  await deliver(ctx, event({ id: "$asked", sender: WRITER, content: asked }));
  const spoken = event({ sender, content: { ...says(SECRET), ...more } });
  await deliver(ctx, spoken);
  await ctx.sql`update runs set state = 'running' where id = ${run.id}`;
  await eraseText(ctx.sql, TENANT, spoken.event_id);
  expect(await ctx.sql`select 1 from tool_calls where arguments is not null`).toHaveLength(1);
  await ctx.sql`update inbox set content = ${ctx.sql.json({ ...says(SECRET), ...more })} where event_id = ${spoken.event_id}`;
  await ctx.sql`update runs set state = 'done' where id = ${run.id}`;
  await eraseText(ctx.sql, TENANT, spoken.event_id);
  expect(await ctx.sql`select 1 from tool_calls where arguments is not null or result is not null`).toHaveLength(0);
  expect(await ctx.sql`select 1 from approvals where sentence is not null or answer is not null`).toHaveLength(0);
});

test("what a tool returned after its question was redacted goes as well", async () => {
  const ctx = await testContext();
  const { question, run } = await withTools(ctx);
  await redact(ctx, question);
  await ctx.sql`update runs set stop_reason = 'redacted', state = 'stopped' where id = ${run.id}`;
  await ctx.sql`update tool_calls set result = ${SECRET}`;
  await eraseOld(ctx);
  expect(await ctx.sql`select 1 from tool_calls where result is not null`).toHaveLength(0);
});

test("calls go with their runs, tried ones by themselves, and what was counted after three days", async () => {
  const ctx = await testContext();
  await withTools(ctx);
  await ctx.sql`
    insert into tool_calls (id, tenant_id, turn, index, call_id, tool, tool_group, arguments_hash, schema_hash, state, created_at)
    select 'tried-' || n, ${TENANT}, 0, 0, 'x', 'act', 'probe', '', '', 'done', now() - n * interval '60 days' from generate_series(0, 3) n`;
  await ctx.sql`
    insert into tool_counts (agent_id, key, unit, since, count)
    select 'writer', 'probe', 'hour', now() - n * interval '1 day', 1 from generate_series(0, 9) n`;
  await eraseOld(ctx);
  expect((await ctx.sql`select id from tool_calls order by id`).map(({ id }) => id)).toEqual([
    "call",
    "tried-0",
    "tried-1",
  ]);
  expect(await ctx.sql`select 1 from tool_counts`).toHaveLength(3);
  await ctx.sql`update runs set created_at = now() - interval '91 days', state = 'done'`;
  await eraseOld(ctx);
  expect((await ctx.sql`select id from tool_calls order by id`).map(({ id }) => id)).toEqual(["tried-0", "tried-1"]);
  expect(await ctx.sql`select 1 from approvals`).toHaveLength(0);
});
