import { expect, onTestFinished, test } from "vitest";
import { pauseAfter, sendNoticeOnce, startActions } from "../../bots/actions.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { openWake } from "../../core/wake.ts";
import type { ActionPayload } from "../../migrations/types.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";
import { refused, scriptedHomeserver } from "./homeserver.ts";
import { makeTenant, ROOM, TENANT, WRITER } from "./tenant.ts";

async function setting() {
  const ctx = await testContext();
  const homeserver = await scriptedHomeserver();
  await makeTenant(ctx, { url: homeserver.url });
  return { ctx, homeserver };
}

async function started(ctx: Context) {
  const wake = openWake(ctx.databaseUrl, ctx.log);
  const actions = await startActions(ctx, { wake });
  onTestFinished(async () => {
    await actions.stop();
    await wake.close();
  });
  return actions;
}

const add = (ctx: Context, id: string, payload: ActionPayload) => ctx.sql`
  insert into actions (id, tenant_id, room_id, payload) values (${id}, ${TENANT}, ${ROOM}, ${JSON.stringify(payload)}::text::jsonb)`;

const stateOf = async (ctx: Context, id: string) =>
  (
    await ctx.sql<{ state: string; attempts: number; error: string | null }[]>`
    select state, attempts, error from actions where id = ${id}`
  )[0];

const ended = (ctx: Context, id: string, state: string) =>
  eventually(`${id} to be ${state}`, async () => (await stateOf(ctx, id))?.state === state);

test("a notice is sent once, whatever asks for it, with the transaction id of its row", async () => {
  const { ctx, homeserver } = await setting();
  await started(ctx);
  const notice = { cause: ["cap", 1], tenantId: TENANT, roomId: ROOM, as: WRITER, text: "Enough for today." };
  await Promise.all([1, 2, 3].map(() => sendNoticeOnce(ctx, notice)));
  const sent = await eventually("the notice", () => homeserver.to(/\/send\//)[0], { timeoutMs: 2000 });
  expect(sent.body).toMatchObject({ msgtype: "m.notice", body: "Enough for today.", "m.mentions": {} });
  const [row] = await ctx.sql`select id from actions`;
  await ended(ctx, row?.id, "done");
  expect(sent.path.endsWith(`/action-${row?.id}`)).toBe(true);
  expect(homeserver.to(/\/send\//)).toHaveLength(1);
});

test("a notice in a thread stays there and replies to what caused it", async () => {
  const { ctx, homeserver } = await setting();
  await add(ctx, "threaded", { kind: "notice", as: WRITER, text: "Nothing.", threadRoot: "$root", replyTo: "$q" });
  await started(ctx);
  const sent = await eventually("the notice", () => homeserver.to(/\/send\//)[0]);
  expect(sent.body["m.relates_to"]).toEqual({
    rel_type: "m.thread",
    event_id: "$root",
    is_falling_back: true,
    "m.in_reply_to": { event_id: "$q" },
  });
});

test("a join that is refused at first is tried again, and in the end given up with the reason", async () => {
  const { ctx, homeserver } = await setting();
  let refusals = 2;
  homeserver.answer = ({ path }) => (path.endsWith("/join") && refusals-- > 0 ? refused("M_FORBIDDEN") : undefined);
  await add(ctx, "join", { kind: "join", as: WRITER });
  await started(ctx);
  await ended(ctx, "join", "done");
  expect((await stateOf(ctx, "join"))?.attempts).toBe(3);
});

test("what is down is waited for; what is refused for good is not", async () => {
  const { ctx, homeserver } = await setting();
  let down = true;
  homeserver.answer = ({ path }) => {
    if (down) return { status: 503, body: {} };
    return path.includes("/send/") ? refused("M_FORBIDDEN") : undefined;
  };
  await add(ctx, "leave", { kind: "leave", as: WRITER, reason: "No." });
  await add(ctx, "notice", { kind: "notice", as: WRITER, text: "Hello." });
  await started(ctx);
  await eventually(
    "an attempt at each",
    async () => (await stateOf(ctx, "leave"))?.error && (await stateOf(ctx, "notice"))?.error,
  );
  down = false;
  await ended(ctx, "leave", "done");
  await ended(ctx, "notice", "failed");
  expect((await stateOf(ctx, "notice"))?.error).toMatch(/\.$/);
});

test("two executors do each action once", async () => {
  const { ctx, homeserver } = await setting();
  for (let n = 0; n < 40; n++) await add(ctx, `n${n}`, { kind: "notice", as: WRITER, text: `${n}` });
  await Promise.all([started(ctx), started(ctx)]);
  await eventually(
    "all",
    async () => (await ctx.sql`select 1 from actions where state <> 'done' limit 1`).length === 0,
  );
  expect(new Set(homeserver.to(/\/send\//).map(({ path }) => path)).size).toBe(40);
  expect(homeserver.to(/\/send\//)).toHaveLength(40);
});

test("what a dead worker held is done by the next when its time is over", async () => {
  const { ctx, homeserver } = await setting();
  await add(ctx, "held", { kind: "join", as: WRITER });
  await ctx.sql`update actions set attempts = 1, due_at = now() + interval '1 second'`;
  await started(ctx);
  await ended(ctx, "held", "done");
  expect(homeserver.to(/\/join$/)).toHaveLength(1);
});

test("pauses grow, and a wish of the homeserver is heeded", () => {
  const down = (retryAfterMs?: number) =>
    new AppError("homeserver_down", "Down.", retryAfterMs ? { retryAfterMs } : {});
  const no = new AppError("homeserver_refused", "No.");
  const join = { attempts: 1, payload: { kind: "join", as: WRITER } as const };
  const leave = { attempts: 1, payload: { kind: "leave", as: WRITER, reason: "" } as const };
  expect(pauseAfter(leave, down())).toBe(200);
  expect(pauseAfter({ ...leave, attempts: 50 }, down())).toBe(60_000);
  expect(pauseAfter(leave, down(5000))).toBe(5000);
  expect(pauseAfter(leave, no)).toBeNull();
  expect(pauseAfter(join, no)).toBe(200);
  expect(pauseAfter({ ...join, attempts: 8 }, no)).toBeNull();
});
