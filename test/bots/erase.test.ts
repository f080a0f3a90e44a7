import { expect, test } from "vitest";
import { drainRoom } from "../../bots/drain-room.ts";
import { eraseText } from "../../bots/erase.ts";
import { eraseOld } from "../../bots/retention.ts";
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
