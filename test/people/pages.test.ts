import { expect, test } from "vitest";
import { publicRoutes } from "../../admin/http.ts";
import { createInvite, revokeInvite } from "../../admin/invites.ts";
import type { Context } from "../../core/context.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam } from "./homeserver.ts";

const PASSWORD = "correct-Horse-7";
const ENV = { AGENTOPIA_URL: "https://chat.example.org" };

type App = ReturnType<typeof publicRoutes>;

async function link(ctx: Context, wish: Partial<Parameters<typeof createInvite>[1]> = {}) {
  const made = await createInvite(ctx, { tenantId: TENANT, ...wish });
  return { id: made.id, path: new URL(made.url).pathname };
}

const post = (app: App, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  app.request(path, { method: "POST", body: new URLSearchParams(fields), headers });

async function setUp(wish: { clock?: ReturnType<typeof testClock>; title?: string; folder?: string } = {}) {
  const ctx = await testContext({ env: ENV, ...(wish.clock ? { clock: wish.clock } : {}) });
  const server = await tenantWithTeam(ctx, wish.title);
  const app = publicRoutes(ctx, { element: { folder: () => wish.folder } });
  return { ctx, server, app };
}

test("the form says where one is invited, and posting it makes the account and says how to sign in", async () => {
  const { ctx, server, app } = await setUp();
  const { path } = await link(ctx);
  const form = await app.request(path);
  expect(form.status).toBe(200);
  const page = await form.text();
  expect(page).toContain("Join Acme Ltd");
  expect(page).toContain("<strong>Sales</strong>");
  expect(page).toMatch(/<form method="post">/);
  const done = await post(app, path, { username: "alice", password: PASSWORD });
  expect(done.status).toBe(200);
  const welcome = await done.text();
  expect(welcome).toContain("@alice:acme.test");
  expect(welcome).toContain(server.url);
  expect(welcome).toContain("app.element.io");
  expect(welcome).not.toContain("/element/acme/");
  expect(welcome).not.toContain("mobile.element.io");
  expect(welcome).not.toContain(PASSWORD);
  expect(server.accounts.get("alice")).toBe(PASSWORD);
});

test("a browser's multipart form works too", async () => {
  const { ctx, server, app } = await setUp();
  const { path } = await link(ctx);
  const body = new FormData();
  body.set("username", "alice");
  body.set("password", PASSWORD);
  expect((await app.request(path, { method: "POST", body })).status).toBe(200);
  expect(server.accounts.get("alice")).toBe(PASSWORD);
});

test("with Element Web served, the button leads there; with HTTPS, the phone gets a link and a QR code", async () => {
  const { ctx, app } = await setUp({ folder: "/somewhere" });
  await ctx.sql`update tenants set homeserver_url = 'https://matrix.acme.test', driver = 'external'`;
  const { sendWelcome } = await import("../../admin/join/welcome.ts");
  const { Hono } = await import("hono");
  const person = {
    username: "alice",
    userId: "@alice:acme.test",
    tenantId: TENANT,
    tenantTitle: "Acme Ltd",
    serverName: "acme.test",
    homeserverUrl: "https://matrix.acme.test",
    elementServed: true,
    place: { panel: null, team: null },
  };
  const page = await (await new Hono().get("/", (c) => sendWelcome(c, person)).request("/")).text();
  expect(page).toContain('href="/element/acme/#/login"');
  expect(page).toContain(
    'href="https://mobile.element.io/element?account_provider=acme.test&amp;login_hint=mxid:@alice:acme.test"',
  );
  expect(page).toMatch(/<svg[^>]*viewBox/);
  expect(app).toBeDefined();
});

test.each([
  ["owner", "You are an owner here."],
  ["manager", "You are a manager here."],
  ["auditor", "You are an auditor here."],
] as const)("who joins as %s is shown the panel and the name to sign in with there", async (role, sentence) => {
  const { ctx, app } = await setUp();
  const { path } = await link(ctx, { role });
  const answer = await post(app, path, { username: "olga", password: PASSWORD });
  const page = await answer.text();
  expect(page).toContain("<h2>Your panel</h2>");
  expect(page).toContain(sentence);
  expect(page).toContain('href="https://chat.example.org/panel/"');
  expect(page).toContain("Sign in with the name <code>@olga:acme.test</code>");
  expect(answer.headers.get("content-security-policy")).not.toContain("unsafe");
});

test("a member hears nothing of the panel; of a team its rooms, its agents and how to ask, escaped", async () => {
  const { ctx, app } = await setUp();
  await ctx.sql`update teams set name = '<b>Sales</b>'`;
  await ctx.sql`update rooms set channel = 'general' where room_id = '!general:acme.test'`;
  await ctx.sql`update rooms set channel = '<i>deals</i>', created_at = now() + interval '1 minute' where room_id = '!deals:acme.test'`;
  for (const [id, name] of [
    ["writer", "Writer"],
    ["bad", "<img src=x>"],
  ] as const) {
    const user = `@agent-${id}:acme.test`;
    await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id)
      values (${id}, ${TENANT}, ${name}, ${user}, 'active', '{"scope":"member"}', 'X')`;
    await ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership)
      values (${TENANT}, ${id === "bad" ? "!deals:acme.test" : "!general:acme.test"}, ${user}, 'join')`;
  }
  const { path } = await link(ctx, { teamId: "team" });
  const page = await (await post(app, path, { username: "alice", password: PASSWORD })).text();
  expect(page).not.toContain("/panel/");
  expect(page).toContain("Your team &lt;b&gt;Sales&lt;/b&gt;");
  expect(page).toContain("<strong>general</strong>, <strong>&lt;i&gt;deals&lt;/i&gt;</strong>");
  expect(page).toContain("<strong>Writer</strong>, <strong>&lt;img src=x&gt;</strong>");
  expect(page).toContain("In <strong>general</strong> write <strong>@Writer</strong> and your question.");
  expect(page).not.toMatch(/<(img|i|b)[ >]/);
});

test("pages keep to themselves: no store, no referrer, nothing from elsewhere, a new nonce each time", async () => {
  const { ctx, app } = await setUp();
  const { path } = await link(ctx);
  const [one, two] = [await app.request(path), await app.request(path)];
  expect(one.headers.get("cache-control")).toBe("no-store");
  expect(one.headers.get("referrer-policy")).toBe("no-referrer");
  expect(one.headers.get("x-content-type-options")).toBe("nosniff");
  const policy = one.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("form-action 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(policy).not.toBe(two.headers.get("content-security-policy"));
  const page = await one.text();
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "none";
  expect(page).toContain(`<script nonce="${nonce}">`);
  expect(page).not.toMatch(/(src|href)="https?:/);
});

test("what was typed comes back escaped, tied to its field, and without the password", async () => {
  const { ctx, server, app } = await setUp({ title: '<img src=x onerror="alert(1)">' });
  const { path } = await link(ctx);
  const answer = await post(app, path, { username: '"><script>alert(1)</script>', password: "short" });
  expect(answer.status).toBe(400);
  const page = await answer.text();
  expect(page).not.toContain("<script>alert");
  expect(page).not.toContain("<img");
  expect(page).toContain("&quot;&gt;&lt;script&gt;alert(1)");
  expect(page).toMatch(/id="username"[^>]*aria-invalid="true"/s);
  expect(page).toMatch(/<p class="error" id="username-error"[^>]*>[^<]+\.<\/p>/);
  expect(page).toMatch(/<p class="error" id="password-error"[^>]*>[^<]+\.<\/p>/);
  expect(page).not.toContain("short");
  expect(server.accounts.size).toBe(0);
});

test("the page asks while one types, and gets what the post would say", async () => {
  const { ctx, app } = await setUp();
  const { path } = await link(ctx);
  const check = async (username: string, password: string) =>
    (await post(app, `${path}/check`, { username, password })).json();
  expect(await check("Alice", PASSWORD)).toEqual({});
  expect(await check("agent-x", "short")).toEqual({
    username: expect.stringMatching(/\.$/),
    password: expect.stringMatching(/\.$/),
  });
});

test("links that are over say so on GET and on POST, and make nothing", async () => {
  const clock = testClock();
  const { ctx, server, app } = await setUp({ clock });
  const spent = await link(ctx);
  const expired = await link(ctx, { ttl: 1000 });
  const revoked = await link(ctx);
  expect((await post(app, spent.path, { username: "first", password: PASSWORD })).status).toBe(200);
  await revokeInvite(ctx, revoked.id);
  clock.move(2000);
  const cases = [
    [spent.path, 410, "used up"],
    [expired.path, 410, "expired"],
    [revoked.path, 410, "withdrawn"],
    ["/join/unknown", 404, "no such invite link"],
    [`/join/${"x".repeat(5000)}`, 404, "no such invite link"],
    ["/join/%00%ff", 404, "no such invite link"],
  ] as const;
  for (const [path, status, words] of cases)
    for (const answer of [await app.request(path), await post(app, path, { username: "late", password: PASSWORD })]) {
      expect([path.slice(0, 40), answer.status]).toEqual([path.slice(0, 40), status]);
      expect(await answer.text()).toContain(words);
    }
  expect([...server.accounts.keys()]).toEqual(["first"]);
});

test("a second click over a spent link shows the welcome again, another's name does not", async () => {
  const { ctx, app } = await setUp();
  const { path } = await link(ctx);
  expect((await post(app, path, { username: "alice", password: PASSWORD })).status).toBe(200);
  expect((await post(app, path, { username: "alice", password: PASSWORD })).status).toBe(200);
  expect((await post(app, path, { username: "alice", password: "other-Password-9" })).status).toBe(410);
});

test("a name that is taken: 409, the form with the name in it", async () => {
  const { ctx, server, app } = await setUp();
  server.accounts.set("alice", "x");
  const { path } = await link(ctx);
  const answer = await post(app, path, { username: "alice", password: PASSWORD });
  expect(answer.status).toBe(409);
  const page = await answer.text();
  expect(page).toContain("This user name is taken.");
  expect(page).toContain('value="alice"');
});

test("a homeserver that is down: a sentence, the name is kept, nothing is made, no address is shown", async () => {
  const { ctx, server, app } = await setUp();
  const { path } = await link(ctx);
  await server.close();
  const answer = await post(app, path, { username: "alice", password: PASSWORD });
  expect(answer.status).toBe(502);
  const page = await answer.text();
  expect(page).toContain("does not answer at the moment");
  expect(page).toContain('value="alice"');
  expect(page).not.toContain(server.url);
  await server.open();
  expect((await post(app, path, { username: "alice", password: PASSWORD })).status).toBe(200);
});

test.each([
  [
    "JSON",
    {
      body: JSON.stringify({ username: "alice", password: PASSWORD }),
      headers: { "content-type": "application/json" },
    },
    400,
  ],
  ["no type", { body: new Uint8Array([1, 2, 3]) }, 400],
  ["broken multipart", { body: "--nope", headers: { "content-type": "multipart/form-data" } }, 400],
  ["a file in place of a name", { body: fileForm() }, 400],
  ["a megabyte", { body: new URLSearchParams({ username: "a".repeat(1_000_000), password: PASSWORD }) }, 413],
  ["nothing", { body: new URLSearchParams() }, 400],
])("a post of %s is refused with a page", async (_name, init, status) => {
  const { ctx, server, app } = await setUp();
  const { path } = await link(ctx);
  const answer = await app.request(path, { method: "POST", ...init });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toContain("text/html");
  expect(server.accounts.size).toBe(0);
});

function fileForm(): FormData {
  const form = new FormData();
  form.set("username", new Blob(["alice"]), "name.txt");
  form.set("password", PASSWORD);
  return form;
}

test("other methods are told what works", async () => {
  const { ctx, app } = await setUp();
  const { path } = await link(ctx);
  const answer = await app.request(path, { method: "DELETE" });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("GET, POST");
});

test("guessing links is slowed down for the address that guesses, and goes on later", async () => {
  const clock = testClock();
  const { ctx, app } = await setUp({ clock });
  const { path } = await link(ctx, { maxUses: 5 });
  const guess = (n: number, address: string) => request(app, `/join/guess-${n}`, address);
  const statuses: number[] = [];
  for (let n = 0; n < 40; n++) statuses.push((await guess(n, "192.0.2.1")).status);
  expect(statuses.slice(0, 30)).toEqual(Array(30).fill(404));
  expect(statuses.slice(30)).toEqual(Array(10).fill(429));
  const held = await request(app, path, "192.0.2.1");
  expect(held.status).toBe(429);
  expect(Number(held.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await held.text()).toContain("too many tries");
  expect((await request(app, path, "192.0.2.2")).status).toBe(200);
  clock.move(6_000);
  expect((await request(app, path, "192.0.2.1")).status).toBe(200);
});

test("passwords cannot be tried out over a link that made an account", async () => {
  const clock = testClock();
  const { ctx, app } = await setUp({ clock });
  const { path } = await link(ctx, { maxUses: 5 });
  expect((await post(app, path, { username: "alice", password: PASSWORD })).status).toBe(200);
  const statuses: number[] = [];
  for (let n = 0; n < 62; n++)
    statuses.push((await post(app, path, { username: "alice", password: `wrong-Password-${n}` })).status);
  expect(statuses.slice(0, 60)).toEqual(Array(60).fill(409));
  expect(statuses.slice(60)).toEqual([429, 429]);
});

/** As node-server calls the app: with the connection that the request came over. */
function request(app: App, path: string, address: string, headers: Record<string, string> = {}) {
  const incoming = { socket: { remoteAddress: address, remotePort: 1, remoteFamily: "IPv4" } };
  return app.request(path, { headers }, { incoming });
}

test("every route is known here, so that none is added unseen", async () => {
  const { app } = await setUp();
  const routes = app.routes.filter(({ method, path }) => !(method === "ALL" && path.endsWith("*")));
  expect([...new Set(routes.map(({ method, path }) => `${method} ${path}`))].toSorted()).toEqual([
    "ALL /join/:token",
    "GET /",
    "GET /.well-known/matrix/client",
    "GET /.well-known/matrix/server",
    "GET /api/docs",
    "GET /element/:tenant",
    "GET /element/:tenant/*",
    "GET /healthz",
    "GET /join/:token",
    "GET /panel",
    "GET /panel/*",
    "GET /panel/assets/:file",
    "POST /join/:token",
    "POST /join/:token/check",
  ]);
});

test("a stranger gets nothing but what is for strangers", async () => {
  const { app } = await setUp();
  const cases: [string, number][] = [
    ["/", 302],
    ["/healthz", 200],
    ["/nothing", 404],
    ["/element/acme", 302],
    ["/element/acme/", 404],
    ["/element/nobody/config.json", 404],
    ["/element/%00/config.json", 404],
    ["/.well-known/matrix/client", 404],
    ["/metrics", 404],
    ["/as/acme/transactions/1", 404],
  ];
  for (const [path, status] of cases) expect([path, (await app.request(path)).status]).toEqual([path, status]);
});

test("/healthz is 200 while the database answers and 503 when it does not", async () => {
  const { ctx, app } = await setUp();
  const up = await app.request("/healthz");
  expect(up.status).toBe(200);
  expect(await up.json()).toMatchObject({ ok: true });
  await ctx.close();
  const down = await app.request("/healthz");
  expect(down.status).toBe(503);
  expect(await down.json()).toMatchObject({ ok: false });
  const page = await app.request("/join/anything");
  expect(page.status).toBeGreaterThanOrEqual(500);
  expect(await page.text()).not.toMatch(/Error|at \w+ \(|undefined/);
});

test(".well-known answers for a tenant's server name, by Host, for any web page", async () => {
  const { server, app } = await setUp();
  for (const host of ["acme.test", "ACME.test", "acme.test:8448"]) {
    const answer = await app.request("/.well-known/matrix/client", { headers: { host } });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await answer.json()).toMatchObject({
      "m.homeserver": { base_url: server.url },
      "io.element.e2ee": { default: false, force_disable: true },
    });
  }
  const federation = await app.request("/.well-known/matrix/server", { headers: { host: "acme.test" } });
  expect(await federation.json()).toEqual({ "m.server": new URL(server.url).host });
  for (const host of ["other.test", "acme.test-", "' or 1=1", "x".repeat(10_000)])
    expect((await app.request("/.well-known/matrix/client", { headers: { host } })).status).toBe(404);
});
