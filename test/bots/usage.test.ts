import { expect, test } from "vitest";
import { readCaps, setCaps } from "../../bots/caps.ts";
import { daysBetween, readUsage, type UsageBy, usageLines } from "../../bots/usage.ts";
import { rollUp, rollUpDay } from "../../bots/usage-days.ts";
import type { Context } from "../../core/context.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { ALICE, BOB, makeTenant, ROOM, TENANT } from "./tenant.ts";

let count = 0;

/** A call as the ledger has it. */
const call = (
  ctx: Context,
  day: string,
  wish: {
    tenant?: string;
    agent?: string;
    room?: string;
    person?: string;
    model?: string;
    state?: string;
    tokens?: number;
  } = {},
) => ctx.sql`
  insert into ledger (id, tenant_id, room_id, agent_id, person_id, model, day, state, input_tokens, output_tokens, duration_ms)
  values (${`c${++count}`}, ${wish.tenant ?? TENANT}, ${wish.room ?? ROOM}, ${wish.agent ?? "writer"}, ${wish.person ?? ALICE},
    ${wish.model ?? "small"}, ${day}::date, ${wish.state ?? "ok"}, ${(wish.tokens ?? 10) - 1}, 1, 100)`;

async function setUp() {
  const ctx = await testContext({ clock: testClock(Date.UTC(2026, 0, 15, 12)) });
  await makeTenant(ctx);
  await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  return ctx;
}

const usage = (ctx: Context, by: UsageBy, tenantId: string | null = TENANT, limit = 200) =>
  readUsage(ctx, { tenantId, from: "2026-01-01", to: "2026-01-15", by }, limit);

const rolled = async (ctx: Context) =>
  (await ctx.sql`select distinct day::text as day from usage_days where tenant_id = ${TENANT} order by 1`).map(
    ({ day }) => day,
  );

test("closed days are summed once, today is read from the ledger, and nobody can tell", async () => {
  const ctx = await setUp();
  for (const day of ["2026-01-10", "2026-01-10", "2026-01-12", "2026-01-15"]) await call(ctx, day);
  await call(ctx, "2026-01-12", { agent: "planner", state: "failed", tokens: 500 });
  const before = await usage(ctx, "agent");
  expect(await rollUp(ctx)).toBe(2);
  expect(await rolled(ctx)).toEqual(["2026-01-10", "2026-01-12"]);
  expect(await usage(ctx, "agent")).toEqual(before);
  expect(await rollUp(ctx)).toBe(0);
  await rollUpDay(ctx, TENANT, "2026-01-10");
  expect(await usage(ctx, "agent")).toEqual(before);
  expect(before.rows).toEqual([
    {
      key: "planner",
      name: "Planner",
      tenantId: TENANT,
      calls: 1,
      failed: 1,
      inputTokens: 499,
      outputTokens: 1,
      durationMs: 100,
    },
    {
      key: "writer",
      name: "Writer",
      tenantId: TENANT,
      calls: 4,
      failed: 0,
      inputTokens: 36,
      outputTokens: 4,
      durationMs: 400,
    },
  ]);
  expect(before.total).toMatchObject({ calls: 5, inputTokens: 535, outputTokens: 5 });
});

test("a day waits for its open calls, and those after it wait for it", async () => {
  const ctx = await setUp();
  await call(ctx, "2026-01-10", { state: "open" });
  await call(ctx, "2026-01-12");
  expect(await rollUp(ctx)).toBe(0);
  await ctx.sql`update ledger set state = 'lost'`;
  expect(await rollUp(ctx)).toBe(2);
  expect((await usage(ctx, "day")).rows.map(({ key, failed }) => [key, failed])).toEqual([
    ["2026-01-12", 1],
    ["2026-01-10", 1],
  ]);
});

test("yesterday is not over in its first minutes of being yesterday", async () => {
  const clock = testClock(Date.UTC(2026, 0, 16, 0, 5));
  const ctx = await testContext({ clock });
  await makeTenant(ctx);
  await call(ctx, "2026-01-15");
  expect(await rollUp(ctx)).toBe(0);
  clock.move(6 * 60_000);
  expect(await rollUp(ctx)).toBe(1);
});

test("two processes do not sum the same day twice", async () => {
  const ctx = await setUp();
  for (let day = 1; day < 10; day++) await call(ctx, `2026-01-0${day}`);
  const days = await Promise.all([rollUp(ctx), rollUp(ctx)]);
  expect(days.reduce((all, one) => (all ?? 0) + (one ?? 0), 0)).toBe(9);
  expect((await usage(ctx, "day")).total.calls).toBe(9);
});

test("by client, room, person and model, with names; tries are one place", async () => {
  const ctx = await setUp();
  await ctx.sql`insert into people (tenant_id, user_id, display_name) values (${TENANT}, ${ALICE}, 'Alice A.')`;
  await call(ctx, "2026-01-14", { tokens: 100 });
  await call(ctx, "2026-01-15", { person: BOB, room: "try:1", model: "large" });
  await call(ctx, "2026-01-15", { person: "operator:ann", room: "try:2", model: "large" });
  await call(ctx, "2026-01-15", { tenant: "rival", room: "!x:rival.test", tokens: 7 });
  await call(ctx, "2026-01-15", { tenant: "gone" });
  await rollUp(ctx);
  const names = async (by: UsageBy, tenantId: string | null = TENANT) =>
    (await usage(ctx, by, tenantId)).rows.map(({ key, name, calls }) => [key, name, calls]);
  expect(await names("person")).toEqual([
    [ALICE, "Alice A.", 1],
    [BOB, "bob", 1],
    ["operator:ann", "ann", 1],
  ]);
  expect(await names("room")).toEqual([
    [ROOM, ROOM, 1],
    ["try", "try", 2],
  ]);
  expect(await names("model")).toEqual([
    ["small", "small", 1],
    ["large", "large", 2],
  ]);
  expect(await names("client", null)).toEqual([
    [TENANT, TENANT, 3],
    ["rival", "rival", 1],
  ]);
});

test("the chart has a line for each of the eight largest and one for the rest, with every day", async () => {
  const ctx = await setUp();
  for (let n = 1; n <= 12; n++)
    await call(ctx, "2026-01-14", { model: `m${String(n).padStart(2, "0")}`, tokens: n * 10 });
  await call(ctx, "2026-01-15", { model: "m01", tokens: 5 });
  const { series, days, rows, keys, total } = await usage(ctx, "model", TENANT, 3);
  expect(days).toHaveLength(15);
  expect(rows).toHaveLength(3);
  expect(keys).toBe(12);
  expect(series).toHaveLength(9);
  expect(series[8]).toMatchObject({ key: null });
  expect(series[8]?.tokens.slice(-2)).toEqual([10 + 20 + 30 + 40, 5]);
  const drawn = series.flatMap(({ tokens }) => tokens).reduce((all, one) => all + one, 0);
  expect(drawn).toBe(total.inputTokens + total.outputTokens);
  const daily = await usage(ctx, "day");
  expect(daily.series).toHaveLength(1);
  expect(daily.series[0]?.tokens.at(-1)).toBe(5);
});

test("nothing used is nothing, and no error", async () => {
  const ctx = await setUp();
  expect(await usage(ctx, "agent")).toMatchObject({
    rows: [],
    keys: 0,
    series: [],
    total: { calls: 0, inputTokens: 0 },
  });
  expect((await usage(ctx, "day", null)).days).toHaveLength(15);
});

test("lines for a file: each day and part in order", async () => {
  const ctx = await setUp();
  await call(ctx, "2026-01-14", { agent: "planner" });
  await call(ctx, "2026-01-13");
  await call(ctx, "2026-01-14", { tokens: 50 });
  await rollUp(ctx);
  const lines = await usageLines(ctx, { tenantId: TENANT, from: "2026-01-01", to: "2026-01-15", by: "agent" }, 2);
  expect(lines.map(({ day, name }) => [day, name])).toEqual([
    ["2026-01-13", "Writer"],
    ["2026-01-14", "Writer"],
  ]);
});

test("days between two days, both included, over the end of a month", () => {
  expect(daysBetween("2026-02-27", "2026-03-01")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
});

test("caps are set, given back to the platform's own, and shown with what is used today", async () => {
  const ctx = await setUp();
  await ctx.sql`insert into token_days (tenant_id, day, used, reserved) values (${TENANT}, '2026-01-15', 700, 50), (${TENANT}, '2026-01-14', 1, 1)`;
  await setCaps(ctx, TENANT, { tokensPerDay: 1000, maxHops: 2 });
  expect(await readCaps(ctx, TENANT)).toMatchObject({
    limits: { tokensPerDay: 1000, maxHops: 2, quickReplies: 30 },
    today: { day: "2026-01-15", used: 700, reserved: 50 },
  });
  await setCaps(ctx, TENANT, { tokensPerDay: null });
  expect((await readCaps(ctx, TENANT)).limits).toMatchObject({ tokensPerDay: 5_000_000, maxHops: 2 });
  await expect(setCaps(ctx, TENANT, { maxHops: -1 })).rejects.toMatchObject({ code: "invalid" });
  await expect(setCaps(ctx, "nobody", {})).rejects.toMatchObject({ code: "not_found" });
});
