import { expect, onTestFinished, test } from "vitest";
import { callModel, type ModelCall } from "../../bots/call.ts";
import { closeLostCalls, openCall } from "../../bots/ledger.ts";
import { abilitiesOf } from "../../bots/model-families.ts";
import type { ModelRow } from "../../bots/models.ts";
import type { Context } from "../../core/context.ts";
import type { AppError } from "../../core/errors.ts";
import { type ModelServer, startModelServer } from "../harness/model-server.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { makeTenant, TENANT } from "./tenant.ts";

const NEVER = new AbortController().signal;
const AGENT = "writer";

async function setting(limits: { tenant?: number } = {}) {
  const ctx = await testContext({ clock: testClock() });
  const server = await startModelServer();
  onTestFinished(() => server.stop());
  await makeTenant(ctx, limits.tenant === undefined ? {} : { limits: { tokensPerDay: limits.tenant } });
  const call = async (question: string, rest: Partial<ModelCall> = {}) => {
    const answer = await callModel(ctx, {
      tenantId: TENANT,
      roomId: "!r:acme.test",
      agentId: AGENT,
      personId: "@ann:acme.test",
      runId: null,
      model: modelOf(server, 200),
      system: "You are Ada.",
      messages: [{ role: "user", content: question }],
      signal: NEVER,
      ...rest,
      limits: { pauseMs: 5 },
    });
    await answer.recorded;
    return answer;
  };
  return { ctx, server, call };
}

const modelOf = (server: ModelServer, maxOutput: number): ModelRow => ({
  id: "m1",
  tenantId: null,
  name: "scripted",
  provider: "openai-compatible",
  baseUrl: `${server.url}/v1`,
  model: "scripted",
  apiKey: null,
  abilities: abilitiesOf("scripted", { maxOutput }),
  isDefault: true,
  source: "added",
});

const agentDay = async (ctx: Context) =>
  (
    await ctx.sql<{ used: number; reserved: number }[]>`
    select used::int, reserved::int from agent_token_days where agent_id = ${AGENT} order by day desc`
  )[0];
const tenantDay = async (ctx: Context) =>
  (await ctx.sql<{ used: number; reserved: number }[]>`select used::int, reserved::int from token_days`)[0];

const errorOf = (promise: Promise<unknown>): Promise<AppError | null> =>
  promise.then(
    () => null,
    (error: AppError) => error,
  );

test("fifty calls at once do not go beyond the agent's own limit, and what is counted is the same in both places", async () => {
  const { ctx, server, call } = await setting();
  server.script(({ body }) => ({ text: "word ".repeat(200).slice(0, 4 * Number(body.max_tokens)) }));
  const errors = await Promise.all(
    Array.from({ length: 50 }, (_, n) => errorOf(call(`#q${n} ${"x".repeat(30)}`, { agentTokensPerDay: 2000 }))),
  );
  const refused = errors.filter((error) => error !== null);
  expect(refused.length).toBeGreaterThan(20);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["agent_token_cap"]));
  expect(refused[0]?.sentence).toMatch(/^This agent's own limit .* manager raises its limit\.$/);
  const day = await agentDay(ctx);
  expect(day?.used).toBeLessThanOrEqual(2000);
  expect(day?.used).toBeGreaterThan(1500);
  expect(day?.reserved).toBe(0);
  expect(await tenantDay(ctx)).toEqual(day);
  expect(server.requests).toHaveLength(50 - refused.length);
});

test("where the client's cap is met first nothing is held against the agent's limit", async () => {
  const { ctx, call } = await setting({ tenant: 50 });
  const error = await errorOf(call(`#q1 ${"x".repeat(400)}`, { agentTokensPerDay: 100_000 }));
  expect(error?.code).toBe("token_cap");
  expect(await agentDay(ctx)).toEqual({ used: 0, reserved: 0 });
});

test("where the agent's limit is met nothing is held against the client's cap", async () => {
  const { ctx, call } = await setting();
  await call("#q1", { agentTokensPerDay: 1000 });
  const before = await tenantDay(ctx);
  const error = await errorOf(call(`#q2 ${"x".repeat(4000)}`, { agentTokensPerDay: 1000 }));
  expect(error?.code).toBe("agent_token_cap");
  expect(await tenantDay(ctx)).toEqual(before);
});

test("mixed calls with and without a limit end without a deadlock and give all back", async () => {
  const { ctx, call } = await setting({ tenant: 5000 });
  const ends = await Promise.all(
    Array.from({ length: 60 }, (_, n) => errorOf(call(`#q${n}`, n % 2 ? { agentTokensPerDay: 3000 } : {}))),
  );
  for (const error of ends) if (error) expect(error.code).toMatch(/token_cap$/);
  expect((await agentDay(ctx))?.reserved).toBe(0);
  const all = await tenantDay(ctx);
  expect(all?.reserved).toBe(0);
  expect(all?.used).toBeGreaterThan((await agentDay(ctx))?.used ?? 0);
});

test("an agent without a limit leaves no row, and the day ends at midnight UTC", async () => {
  const { ctx, call } = await setting();
  await call("#q1");
  expect(await agentDay(ctx)).toBeUndefined();
  await call("#q2", { agentTokensPerDay: 250 });
  expect((await errorOf(call(`#q3 ${"x".repeat(1000)}`, { agentTokensPerDay: 250 })))?.code).toBe("agent_token_cap");
  (ctx.clock as ReturnType<typeof testClock>).move(24 * 3600_000);
  expect((await call("#q4", { agentTokensPerDay: 250 })).text).toBe("Answer to #q4");
});

test("what a crash left held against the agent's limit is given back", async () => {
  const { ctx, server } = await setting();
  const caller = { tenantId: TENANT, roomId: null, agentId: AGENT, personId: null };
  const tokens = { input: 100, output: 4000, agentTokensPerDay: 100_000 };
  await openCall(ctx, { ...caller, runId: "run1" }, modelOf(server, 200), tokens, NEVER);
  await openCall(ctx, { ...caller, runId: "run1" }, modelOf(server, 200), { input: 100, output: 4000 }, NEVER);
  expect(await agentDay(ctx)).toEqual({ used: 0, reserved: 4100 });
  expect(await closeLostCalls(ctx, "run1")).toBe(2);
  expect(await agentDay(ctx)).toEqual({ used: 600, reserved: 0 });
  expect(await tenantDay(ctx)).toEqual({ used: 1200, reserved: 0 });
});

test("an answer is no longer than the agent's limit for one, and never longer than the model's", async () => {
  const { server, call } = await setting();
  await call("#q1", { maxAnswerTokens: 70 });
  await call("#q2", { maxAnswerTokens: 9000 });
  expect(server.requests.map(({ body }) => body.max_tokens)).toEqual([70, 256]);
});
