import type { TransactionSql } from "postgres";
import { expect, onTestFinished, test } from "vitest";
import { startDrain } from "../../bots/drain.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import type { Context } from "../../core/context.ts";
import { openDatabase } from "../../core/database.ts";
import { openWake, type Wake } from "../../core/wake.ts";
import { onReceived, receive } from "../../homeserver/inbox.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";
import {
  ALICE,
  CONTROL,
  deliver,
  edit,
  event,
  makeAgent,
  makeTenant,
  outcomes,
  PLANNER,
  ROOM,
  reaction,
  says,
  TENANT,
  WRITER,
} from "./tenant.ts";

const GUEST = "@agent-guest:acme.test";
const PLACE = { tenantId: TENANT, roomId: ROOM };
const drain = (ctx: Context, place = PLACE) => drainRoom(ctx, place, () => undefined);

interface RunRow {
  id: string;
  agent_id: string;
  question_event: string;
  trigger_event: string;
  stop_reason: string | null;
  answer_id: string;
}
const runsOf = (ctx: Context) =>
  ctx.sql<
    RunRow[]
  >`select id, agent_id, question_event, trigger_event, stop_reason, answer_id from runs order by created_at, id`;

test("a mention becomes a queued run with its answer, once", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const queued: string[] = [];
  const question = event({ content: says("Writer: hello", WRITER) });
  await deliver(ctx, question, event({ content: says("just talking") }));
  await drainRoom(ctx, PLACE, (ids) => queued.push(...ids));
  expect(Object.values(await outcomes(ctx))).toEqual(["run", "ignored:not_addressed"]);
  const runs = await ctx.sql`select id, agent_id, question_event, state, asked_by from runs`;
  expect(runs).toMatchObject([
    { agent_id: "writer", question_event: question.event_id, state: "queued", asked_by: ALICE },
  ]);
  expect(queued).toEqual([runs[0]?.id]);
  await deliver(ctx, question);
  await drainRoom(ctx, PLACE, (ids) => queued.push(...ids));
  expect(queued).toHaveLength(1);
  expect(await ctx.sql`select 1 from answers`).toHaveLength(1);
});

test("question, edit and stop in one batch are taken in their order", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const question = event({ content: says("Writer: hello", WRITER) });
  const better = event({ content: edit(question.event_id, "Writer: hello there", WRITER) });
  await deliver(ctx, question, better, event({ content: says("!stop") }), event({ content: says("!stop") }));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx))).toEqual(["run", "edit:run", "command:stop", "command:stop"]);
  const [first, second] = await runsOf(ctx);
  expect([first?.stop_reason, second?.stop_reason]).toEqual(["superseded", "command"]);
  expect(second).toMatchObject({ answer_id: first?.answer_id, trigger_event: better.event_id });
  const [answer] = await ctx.sql`select current_run_id from answers`;
  expect(answer?.current_run_id).toBe(second?.id);
  expect(await ctx.sql`select payload->>'text' as text from actions`).toMatchObject([
    { text: expect.stringContaining("nothing to stop") },
  ]);
});

test("a thread in which an agent was asked goes on without a mention", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const inThread = { "m.relates_to": { rel_type: "m.thread", event_id: "$root", is_falling_back: true } };
  await deliver(
    ctx,
    event({ id: "$root", content: says("my plan") }),
    event({ content: { ...says("Writer?", WRITER, PLANNER), ...inThread, "m.mentions": { user_ids: [WRITER] } } }),
    event({ content: { ...says("go on"), ...inThread } }),
    event({ content: { ...says("Planner, too", PLANNER), ...inThread } }),
    event({ content: { ...says("and now?"), ...inThread } }),
  );
  await drain(ctx);
  expect(Object.values(await outcomes(ctx))).toEqual([
    "ignored:not_addressed",
    "run",
    "run",
    "run",
    "ignored:thread_of_several",
  ]);
  expect((await runsOf(ctx)).map(({ agent_id }) => agent_id)).toEqual(["writer", "writer", "planner"]);
});

test("reactions find an answer by the mark in its message before the run has noted its event", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const question = event({ content: says("Writer: hello", WRITER) });
  await deliver(ctx, question);
  await drain(ctx);
  const [run] = await runsOf(ctx);
  const mark = { "dev.agentopia.run": { run: run?.id, hops: 0, final: false } };
  const answer = event({ sender: WRITER, content: { ...says("Hel", ALICE), ...mark } });
  const thumb = event({ type: "m.reaction", content: reaction(answer.event_id, "👍") });
  await deliver(ctx, answer, thumb, event({ type: "m.reaction", content: reaction(answer.event_id, "❌") }));
  await drain(ctx);
  expect(await ctx.sql`select run_id, value from feedback`).toEqual([{ run_id: run?.id, value: 1 }]);
  expect(await runsOf(ctx)).toMatchObject([{ stop_reason: "reaction" }]);
  await deliver(ctx, event({ type: "m.room.redaction", content: {}, redacts: thumb.event_id }));
  await drain(ctx);
  expect(await ctx.sql`select 1 from feedback`).toHaveLength(0);
});

test("🔁 makes a second answer, once", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const question = event({ content: says("Writer: hello", WRITER) });
  await deliver(ctx, question);
  await drain(ctx);
  const [run] = await runsOf(ctx);
  await ctx.sql`update runs set state = 'done', finished_at = now()`;
  await ctx.sql`insert into answer_events (tenant_id, event_id, answer_id, part) values (${TENANT}, '$answer', ${run?.answer_id ?? ""}, 0)`;
  await ctx.sql`update answers set event_ids = '["$answer"]'`;
  const again = event({ type: "m.reaction", content: reaction("$answer", "🔁") });
  await deliver(
    ctx,
    again,
    event({ type: "m.reaction", sender: "@bob:acme.test", content: reaction("$answer", "🔁") }),
  );
  await drain(ctx);
  expect(Object.values(await outcomes(ctx))).toEqual(["run", "again", "ignored:still_answering"]);
  expect(await ctx.sql`select question_event, again from answers order by again`).toEqual([
    { question_event: question.event_id, again: 0 },
    { question_event: question.event_id, again: 1 },
  ]);
});

test("an event that cannot be routed is marked and does not hold up its room", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  await ctx.sql`update agents set definition = definition - 'whoMayInvite' where id = 'planner'`;
  const before = event({ content: says("Writer: before", WRITER) });
  const broken = event({ type: "m.room.member", stateKey: PLANNER, content: { membership: "invite" } });
  const after = event({ content: says("Writer: after", WRITER) });
  await deliver(ctx, before, broken, after);
  await drain(ctx);
  expect(await outcomes(ctx)).toEqual({
    [before.event_id]: "run",
    [broken.event_id]: "error:TypeError",
    [after.event_id]: "run",
  });
  expect(await runsOf(ctx)).toHaveLength(2);
});

test("whatever statement it dies at, the batch is routed once when it is done again", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  await makeAgent(ctx, GUEST);
  await ctx.sql.unsafe(`create function lose_connection() returns void language plpgsql as
    $$ begin raise exception 'the connection is lost' using errcode = '08006'; end $$`);
  const batch = () => {
    const question = event({ content: says("Writer and Planner", WRITER, PLANNER) });
    return [
      question,
      event({ content: edit(question.event_id, "Writer, really", WRITER) }),
      event({ type: "m.room.member", stateKey: GUEST, content: { membership: "invite" } }),
      event({ content: says("!stop") }),
    ];
  };
  let crashes = 0;
  for (let at = 1; ; at++) {
    await deliver(ctx, ...batch());
    const before = await ctx.sql`select count(*)::int as runs from runs`;
    const died = await drain(dyingAt(ctx, at)).then(
      () => false,
      () => true,
    );
    if (!died) break;
    crashes++;
    expect(await ctx.sql`select count(*)::int as runs from runs`).toEqual(before);
    expect(Object.values(await outcomes(ctx)).slice(-4)).toEqual([null, null, null, null]);
    await drain(ctx);
    expect(Object.values(await outcomes(ctx)).slice(-4)).toEqual(["run", "edit:run", "invite:join", "command:stop"]);
    expect((await runsOf(ctx)).length).toBe(crashes * 3);
  }
  expect(crashes).toBeGreaterThan(20);
});

test("two processes and many rooms: every question once, in the order of its room", async () => {
  const ctx = await testContext();
  const rooms = Array.from({ length: 8 }, (_, n) => ({
    id: `!r${n}:acme.test`,
    members: [CONTROL, ALICE, WRITER, PLANNER],
  }));
  await makeTenant(ctx, { rooms });
  const other = anotherProcess(ctx);
  const queued: string[] = [];
  const { onRunQueued } = await import("../../bots/drain.ts");
  onTestFinished(onRunQueued((id) => queued.push(id)));
  const drains = [await started(ctx, true), await started(other, false)];
  const asked: string[] = [];
  for (let n = 0; n < 25; n++)
    await Promise.all(
      rooms.map(async ({ id }) => {
        const question = event({ room: id, content: says(`Writer: ${n}`, WRITER) });
        asked.push(question.event_id);
        await receive(n % 2 ? ctx : other, TENANT, [question]);
      }),
    );
  await eventually(
    "all to be routed",
    async () => (await ctx.sql`select 1 from inbox where routed_at is null limit 1`).length === 0,
  );
  await Promise.all(drains.map(({ stop }) => stop()));
  const runs = await ctx.sql<{ question: string; inOrder: boolean }[]>`
    select r.question_event as question, r.created_at >= lag(r.created_at, 1, r.created_at) over (partition by r.room_id order by i.seq)
      as "inOrder" from runs r join inbox i on i.event_id = r.question_event`;
  expect(runs.map(({ question }) => question).sort()).toEqual(asked.sort());
  expect(runs.every(({ inOrder }) => inOrder)).toBe(true);
  expect(new Set(queued).size).toBe(asked.length);
  expect(queued).toHaveLength(asked.length);
});

test("an event that arrives while another process holds its room is not forgotten", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const drainer = await started(ctx, false);
  const held = Promise.withResolvers<void>();
  const holding = Promise.withResolvers<void>();
  const holder = anotherProcess(ctx).sql.begin(async (sql) => {
    await sql`select 1 from rooms for update`;
    holding.resolve();
    await held.promise;
  });
  await holding.promise;
  await deliver(ctx, event({ content: says("Writer: hello", WRITER) }));
  await eventually("a look at the locked room", async () => {
    const [row] =
      await ctx.sql`select count(*)::int as n from pg_stat_activity where datname = current_database() and query like '%skip locked%'`;
    return row?.n > 0;
  });
  expect(await runsOf(ctx)).toHaveLength(0);
  held.resolve();
  await holder;
  await eventually("the run", async () => (await runsOf(ctx)).length === 1, { timeoutMs: 2000 });
  await drainer.stop();
});

test("what nobody was told of is found by looking: at the start and every five seconds", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  await deliver(ctx, event({ content: says("Writer: before the start", WRITER) }));
  const deaf: Wake = { on: () => () => undefined, close: async () => undefined };
  const drainer = await startDrain(ctx, { wake: deaf, onReceived: () => () => undefined });
  await eventually("the first run", async () => (await runsOf(ctx)).length === 1, { timeoutMs: 2000 });
  await deliver(ctx, event({ content: says("Writer: after", WRITER) }));
  await eventually("the second run", async () => (await runsOf(ctx)).length === 2, { timeoutMs: 8000 });
  await drainer.stop();
});

async function started(ctx: Context, hears: boolean) {
  const wake = openWake(ctx.databaseUrl, ctx.log);
  onTestFinished(() => wake.close());
  return await startDrain(ctx, { wake, onReceived: hears ? onReceived : () => () => undefined });
}

/** The same platform over a pool of its own, as another process has it. */
function anotherProcess(ctx: Context): Context {
  const database = openDatabase(ctx.databaseUrl, { max: 4 });
  onTestFinished(() => database.close());
  return { ...ctx, sql: database.sql, db: database.db };
}

/** The `at`th statement of its transactions fails as when the connection is lost, counted from 1. */
function dyingAt(ctx: Context, at: number): Context {
  let count = 0;
  const begin = (work: (sql: TransactionSql) => Promise<unknown>) =>
    ctx.sql.begin((sql) =>
      work(
        new Proxy(sql, {
          apply(target, self, args: [TemplateStringsArray]) {
            const isStatement = /^\s*(select|insert|update|delete|with)/.test(args[0][0] ?? "");
            return isStatement && ++count === at ? target`select lose_connection()` : Reflect.apply(target, self, args);
          },
        }),
      ),
    );
  const sql = new Proxy(ctx.sql, { get: (target, key) => (key === "begin" ? begin : Reflect.get(target, key)) });
  return { ...ctx, sql };
}
