import { expect, test } from "vitest";
import { endpoint, words, z } from "../../admin/api/endpoint.ts";
import { serveApi } from "../../admin/api/serve.ts";
import { createSession } from "../../admin/sign-in/sessions.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { makeTenant, TENANT } from "../bots/tenant.ts";
import { testClock, testContext } from "../harness/postgres.ts";

const COOKIE = "__Host-agentopia_session";
const ENV = { AGENTOPIA_URL: "https://chat.example.org" };

/** A small API with one endpoint of each kind, an operator's and a manager's cookie. */
async function setUp(clock = testClock()) {
  const ctx = await testContext({ env: ENV, clock });
  await makeTenant(ctx);
  const seen: unknown[] = [];
  const app = serveApi(ctx, [
    endpoint(
      {
        method: "post",
        path: "/clients/{client}/teams",
        action: "teams.write",
        tag: "teams",
        summary: "make",
        body: z.object({ name: words(10), password: z.string().optional() }),
        answer: z.object({ id: z.string() }),
        status: 201,
        creates: true,
      },
      async ({ body, audit }) => {
        if (body.name === "broken") throw new Error("a fault of ours with s3cret details");
        if (body.name === "refused") throw new AppError("conflict", "There is one already.");
        seen.push(body.name);
        if (body.name === "named")
          audit({ target: { kind: "team", id: "t1", name: "Named" }, before: null, after: body });
        return { id: `team-${seen.length}`, inner: "not for people" };
      },
    ),
    endpoint(
      {
        method: "get",
        path: "/clients/{client}/teams",
        action: "teams.read",
        tag: "teams",
        summary: "read",
        answer: z.object({ q: z.string() }),
        query: z.object({ q: z.string().default("") }),
      },
      async ({ query }) => query,
    ),
    endpoint(
      { method: "get", path: "/clients", action: "clients.list", tag: "clients", summary: "all", answer: z.object({}) },
      async () => ({}),
    ),
    endpoint(
      {
        method: "get",
        path: "/me",
        action: "signed_in",
        tag: "session",
        summary: "me",
        answer: z.object({ name: z.string(), role: z.string() }),
      },
      async ({ caller }) => caller,
    ),
  ]);
  await ctx.sql`insert into operators (id, name) values ('op', 'Olga')`;
  await ctx.sql`insert into tenant_roles (tenant_id, user_id, role) values (${TENANT}, '@maya:acme.test', 'manager')`;
  const operator = await session(ctx, { operatorId: "op" });
  const manager = await session(ctx, { tenantId: TENANT, userId: "@maya:acme.test" });
  const ask = async (
    method: string,
    path: string,
    options: { cookie?: string; body?: unknown; headers?: Record<string, string> } = {},
  ) => {
    const response = await app.request(`/api/v1${path}`, {
      method,
      headers: {
        ...(options.cookie ? { cookie: options.cookie, "sec-fetch-site": "same-origin" } : {}),
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...options.headers,
      },
      ...(options.body === undefined
        ? {}
        : { body: typeof options.body === "string" ? options.body : JSON.stringify(options.body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : null };
  };
  return { ctx, clock, ask, seen, operator, manager };
}

async function session(ctx: Context, account: Parameters<typeof createSession>[1]): Promise<string> {
  return `${COOKIE}=${(await createSession(ctx, account, { userAgent: "test", address: null })).token}`;
}

const log = (ctx: Context) =>
  ctx.sql`select action, outcome, actor_kind as kind, actor_name as who, tenant_id as tenant, target_kind as target, target_id as id, after
    from audit order by seq`;

test("a stranger is told to sign in, a manager of another client that there is no such client", async () => {
  const { ask, manager, ctx } = await setUp();
  expect((await ask("GET", "/clients/acme/teams")).status).toBe(401);
  expect((await ask("GET", "/clients/acme/teams", { cookie: manager })).status).toBe(200);
  const elsewhere = await ask("GET", "/clients/other/teams", { cookie: manager });
  expect(elsewhere).toMatchObject({ status: 404, json: { code: "not_found", detail: expect.stringMatching(/\.$/) } });
  expect(await ask("GET", "/clients", { cookie: manager })).toMatchObject({ status: 403 });
  await ctx.sql`update tenant_roles set role = 'auditor'`;
  const refused = await ask("POST", "/clients/acme/teams", { cookie: manager, body: { name: "x" } });
  expect(refused).toMatchObject({ status: 403, json: { detail: expect.stringContaining("auditor") } });
});

test("a session ends by sign-out, by idleness, by age, and with its account", async () => {
  const { ctx, clock, ask, operator, manager } = await setUp();
  const me = async (cookie: string) => (await ask("GET", "/me", { cookie })).status;
  expect(await me(operator)).toBe(200);
  expect(await me(`${COOKIE}=nonsense`)).toBe(401);
  await ctx.sql`update operators set state = 'disabled'`;
  expect(await me(operator)).toBe(401);
  await ctx.sql`update operators set state = 'active'`;
  for (let day = 0; day < 29; day += 6) {
    expect(await me(operator)).toBe(200);
    clock.move(6 * 86_400_000);
  }
  expect(await me(operator), "too old").toBe(401);
  expect(await me(manager), "unused for too long").toBe(401);
  const fresh = await session(ctx, { tenantId: TENANT, userId: "@maya:acme.test" });
  expect(await me(fresh)).toBe(200);
  await ctx.sql`insert into people (tenant_id, user_id, state) values (${TENANT}, '@maya:acme.test', 'suspended')`;
  expect(await me(fresh), "suspended").toBe(401);
});

test("a request from another page changes nothing, whatever cookie it brings", async () => {
  const { ask, seen, manager } = await setUp();
  const from = (headers: Record<string, string>) =>
    ask("POST", "/clients/acme/teams", { body: { name: "x" }, headers: { cookie: manager, ...headers } });
  for (const headers of [
    {},
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: "https://chat.example.org:8443" },
    { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
  ])
    expect([headers, (await from(headers as Record<string, string>)).status]).toEqual([headers, 403]);
  expect(seen).toEqual([]);
  expect((await from({ origin: "https://chat.example.org" })).status).toBe(201);
});

test("an API token may what it names and its maker may, until it ends", async () => {
  const { ctx, clock, ask } = await setUp();
  const { hashToken } = await import("../../core/ids.ts");
  const token = async (name: string, scopes: string[]) => {
    await ctx.sql`insert into api_tokens (id, name, token_hash, tenant_id, user_id, scopes, expires_at)
      values (${name}, ${name}, ${hashToken(`agt_${name}`)}, ${TENANT}, '@maya:acme.test', ${ctx.sql.json(scopes)}, ${new Date(clock.now() + 60_000)})`;
    return { headers: { authorization: `Bearer agt_${name}` } };
  };
  const writer = await token("writer", ["teams.write", "clients.list"]);
  expect((await ask("POST", "/clients/acme/teams", { ...writer, body: { name: "x" } })).status).toBe(201);
  expect((await ask("GET", "/clients/acme/teams", writer)).status, "not in its scopes").toBe(403);
  expect((await ask("GET", "/clients", writer)).status, "not in its maker's rights").toBe(403);
  expect((await ask("GET", "/me", writer)).status, "not about the account").toBe(403);
  expect(await log(ctx)).toMatchObject([{ who: 'token "writer"', kind: "person" }]);
  clock.move(60_001);
  expect((await ask("POST", "/clients/acme/teams", { ...writer, body: { name: "x" } })).status).toBe(401);
  expect((await ask("GET", "/me", { headers: { authorization: "Basic abc" } })).status).toBe(401);
});

test("every change is in the log, without secrets; what was refused is not, what failed is marked", async () => {
  const { ctx, ask, manager } = await setUp();
  const make = (name: string) =>
    ask("POST", "/clients/acme/teams", { cookie: manager, body: { name, password: "hunter22" } });
  await make("plain");
  await make("named");
  await make("refused");
  const broken = await make("broken");
  expect(broken).toMatchObject({ status: 500, json: { code: "internal" } });
  expect(JSON.stringify(broken.json)).not.toContain("s3cret");
  expect(await log(ctx)).toMatchObject([
    {
      action: "teams.write",
      outcome: "done",
      who: "maya",
      tenant: "acme",
      after: { name: "plain", password: "(not kept)" },
    },
    { outcome: "done", target: "team", id: "t1" },
    { outcome: "failed" },
  ]);
});

test("an answer holds what is described and nothing else", async () => {
  const { ask, manager } = await setUp();
  expect((await ask("POST", "/clients/acme/teams", { cookie: manager, body: { name: "x" } })).json).toEqual({
    id: "team-1",
  });
});

test("the same creation sent twice with one key happens once, also when both are under way", async () => {
  const { ctx, ask, seen, manager, operator } = await setUp();
  const make = (key: string, name: string, cookie = manager) =>
    ask("POST", "/clients/acme/teams", { cookie, body: { name }, headers: { "idempotency-key": key } });
  const both = await Promise.all([make("k1", "a"), make("k1", "a")]);
  expect(both.map(({ status }) => status).toSorted()).toEqual([
    201,
    expect.toSatisfy((status) => status === 201 || status === 409),
  ]);
  expect((await make("k1", "a")).json).toEqual({ id: "team-1" });
  expect(seen).toEqual(["a"]);
  expect((await make("k1", "b")).status, "another request under the same key").toBe(409);
  expect((await make("k1", "a", operator)).status, "another caller's key is another key").toBe(201);
  expect((await make("k2", "refused")).status).toBe(409);
  expect((await make("k2", "refused")).json.detail, "what was refused is asked anew").toBe("There is one already.");
  expect((await make("ü", "a")).status).toBe(400);
  expect(JSON.stringify(await ctx.sql`select response from idempotency_keys`), "sealed").not.toContain("team-1");
});

test.each([
  ["no JSON", "{", 400],
  ["a list", [], 400],
  ["nothing", "", 400],
  ["a number for a text", { name: 7 }, 400],
  ["too long", { name: "x".repeat(11) }, 400],
  ["empty", { name: "   " }, 400],
  ["a NUL", '{"name":"a\\u0000"}', 400],
  ["half an emoji", '{"name":"\\ud83d"}', 400],
  ["a NUL in a name", '{"name":"a","\\u0000":1}', 400],
  ["a bell", { name: "a\u0007" }, 400],
  ["two megabytes", { name: "x", more: "y".repeat(2_000_000) }, 413],
  ["an emoji", { name: "🦊" }, 201],
  ["HTML, which is a text like others", { name: "<b>x</b>" }, 201],
])("a body of %s", async (_name, body, status) => {
  const { ask, manager } = await setUp();
  const answer = await ask("POST", "/clients/acme/teams", { cookie: manager, body });
  expect(answer.status).toBe(status);
  if (status >= 400) expect(answer.headers.get("content-type")).toBe("application/problem+json");
});

test("addresses that are none, other methods and odd characters are told apart", async () => {
  const { ask, operator } = await setUp();
  const get = (path: string) => ask("GET", path, { cookie: operator });
  expect((await get("/nothing")).status).toBe(404);
  const wrong = await ask("DELETE", "/clients/acme/teams", { cookie: operator });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST, GET"]);
  expect((await get("/clients/acme/teams?q=%00")).status).toBe(400);
  expect((await get("/clients/a%00b/teams")).status).toBe(404);
  expect((await get(`/clients/${"x".repeat(400)}/teams`)).status).toBe(404);
  expect((await get("/clients/acme/teams?q=a&q=b")).json).toEqual({ q: "a" });
});
