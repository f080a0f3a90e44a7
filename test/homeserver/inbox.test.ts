import { describe, expect, test } from "vitest";
import { CHANNELS, type Context } from "../../core/context.ts";
import { cleanEvent } from "../../homeserver/event.ts";
import { closeInbox, inboxRoutes, onReceived, openInbox, owesPing, receive } from "../../homeserver/inbox.ts";
import { createTenant, tenantAccess } from "../../homeserver/tenants.ts";
import { testContext } from "../harness/postgres.ts";

const event = (id: string, more: object = {}) => ({
  event_id: `$${id}`,
  room_id: "!room:acme.localhost",
  sender: "@ann:acme.localhost",
  type: "m.room.message",
  origin_server_ts: 1,
  content: { msgtype: "m.text", body: id },
  ...more,
});

async function tenant() {
  const ctx = await testContext();
  await createTenant(ctx, { id: "acme" });
  const { hsToken } = await tenantAccess(ctx, "acme");
  const app = inboxRoutes(ctx);
  const put = (body: string, token = hsToken, id = "acme") =>
    app.request(`/as/${id}/_matrix/app/v1/transactions/1`, {
      method: "PUT",
      body,
      headers: { authorization: `Bearer ${token}` },
    });
  return { ctx, app, hsToken, put, send: (...events: unknown[]) => put(JSON.stringify({ events })) };
}

const stored = async (ctx: Context) =>
  (await ctx.sql<{ event_id: string }[]>`select event_id from inbox order by seq`).map((row) => row.event_id);

describe("what a homeserver sends", () => {
  test("is stored in its order, wakes listeners and other processes, and changes nothing the second time", async () => {
    const { ctx, send } = await tenant();
    const heard: unknown[] = [];
    const off = onReceived((tenantId, rooms) => void heard.push([tenantId, rooms]));
    const notified = new Promise<string>((resolve) => void ctx.sql.listen(CHANNELS.inbox, resolve, () => void first()));
    let began: (value: unknown) => void = () => undefined;
    const first = () => began(undefined);
    await new Promise((resolve) => {
      began = resolve;
    });
    expect((await send(event("b"), event("a"), event("c", { room_id: "!two:acme.localhost" }))).status).toBe(200);
    expect(await notified).toMatch(/^acme !/);
    expect((await send(event("b"), event("a"))).status).toBe(200);
    expect((await send(event("a"), event("d"))).status).toBe(200);
    off();
    expect(await stored(ctx)).toEqual(["$b", "$a", "$c", "$d"]);
    expect(heard).toHaveLength(2);
    expect(await ctx.sql`select room_id, kind from rooms order by 1`).toEqual([
      { room_id: "!room:acme.localhost", kind: "other" },
      { room_id: "!two:acme.localhost", kind: "other" },
    ]);
  });

  test("loses nothing to the odd events beside it", async () => {
    const { ctx, send } = await tenant();
    const odd = [
      null,
      7,
      [],
      {},
      event("no-content", { content: "text" }),
      event("no-room", { room_id: undefined }),
      event("state-key", { state_key: 7 }),
      event("x".repeat(3000)),
      event("nul\0id"),
    ];
    const strange = [
      event("nul", { content: { body: "a\0b", "k\0ey": ["\0"] } }),
      event("surrogate", { content: { body: "\ud800 alone" } }),
      event("huge-number", { origin_server_ts: 1e300, content: { n: 1e308 } }),
      event("half-number", { origin_server_ts: 1.5 }),
      event("proto", { content: JSON.parse('{"__proto__": {"a": 1}, "body": "x"}') }),
      event("state", { state_key: "", type: "m.room.name" }),
    ];
    expect((await send(event("first"), ...odd, ...strange, event("last"))).status).toBe(200);
    const nested = `{"events":[${JSON.stringify(event("deep")).replace('"deep"', "[".repeat(20_000) + "]".repeat(20_000))}]}`;
    expect((await inboxPut(ctx, nested)).status).toBe(200);
    const ids = await stored(ctx);
    expect(ids).toEqual(["$first", ...strange.map((one) => one.event_id), "$last", "$deep"]);
    const [nul] = await ctx.sql`select content from inbox where event_id = '$nul'`;
    expect(nul?.content).toEqual({ body: "a\ufffdb", "k\ufffdey": ["\ufffd"] });
  });

  test("is answered with 200 when it cannot be read at all, so that it does not come for ever", async () => {
    const { put } = await tenant();
    for (const body of ["", "not json", "[]", "null", '{"events":{}}', '{"events":[1e999]}'])
      expect((await put(body)).status, body).toBe(200);
  });

  test("needs the tenant's own token", async () => {
    const { ctx, app, put, hsToken } = await tenant();
    await createTenant(ctx, { id: "other" });
    const body = JSON.stringify({ events: [event("a")] });
    expect((await put(body, "wrong")).status).toBe(403);
    expect((await put(body, hsToken, "other")).status).toBe(403);
    expect((await put(body, hsToken, "nobody")).status).toBe(403);
    const bare = await app.request("/as/acme/_matrix/app/v1/transactions/1", { method: "PUT", body });
    expect(bare.status).toBe(401);
    expect(await stored(ctx)).toEqual([]);
  });

  test("gets an error, and a ping later, when the database does not take it", async () => {
    const { ctx, send } = await tenant();
    await ctx.sql`alter table inbox rename to away`;
    expect((await send(event("a"))).status).toBe(503);
    expect(owesPing("acme")).toBe(true);
    await ctx.sql`alter table away rename to inbox`;
    expect((await send(event("a"))).status).toBe(200);
    expect(owesPing("acme")).toBe(false);
    expect(await stored(ctx)).toEqual(["$a"]);
  });

  test("waits behind the gate until what was missed is in", async () => {
    const { ctx, send } = await tenant();
    closeInbox(ctx);
    expect((await send(event("a"))).status).toBe(503);
    openInbox(ctx, "acme");
    expect((await send(event("a"))).status).toBe(200);
    closeInbox(ctx, "acme");
    expect((await send(event("b"))).status).toBe(503);
    expect(await stored(ctx)).toEqual(["$a"]);
  });

  test("answers pings and knows no users or rooms to make", async () => {
    const { app, hsToken } = await tenant();
    const headers = { authorization: `Bearer ${hsToken}` };
    const base = "/as/acme/_matrix/app/v1";
    expect((await app.request(`${base}/ping`, { method: "POST", body: "{}", headers })).status).toBe(200);
    expect((await app.request(`${base}/ping`, { method: "POST", body: "{}" })).status).toBe(401);
    for (const what of ["users/%40agent-x%3Aacme.localhost", "rooms/%23a%3Aacme.localhost"])
      expect((await app.request(`${base}/${what}`, { headers })).status).toBe(404);
  });

  test("from two senders at once is stored once", async () => {
    const { ctx } = await tenant();
    const events = Array.from({ length: 200 }, (_, i) => event(String(i)));
    await Promise.all([
      receive(ctx, "acme", events),
      receive(ctx, "acme", events.toReversed()),
      receive(ctx, "acme", events),
    ]);
    expect((await stored(ctx)).toSorted()).toEqual(events.map((one) => one.event_id).toSorted());
  });
});

async function inboxPut(ctx: Context, body: string): Promise<Response> {
  const { hsToken } = await tenantAccess(ctx, "acme");
  return inboxRoutes(ctx).request("/as/acme/_matrix/app/v1/transactions/2", {
    method: "PUT",
    body,
    headers: { authorization: `Bearer ${hsToken}` },
  });
}

describe("redactions", () => {
  test.each([
    ["room version 12", { content: { redacts: "$x" } }, "$x"],
    ["older rooms", { redacts: "$y", content: {} }, "$y"],
    ["a message that claims one", { type: "m.room.message", content: { redacts: "$x" } }, null],
    ["nonsense", { content: { redacts: 7 } }, null],
  ])("%s", (_name, more, redacts) => {
    expect(cleanEvent(event("r", { type: "m.room.redaction", ...more }), 1)).toMatchObject({ redacts });
  });
});
