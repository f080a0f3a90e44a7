import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { chooseDefault } from "../../bots/default-model.ts";
import { abilitiesOf, isChatModel } from "../../bots/model-families.ts";
import { addModel, listModels, removeModel, resolveModel, testModel } from "../../bots/models.ts";
import { refreshDefaultModel } from "../../bots/refresh-model.ts";
import { loadConfig } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { ledger, models, tenants } from "../../migrations/schema.ts";
import { startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";

const NO_ENV = { AGENTOPIA_LOCAL_MODEL_PORTS: "none" };

const CHOICES: [string, Record<string, string>, object][] = [
  ["nothing is set", {}, { kind: "local", model: null }],
  ["a server", { OPENAI_BASE_URL: "http://h/v1" }, { kind: "first", baseUrl: "http://h/v1", apiKey: null }],
  ["a server and a key", { OPENAI_BASE_URL: "http://h/v1", OPENAI_API_KEY: "k" }, { kind: "first", apiKey: "k" }],
  [
    "a server and a name of a gateway",
    { OPENAI_BASE_URL: "http://h/v1", AGENTOPIA_MODEL: "anthropic/claude-x", ANTHROPIC_API_KEY: "a" },
    { kind: "model", provider: "openai-compatible", model: "anthropic/claude-x", apiKey: null },
  ],
  ["OpenAI's key", { OPENAI_API_KEY: "k" }, { kind: "model", provider: "openai", apiKey: "k", baseUrl: null }],
  ["Anthropic's key", { ANTHROPIC_API_KEY: "k" }, { kind: "model", provider: "anthropic" }],
  ["Google's key", { GEMINI_API_KEY: "k" }, { kind: "model", provider: "google" }],
  ["all keys", { OPENAI_API_KEY: "o", ANTHROPIC_API_KEY: "a", GEMINI_API_KEY: "g" }, { provider: "openai" }],
  [
    "all keys and a provider",
    { OPENAI_API_KEY: "o", ANTHROPIC_API_KEY: "a", AGENTOPIA_MODEL: "anthropic/claude-x" },
    { provider: "anthropic", model: "claude-x", apiKey: "a" },
  ],
  [
    "all keys and a name of a family",
    { OPENAI_API_KEY: "o", ANTHROPIC_API_KEY: "a", AGENTOPIA_MODEL: "claude-x" },
    { provider: "anthropic", model: "claude-x" },
  ],
  [
    "a key and a name of nobody's",
    { OPENAI_API_KEY: "o", AGENTOPIA_MODEL: "ft:mine" },
    { provider: "openai", model: "ft:mine" },
  ],
  [
    "a key and a name of another's",
    { OPENAI_API_KEY: "o", AGENTOPIA_MODEL: "claude-x" },
    { kind: "local", model: "claude-x" },
  ],
  ["a name without a key", { AGENTOPIA_MODEL: "qwen3" }, { kind: "local", model: "qwen3" }],
  [
    "a local name with keys",
    { OPENAI_API_KEY: "o", AGENTOPIA_MODEL: "local/qwen3" },
    { kind: "local", model: "qwen3" },
  ],
  ["a provider without its key", { AGENTOPIA_MODEL: "anthropic/claude-x" }, { kind: "impossible" }],
  ["Anthropic elsewhere", { ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: "http://h/" }, { baseUrl: "http://h/v1" }],
];

test.each(CHOICES)("the default when there is %s", (_name, env, choice) => {
  expect(chooseDefault(loadConfig({ ...NO_ENV, ...env }).model)).toMatchObject(choice);
});

test.each([
  ["gpt-4o-mini", true, 128_000],
  ["anthropic/claude-sonnet-4-5", true, 200_000],
  ["gemini-flash-latest", true, 1_000_000],
  ["qwen2.5vl:7b", true, 32_768],
  ["qwen3:8b", false, 32_768],
  ["llava:13b", true, 8_192],
  ["llama3.2-vision:11b", true, 128_000],
  ["llama3.1:8b", false, 128_000],
  ["gpt-oss:20b", false, 128_000],
  ["nobody-knows", false, 32_768],
])("%s takes images: %s, context: %i", (name, images, contextWindow) => {
  expect(abilitiesOf(name)).toMatchObject({ images, contextWindow });
});

test("what is known better wins over the name, and a small context leaves room for the question", () => {
  expect(abilitiesOf("gpt-4o", { contextWindow: 4096, images: false })).toEqual({
    contextWindow: 4096,
    maxOutput: 2048,
    images: false,
    files: true,
  });
});

test("models that do not chat are told by their names", () => {
  const names = [
    "nomic-embed-text:latest",
    "text-embedding-3-small",
    "bge-m3",
    "whisper-1",
    "gpt-4o-transcribe",
    "tts-1",
    "dall-e-3",
  ];
  expect(names.filter(isChatModel)).toEqual([]);
  expect(["llama3", "gpt-4o", "qwen3-coder", "command-r"].filter(isChatModel)).toHaveLength(4);
});

async function addTenant(ctx: Context, id = "acme") {
  await ctx.db.insert(tenants).values({
    id,
    title: id,
    serverName: `${id}.test`,
    driver: "external",
    homeserverUrl: "http://127.0.0.1:1",
    config: { readableRooms: true, rateLimits: "off" },
    secrets: "",
    hsTokenHash: id,
    controlUserId: `@agentopia:${id}.test`,
  });
}

async function scripted() {
  const server = await startModelServer();
  onTestFinished(() => server.stop());
  return server;
}

/** A server that answers GET and POST by path, as Ollama does. */
async function ollama(names: string[], show: object = {}): Promise<number> {
  const server = createServer((request, response) => {
    const body =
      request.url === "/v1/models"
        ? { object: "list", data: names.map((id) => ({ id, object: "model", owned_by: "library" })) }
        : request.url === "/api/show"
          ? show
          : null;
    response.writeHead(body ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "done",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

test("without any model one sentence says what to do", async () => {
  const ctx = await testContext();
  expect(await refreshDefaultModel(ctx)).toMatch(/^No model is set.*model add/);
  await addTenant(ctx);
  const error = await resolveModel(ctx, "acme", null).catch((cause: unknown) => cause as AppError);
  expect(error).toMatchObject({ code: "no_model" });
  expect((error as AppError).sentence).toMatch(/^No model is set/);
});

test("a server that is set but away is what the sentence is about", async () => {
  const ctx = await testContext({ env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" } });
  await addTenant(ctx);
  const error = (await resolveModel(ctx, "acme", null).catch((cause: unknown) => cause)) as AppError;
  expect(error.code).toBe("no_model");
  expect(error.sentence).toMatch(/^OPENAI_BASE_URL \(127\.0\.0\.1:9\) does not list any model/);
});

test("OPENAI_BASE_URL, with or without /v1, sets the default to the server's first model", async () => {
  const server = await scripted();
  for (const address of [`${server.url}/v1`, server.url, `${server.url}/v1/`]) {
    const ctx = await testContext({ env: { OPENAI_BASE_URL: address, OPENAI_API_KEY: "sk-secret" } });
    await addTenant(ctx);
    expect(await refreshDefaultModel(ctx)).toMatch(
      /^Agents answer with scripted \(at 127.*set in the environment\)\.$/,
    );
    const row = await resolveModel(ctx, "acme", null);
    expect(row).toMatchObject({ model: "scripted", baseUrl: `${server.url}/v1`, apiKey: "sk-secret" });
    expect(await resolveModel(ctx, "acme", "scripted")).toEqual(row);
    expect((await ctx.db.select().from(models))[0]?.apiKey).not.toContain("sk-secret");
    expect(JSON.stringify(await listModels(ctx))).not.toContain("sk-secret");
  }
});

test("a server of OPENAI_BASE_URL that is away keeps the model it had, and is asked again when there was none", async () => {
  const server = await scripted();
  const ctx = await testContext();
  await addTenant(ctx);
  ctx.config.model.openaiBaseUrl = `${server.url}/v1`;
  await refreshDefaultModel(ctx);
  await server.stop();
  expect(await refreshDefaultModel(ctx)).toContain("Agents answer with scripted");
  ctx.config.model.openaiBaseUrl = "http://127.0.0.1:1/v1";
  expect(await refreshDefaultModel(ctx)).toMatch(/does not list any model at the moment/);
});

test("local servers are found on their ports; models for vectors are skipped; what goes away is removed", async () => {
  const vision = { capabilities: ["completion", "vision"], model_info: { "x.context_length": 131_072 } };
  const first = await ollama(["nomic-embed-text:latest", "mystery:7b", "llama3.1:8b"], vision);
  const second = await ollama(["mystery:7b"]);
  const ctx = await testContext({ env: { AGENTOPIA_LOCAL_MODEL_PORTS: `1,${first},${second}` } });
  await addTenant(ctx);
  expect(await refreshDefaultModel(ctx)).toBe(
    `Agents answer with mystery:7b (at 127.0.0.1:${first}, found on this machine).`,
  );
  expect((await listModels(ctx)).map(({ name, isDefault, source }) => ({ name, isDefault, source }))).toEqual([
    { name: "mystery:7b", isDefault: true, source: "found" },
    { name: "llama3.1:8b", isDefault: false, source: "found" },
    { name: `mystery:7b (127.0.0.1:${second})`, isDefault: false, source: "found" },
  ]);
  const row = await resolveModel(ctx, "acme", null);
  expect(row.abilities).toMatchObject({ images: true, contextWindow: 8192 });
  ctx.config.model.model = "llama3.1";
  expect(await refreshDefaultModel(ctx)).toContain("llama3.1:8b");
  ctx.config.model.localPorts = [];
  expect(await refreshDefaultModel(ctx)).toMatch(/AGENTOPIA_MODEL names llama3\.1/);
  expect(await listModels(ctx)).toEqual([]);
});

test("a model that is started after the platform is found at the next question", async () => {
  const ctx = await testContext();
  await addTenant(ctx);
  await refreshDefaultModel(ctx);
  ctx.config.model.localPorts = [await ollama(["late:1b"])];
  expect((await resolveModel(ctx, "acme", null)).model).toBe("late:1b");
});

test("what answers but is no model server is passed over, and nothing waits longer than half a second", async () => {
  const silent = createServer(() => undefined);
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  onTestFinished(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const odd = await ollama([], {});
  const ctx = await testContext({
    env: { AGENTOPIA_LOCAL_MODEL_PORTS: `${(silent.address() as AddressInfo).port},${odd}` },
  });
  const began = performance.now();
  expect(await refreshDefaultModel(ctx)).toMatch(/^No model is set/);
  expect(performance.now() - began).toBeLessThan(1900);
});

test("a default that the operator added wins over the environment", async () => {
  const server = await scripted();
  const ctx = await testContext({ env: { OPENAI_BASE_URL: server.url } });
  await addTenant(ctx);
  await refreshDefaultModel(ctx);
  await addModel(ctx, { tenantId: null, name: "mine", baseUrl: server.url, model: "other", isDefault: true });
  expect(await refreshDefaultModel(ctx)).toContain("Agents answer with mine");
  expect((await resolveModel(ctx, "acme", null)).name).toBe("mine");
  expect((await resolveModel(ctx, "acme", "scripted")).source).toBe("environment");
  expect(await codeOf(removeModel(ctx, null, "scripted"))).toBe("invalid");
  await removeModel(ctx, null, "mine");
  await refreshDefaultModel(ctx);
  expect((await resolveModel(ctx, "acme", null)).name).toBe("scripted");
});

test("a tenant's own model comes before the operator's, and other tenants do not see it", async () => {
  const server = await scripted();
  const ctx = await testContext({ env: { AGENTOPIA_ALLOW_HOSTS: new URL(server.url).host } });
  await addTenant(ctx);
  await addTenant(ctx, "other");
  await addModel(ctx, { tenantId: null, name: "shared", baseUrl: server.url });
  await addModel(ctx, { tenantId: "acme", name: "own", baseUrl: server.url, isDefault: true, apiKey: "k" });
  expect((await resolveModel(ctx, "acme", null)).name).toBe("own");
  expect((await resolveModel(ctx, "other", null)).name).toBe("shared");
  expect(await codeOf(resolveModel(ctx, "other", "own"))).toBe("no_model");
  expect((await listModels(ctx, "other")).map(({ name }) => name)).toEqual(["shared"]);
  expect((await listModels(ctx, "acme")).map(({ name, hasKey }) => `${name} ${hasKey}`)).toEqual([
    "own true",
    "shared false",
  ]);
});

test("what cannot be added is refused in a sentence", async () => {
  const server = await scripted();
  const ctx = await testContext();
  await addTenant(ctx);
  const add = (rest: Partial<Parameters<typeof addModel>[1]>) =>
    codeOf(addModel(ctx, { tenantId: null, name: "m", ...rest }));
  expect(await add({ name: " " })).toBe("invalid");
  expect(await add({})).toBe("invalid");
  expect(await add({ provider: "openai" })).toBe("invalid");
  expect(await add({ baseUrl: "ftp://h" })).toBe("address_refused");
  expect(await add({ baseUrl: "http://ann:pw@127.0.0.1:1" })).toBe("address_refused");
  expect(await add({ baseUrl: "http://127.0.0.1:1/v1" })).toBe("invalid");
  expect(await add({ baseUrl: server.url, tenantId: "acme" })).toBe("address_refused");
  expect(await add({ provider: "openai", model: "gpt-x", tenantId: "nobody" })).toBe("not_found");
  expect(await add({ baseUrl: "http://127.0.0.1:1/v1", model: "away" })).toBe("done");
  expect(await add({ baseUrl: server.url })).toBe("conflict");
  expect(await codeOf(removeModel(ctx, null, "nobody"))).toBe("not_found");
});

test("a model can be tried: what it says, how fast, and the ledger knows of it", async () => {
  const server = await scripted();
  const ctx = await testContext();
  await addTenant(ctx);
  await addModel(ctx, { tenantId: null, name: "mine", baseUrl: server.url });
  server.script(() => ({ text: "ready" }));
  expect(await testModel(ctx, null, null)).toMatchObject({ text: "ready", model: { name: "mine" } });
  expect(await testModel(ctx, "acme", "mine")).toMatchObject({ text: "ready" });
  expect((await ctx.db.select().from(ledger)).map(({ tenantId, state }) => `${tenantId} ${state}`).sort()).toEqual([
    " ok",
    "acme ok",
  ]);
  server.script(() => ({ fail: { kind: "status", status: 401 } }));
  expect(await codeOf(testModel(ctx, null, "mine"))).toBe("model_refused");
  expect(await codeOf(testModel(ctx, null, "none"))).toBe("no_model");
});
