import { expect, onTestFinished, test } from "vitest";
import { resolveModel } from "../../bots/models.ts";
import { refreshDefaultModel } from "../../bots/refresh-model.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { makeAgent, makeTenant, TENANT } from "../bots/tenant.ts";
import { startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

const KEY = "sk-very-secret-0123456789";

async function setUp(env: Record<string, string> = {}) {
  const server = await startModelServer();
  onTestFinished(() => server.stop());
  const host = new URL(server.url).host;
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: host, ...env } });
  await makeTenant(ctx);
  await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  const api = apiFor(ctx);
  return { ctx, api, server, host, base: `${server.url}/v1`, operator: await api.operator() };
}

const names = ({ json }: { json: { items: { name: string }[] } }) => json.items.map(({ name }) => name);

test("a model is added for all, answers for every client, and its key never comes out again", async () => {
  const { ctx, api, server, base, operator } = await setUp();
  const wish = { name: "main", baseUrl: base, model: "scripted", apiKey: KEY };
  const added = await operator("POST", "/models", wish);
  expect(added).toMatchObject({
    status: 201,
    json: { name: "main", provider: "openai-compatible", shared: true, isDefault: true, hasKey: true, editable: true },
  });
  expect((await resolveModel(ctx, "rival", null)).name).toBe("main");
  const manager = await api.person(TENANT, "manager");
  const seen = await manager("GET", `/clients/${TENANT}/models`);
  expect(seen.json.items).toMatchObject([
    { name: "main", shared: true, editable: false, isDefault: true, baseUrl: null },
  ]);
  const tried = await operator("POST", `/models/${added.json.id}/test`);
  expect(tried.json).toMatchObject({ ok: true, firstTokenMs: expect.any(Number), durationMs: expect.any(Number) });
  expect(tried.json.text).not.toBe("");
  expect(server.requests.at(-1)?.authorization).toBe(`Bearer ${KEY}`);
  const all = await operator("GET", "/models");
  expect(all.json.items[0].lastCheck).toEqual(tried.json);
  for (const answer of [added, seen, tried, all]) expect(JSON.stringify(answer.json)).not.toContain(KEY);
  const lines = await ctx.sql`select action, before, after from audit order by seq`;
  expect(JSON.stringify(lines)).not.toContain(KEY);
  expect(lines).toMatchObject([{ action: "models.add", after: { name: "main", keyGiven: true } }]);
});

test("a client's own model is its own, and only it may change it", async () => {
  const { api, base, operator } = await setUp();
  const shared = (await operator("POST", "/models", { name: "main", baseUrl: base, model: "scripted" })).json;
  const manager = await api.person(TENANT, "manager");
  const rival = await api.person("rival", "manager");
  const at = `/clients/${TENANT}/models`;
  const own = (await manager("POST", at, { name: "own", baseUrl: base, model: "scripted", apiKey: KEY })).json;
  expect(own).toMatchObject({ shared: false, editable: true, isDefault: false, baseUrl: base });
  expect(names(await manager("GET", at))).toEqual(["own", "main"]);
  expect(names(await rival("GET", "/clients/rival/models"))).toEqual(["main"]);
  expect(names(await operator("GET", "/models"))).toEqual(["main"]);
  for (const [path, method, body] of [
    [`${at}/${shared.id}`, "PATCH", { name: "mine" }],
    [`${at}/${shared.id}`, "DELETE", undefined],
    [`/clients/rival/models/${own.id}`, "PATCH", { name: "mine" }],
    [`/clients/rival/models/${own.id}`, "DELETE", undefined],
    [`/clients/rival/models/${own.id}/test`, "POST", undefined],
  ] as const)
    expect([path, (await operator(method, path, body)).status]).toEqual([path, 404]);
  expect((await rival("GET", at)).status).toBe(404);
  const member = await api.person(TENANT, "member");
  expect((await member("GET", at)).status).toBe(403);
  const auditor = await api.person(TENANT, "auditor");
  expect([(await auditor("GET", at)).status, (await auditor("POST", at, { name: "x" })).status]).toEqual([200, 403]);
  expect((await manager("DELETE", `${at}/${own.id}`)).status).toBe(204);
  expect((await manager("DELETE", `${at}/${own.id}`)).status).toBe(404);
});

test("the default of a client: an own one, one of the operator's, or whatever the operator's is", async () => {
  const { ctx, api, base, operator } = await setUp();
  const ids: Record<string, string> = {};
  for (const name of ["main", "other"])
    ids[name] = (await operator("POST", "/models", { name, baseUrl: base, model: "scripted" })).json.id;
  const manager = await api.person(TENANT, "manager");
  const at = `/clients/${TENANT}/models`;
  ids.own = (await manager("POST", at, { name: "own", baseUrl: base, model: "scripted" })).json.id;
  const answers = async () => [
    (await resolveModel(ctx, TENANT, null)).name,
    (await resolveModel(ctx, "rival", null)).name,
  ];
  const marked = async () =>
    (await manager("GET", at)).json.items
      .filter((one: { isDefault: boolean }) => one.isDefault)
      .map((one: { name: string }) => one.name);
  for (const [model, mine] of [
    ["other", "other"],
    ["own", "own"],
    ["other", "other"],
    [null, "main"],
  ] as const) {
    const set = await manager("PUT", `${at}/default`, { model: model === null ? null : ids[model] });
    expect(set).toMatchObject({ status: 200, json: { model: { name: mine } } });
    expect([await answers(), await marked()]).toEqual([[mine, "main"], [mine]]);
  }
  expect((await manager("PUT", `${at}/default`, { model: "nothing" })).status).toBe(404);
  expect((await operator("PUT", "/models/default", { model: ids.own })).status).toBe(404);
  await Promise.all(
    ["main", "other", "main", "other"].map((name) => operator("PUT", "/models/default", { model: ids[name] })),
  );
  expect(await ctx.sql`select 1 from models where is_default and tenant_id is null`).toHaveLength(1);
  // One that is gone is nobody's default any more.
  await manager("PUT", `${at}/default`, { model: ids.other });
  await operator("PUT", "/models/default", { model: ids.main });
  expect((await operator("DELETE", `/models/${ids.other}`)).status).toBe(204);
  expect(await answers()).toEqual(["main", "main"]);
});

test("a stored key goes to no other server: with another address it is typed again", async () => {
  const { ctx, api } = await setUp();
  const manager = await api.person(TENANT, "manager");
  const at = `/clients/${TENANT}/models`;
  const own = (await manager("POST", at, { name: "own", provider: "openai", model: "gpt-x", apiKey: KEY })).json;
  const elsewhere = { baseUrl: "http://93.184.216.34/v1" };
  const refused = await manager("PATCH", `${at}/${own.id}`, elsewhere);
  expect(refused).toMatchObject({ status: 400, json: { detail: expect.stringContaining("typed again") } });
  expect((await manager("PATCH", `${at}/${own.id}`, { ...elsewhere, apiKey: "another" })).json).toMatchObject({
    baseUrl: elsewhere.baseUrl,
    hasKey: true,
  });
  expect((await resolveModel(ctx, TENANT, "own")).apiKey).toBe("another");
  expect((await manager("PATCH", `${at}/${own.id}`, { apiKey: null })).json.hasKey).toBe(false);
});

test("addresses that people type go through the guard, when they add and when they change", async () => {
  const { api, base } = await setUp({ AGENTOPIA_ALLOW_HOSTS: "" });
  const manager = await api.person(TENANT, "manager");
  const at = `/clients/${TENANT}/models`;
  const own = (await manager("POST", at, { name: "own", provider: "openai", model: "gpt-x", apiKey: KEY })).json;
  for (const baseUrl of [
    base,
    "http://169.254.169.254/latest",
    "http://[::1]:80/",
    "http://2130706433/",
    "file:///etc",
    "nonsense",
    "http://u:p@93.184.216.34/",
  ]) {
    const added = await manager("POST", at, { name: `to ${baseUrl}`, baseUrl, model: "m" });
    expect([baseUrl, added.status, added.json.errors?.[0]?.path]).toEqual([baseUrl, 400, "baseUrl"]);
    const changed = await manager("PATCH", `${at}/${own.id}`, { baseUrl, apiKey: "k" });
    expect([baseUrl, changed.status, changed.json.errors?.[0]?.path]).toEqual([baseUrl, 400, "baseUrl"]);
  }
});

test("a name that agents use stays, others change; what is known of a model follows its server", async () => {
  const { ctx, api, base, operator } = await setUp();
  const { id } = (await operator("POST", "/models", { name: "main", baseUrl: base, model: "scripted" })).json;
  const other = (await operator("POST", "/models", { name: "other", baseUrl: base, model: "scripted" })).json;
  await makeAgent(ctx, "@agent-third:acme.test", { model: "main" });
  expect((await operator("GET", "/models")).json.items).toMatchObject([{ agents: 1 }, { agents: 0 }]);
  const refused = await operator("PATCH", `/models/${id}`, { name: "better" });
  expect(refused).toMatchObject({ status: 409, json: { detail: expect.stringContaining("One agent answers") } });
  expect((await operator("PATCH", `/models/${other.id}`, { name: "main" })).status).toBe(409);
  expect(
    (await operator("PATCH", `/models/${other.id}`, { name: "better 🧠", contextWindow: 1000 })).json,
  ).toMatchObject({
    name: "better 🧠",
    abilities: { contextWindow: 1000 },
  });
  // A client's own of the same name hides the operator's from its agents.
  const manager = await api.person(TENANT, "manager");
  await manager("POST", `/clients/${TENANT}/models`, { name: "main", baseUrl: base, model: "scripted" });
  expect((await operator("GET", "/models")).json.items.map(({ agents }: { agents: number }) => agents)).toEqual([0, 0]);
});

test("what the environment set is shown as such, and not changed here", async () => {
  const { ctx, base, operator } = await setUp();
  ctx.config.model.openaiBaseUrl = base;
  await refreshDefaultModel(ctx);
  const [row] = (await operator("GET", "/models")).json.items;
  expect(row).toMatchObject({ source: "environment", editable: false, isDefault: true });
  for (const [method, body] of [
    ["PATCH", { name: "x" }],
    ["DELETE", undefined],
  ] as const) {
    const { status, json } = await operator(method, `/models/${row.id}`, body);
    expect([status, json.detail]).toEqual([409, expect.stringContaining("comes from the environment")]);
  }
  const added = (
    await operator("POST", "/models", { name: "added", baseUrl: base, model: "scripted", isDefault: true })
  ).json;
  expect((await resolveModel(ctx, TENANT, null)).name).toBe("added");
  expect(added.isDefault).toBe(true);
  expect((await operator("PUT", "/models/default", { model: row.id })).json.model).toMatchObject({ id: row.id });
  expect((await resolveModel(ctx, TENANT, null)).id).toBe(row.id);
});

test("a server on this machine is offered until it is added, and stays the default that it was", async () => {
  const { ctx, server, operator } = await setUp();
  ctx.config.model.localPorts = [Number(new URL(server.url).port)];
  await refreshDefaultModel(ctx);
  const found = (await operator("GET", "/models/found")).json;
  expect(found.items.length).toBeGreaterThan(0);
  const [first] = found.items;
  expect((await operator("GET", "/models")).json.items).toMatchObject([{ name: first.model, source: "found" }]);
  const added = await operator("POST", "/models", { name: first.model, baseUrl: first.baseUrl, model: first.model });
  expect(added).toMatchObject({ status: 201, json: { source: "added", isDefault: true } });
  await refreshDefaultModel(ctx);
  expect((await operator("GET", "/models")).json.items).toMatchObject([{ source: "added", isDefault: true }]);
  expect((await operator("GET", "/models/found")).json.items).toEqual(
    found.items.filter(({ model }: { model: string }) => model !== first.model),
  );
});

test("a model that does not answer says why, and that is no failure of the API", async () => {
  const { server, base, operator } = await setUp();
  const { id } = (await operator("POST", "/models", { name: "main", baseUrl: base, model: "scripted" })).json;
  await server.stop();
  const { status, json } = await operator("POST", `/models/${id}/test`);
  expect([status, json.ok, json.firstTokenMs]).toEqual([200, false, null]);
  expect(json.text).toMatch(/main.*\.$/s);
  expect((await operator("GET", "/models")).json.items[0].lastCheck).toMatchObject({ ok: false });
});

test.each([
  ["nothing", {}],
  ["an empty name", { name: " ", baseUrl: "http://127.0.0.1:1/v1", model: "m" }],
  ["a long name", { name: "x".repeat(101), baseUrl: "http://127.0.0.1:1/v1", model: "m" }],
  ["a long key", { name: "x", provider: "openai", model: "m", apiKey: "k".repeat(2001) }],
  ["a provider without a key", { name: "x", provider: "anthropic", model: "m" }],
  ["a provider that is none", { name: "x", provider: "acme", model: "m" }],
  ["no server at all", { name: "x" }],
  ["a server without an address", { name: "x", provider: "openai-compatible" }],
  ["a server that says nothing, without a model", { name: "x", baseUrl: "http://127.0.0.1:1/v1" }],
  ["a tiny context", { name: "x", baseUrl: "http://127.0.0.1:1/v1", model: "m", contextWindow: 1 }],
])("what cannot be a model is refused: %s", async (_name, body) => {
  const { ctx, operator } = await setUp();
  const { status, json } = await operator("POST", "/models", body);
  expect([status, json.code]).toEqual([400, "invalid"]);
  expect(await ctx.sql`select 1 from models`).toEqual([]);
});
