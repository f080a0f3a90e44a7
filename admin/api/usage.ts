/** Tokens, calls and time: by day, client, agent, room, person, model. And the caps. */
import { readCaps, setCaps } from "../../bots/caps.ts";
import { LIMIT_RANGES, type SettableLimit } from "../../bots/limits.ts";
import { readUsage, USAGE_BY, type UsageBy, type UsageQuery, usageLines } from "../../bots/usage.ts";
import type { Context } from "../../core/context.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { csvOf } from "../csv.ts";
import { remembered } from "../remember.ts";
import { InvalidFields } from "./conflict.ts";
import { type Endpoint, endpoint, z } from "./endpoint.ts";

const ROWS = 200;
/** It adds up whole months: pages that are open side by side share one answer. */
const KEPT_MS = 5_000;
const CSV_ROWS = 50_000;
const MOST_DAYS = 400;
const DAY_MS = 86_400_000;

const day = z.iso.date().openapi({ example: "2026-11-21" });
const query = z.object({
  from: day.optional().openapi({ description: "The first day, UTC; 30 days before the last one when not given." }),
  to: day.optional().openapi({ description: "The last day, UTC; today when not given." }),
  by: z.enum(USAGE_BY).default("day"),
  limit: z.coerce.number().int().min(1).max(ROWS).default(ROWS),
});

const sums = {
  calls: z.number().int(),
  failed: z.number().int().openapi({ description: "Calls that failed or were lost in a crash." }),
  inputTokens: z.number().int(),
  outputTokens: z.number().int(),
  durationMs: z.number(),
};

export const usageView = z
  .object({
    from: day,
    to: day,
    by: z.enum(USAGE_BY),
    days: z.array(day),
    series: z
      .array(z.object({ key: z.string().nullable(), name: z.string(), tokens: z.array(z.number()) }))
      .openapi({ description: "Tokens of each day. `key` null: everything that has no line of its own." }),
    rows: z.array(z.object({ key: z.string(), name: z.string(), client: z.string(), ...sums })),
    total: z.object(sums),
    more: z.number().int().openapi({ description: "Rows beyond the limit; they are in the total." }),
  })
  .openapi("Usage");
export type UsageView = z.output<typeof usageView>;

const limit = (name: SettableLimit) =>
  z.number().int().min(LIMIT_RANGES[name].least).max(LIMIT_RANGES[name].most).nullable().optional();

const capsBody = z
  .object({
    tokensPerDay: limit("tokensPerDay"),
    maxHops: limit("maxHops"),
    agentPairPerHour: limit("agentPairPerHour"),
    personPairPerHour: limit("personPairPerHour"),
    quickReplies: limit("quickReplies"),
  })
  .openapi({ description: "What is not named stays; null goes back to the platform's own." });

const limits = z.object({
  tokensPerDay: z.number(),
  maxHops: z.number(),
  agentPairPerHour: z.number(),
  personPairPerHour: z.number(),
  quickReplies: z.number(),
});

export const capsView = z
  .object({
    limits,
    defaults: limits,
    today: z.object({
      day,
      used: z.number(),
      reserved: z.number().openapi({ description: "Held by calls under way." }),
    }),
  })
  .openapi("Caps");
export type CapsView = z.output<typeof capsView>;

/** The time that is asked about. Throws `invalid` for one that is turned around or too long. */
function timeOf(ctx: Context, asked: z.output<typeof query>, tenantId: string | null): UsageQuery {
  const today = new Date(ctx.clock.now()).toISOString().slice(0, 10);
  const to = asked.to ?? today;
  const from = asked.from ?? new Date(Math.max(0, Date.parse(to) - 29 * DAY_MS)).toISOString().slice(0, 10);
  if (from > to) throw new InvalidFields({ from: "The first day comes after the last one." });
  if (Date.parse(to) - Date.parse(from) > MOST_DAYS * DAY_MS)
    throw new InvalidFields({ from: `Choose at most ${MOST_DAYS} days.` });
  return { tenantId, from, to, by: asked.by };
}

async function show(ctx: Context, asked: z.output<typeof query>, tenantId: string | null): Promise<UsageView> {
  const time = timeOf(ctx, asked, tenantId);
  const key = JSON.stringify(["usage", time, asked.limit]);
  const { rows, keys, total, series, days } = await remembered(ctx, key, KEPT_MS, () =>
    readUsage(ctx, time, asked.limit),
  );
  const { from, to, by } = time;
  const shown = rows.map(({ tenantId: client, ...row }) => ({ ...row, client }));
  return { from, to, by, days, series, rows: shown, total, more: Math.max(0, keys - rows.length) };
}

async function csv(ctx: Context, asked: z.output<typeof query>, tenantId: string | null): Promise<string> {
  const time = timeOf(ctx, asked, tenantId);
  const lines = await usageLines(ctx, time, CSV_ROWS);
  const ofKey = (by: UsageBy) => (by === "day" ? [] : [by, "name"]);
  const head = ["day", ...ofKey(time.by), "calls", "failed", "input_tokens", "output_tokens", "seconds"];
  const rows = lines.map((line) => [
    line.day,
    ...(time.by === "day" ? [] : [line.key, line.name]),
    line.calls,
    line.failed,
    line.inputTokens,
    line.outputTokens,
    Math.round(line.durationMs / 100) / 10,
  ]);
  return csvOf([head, ...rows]);
}

const fileHeaders = (name: string) => ({
  "content-type": "text/csv; charset=utf-8",
  "content-disposition": `attachment; filename="${name}"`,
  "cache-control": "no-store",
});

export const usageEndpoints = (_ctx: Context): Endpoint[] => [
  endpoint(
    {
      method: "get",
      path: "/usage",
      action: "usage.read",
      tag: "usage",
      summary: "What all clients used",
      query,
      answer: usageView,
    },
    ({ ctx, query: asked }) => show(ctx, asked, null),
  ),
  endpoint(
    {
      method: "get",
      path: "/usage.csv",
      action: "usage.read",
      tag: "usage",
      summary: "The same as a file: a line for each day and part",
      query,
      answer: "file",
    },
    async ({ ctx, query: asked, http }) => http.body(await csv(ctx, asked, null), 200, fileHeaders("usage.csv")),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/usage",
      action: "usage.read",
      tag: "usage",
      summary: "What a client used",
      query,
      answer: usageView,
    },
    async ({ ctx, params, query: asked }) => show(ctx, asked, (await getTenant(ctx, params.client)).id),
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/usage.csv",
      action: "usage.read",
      tag: "usage",
      summary: "The same as a file: a line for each day and part",
      query,
      answer: "file",
    },
    async ({ ctx, params, query: asked, http }) => {
      const { id } = await getTenant(ctx, params.client);
      return http.body(await csv(ctx, asked, id), 200, fileHeaders(`usage-${id}.csv`));
    },
  ),
  endpoint(
    {
      method: "get",
      path: "/clients/{client}/caps",
      action: "usage.read",
      tag: "usage",
      summary: "A client's limits, and what of the day's tokens is gone",
      answer: capsView,
    },
    ({ ctx, params }) => readCaps(ctx, params.client),
  ),
  endpoint(
    {
      method: "put",
      path: "/clients/{client}/caps",
      action: "caps.write",
      tag: "usage",
      summary: "Set a client's limits; they hold from the next question on",
      body: capsBody,
      answer: capsView,
    },
    async ({ ctx, params, body, audit }) => {
      const before = await readCaps(ctx, params.client);
      await setCaps(ctx, params.client, body);
      const after = await readCaps(ctx, params.client);
      audit({ target: { kind: "client", id: params.client }, before: before.limits, after: after.limits });
      return after;
    },
  ),
];
