import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { makeNextBackup } from "../../homeserver/backups.ts";
import { writeState } from "../../homeserver/health-history.ts";
import { createTenant, getTenant } from "../../homeserver/tenants.ts";
import { testContext } from "../harness/postgres.ts";
import { type Answer, apiFor } from "./harness.ts";

async function setUp() {
  const ctx = await testContext();
  for (const id of ["acme", "berta"]) await createTenant(ctx, { id, title: `${id.toUpperCase()} Ltd` });
  await createTenant(ctx, {
    id: "theirs",
    serverName: "theirs.example",
    driver: "external",
    url: "http://127.0.0.1:9",
  });
  const api = apiFor(ctx);
  return { ctx, api, operator: await api.operator() };
}

const problemsOf = ({ json }: Answer) =>
  Object.fromEntries(
    json.errors.map(({ path: field, message }: { path: string; message: string }) => [field, message]),
  );

test("those that need a look come first, then by title, page by page", async () => {
  const { ctx, operator } = await setUp();
  await createTenant(ctx, { id: "zoo", title: "Zoo <b>🦓</b>" });
  for (const id of ["acme", "berta"]) await writeState(ctx, id, { state: "running", detail: null });
  await writeState(ctx, "zoo", { state: "crash_loop", detail: "It ends again and again." });
  await ctx.sql`insert into people (tenant_id, user_id, state) values ('acme', '@a:x', 'active'), ('acme', '@b:x', 'deactivated')`;
  await ctx.sql`insert into token_days (tenant_id, day, used) values ('acme', (now() at time zone 'UTC')::date, 1234)`;
  const page = async (query: string) => (await operator("GET", `/clients?${query}`)).json;
  const first = await page("limit=2");
  expect(first.items.map(({ id }: { id: string }) => id)).toEqual(["zoo", "theirs"]);
  expect(first.items[0]).toMatchObject({ needsLook: true, title: "Zoo <b>🦓</b>", state: "crash_loop" });
  const second = await page(`limit=2&cursor=${first.next}`);
  expect(second.items).toMatchObject([
    { id: "acme", needsLook: false, people: 1, tokensToday: 1234, runsToday: 0, lastBackupAt: null },
    { id: "berta", people: 0, tokensToday: 0 },
  ]);
  expect(second.next).toBeNull();
  expect((await page("q=ACME%20l")).items).toMatchObject([{ id: "acme" }]);
  expect((await page("q=%25")).items).toEqual([]);
  expect((await page("state=crash_loop")).items).toMatchObject([{ id: "zoo" }]);
  for (const query of ["limit=0", "limit=201", "state=fine", "cursor=x", `q=${"x".repeat(201)}`])
    expect([query, (await operator("GET", `/clients?${query}`)).status]).toEqual([query, 400]);
});

test("a client is there at once and made after the answer; sent twice it is one", async () => {
  const { ctx, operator } = await setUp();
  const key = { "idempotency-key": "new-client-1" };
  const wish = { id: "nova", title: "Nova 🌟 & Söhne" };
  const made = await operator("POST", "/clients", wish, key);
  expect(made).toMatchObject({
    status: 201,
    json: { id: "nova", title: "Nova 🌟 & Söhne", serverName: "nova.localhost", state: "creating", setup: null },
  });
  expect((await operator("POST", "/clients", wish, key)).json).toEqual(made.json);
  expect(await operator("POST", "/clients", wish)).toMatchObject({ status: 409, json: { code: "conflict" } });
  const [line] = await ctx.sql`select action, target_id, target_name, outcome from audit where target_id = 'nova'`;
  expect(line).toEqual({
    action: "clients.create",
    target_id: "nova",
    target_name: "Nova 🌟 & Söhne",
    outcome: "done",
  });
});

test("a client whose homeserver others run comes with what to add to it", async () => {
  const { ctx, operator } = await setUp();
  const wish = { id: "old", driver: "external", serverName: "Example.ORG", url: "https://matrix.example.org/" };
  const { status, json } = await operator("POST", "/clients", wish);
  expect(status).toBe(201);
  expect(json).toMatchObject({ serverName: "example.org", homeserverUrl: "https://matrix.example.org" });
  expect(json.setup.files.map(({ name }: { name: string }) => name)).toEqual([
    "homeserver-additions.yaml",
    "agentopia.yaml",
    "agentopia_policy.py",
  ]);
  expect(json.setup.text).toContain("Restart Synapse");
  const ports = JSON.parse(readFileSync(path.join(ctx.config.home, "ports.json"), "utf8"));
  expect(json.setup.files[1].text).toContain(`http://127.0.0.1:${ports.internal}/as/old`);
  expect((await operator("GET", "/clients/old/setup")).json.setup).toEqual(json.setup);
  expect((await operator("GET", "/clients/acme/setup")).json.setup).toBeNull();
  const [line] = await ctx.sql<{ all: string }[]>`select (before::text || after::text) as all from audit`;
  expect(String(line?.all)).not.toContain("as_token");
});

test.each([
  ["no name", {}, ["id"]],
  ["an empty name", { id: "" }, ["id"]],
  ["a long name", { id: "a".repeat(31) }, ["id"]],
  ["a name of signs", { id: "<b>acme</b>" }, ["id"]],
  ["a name of pictures", { id: "🦓" }, ["id"]],
  ["capitals", { id: "Acme" }, ["id"]],
  ["a long title", { id: "x", title: "x".repeat(101) }, ["title"]],
  ["an empty title", { id: "x", title: "  " }, ["title"]],
  ["a server name that is none", { id: "x", serverName: "not a name" }, ["serverName"]],
  ["another's homeserver without more", { id: "x", driver: "external" }, ["serverName", "url"]],
  [
    "another's homeserver at no address",
    { id: "x", driver: "external", serverName: "x.org", url: "javascript:alert(1)" },
    ["url"],
  ],
  ["an own one with an address", { id: "x", url: "https://matrix.org" }, ["url"]],
  ["a driver that is none", { id: "x", driver: "docker" }, ["driver"]],
])("what cannot be a client is said at its field: %s", async (_name, body, fields) => {
  const { operator, ctx } = await setUp();
  const answer = await operator("POST", "/clients", body);
  expect([answer.status, Object.keys(problemsOf(answer)).toSorted()]).toEqual([400, fields.toSorted()]);
  expect(await ctx.sql`select 1 from tenants`).toHaveLength(3);
});

test("an address with a password in it is refused", async () => {
  const { operator } = await setUp();
  const wish = { id: "x", driver: "external", serverName: "x.org", url: "https://me:secret@matrix.org" };
  const { status, json } = await operator("POST", "/clients", wish);
  expect([status, json.detail]).toEqual([400, "An address must not hold a user name or password."]);
});

test("people see of their client what they need, operators all; of another client nobody is told", async () => {
  const { api, operator } = await setUp();
  const member = await api.person("acme", "member");
  const seen = await member("GET", "/clients/acme");
  expect(seen.json).toEqual({
    id: "acme",
    title: "ACME Ltd",
    serverName: "acme.localhost",
    homeserverUrl: expect.stringMatching(/^http:\/\/127/),
    elementUrl: null,
    state: "creating",
    details: null,
  });
  expect((await member("GET", "/clients/berta")).status).toBe(404);
  expect((await operator("GET", "/clients/acme")).json.details).toMatchObject({
    driver: "process",
    desired: "running",
    retentionDays: 90,
    ours: true,
  });
  expect((await operator("GET", "/clients/nobody")).status).toBe(404);
  const owner = await api.person("acme", "owner");
  for (const route of ["/clients/acme/log", "/clients/acme/health", "/clients/acme/backups", "/clients/acme/setup"])
    expect([route, (await owner("GET", route)).status]).toEqual([route, 403]);
});

test("title and days are changed, with before and after in the log; nonsense is refused", async () => {
  const { ctx, operator } = await setUp();
  const { status, json } = await operator("PATCH", "/clients/acme", { title: "Äcme", retentionDays: 30 });
  expect([status, json.title, json.details.retentionDays]).toEqual([200, "Äcme", 30]);
  const [line] = await ctx.sql`select before, after from audit where action = 'clients.update'`;
  expect(line).toEqual({
    before: { title: "ACME Ltd", retentionDays: 90 },
    after: { title: "Äcme", retentionDays: 30 },
  });
  for (const body of [{ title: "" }, { retentionDays: 0 }, { retentionDays: 99_999 }, { title: "a\u0001b" }])
    expect([body, (await operator("PATCH", "/clients/acme", body)).status]).toEqual([body, 400]);
});

test("start, stop and restart are asked of the platform; others' homeservers are not restarted", async () => {
  const { ctx, operator } = await setUp();
  await writeState(ctx, "acme", { state: "running", detail: null });
  expect((await operator("POST", "/clients/acme/restart")).status).toBe(202);
  expect((await operator("GET", "/clients/acme")).json.details).toMatchObject({ restarting: true, desired: "running" });
  expect((await operator("POST", "/clients/acme/stop")).json).toEqual({ state: "running", desired: "stopped" });
  expect((await operator("POST", "/clients/acme/start")).json).toEqual({ state: "running", desired: "running" });
  expect(await operator("POST", "/clients/theirs/restart")).toMatchObject({
    status: 409,
    json: { detail: expect.stringContaining("restart it where it runs") },
  });
  const actions = await ctx.sql<{ action: string }[]>`select action from audit order by seq`;
  expect(actions.map(({ action }) => action)).toEqual(["clients.restart", "clients.stop", "clients.start"]);
});

test("a client is removed only when its name is typed, and is told once where its backup will lie", async () => {
  const { ctx, operator } = await setUp();
  const wrong = await operator("DELETE", "/clients/acme", { confirm: "ACME Ltd" });
  expect([wrong.status, problemsOf(wrong).confirm]).toEqual([
    400,
    "Type acme to remove this client. Nothing was removed.",
  ]);
  expect((await getTenant(ctx, "acme")).state).toBe("creating");
  const gone = await operator("DELETE", "/clients/acme", { confirm: " acme " });
  expect(gone.status).toBe(202);
  expect(gone.json.backup).toContain(path.join(ctx.config.home, "backups", "acme-"));
  expect((await operator("DELETE", "/clients/acme", { confirm: "acme", keepBackup: false })).json).toEqual(gone.json);
  expect((await operator("POST", "/clients/acme/start")).status).toBe(409);
});

test("the past of a homeserver is given page by page", async () => {
  const { ctx, operator } = await setUp();
  for (const state of ["starting", "running", "restarting"] as const)
    await writeState(ctx, "acme", { state, detail: state === "restarting" ? "It ended." : null });
  const first = (await operator("GET", "/clients/acme/health?limit=2")).json;
  expect(first.items).toMatchObject([{ state: "restarting", detail: "It ended." }, { state: "running" }]);
  const rest = (await operator("GET", `/clients/acme/health?limit=2&cursor=${first.next}`)).json;
  expect(rest).toMatchObject({ items: [{ state: "starting" }], next: null });
  for (const cursor of [["x"], [1e300], [-5], [null]]) {
    const text = Buffer.from(JSON.stringify(cursor)).toString("base64url");
    expect([200, 400]).toContain((await operator("GET", `/clients/acme/health?cursor=${text}`)).status);
  }
});

test("sizes are given day by day, and not known of others' homeservers", async () => {
  const { ctx, operator } = await setUp();
  await ctx.sql`insert into tenant_storage (tenant_id, day, database_bytes, media_bytes)
    values ('acme', '2026-01-01', 1000, 20), ('acme', '2026-01-02', 2000, 30)`;
  const first = (await operator("GET", "/clients/acme/storage?limit=1")).json;
  expect(first.items).toMatchObject([{ day: "2026-01-02", databaseBytes: 2000, mediaBytes: 30 }]);
  const next = (await operator("GET", `/clients/acme/storage?cursor=${first.next}`)).json;
  expect(next.items).toMatchObject([{ day: "2026-01-01" }]);
  const bad = Buffer.from(JSON.stringify(["yesterday"])).toString("base64url");
  expect((await operator("GET", `/clients/acme/storage?cursor=${bad}`)).status).toBe(400);
  expect((await operator("POST", "/clients/theirs/storage")).status).toBe(409);
});

test("a backup is asked for once, seen, given out as a file when it is done, and deleted", async () => {
  const { ctx, api, operator } = await setUp();
  const asked = await operator("POST", "/clients/acme/backups");
  expect(asked).toMatchObject({ status: 202, json: { state: "waiting", requestedBy: "admin", file: null } });
  const at = `/clients/acme/backups/${asked.json.id}`;
  expect((await operator("POST", "/clients/acme/backups")).json.id).toBe(asked.json.id);
  expect((await operator("GET", `${at}/file`)).status).toBe(409);
  expect((await operator("GET", `/clients/berta/backups/${asked.json.id}/file`)).status).toBe(404);
  expect((await operator("POST", "/clients/theirs/backups")).status).toBe(409);

  // Its homeserver was never made, so this one fails with a sentence.
  expect(await makeNextBackup(ctx, new AbortController().signal)).toBe(true);
  const [failed] = (await operator("GET", "/clients/acme/backups")).json.items;
  expect(failed).toMatchObject({ state: "failed", error: expect.stringContaining("could not be made") });

  mkdirSync(path.join(ctx.config.home, "backups"), { recursive: true });
  writeFileSync(path.join(ctx.config.home, "backups", "acme-1.tar"), "a tar");
  await ctx.sql`update tenant_backups set state = 'done', file = 'acme-1.tar', bytes = 5 where id = ${asked.json.id}`;
  const file = await operator("GET", `${at}/file`);
  expect([file.status, file.json]).toEqual([200, "a tar"]);
  expect(file.headers.get("content-disposition")).toBe('attachment; filename="acme-1.tar"');
  const owner = await api.person("acme", "owner");
  expect((await owner("GET", `${at}/file`)).status).toBe(403);
  // It holds the homeserver's secrets: whoever took it stands in the audit log, once for each time.
  expect(
    await ctx.sql`select actor_name, tenant_id, target_id, after, outcome from audit where action = 'clients.download_backup'`,
  ).toEqual([
    {
      actor_name: "admin",
      tenant_id: "acme",
      target_id: asked.json.id,
      after: { file: "acme-1.tar", bytes: 5 },
      outcome: "done",
    },
  ]);
  expect((await operator("DELETE", at)).status).toBe(204);
  expect((await operator("GET", `${at}/file`)).status).toBe(404);
});

test("the log is a stream of lines, without secrets; of others' homeservers there is none", async () => {
  const { ctx, api, operator } = await setUp();
  mkdirSync(path.join(ctx.config.home, "logs"), { recursive: true });
  const log = path.join(ctx.config.home, "logs", "synapse-acme.log");
  writeFileSync(log, "WARNING one\nERROR access_token=syt_abcdefghijklmnopqrst\n");
  const response = await api.app.request("/api/v1/clients/acme/log", operator.init("GET"));
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const reader = response.body?.getReader();
  const text = new TextDecoder().decode((await reader?.read())?.value);
  expect(text).toContain('"lines":["WARNING one","ERROR access_token=…"]');
  await reader?.cancel();
  expect((await operator("GET", "/clients/theirs/log")).status).toBe(409);
});
