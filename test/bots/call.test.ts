import { expect, onTestFinished, test } from "vitest";
import { type CallLimits, callModel, type ModelCall } from "../../bots/call.ts";
import { closeAllLostCalls, closeLostCalls, openCall } from "../../bots/ledger.ts";
import { abilitiesOf } from "../../bots/model-families.ts";
import type { ModelRow } from "../../bots/models.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { ledger, tenants, tokenDays } from "../../migrations/schema.ts";
import type { TenantLimits } from "../../migrations/types.ts";
import { type ModelServer, startModelServer } from "../harness/model-server.ts";
import { testClock, testContext } from "../harness/postgres.ts";

const NEVER = new AbortController().signal;

async function setting(limits: TenantLimits = {}) {
  const ctx = await testContext({ clock: testClock() });
  const server = await startModelServer();
  onTestFinished(() => server.stop());
  await addTenant(ctx, limits);
  return { ctx, server, call: (question: string, rest: Partial<ModelCall> = {}) => ask(ctx, server, question, rest) };
}

async function addTenant(ctx: Context, limits: TenantLimits) {
  await ctx.db.insert(tenants).values({
    id: "acme",
    title: "Acme",
    serverName: "acme.test",
    driver: "external",
    homeserverUrl: "http://127.0.0.1:1",
    config: { readableRooms: true, rateLimits: "off" },
    secrets: "",
    hsTokenHash: "",
    controlUserId: "@agentopia:acme.test",
    limits,
  });
}

const modelOf = (server: ModelServer, rest: Partial<ModelRow> = {}): ModelRow => ({
  id: "m1",
  tenantId: null,
  name: "scripted",
  provider: "openai-compatible",
  baseUrl: `${server.url}/v1`,
  model: "scripted",
  apiKey: null,
  abilities: abilitiesOf("scripted"),
  isDefault: true,
  source: "added",
  ...rest,
});

const ask = (ctx: Context, server: ModelServer, question: string, rest: Partial<ModelCall> = {}) =>
  callModel(ctx, {
    tenantId: "acme",
    roomId: "!r:acme.test",
    agentId: "a1",
    personId: "@ann:acme.test",
    runId: "run1",
    model: modelOf(server),
    system: "You are Ada.",
    messages: [{ role: "user", content: question }],
    signal: NEVER,
    ...rest,
    limits: { pauseMs: 5, ...rest.limits },
  });

const rowsOf = (ctx: Context) => ctx.db.select().from(ledger).orderBy(ledger.createdAt);
const dayOf = async (ctx: Context) => (await ctx.db.select().from(tokenDays))[0];

async function failure(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

test("an answer is streamed as the whole text so far and written to the ledger with the server's token counts", async () => {
  const { ctx, server, call } = await setting();
  const seen: string[] = [];
  const answer = await call("#q1 [[text Hello there, friend]] [[chunks 3 20]]", { onText: (text) => seen.push(text) });
  expect(answer).toMatchObject({ text: "Hello there, friend", finishReason: "stop", estimated: false, attempts: 1 });
  expect(seen).toEqual(["Hello t", "Hello there, f", "Hello there, friend"]);
  expect(server.requests[0]?.messages).toEqual([
    { role: "system", text: "You are Ada.", attachments: [] },
    { role: "user", text: "#q1 [[text Hello there, friend]] [[chunks 3 20]]", attachments: [] },
  ]);
  const [row] = await rowsOf(ctx);
  expect(row).toMatchObject({
    tenantId: "acme",
    roomId: "!r:acme.test",
    agentId: "a1",
    personId: "@ann:acme.test",
    runId: "run1",
    modelId: "m1",
    model: "scripted",
    day: "2026-01-15",
    state: "ok",
    result: "stop",
    estimated: false,
    inputTokens: answer.usage.inputTokens,
    outputTokens: answer.usage.outputTokens,
  });
  expect(answer.usage.outputTokens).toBe(5);
  expect(row?.firstTokenMs).toBeGreaterThan(0);
  expect(row?.durationMs).toBeGreaterThanOrEqual(row?.firstTokenMs ?? Number.POSITIVE_INFINITY);
  expect(await dayOf(ctx)).toMatchObject({ used: answer.usage.inputTokens + 5, reserved: 0 });
});

const FAILURES: {
  name: string;
  question: string;
  code: string;
  asked: number;
  limits?: Partial<CallLimits>;
  tokens?: "none" | "estimated";
}[] = [
  { name: "never answers", question: "[[hang]]", code: "model_slow", asked: 1, limits: { firstTokenMs: 80 } },
  { name: "falls silent", question: "[[silence 3]]", code: "model_slow", asked: 1, limits: { silenceMs: 80 } },
  { name: "is rate limited for good", question: "[[429 0]]", code: "model_rate_limited", asked: 3, tokens: "none" },
  { name: "is rate limited for hours", question: "[[429 7200]]", code: "model_rate_limited", asked: 1, tokens: "none" },
  { name: "has an error inside", question: "[[500]]", code: "model_down", asked: 3, tokens: "none" },
  { name: "is overloaded", question: "[[529]]", code: "model_down", asked: 3, tokens: "none" },
  { name: "is asked too much", question: "[[context]]", code: "model_context", asked: 1, tokens: "none" },
  { name: "talks nonsense", question: "[[garbage]]", code: "model_broken", asked: 3, tokens: "none" },
  {
    name: "is cut half-way, always",
    question: "[[chunks 10 200]] [[cut 3]]",
    code: "model_broken",
    asked: 2,
    tokens: "estimated",
  },
];

test.each(FAILURES)("a model that $name fails as $code after $asked askings", async (row) => {
  const { ctx, server, call } = await setting();
  const error = await failure(call(`#q1 ${row.question}`, { limits: row.limits ?? {} }));
  expect(error.code).toBe(row.code);
  expect(error.sentence).toMatch(/^[A-Z].*scripted.*\.$/);
  expect(error.sentence).not.toMatch(/http|127\.0|fails\./);
  expect(server.requests).toHaveLength(row.asked);
  const rows = await rowsOf(ctx);
  expect(rows.map(({ state, result }) => ({ state, result }))).toEqual(
    Array.from({ length: row.asked }, () => ({ state: "failed", result: row.code })),
  );
  const used = rows.reduce((sum, { inputTokens, outputTokens }) => sum + inputTokens + outputTokens, 0);
  if (row.tokens === "none") expect(used).toBe(0);
  if (row.tokens === "estimated")
    expect(rows.every(({ estimated, outputTokens }) => estimated && outputTokens > 0)).toBe(true);
  expect(await dayOf(ctx)).toMatchObject({ used, reserved: 0 });
});

test("a model without a word to say fails as model_empty, and its tokens are counted", async () => {
  const { ctx, server, call } = await setting();
  expect((await failure(call("#q1 [[empty]]"))).code).toBe("model_empty");
  expect(server.requests).toHaveLength(3);
  expect(await rowsOf(ctx)).toMatchObject([{ inputTokens: 1 }, { inputTokens: 1 }, { inputTokens: 1 }]);
});

test("a model server that is not there fails as model_down", async () => {
  const { call } = await setting();
  const gone = await startModelServer();
  await gone.stop();
  const error = await failure(call("#q1", { model: modelOf(gone) }));
  expect(error.code).toBe("model_down");
});

test.each([
  [401, "key"],
  [403, "key"],
  [404, "does not know the model"],
  [422, "did not accept"],
  [402, "no credit"],
])("HTTP %i is a refusal that says why, and is not tried again", async (status, words) => {
  const { server, call } = await setting();
  server.script(() => ({ fail: { kind: "status", status } }));
  const error = await failure(call("#q1"));
  expect(error.code).toBe("model_refused");
  expect(error.sentence).toContain(words);
  expect(server.requests).toHaveLength(1);
});

test("a model that fails once is asked again, and each asking is in the ledger", async () => {
  const { ctx, call } = await setting();
  const answer = await call("#q1 [[500]] [[times 1]]");
  expect(answer).toMatchObject({ text: "Answer to #q1", attempts: 2 });
  expect((await rowsOf(ctx)).map((row) => row.state)).toEqual(["failed", "ok"]);
});

test("a stream that is cut half-way starts over once, and the answer is whole", async () => {
  const { server, call } = await setting();
  const seen: string[] = [];
  const answer = await call("#q1 [[text one two three four five]] [[chunks 8 200]] [[cut 4]] [[times 1]]", {
    onText: (text) => seen.push(text),
  });
  expect(answer).toMatchObject({ text: "one two three four five", attempts: 2 });
  const again = seen.findIndex((text, at) => at > 0 && text.length < (seen[at - 1]?.length ?? 0));
  expect(seen[again - 1]).toMatch(/^one two/);
  expect(seen[again]).toBe("one");
  expect(seen.at(-1)).toBe("one two three four five");
  expect(server.requests).toHaveLength(2);
});

test("retry-after is waited for, and one that is too long is handed on", async () => {
  const { server, call } = await setting();
  await call("#q1 [[429 1]] [[times 1]]");
  const [first, second] = server.requests;
  expect((second?.startedAt ?? 0) - (first?.startedAt ?? 0)).toBeGreaterThanOrEqual(990);
  const error = await failure(call("#q2 [[429 120]]"));
  expect(error.retryAfterMs).toBe(120_000);
});

test("an aborted call rejects with the reason, hangs up, and its estimate is in the ledger", async () => {
  const { ctx, server, call } = await setting();
  const stop = new AbortController();
  const reason = new Error("stopped");
  const promise = call("#q1 [[long 4000]] [[silence 5]]", {
    signal: stop.signal,
    onText: (text) => text.length >= 2000 && stop.abort(reason),
  });
  await expect(promise).rejects.toBe(reason);
  await server.until((at) => at.requests[0]?.aborted === true, "the call to hang up");
  const [row, ...more] = await rowsOf(ctx);
  expect(more).toEqual([]);
  expect(row).toMatchObject({ state: "aborted", result: "aborted", estimated: true });
  expect(row?.outputTokens).toBeGreaterThanOrEqual(500);
  expect(row?.inputTokens).toBeGreaterThan(0);
  expect(await dayOf(ctx)).toMatchObject({ used: (row?.inputTokens ?? 0) + (row?.outputTokens ?? 0), reserved: 0 });
});

test.each([
  ["before the first token", "#q1 [[hang]]"],
  ["in the pause after a failure", "#q1 [[429 30]]"],
])("an abort %s ends the call at once", async (_when, question) => {
  const { ctx, server, call } = await setting();
  const stop = new AbortController();
  const promise = call(question, { signal: stop.signal });
  const reason = new Error("stopped");
  const checked = expect(promise).rejects.toBe(reason);
  await server.until(
    (at) => at.requests.length === 1 && (question.includes("hang") || at.requests[0]?.endedAt !== undefined),
    "it to be asked",
  );
  stop.abort(reason);
  await checked;
  expect(server.requests).toHaveLength(1);
  expect((await rowsOf(ctx)).some((row) => row.state === "open")).toBe(false);
  expect(await dayOf(ctx)).toMatchObject({ reserved: 0 });
});

test("a call whose signal is aborted already asks nothing and writes nothing", async () => {
  const { ctx, server, call } = await setting();
  const reason = new Error("stopped");
  await expect(call("#q1", { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(server.requests).toEqual([]);
  expect(await rowsOf(ctx)).toEqual([]);
});

test("a hundred calls at once do not go beyond the day's cap", async () => {
  const { ctx, server, call } = await setting({ tokensPerDay: 3000 });
  const small = modelOf(server, { abilities: abilitiesOf("scripted", { maxOutput: 200 }) });
  server.script(({ body }) => ({ text: "word ".repeat(200).slice(0, 4 * Number(body.max_tokens)) }));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 100 }, (_, n) => call(`#q${n} ${"x".repeat(30)}`, { model: small })),
  );
  const used = (await dayOf(ctx))?.used ?? 0;
  const errors = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as AppError);
  expect(used).toBeLessThanOrEqual(3000);
  expect(used).toBeGreaterThan(2500);
  expect(errors.length).toBeGreaterThan(50);
  expect(new Set(errors.map((error) => error.code))).toEqual(new Set(["token_cap"]));
  expect(errors[0]?.sentence).toMatch(/^The day's limit .*\.$/);
  expect(server.requests).toHaveLength(100 - errors.length);
  expect(await dayOf(ctx)).toMatchObject({ reserved: 0 });
});

test("the day ends at midnight UTC, and so does its cap", async () => {
  const { ctx, call } = await setting({ tokensPerDay: 120 });
  await call("#q1");
  // Until the cap is met; each of them takes some.
  for (let n = 0, met = false; n < 10 && !met; n++)
    met = await call(`#q1${n}`).then(
      () => false,
      (error: AppError) => error.code === "token_cap",
    );
  expect((await failure(call("#q2"))).code).toBe("token_cap");
  (ctx.clock as ReturnType<typeof testClock>).move(24 * 3600_000);
  expect((await call("#q3")).text).toBe("Answer to #q3");
});

test("a call waits for tokens that others hold, as long as they may come back", async () => {
  const { server, call } = await setting({ tokensPerDay: 1100 });
  const greedy = modelOf(server, { abilities: abilitiesOf("scripted", { maxOutput: 1000 }) });
  const first = call("#q1 [[hold]]", { model: greedy });
  await server.until((at) => at.heldNow().length === 1, "the first call");
  const second = call("#q2", { model: greedy });
  server.release();
  expect((await first).text).toBe("Answer to #q1");
  expect((await second).text).toBe("Answer to #q2");
});

test("near the cap a call gets what is left of the day", async () => {
  const { server, call } = await setting({ tokensPerDay: 400 });
  await call("#q1", { model: modelOf(server, { abilities: abilitiesOf("scripted", { maxOutput: 5000 }) }) });
  expect(server.requests[0]?.body.max_tokens).toBeLessThan(400);
});

test("calls that a crash left open are ended as lost, and what they held is given back", async () => {
  const { ctx, server } = await setting();
  const caller = { tenantId: "acme", roomId: null, agentId: null, personId: null };
  const tokens = { input: 100, output: 4000 };
  await openCall(ctx, { ...caller, runId: "run1" }, modelOf(server), tokens, NEVER);
  await openCall(ctx, { ...caller, runId: "run2" }, modelOf(server), tokens, NEVER);
  expect(await dayOf(ctx)).toMatchObject({ used: 0, reserved: 8200 });
  expect(await closeLostCalls(ctx, "run1")).toBe(1);
  expect(await closeLostCalls(ctx, "run1")).toBe(0);
  expect(await dayOf(ctx)).toMatchObject({ used: 600, reserved: 4100 });
  expect(await closeAllLostCalls(ctx)).toBe(0);
  await ctx.sql`update ledger set created_at = now() - interval '1 day'`;
  expect(await closeAllLostCalls(ctx)).toBe(1);
  expect(await dayOf(ctx)).toMatchObject({ used: 1200, reserved: 0 });
  expect((await rowsOf(ctx)).map(({ state, estimated }) => ({ state, estimated }))).toEqual([
    { state: "lost", estimated: true },
    { state: "lost", estimated: true },
  ]);
});

test("an answer is not lost because the database went away while the model spoke", async () => {
  const { ctx, server, call } = await setting();
  const promise = call("#q1 [[hold]]");
  await server.until((at) => at.heldNow().length === 1, "the call");
  await ctx.sql.end();
  server.release();
  expect((await promise).text).toBe("Answer to #q1");
});

test("thoughts are not shown, but counted", async () => {
  const { ctx, call } = await setting();
  const seen: string[] = [];
  const answer = await call("#q1 [[text <think>Ann asks. So I greet.</think>\n\nHello, Ann]] [[chunks 20]]", {
    onText: (text) => seen.push(text),
  });
  expect(answer.text).toBe("Hello, Ann");
  expect(seen.join("")).not.toContain("think");
  expect(seen.at(-1)).toBe("Hello, Ann");
  expect((await rowsOf(ctx))[0]?.outputTokens).toBeGreaterThan(10);
});

test.each(["openai", "anthropic", "google"] as const)("%s is asked in its own words", async (provider) => {
  const { server, call } = await setting();
  const baseUrl = provider === "google" ? `${server.url}/v1beta` : `${server.url}/v1`;
  const model = modelOf(server, { provider, baseUrl, apiKey: "k-123" });
  const answer = await call("#q1", { model });
  expect(answer).toMatchObject({ text: "Answer to #q1", estimated: false });
  expect(answer.usage.outputTokens).toBe(4);
  expect(server.requests[0]?.messages[0]).toMatchObject({ text: "You are Ada." });
  const context = await failure(call("#q2 [[context]]", { model }));
  expect(context.code).toBe("model_context");
  const cut = await failure(call("#q3 [[chunks 10 200]] [[cut 3]]", { model }));
  expect(cut.code).toBe("model_broken");
});

test("an image goes to the model as one", async () => {
  const { server, call } = await setting();
  const data = Buffer.from("iVBORw0KGgo=", "base64");
  await call("", {
    messages: [
      {
        role: "user",
        content: [
          { type: "text", text: "#q1 What is this?" },
          { type: "file", mediaType: "image/png", data: new Uint8Array(data) },
        ],
      },
    ],
  });
  expect(server.requests[0]?.messages.at(-1)).toMatchObject({ attachments: ["image_url"] });
  expect(JSON.stringify(server.requests[0]?.body)).toContain("data:image/png;base64,iVBORw0KGgo=");
});

test("a tenant's model on this machine is refused when it is used, unless the operator allowed its host", async () => {
  const { ctx, server, call } = await setting();
  const model = modelOf(server, { tenantId: "acme" });
  const error = await failure(call("#q1", { model }));
  expect(error.code).toBe("address_refused");
  expect(server.requests).toEqual([]);
  ctx.config.allowHosts.push(new URL(server.url).host);
  expect((await call("#q2", { model: { ...model, apiKey: "other" } })).text).toBe("Answer to #q2");
});

test("the operator's keys in the environment are never sent to an address of a tenant", async () => {
  const { ctx, server, call } = await setting();
  ctx.config.allowHosts.push(new URL(server.url).host);
  process.env.OPENAI_API_KEY = "sk-operator";
  onTestFinished(() => {
    delete process.env.OPENAI_API_KEY;
  });
  await call("#q1", { model: modelOf(server, { tenantId: "acme", provider: "openai" }) });
  await call("#q2", { model: modelOf(server, { tenantId: "acme" }) });
  expect(server.requests.map((request) => request.authorization?.includes("sk-operator") ?? false)).toEqual([
    false,
    false,
  ]);
});
