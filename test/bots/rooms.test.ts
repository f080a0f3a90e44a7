/** Rooms that are seen for the first time, and agents that come into them. */
import { expect, test } from "vitest";
import { drainRoom } from "../../bots/drain-room.ts";
import type { Context } from "../../core/context.ts";
import { testContext } from "../harness/postgres.ts";
import { ok, refused, type ScriptedHomeserver, scriptedHomeserver } from "./homeserver.ts";
import {
  ALICE,
  BOB,
  CONTROL,
  deliver,
  event,
  makeAgent,
  makeTenant,
  outcomes,
  PLANNER,
  says,
  TENANT,
  WRITER,
} from "./tenant.ts";

const PEOPLES = "!peoples:acme.test";
const PLACE = { tenantId: TENANT, roomId: PEOPLES };
const drain = (ctx: Context) => drainRoom(ctx, PLACE, () => undefined);

type Piece = { type: string; state_key: string; sender: string; content: Record<string, unknown> };
const piece = (type: string, content: Record<string, unknown>, stateKey = ""): Piece => ({
  type,
  state_key: stateKey,
  sender: ALICE,
  content,
});
const joined = (userId: string) =>
  piece("m.room.member", { membership: "join", displayname: userId.slice(1, 4) }, userId);
const coming = (userId: string, membership = "join") =>
  event({
    room: PEOPLES,
    type: "m.room.member",
    stateKey: userId,
    sender: membership === "invite" ? ALICE : userId,
    content: { membership },
  });
const said = (body: string, ...mentions: string[]) => event({ room: PEOPLES, content: says(body, ...mentions) });

const BASE = [
  piece("m.room.create", { room_version: "12" }),
  piece("m.room.history_visibility", { history_visibility: "shared" }),
  joined(ALICE),
  joined(WRITER),
];

/** A room that people made: its state is known to the homeserver alone. */
async function setting(state: Piece[] = BASE, history: Record<string, unknown>[] = []) {
  const ctx = await testContext();
  const homeserver = await scriptedHomeserver();
  await makeTenant(ctx, { url: homeserver.url, rooms: [] });
  homeserver.answer = ({ path }) => {
    if (path.endsWith("/state")) return ok(state);
    if (path.endsWith("/messages")) return ok({ chunk: history });
    return undefined;
  };
  return { ctx, homeserver };
}

const earlier = (id: string, body: string) => ({
  event_id: id,
  type: "m.room.message",
  sender: ALICE,
  origin_server_ts: Date.now() - 60_000,
  content: says(body),
});

const visibleFrom = async (ctx: Context, userId: string) =>
  (await ctx.sql`select visible_from::int as seq from room_members where user_id = ${userId}`)[0]?.seq;

const down = (homeserver: ScriptedHomeserver) => {
  homeserver.answer = () => ({ status: 503, body: {} });
};

test("an invite needs no look at the room; who comes in reads its state and what was said before", async () => {
  const { ctx, homeserver } = await setting(BASE, [earlier("$new", "second"), earlier("$old", "first")]);
  await deliver(ctx, coming(WRITER, "invite"));
  await drain(ctx);
  expect(await ctx.sql`select payload from actions`).toEqual([{ payload: { kind: "join", as: WRITER } }]);
  expect(homeserver.requests).toHaveLength(0);

  await deliver(ctx, coming(WRITER), said("hello"));
  await drain(ctx);
  const found = await outcomes(ctx, PEOPLES);
  expect(Object.values(found).sort()).toEqual(["backfill", "backfill", "invite:join", "member:join", "run"]);
  expect(Object.keys(found).slice(-2)).toEqual(["$old", "$new"]);
  expect(homeserver.to(/\/state$/)).toMatchObject([{ as: WRITER }]);
  expect(homeserver.to(/\/messages$/)).toMatchObject([{ as: WRITER }]);
  expect(await visibleFrom(ctx, WRITER)).toBe(0);
  expect(await ctx.sql`select 1 from runs`).toHaveLength(1);
});

test("where history is restricted nothing is fetched, and the agent sees from its coming on", async () => {
  const restricted = BASE.map((one) =>
    one.type.endsWith("visibility") ? piece(one.type, { history_visibility: "joined" }) : one,
  );
  const { ctx, homeserver } = await setting(restricted, [earlier("$old", "secret")]);
  const join = coming(WRITER);
  await deliver(ctx, said("before"), join);
  await drain(ctx);
  expect(homeserver.to(/\/messages$/)).toHaveLength(0);
  const [row] = await ctx.sql`select seq::int as seq from inbox where event_id = ${join.event_id}`;
  expect(await visibleFrom(ctx, WRITER)).toBe(row?.seq);
});

test("a newcomer does not see what was said before history was opened", async () => {
  const { ctx } = await setting();
  const opened = event({
    room: PEOPLES,
    type: "m.room.history_visibility",
    stateKey: "",
    content: { history_visibility: "shared" },
  });
  await deliver(ctx, said("confidential"), opened, said("open"), coming(PLANNER));
  await drain(ctx);
  const [row] = await ctx.sql`select seq::int as seq from inbox where event_id = ${opened.event_id}`;
  expect(await visibleFrom(ctx, PLANNER)).toBe(row?.seq);
});

test("history closed and opened again is open from then on only", async () => {
  const { ctx } = await setting();
  const visibility = (value: string) =>
    event({ room: PEOPLES, type: "m.room.history_visibility", stateKey: "", content: { history_visibility: value } });
  const reopened = visibility("shared");
  await deliver(ctx, visibility("shared"), visibility("joined"), said("confidential"), reopened, coming(PLANNER));
  await drain(ctx);
  const [row] = await ctx.sql`select seq::int as seq from inbox where event_id = ${reopened.event_id}`;
  expect(await visibleFrom(ctx, PLANNER)).toBe(row?.seq);
});

test("what was written to an agent between its invite and its coming is answered, once", async () => {
  const now = Date.now();
  const first = { ...earlier("$first", "are you there?"), origin_server_ts: now - 3000 };
  const { ctx } = await setting(BASE, [first, earlier("$old", "long ago")]);
  await deliver(ctx, { ...coming(WRITER, "invite"), origin_server_ts: now - 5000 });
  await drain(ctx);
  await deliver(ctx, coming(WRITER), { ...said("hello?"), origin_server_ts: now + 10 }, { ...first, room_id: PEOPLES });
  await drain(ctx);
  expect(await outcomes(ctx, PEOPLES)).toMatchObject({ $first: "run", $old: "backfill" });
  expect(await ctx.sql`select 1 from runs`).toHaveLength(2);
});

test("what Synapse hands out again from before an agent came asks nobody and sets nothing back", async () => {
  const { ctx } = await setting();
  await deliver(ctx, coming(WRITER));
  await drain(ctx);
  const long_ago = { origin_server_ts: Date.now() - 3_600_000 };
  await deliver(
    ctx,
    { ...said("Writer?", WRITER), ...long_ago },
    { ...coming(ALICE, "leave"), ...long_ago },
    said("hello"),
  );
  await drain(ctx);
  expect(Object.values(await outcomes(ctx, PEOPLES)).slice(-3)).toEqual([
    "ignored:before_arrival",
    "ignored:before_arrival",
    "run",
  ]);
  expect(await ctx.sql`select membership from room_members where user_id = ${ALICE}`).toEqual([{ membership: "join" }]);
});

test("the second agent to come fetches nothing: everything since reached us", async () => {
  const { ctx, homeserver } = await setting();
  await deliver(ctx, coming(WRITER));
  await drain(ctx);
  await deliver(ctx, coming(PLANNER));
  await drain(ctx);
  expect(homeserver.to(/\/messages$/)).toHaveLength(1);
});

test("an encrypted room is told once that it cannot be read", async () => {
  const { ctx } = await setting([...BASE, piece("m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" })]);
  await deliver(
    ctx,
    coming(WRITER),
    event({ room: PEOPLES, type: "m.room.encrypted", content: { algorithm: "m.megolm" } }),
    coming(WRITER),
  );
  await drain(ctx);
  const told = await ctx.sql`select payload->>'as' as "by", payload->>'text' as text from actions`;
  expect(told).toEqual([
    { by: WRITER, text: expect.stringMatching(/cannot read this room, because it is encrypted\. Make a new room/) },
  ]);
});

test("while the homeserver is down the events wait; then they are routed", async () => {
  const { ctx, homeserver } = await setting();
  const answer = homeserver.answer;
  down(homeserver);
  await deliver(ctx, coming(WRITER), said("hello"));
  await expect(drain(ctx)).rejects.toMatchObject({ code: "homeserver_down" });
  expect(Object.values(await outcomes(ctx, PEOPLES))).toEqual([null, null]);
  homeserver.answer = answer;
  await drain(ctx);
  expect(Object.values(await outcomes(ctx, PEOPLES))).toEqual(["member:join", "run"]);
});

test("a room whose state nobody of us may read still hears a mention", async () => {
  const { ctx, homeserver } = await setting();
  homeserver.answer = ({ path }) => (path.endsWith("/state") ? refused("M_FORBIDDEN") : undefined);
  await deliver(ctx, coming(WRITER), said("hello Writer", WRITER));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx, PEOPLES))).toEqual(["member:join", "run"]);
});

test("a direct chat ends to be one when a second person is invited, and is one again when that one goes", async () => {
  const { ctx } = await setting();
  await deliver(
    ctx,
    coming(WRITER),
    said("one"),
    coming(BOB, "invite"),
    said("two"),
    coming(BOB, "leave"),
    said("three"),
  );
  await drain(ctx);
  expect(Object.values(await outcomes(ctx, PEOPLES))).toEqual([
    "member:join",
    "run",
    "member:invite",
    "ignored:not_addressed",
    "member:leave",
    "run",
  ]);
});

test("functional members are not counted as people", async () => {
  const state = [
    ...BASE,
    joined(CONTROL),
    joined("@bridge:acme.test"),
    piece("io.element.functional_members", { service_members: ["@bridge:acme.test"] }),
  ];
  const { ctx } = await setting(state);
  await deliver(ctx, coming(WRITER), said("hello"));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx, PEOPLES)).at(-1)).toBe("run");
});

test("an agent whose name is on another server counts as a stranger", async () => {
  const { ctx } = await setting([...BASE, joined("@agent-writer:evil.test")]);
  await deliver(ctx, coming(WRITER), said("hello"));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx, PEOPLES)).at(-1)).toBe("ignored:not_addressed");
});

test("the last person goes: so do the agents", async () => {
  const { ctx } = await setting();
  await deliver(ctx, coming(WRITER), coming(ALICE, "leave"));
  await drain(ctx);
  expect(await ctx.sql`select payload->>'kind' as kind, payload->>'as' as who from actions`).toEqual([
    { kind: "leave", who: WRITER },
  ]);
});

test("agents of a room's own scope: the observer of this room stays silent", async () => {
  const { ctx } = await setting();
  const guest = await makeAgent(ctx, "@agent-guest:acme.test", { scope: "observer" });
  await ctx.sql`insert into agent_scopes (agent_id, room_id, scope) values ('writer', ${PEOPLES}, 'observer')`;
  await deliver(ctx, coming(WRITER), coming("@agent-guest:acme.test"), said("both", WRITER, "@agent-guest:acme.test"));
  await drain(ctx);
  expect(guest).toBe("guest");
  expect(Object.values(await outcomes(ctx, PEOPLES)).at(-1)).toBe("ignored:observer");
});
