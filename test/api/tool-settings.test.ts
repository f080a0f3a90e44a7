import { expect, test } from "vitest";
import { MOST_FILE, writeFile } from "../../bots/tools/files.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { MAIL_PASSWORD, mailServer } from "../bots/mail-server.ts";
import { ALICE, makeTenant, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

const OTHER = "rival";
const SETTINGS = `/clients/${TENANT}/tool-settings`;
const SECRETS = `/clients/${TENANT}/tool-secrets`;
const FILES = `/clients/${TENANT}/files`;

async function setUp(allow = "") {
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: allow } });
  await makeTenant(ctx);
  await createTenant(ctx, { id: OTHER, serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  const api = apiFor(ctx);
  const manager = await api.person(TENANT, "manager", ALICE);
  /** Everything that the database holds as text, to look for what must not be there. */
  const everything = async () =>
    JSON.stringify([
      await ctx.sql`select * from audit`,
      await ctx.sql`select * from tool_settings`,
      await ctx.sql`select * from tool_secrets`,
    ]);
  return { ctx, api, manager, everything };
}

const MAIL = {
  host: "smtp.example.org",
  port: 465,
  secure: true,
  user: "agents",
  from: "Agents <agents@example.org>",
  password: "hush-hush-1",
};

const file = (bytes: string | Uint8Array, contentType = "text/plain") => ({
  body: bytes as NonNullable<RequestInit["body"]>,
  headers: { "content-type": contentType },
});

test("a manager sets mail and search; passwords go in and never come out, not even into the log", async () => {
  const { manager, everything } = await setUp();
  const search = { kind: "brave", url: null, key: "hush-hush-2" };
  const put = await manager("PUT", SETTINGS, { mail: MAIL, search });
  expect(put.status).toBe(200);
  const { password: _password, ...mail } = MAIL;
  const shown = {
    mail: { ...mail, hasPassword: true },
    search: { kind: "brave", url: null, hasKey: true },
    approvalMinutes: 30,
  };
  expect(put.json).toEqual(shown);
  expect((await manager("GET", SETTINGS)).json).toEqual(shown);
  expect((await manager("PUT", SETTINGS, { search: null })).json).toEqual({ ...shown, search: null });
  expect(await everything()).not.toMatch(/hush-hush/);
});

test("the log says what was changed, by whom and to what", async () => {
  const { ctx, manager } = await setUp();
  await manager("PUT", SETTINGS, { mail: MAIL });
  const [line] = await ctx.sql`select action, actor_id, before, after, outcome from audit order by seq desc limit 1`;
  expect(line).toMatchObject({
    action: "tools.change_settings",
    actor_id: ALICE,
    before: { mail: null },
    after: { mail: { host: "smtp.example.org", hasPassword: true } },
    outcome: "done",
  });
});

test("what is wrong is said at its field, and nothing is kept", async () => {
  const { manager } = await setUp();
  const answer = await manager("PUT", SETTINGS, { mail: { ...MAIL, host: "127.0.0.1", port: 70_000 } });
  expect(answer.status).toBe(400);
  expect(answer.json.errors.map(({ path }: { path: string }) => path)).toEqual(["mail.host", "mail.port"]);
  expect(JSON.stringify(answer.json)).not.toContain("hush-hush");
  expect((await manager("GET", SETTINGS)).json).toEqual({ mail: null, search: null, approvalMinutes: 30 });
});

test("how long questions wait is set from a minute to a week, and set back", async () => {
  const { ctx, manager } = await setUp();
  for (const approvalMinutes of [0, 1.5, 10_081, "30"])
    expect((await manager("PUT", SETTINGS, { approvalMinutes })).json.errors[0].path).toBe("approvalMinutes");
  expect((await manager("PUT", SETTINGS, { approvalMinutes: 10_080 })).json.approvalMinutes).toBe(10_080);
  const [line] = await ctx.sql`select before, after from audit order by seq desc limit 1`;
  expect(line).toEqual({ before: { approvalMinutes: 30 }, after: { approvalMinutes: 10_080 } });
  expect((await manager("PUT", SETTINGS, { search: null })).json.approvalMinutes).toBe(10_080);
  expect((await manager("PUT", SETTINGS, { approvalMinutes: null })).json.approvalMinutes).toBe(30);
});

test("the mail server is tried: without an address nothing is sent, with one a test mail", async () => {
  const server = await mailServer({ auth: true });
  const { manager, everything } = await setUp(`127.0.0.1:${server.port}`);
  expect((await manager("POST", `${SETTINGS}/mail/test`, {})).status).toBe(404);
  const mail = { ...MAIL, host: "127.0.0.1", port: server.port, secure: false, password: MAIL_PASSWORD };
  await manager("PUT", SETTINGS, { mail });
  expect((await manager("POST", `${SETTINGS}/mail/test`, {})).json).toEqual({
    ok: true,
    text: "127.0.0.1 takes mails from here. No mail was sent.",
  });
  expect(server.mails).toEqual([]);
  expect((await manager("POST", `${SETTINGS}/mail/test`, { to: "ann@example.org" })).json).toMatchObject({ ok: true });
  expect(server.mails.map(({ to }) => to)).toEqual([["ann@example.org"]]);
  const bad = await manager("POST", `${SETTINGS}/mail/test`, { to: "ann@example.org, eve@evil.test" });
  expect(bad.json).toMatchObject({ ok: false });
  await manager("PUT", SETTINGS, { mail: { ...mail, password: "hush-hush-3" } });
  const wrong = await manager("POST", `${SETTINGS}/mail/test`, {});
  expect(wrong.json.ok).toBe(false);
  expect(JSON.stringify(wrong.json) + (await everything())).not.toMatch(/hush-hush|open sesame/);
});

test("secrets are kept, listed without what they are, changed and removed", async () => {
  const { manager, everything } = await setUp();
  const body = { header: "X-Api-Key", hosts: ["api.example.org"], secret: "hush-hush-4" };
  const kept = await manager("PUT", `${SECRETS}/crm`, body);
  expect(kept.json).toMatchObject({ name: "crm", header: "X-Api-Key", hosts: ["api.example.org"], createdBy: ALICE });
  await manager("PUT", `${SECRETS}/weather`, body);
  const first = await manager("GET", `${SECRETS}?limit=1`);
  expect(first.json.items.map(({ name }: { name: string }) => name)).toEqual(["crm"]);
  const second = await manager("GET", `${SECRETS}?limit=1&cursor=${first.json.next}`);
  expect(second.json.items.map(({ name }: { name: string }) => name)).toEqual(["weather"]);
  expect(second.json.next).toBeNull();
  expect((await manager("PUT", `${SECRETS}/crm`, { header: "X-Key", hosts: ["api.example.org"] })).status).toBe(200);
  const elsewhere = await manager("PUT", `${SECRETS}/crm`, { header: "X-Key", hosts: ["evil.test"] });
  expect(elsewhere.json.errors).toMatchObject([{ path: "secret" }]);
  expect((await manager("DELETE", `${SECRETS}/crm`)).status).toBe(204);
  expect((await manager("DELETE", `${SECRETS}/crm`)).status).toBe(404);
  expect(JSON.stringify([kept.json, first.json]) + (await everything())).not.toMatch(/hush-hush/);
});

test("a file is uploaded, listed, downloaded as it is and removed", async () => {
  const { ctx, api, manager } = await setUp();
  const path = `${FILES}/${encodeURIComponent("reports/März 'x'.html")}`;
  const html = "<script>alert(1)</script>";
  const put = await api.app.request(`/api/v1${path}`, {
    ...manager.init("PUT"),
    body: html,
    headers: { ...headersOf(manager), "content-type": "text/html; charset=utf-8" },
  });
  expect(put.status).toBe(200);
  expect(await put.json()).toMatchObject({
    path: "reports/März 'x'.html",
    contentType: "text/html",
    size: html.length,
    writtenBy: ALICE,
  });
  const list = await manager("GET", FILES);
  expect(list.json).toMatchObject({ items: [{ untrusted: null }], area: { files: 1, bytes: html.length }, next: null });
  const got = await manager("GET", path);
  expect(got.json).toBe(html);
  expect(Object.fromEntries(got.headers)).toMatchObject({
    "content-type": "text/html",
    "content-disposition": `attachment; filename="file"; filename*=UTF-8''M%C3%A4rz%20%27x%27.html`,
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });
  expect((await manager("DELETE", path)).status).toBe(204);
  expect((await manager("GET", path)).status).toBe(404);
  const lines = await ctx.sql`select action, target_id, before, after from audit order by seq`;
  expect(lines.map(({ action, target_id }) => [action, target_id])).toEqual([
    ["files.write", "reports/März 'x'.html"],
    ["files.remove", "reports/März 'x'.html"],
  ]);
  expect(JSON.stringify(lines)).not.toContain("alert");
});

const headersOf = (asking: { init(method: string): RequestInit }) =>
  asking.init("GET").headers as Record<string, string>;

test("files come in pages, in the order of their paths, and by folder", async () => {
  const { ctx, manager } = await setUp();
  for (const path of ["b/2.md", "a.md", "b/1.md", "c.md"])
    await writeFile(ctx, TENANT, { path, bytes: Buffer.from("x"), untrusted: null, by: ALICE });
  const first = await manager("GET", `${FILES}?limit=3`);
  const second = await manager("GET", `${FILES}?limit=3&cursor=${first.json.next}`);
  const paths = [...first.json.items, ...second.json.items].map(({ path }: { path: string }) => path);
  expect(paths).toEqual(["a.md", "b/1.md", "b/2.md", "c.md"]);
  const folder = await manager("GET", `${FILES}?folder=b`);
  expect(folder.json.items.map(({ path }: { path: string }) => path)).toEqual(["b/1.md", "b/2.md"]);
  expect((await manager("GET", `${FILES}?folder=..`)).status).toBe(400);
});

test("a file beyond 10 MB is refused before it is kept, and one of 10 MB is taken", async () => {
  const { api, manager } = await setUp();
  const upload = (bytes: Uint8Array) =>
    api.app.request(`/api/v1${FILES}/a.bin`, {
      ...manager.init("PUT"),
      body: bytes as NonNullable<RequestInit["body"]>,
      headers: { ...headersOf(manager), "content-length": String(bytes.length) },
    });
  expect((await upload(new Uint8Array(MOST_FILE + 1))).status).toBe(413);
  expect((await manager("GET", FILES)).json.items).toEqual([]);
  expect((await upload(new Uint8Array(MOST_FILE))).status).toBe(200);
});

test.each([
  "..%2fsecret",
  "%2e%2e%2fsecret",
  "a%2f..%2f..%2fb",
  "..%5csecret",
  "%252e%252e%252fsecret",
  "%2fetc%2fpasswd",
  "a%2f%2fb",
  "a%00b",
  "a%0ab",
])("the path %s leads nowhere", async (path) => {
  const { api, manager, ctx } = await setUp();
  for (const method of ["PUT", "GET", "DELETE"]) {
    const { body, headers } = method === "PUT" ? file("x") : { body: null, headers: {} };
    const answer = await api.app.request(`/api/v1${FILES}/${path}`, {
      ...manager.init(method),
      body,
      headers: { ...headersOf(manager), ...headers },
    });
    expect([400, 404]).toContain(answer.status);
    expect(await answer.json()).toMatchObject({ detail: expect.stringMatching(/^[A-Z].*\.$/) });
  }
  expect(await ctx.sql`select 1 from files`).toHaveLength(0);
});

test("strangers, members and another client's managers get nothing and change nothing; auditors only look", async () => {
  const { ctx, api, manager } = await setUp();
  await manager("PUT", SETTINGS, { mail: MAIL });
  await writeFile(ctx, TENANT, { path: "plan.md", bytes: Buffer.from("ours"), untrusted: null, by: ALICE });
  const before = JSON.stringify([
    await ctx.sql`select * from tool_settings`,
    await ctx.sql`select path, changed_at from files`,
  ]);
  const askers = [
    [api.stranger, 401, 401],
    [await api.person(TENANT, "member", "@bob:acme.test"), 403, 403],
    [await api.person(OTHER, "manager"), 404, 404],
    [await api.person(OTHER, "owner"), 404, 404],
    [await api.person(TENANT, "auditor"), 200, 403],
  ] as const;
  for (const [asker, reading, writing] of askers) {
    for (const path of [SETTINGS, SECRETS, FILES, `${FILES}/plan.md`])
      expect([path, (await asker("GET", path)).status]).toEqual([path, reading]);
    const writes = [
      ["PUT", SETTINGS, { mail: null }],
      ["POST", `${SETTINGS}/mail/test`, {}],
      ["PUT", `${SECRETS}/x`, { header: "X-A", hosts: ["a.example.org"], secret: "s" }],
      ["DELETE", `${SECRETS}/x`, undefined],
      ["PUT", `${FILES}/plan.md`, "theirs"],
      ["DELETE", `${FILES}/plan.md`, undefined],
    ] as const;
    for (const [method, path, body] of writes)
      expect([method, path, (await asker(method, path, body)).status]).toEqual([method, path, writing]);
  }
  expect(
    JSON.stringify([await ctx.sql`select * from tool_settings`, await ctx.sql`select path, changed_at from files`]),
  ).toBe(before);
});
