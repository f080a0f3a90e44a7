import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { eq } from "drizzle-orm";
import { expect, onTestFinished, test } from "vitest";
import { callModel, type ModelCall } from "../../bots/call.ts";
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
