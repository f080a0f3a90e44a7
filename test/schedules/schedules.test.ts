import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { eraseOld } from "../../bots/retention.ts";
import { runDue } from "../../bots/schedules/due.ts";
import { makeSchedule } from "../../bots/schedules/make.ts";
import { startScheduler } from "../../bots/schedules/scheduler.ts";
import {
  listSchedules,
  MOST_SCHEDULES,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  shortId,
} from "../../bots/schedules/schedules.ts";
import type { TimeWish } from "../../bots/schedules/times.ts";
import type { Context } from "../../core/context.ts";
import { openWake } from "../../core/wake.ts";
import type { JsonSchema } from "../../migrations/types.ts";
import { ALICE, BOB, CONTROL, event, PLANNER, ROOM, says, TENANT, WRITER } from "../bots/tenant.ts";
import { eventually } from "../harness/eventually.ts";
import { addProbes, probe, setTools, type World, world } from "../tools/world.ts";

const ALLOWED = { schedule: { policy: "allowed" } } as const;
const MINUTE = 60_000;

/** A world whose clock is moved by hand. */
async function planned(): Promise<World & { later(ms: number): void; ctx: Context }> {
  const w = await world(ALLOWED);
  let ahead = 0;
  const ctx = { ...w.ctx, clock: { now: () => Date.now() + ahead } };
  return {
    ...w,
    ctx,
    later: (ms) => {
      ahead += ms;
    },
  };
}

const make = (ctx: Context, time: TimeWish, wish: { task?: string; person?: string; agentId?: string } = {}) =>
  makeSchedule(ctx, {
    tenantId: TENANT,
    agentId: "writer",
    roomId: ROOM,
    person: ALICE,
    task: "Report #due",
    ...wish,
    time,
  });

async function due(ctx: Context): Promise<number> {
  let runs = 0;
  for (let queued = await runDue(ctx); queued !== null; queued = await runDue(ctx)) runs += queued.length;
  return runs;
}

const rows = (ctx: Context) => ctx.sql<
  { state: string; problem: string | null; times: number; nextAt: number | null }[]
>`
  select state, problem, times, extract(epoch from next_at)::float8 * 1000 as "nextAt" from schedules order by created_at`;

const notices = (ctx: Context) => ctx.sql<{ as: string; text: string }[]>`
  select payload->>'as' as as, payload->>'text' as text from actions where payload->>'kind' = 'notice' order by created_at`;

const command = async (w: World, text: string, from = ALICE) => {
  await w.event(event({ sender: from, content: says(text) }) as never);
  return (await notices(w.ctx)).at(-1)?.text ?? "";
};

test("an agent plans a task; when it is due it is done once, and the answer stands in the room for who asked", async () => {
  const w = await planned();
  await w.say('[[call schedule_make {"task":"Report #due","in_minutes":30}]] [[results]] #a');
  await w.work();
  expect((await w.calls())[0]?.result).toMatch(/^Planned \([0-9a-f]{6}\): once, at /);
  expect(await due(w.ctx)).toBe(0);
  w.later(31 * MINUTE);
  expect(await due(w.ctx)).toBe(1);
  expect(await due(w.ctx)).toBe(0);
  await w.work();
  const answer = w.sent.filter(({ type }) => type === "m.room.message").at(-1);
  expect(answer).toMatchObject({
    as: WRITER,
    content: {
      body: expect.stringMatching(/^Planned for alice: once, at .* UTC\n\nAnswer to #due$/),
      formatted_body: expect.stringMatching(/^<p><em>Planned for alice: .* UTC<\/em><\/p>\n<p>Answer to #due<\/p>$/),
      "m.mentions": { user_ids: [ALICE] },
    },
  });
  expect(answer?.content).not.toHaveProperty(["m.relates_to"]);
  expect(await rows(w.ctx)).toMatchObject([{ state: "done", times: 1, nextAt: null }]);
});

test("for whom a planned answer is and when stands over it for people; the model never reads it as its own words", async () => {
  const w = await planned();
  const name = "<b>Al</b> *ice*";
  await w.ctx.sql`update room_members set display_name = ${name} where user_id = ${ALICE}`;
  await make(w.ctx, { cron: "0 9 * * *", zone: "Europe/Berlin" }, { task: "[[chunks 6 900]] #due" });
  w.later(25 * 60 * MINUTE);
  await due(w.ctx);
  await w.work();
  const [answer, ...edits] = w.sent.filter(({ type }) => type === "m.room.message");
  const heading = `Planned for ${name}: every day at 09:00 (Europe/Berlin)`;
  for (const content of [answer?.content, ...edits.map(({ content }) => content["m.new_content"] as never)]) {
    const { body, formatted_body: html } = content as unknown as { body: string; formatted_body: string };
    expect(body.split("\n")[0]).toBe(heading);
    expect(html).toMatch(/^<p><em>Planned for &lt;b&gt;Al&lt;\/b&gt; \*ice\*: every day at 09:00/);
  }
  await w.event({ sender: BOB, content: says("Good morning.") });
  // It begins nothing, and is left out of what the next answer is made from.
  expect(await w.event({ id: answer?.id, sender: WRITER, content: answer?.content ?? {} })).toEqual([]);
  for (const { id, content } of edits) await w.event({ id, sender: WRITER, content });
  await w.say("What did you say? #next");
  await w.work();
  const asked = JSON.stringify(w.model.requests.at(-1)?.body);
  expect(asked).toContain("to #due");
  expect(asked).not.toContain("Planned for");
});

test("nobody but us says what stands over an answer", async () => {
  const w = await planned();
  const content = { ...says("Writer: #a", WRITER), "dev.agentopia.heading": "Planned for the boss" };
  await w.event({ sender: ALICE, content });
  await w.work();
  expect(JSON.stringify(w.sent)).toContain("Answer to #a");
  expect(JSON.stringify(w.sent)).not.toContain("Planned for the boss");
});

test("what was due ten times while the platform was down is done once, and then goes on", async () => {
  const w = await planned();
  const schedule = await make(w.ctx, { everyMinutes: 10 });
  w.later(105 * MINUTE);
  expect(await due(w.ctx)).toBe(1);
  const [row] = await rows(w.ctx);
  expect(row).toMatchObject({ state: "active", times: 1 });
  expect(row?.nextAt).toBe(schedule.createdAt + 110 * MINUTE);
});

test("processes that look at the same time run each due time once", async () => {
  const w = await planned();
  for (let n = 0; n < 10; n++) await make(w.ctx, { everyMinutes: 10 }, { task: `Report ${n}` });
  w.later(10 * MINUTE + 1000);
  const counts = await Promise.all([due(w.ctx), due(w.ctx), due(w.ctx), due(w.ctx)]);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10);
  expect(await w.runs()).toHaveLength(10);
});

test("a run and the next time are one: what is cut off in between happened not at all", async () => {
  const w = await planned();
  await make(w.ctx, { inMinutes: 5 });
  w.later(6 * MINUTE);
  await w.ctx.sql`create function no() returns trigger language plpgsql as $$ begin raise exception 'cut off'; end $$`;
  await w.ctx.sql`create trigger no before update on schedules for each row execute function no()`;
  await expect(runDue(w.ctx)).rejects.toThrow("cut off");
  expect(await w.runs()).toEqual([]);
  await w.ctx.sql`drop trigger no on schedules`;
  expect(await due(w.ctx)).toBe(1);
});

test.each<[string, (w: World) => Promise<unknown>, RegExp]>([
  [
    "its person left",
    (w) => w.ctx.sql`update room_members set membership = 'leave' where user_id = ${ALICE}`,
    /person for whom it acts is not in the room/,
  ],
  [
    "who asked for it was suspended",
    (w) => w.ctx.sql`insert into people (tenant_id, user_id, state) values (${TENANT}, ${ALICE}, 'suspended')`,
    /account of the person for whom it acts is suspended/,
  ],
  [
    "its agent left",
    (w) => w.ctx.sql`update room_members set membership = 'leave' where user_id = ${WRITER}`,
    /Writer is not in the room/,
  ],
  ["its agent is paused", (w) => w.ctx.sql`update agents set state = 'paused' where id = 'writer'`, /Writer is paused/],
  [
    "its agent was removed",
    (w) => w.ctx.sql`update agents set state = 'removed' where id = 'writer'`,
    /agent was removed/,
  ],
  ["its room is archived", (w) => w.ctx.sql`update rooms set archived_at = now()`, /room is archived/],
  [
    "nobody knows its zone any more",
    (w) => w.ctx.sql`update schedules set time = '{"kind":"cron","pattern":"0 9 * * *","zone":"Mars/Olympus"}'`,
    /no cron pattern|time zone/,
  ],
])("a task is paused, and the room told once, when %s", async (_, change, sentence) => {
  const w = await planned();
  await make(w.ctx, { everyMinutes: 10 });
  await change(w);
  w.later(11 * MINUTE);
  expect(await due(w.ctx)).toBe(0);
  expect(await w.runs()).toEqual([]);
  expect(await rows(w.ctx)).toMatchObject([
    { state: "paused", problem: expect.stringMatching(sentence), nextAt: null },
  ]);
  expect(await notices(w.ctx)).toMatchObject([{ as: CONTROL, text: expect.stringMatching(sentence) }]);
});

test("what an agent had read when it planned a task counts for each of its runs", async () => {
  const w = await planned();
  await makeSchedule(w.ctx, {
    tenantId: TENANT,
    agentId: "writer",
    roomId: ROOM,
    person: ALICE,
    task: "x",
    time: { inMinutes: 5 },
    untrusted: "the page https://x.test",
  });
  w.later(6 * MINUTE);
  await due(w.ctx);
  await w.work();
  expect(await w.runs()).toMatchObject([{ untrusted: "the page https://x.test" }]);
  const answer = w.sent.findLast(({ type }) => type === "m.room.message");
  await w.event({ id: answer?.id, sender: WRITER, content: answer?.content ?? {} });
  await w.react(answer?.id ?? "", "🔁", BOB);
  expect(await w.runs()).toMatchObject([{}, { state: "queued", untrusted: "the page https://x.test" }]);
});

test("an agent has at most so many planned tasks, also when they are made at once; the same call makes one", async () => {
  const w = await planned();
  await Promise.all(Array.from({ length: MOST_SCHEDULES - 1 }, () => make(w.ctx, { everyMinutes: 10 })));
  const made = await Promise.allSettled(Array.from({ length: 5 }, () => make(w.ctx, { everyMinutes: 10 })));
  expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(made.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "conflict" } });
  await make(w.ctx, { everyMinutes: 10 }, { agentId: "planner" });
  const wish = {
    id: "same",
    tenantId: TENANT,
    agentId: "planner",
    roomId: ROOM,
    person: ALICE,
    task: "x",
    time: { inMinutes: 5 },
  };
  const [one, two] = await Promise.all([makeSchedule(w.ctx, wish), makeSchedule(w.ctx, wish)]);
  expect(one.id).toBe(two.id);
});

test("nobody plans a task for a person who is not in the room, nor for an agent", async () => {
  const w = await planned();
  for (const person of ["@carol:acme.test", PLANNER])
    await expect(make(w.ctx, { inMinutes: 5 }, { person })).rejects.toMatchObject({ code: "forbidden" });
});

test("a paused task is not due, goes on at its next time, and a removed one is gone", async () => {
  const w = await planned();
  const { id, createdAt } = await make(w.ctx, { everyMinutes: 10 });
  expect(await pauseSchedule(w.ctx, TENANT, id)).toMatchObject({ state: "paused", nextAt: null });
  w.later(25 * MINUTE);
  expect(await due(w.ctx)).toBe(0);
  expect(await resumeSchedule(w.ctx, TENANT, id)).toMatchObject({ state: "active", nextAt: createdAt + 30 * MINUTE });
  await removeSchedule(w.ctx, TENANT, id);
  w.later(10 * MINUTE);
  expect(await due(w.ctx)).toBe(0);
  await expect(pauseSchedule(w.ctx, TENANT, id)).rejects.toMatchObject({ code: "not_found" });
  await expect(removeSchedule(w.ctx, "other", id)).rejects.toMatchObject({ code: "not_found" });
});

test("they are listed page by page, of a room or an agent", async () => {
  const w = await planned();
  for (let n = 0; n < 5; n++)
    await make(w.ctx, { everyMinutes: 10 }, { task: `Task ${n}`, agentId: n < 3 ? "writer" : "planner" });
  const first = await listSchedules(w.ctx, { tenantId: TENANT, roomId: ROOM }, { limit: 3 });
  const second = await listSchedules(w.ctx, { tenantId: TENANT, roomId: ROOM }, { limit: 3, after: first.next });
  expect([...first.schedules, ...second.schedules].map(({ task }) => task)).toEqual(
    [4, 3, 2, 1, 0].map((n) => `Task ${n}`),
  );
  expect(second.next).toBeNull();
  expect((await listSchedules(w.ctx, { tenantId: TENANT, agentId: "planner" }, { limit: 9 })).schedules).toHaveLength(
    2,
  );
  expect((await listSchedules(w.ctx, { tenantId: "other" }, { limit: 9 })).schedules).toEqual([]);
});

test("an agent lists and removes what it planned here, for who made it and for moderators alone", async () => {
  const w = await planned();
  const schedule = await make(w.ctx, { everyMinutes: 10 });
  await w.say("[[call schedule_list {}]] [[results]] #a");
  await w.work();
  expect((await w.calls()).at(-1)?.result).toContain(`${shortId(schedule.id)}: every 10 minutes`);
  const remove = async (from: string) => {
    await w.say(`[[call schedule_remove {"id":"${shortId(schedule.id)}"}]] [[results]] #b`, from);
    await w.work();
    return (await w.calls()).at(-1)?.state;
  };
  expect(await remove(BOB)).toBe("failed");
  expect(await rows(w.ctx)).toMatchObject([{ state: "active" }]);
  expect(await remove(ALICE)).toBe("done");
  expect(await rows(w.ctx)).toMatchObject([{ state: "removed" }]);
});

test("!schedules lists what is planned in the room; who made it and moderators change it", async () => {
  const w = await planned();
  expect(await command(w, "!schedules")).toContain("Nothing is planned");
  const mine = await make(w.ctx, { everyMinutes: 10 }, { person: BOB, task: "Bob's report" });
  const hers = await make(w.ctx, { everyMinutes: 10 }, { task: "Alice's report" });
  const id = shortId(mine.id);
  expect(await command(w, "!schedules")).toMatch(
    new RegExp(`• ${id} Writer, every 10 minutes, for bob \\(next at .* UTC\\): Bob's report`),
  );
  expect(await command(w, `!schedules pause ${shortId(hers.id)}`, BOB)).toContain("Only the person who made it");
  expect(await command(w, `!schedules pause ${id}`, BOB)).toBe("“Bob's report” is paused.");
  expect(await rows(w.ctx)).toMatchObject([{ state: "paused" }, { state: "active" }]);
  expect(await command(w, `!schedules resume ${id}`)).toContain("goes on, next at");
  expect(await command(w, `!schedules remove ${id}`)).toContain("is removed");
  expect(await rows(w.ctx)).toMatchObject([{ state: "removed" }, { state: "active" }]);
  expect(await command(w, "!schedules remove ffffff")).toContain("No planned task");
});

test("a manager of the client changes what others planned, in rooms as in the panel, without being a moderator", async () => {
  const w = await planned();
  const ids = [];
  for (const task of ["Alice's report", "Another"])
    ids.push(shortId((await make(w.ctx, { everyMinutes: 10 }, { task })).id));
  const [id, other] = ids;
  expect(await command(w, `!schedules pause ${id}`, BOB)).toBe(
    "Only the person who made it, the room's moderators and the client's managers may change it. Ask one of them.",
  );
  const remove = `[[call schedule_remove {"id":"${other}"}]] [[results]]`;
  for (const [role, state] of [
    ["auditor", "failed"],
    ["manager", "done"],
  ] as const) {
    await w.ctx.sql`insert into tenant_roles (tenant_id, user_id, role) values (${TENANT}, ${BOB}, ${role})
      on conflict (tenant_id, user_id) do update set role = excluded.role`;
    await w.say(`${remove} #${role}`, BOB);
    await w.work();
    expect((await w.calls()).at(-1)?.state).toBe(state);
  }
  expect(await command(w, `!schedules pause ${id}`, BOB)).toBe("“Alice's report” is paused.");
  expect(await rows(w.ctx)).toMatchObject([{ state: "paused" }, { state: "removed" }]);
});

test("!tools says what the agents of the room may do, !approvals what waits", async () => {
  const w = await planned();
  await setTools(w.ctx, "writer", {
    web: { policy: "allowed" },
    http_call: { policy: "never" },
    mail: { policy: "ask" },
    files: { policy: "direct" },
    schedule: { policy: "ask" },
  });
  const words = await command(w, "!tools");
  expect(words).toContain(
    "• Writer: the web; when a person approves it: files, mail, planning tasks; not: “Call an address”",
  );
  expect(words).toContain("• Planner: no tools");
  expect(await command(w, "!approvals")).toBe("Nothing waits for anybody here.");
  await w.say('[[call schedule_make {"task":"Report","every_minutes":30}]] #a');
  await w.work();
  const waiting = await command(w, "!approvals");
  expect(waiting).toMatch(
    /• Writer wants to plan “Report” every 30 minutes, until .* UTC\. https:\/\/matrix\.to\/#\/!room%3Aacme\.test\/%24sent\d+\?via=acme\.test/,
  );
});

addProbes(
  probe({
    name: "gate",
    input: { type: "object", properties: { word: { type: "string", "x-secret": true } } } as JsonSchema,
  }),
);

test("!approvals repeats no secrets of what waits: of a built-in tool, of a form, of a tool from elsewhere", async () => {
  const w = await planned();
  const ask = { policy: "ask" } as const;
  await setTools(w.ctx, "writer", { web: ask, forms: ask, probe: ask });
  const field = { type: "string" };
  const form = { name: "login", title: "Log in", input: { type: "object", properties: { note: field, pass: field } } };
  await w.ctx
    .sql`insert into form_tools (id, tenant_id, name, state, definition) values ('f', ${TENANT}, 'login', 'active', ${JSON.stringify(form)}::text::jsonb)`;
  const calls = [
    {
      tool: "http_call",
      args: { method: "POST", url: "https://crm.test/", body: JSON.stringify({ password: "hunter2" }) },
    },
    { tool: "form_login", args: { note: "x".repeat(240), pass: "hunter2".repeat(10) } },
    { tool: "gate", args: { word: "hunter2" } },
  ];
  w.model.script(() => ({ calls }));
  await w.say("#a");
  await w.work();
  const waiting = await command(w, "!approvals");
  expect(waiting).toContain("Writer wants to send POST to https://crm.test/ with a content of 24 characters, until");
  expect(waiting).toContain("Writer wants to fill in the form “Log in”, until");
  expect(waiting).toContain("Writer wants to use gate");
  expect(waiting).not.toContain("hunt");
});

test("the scheduler wakes within a second of the time, and for what is planned while it runs", async () => {
  const w = await planned();
  const wake = openWake(w.ctx.databaseUrl, w.ctx.log);
  onTestFinished(() => wake.close());
  const scheduler = await startScheduler(w.ctx, { wake });
  onTestFinished(() => scheduler.stop());
  await sleep(200);
  const at = new Date(Date.now() + 1500).toISOString();
  await make(w.ctx, { at });
  const [run] = await eventually("the run", async () => {
    const found = await w.ctx.sql<
      { at: number }[]
    >`select extract(epoch from created_at)::float8 * 1000 as at from runs`;
    return found.length > 0 && found;
  });
  expect((run?.at ?? 0) - Date.parse(at)).toBeLessThan(1000);
  expect((run?.at ?? 0) - Date.parse(at)).toBeGreaterThan(-50);
});

test("tasks that are over are forgotten with the client's texts; those that go on are not", async () => {
  const w = await planned();
  const old = await make(w.ctx, { everyMinutes: 10 });
  const kept = await make(w.ctx, { everyMinutes: 10 });
  await removeSchedule(w.ctx, TENANT, old.id);
  await w.ctx.sql`update schedules set created_at = now() - interval '400 days'`;
  await eraseOld(w.ctx);
  expect(await w.ctx.sql`select id from schedules`).toEqual([{ id: kept.id }]);
});
