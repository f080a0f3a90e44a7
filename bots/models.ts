import { and, asc, desc, eq, isNull, or, sql } from "drizzle-orm";
import { checkAddress } from "../core/addresses.ts";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { models, tenants } from "../migrations/schema.ts";
import type { ModelAbilities } from "../migrations/types.ts";
import { callModel, type ModelUsage } from "./call.ts";
import { anthropicBase, NO_MODEL_SENTENCE } from "./default-model.ts";
import { listOffered, type Offered } from "./discovery.ts";
import { abilitiesOf } from "./model-families.ts";
import { openKey, sealKey } from "./model-keys.ts";
import { modelFetch } from "./provider.ts";
import { findDefaultAgain } from "./refresh-model.ts";

/** A row as it is kept: its key sealed. */
export type Row = typeof models.$inferSelect;

export type Provider = Row["provider"];

/** A row of `models` with its key in the clear: never logged, never shown. */
export type ModelRow = Omit<Row, "createdAt" | "lastCheck">;

/** A model as it is shown: whether there is a key, not which. */
export type ShownModel = Omit<ModelRow, "apiKey"> & { hasKey: boolean };

/** A row with its key in the clear. */
export function openRow(ctx: Context, { createdAt: _createdAt, lastCheck: _lastCheck, ...row }: Row): ModelRow {
  return { ...row, apiKey: openKey(ctx, row.id, row.apiKey) };
}

/** Rows change seldom and are needed for each answer. Short enough that nobody waits for a change made by another process. */
const KEEP_MS = 1000;
const resolved = new WeakMap<Context, Map<string, { row: ModelRow; until: number }>>();

/**
 * The model by that name, the tenant's own before the operator's; without a name the tenant's default or the operator's. Where no default
 * is set, looks again for one. Throws `no_model`.
 */
export async function resolveModel(ctx: Context, tenantId: string, name: string | null): Promise<ModelRow> {
  const cache = resolved.get(ctx) ?? new Map<string, { row: ModelRow; until: number }>();
  resolved.set(ctx, cache);
  const key = JSON.stringify([tenantId, name]);
  const kept = cache.get(key);
  if (kept && kept.until > performance.now()) return kept.row;
  let row = await findModel(ctx, tenantId, name);
  if (!row) {
    const why = await findDefaultAgain(ctx);
    row = await findModel(ctx, tenantId, name);
    if (!row) throw noModel(name, why);
  }
  if (cache.size > 1000) cache.clear();
  cache.set(key, { row, until: performance.now() + KEEP_MS });
  return row;
}

/** After every change of a row: nobody here answers with what was. */
export const forgetModels = (ctx: Context): void => void resolved.delete(ctx);

const noModel = (name: string | null, why = NO_MODEL_SENTENCE) =>
  new AppError(
    "no_model",
    name === null
      ? why
      : `There is no model named "${name}". Give the agent another one, or ask an operator to add it.`,
  );

async function findModel(ctx: Context, tenantId: string | null, name: string | null): Promise<ModelRow | null> {
  const scope =
    tenantId === null ? isNull(models.tenantId) : or(eq(models.tenantId, tenantId), isNull(models.tenantId));
  // One of the operator's that the tenant chose: after its own default, before the operator's.
  const chosen = sql`${models.id} is not distinct from (select default_model_id from tenants where id = ${tenantId})`;
  const [row] = await ctx.db
    .select()
    .from(models)
    .where(and(scope, name === null ? or(eq(models.isDefault, true), chosen) : eq(models.name, name)))
    // Ascending order has nulls last: the tenant's own comes first.
    .orderBy(asc(models.tenantId), desc(chosen))
    .limit(1);
  return row ? openRow(ctx, row) : null;
}

/** Models of the operator (`null`), of a tenant together with the operator's, or all. */
export async function listModels(ctx: Context, tenantId?: string | null): Promise<ShownModel[]> {
  const scope =
    tenantId === undefined
      ? undefined
      : tenantId === null
        ? isNull(models.tenantId)
        : or(eq(models.tenantId, tenantId), isNull(models.tenantId));
  const rows = await ctx.db
    .select()
    .from(models)
    .where(scope)
    .orderBy(asc(models.tenantId), desc(models.isDefault), asc(models.name));
  return rows.map(shown);
}

export function shown({ apiKey, ...row }: ModelRow): ShownModel {
  const { id, tenantId, name, provider, baseUrl, model, abilities, isDefault, source } = row;
  return { id, tenantId, name, provider, baseUrl, model, abilities, isDefault, source, hasKey: apiKey !== null };
}

export interface NewModel {
  /** Null: the operator's, for all tenants. */
  tenantId: string | null;
  name: string;
  /** `openai-compatible` when there is an address and nothing else is said. */
  provider?: Provider | undefined;
  baseUrl?: string | null | undefined;
  /** The provider's name for it; the first one that the server lists when not said. */
  model?: string | null | undefined;
  apiKey?: string | null | undefined;
  /** True when nothing else is the default where it would be used. */
  isDefault?: boolean | undefined;
  abilities?: Partial<ModelAbilities> | undefined;
}

const ASK_MS = 3000;

/** Adds a model. Throws `invalid`, `conflict`, `not_found`, or `address_refused` where a tenant's address is not public. */
export async function addModel(ctx: Context, input: NewModel): Promise<ShownModel> {
  const name = input.name.trim();
  if (!name || name.length > 100) throw new AppError("invalid", "A model needs a name of 1 to 100 characters.");
  const provider = input.provider ?? (input.baseUrl ? "openai-compatible" : undefined);
  if (!provider)
    throw new AppError("invalid", "Say the model's provider (openai, anthropic, google) or the address of its server.");
  const baseUrl = await checkedAddress(ctx, input.tenantId, provider, input.baseUrl);
  const offered = baseUrl ? await askServer(ctx, { ...input, provider, baseUrl }) : [];
  const model = input.model?.trim() || offered[0]?.model;
  if (!model)
    throw new AppError("invalid", "Say which model of that server it is: the server did not list any by itself.");
  const match = offered.find((entry) => entry.model === model);
  const id = newId();
  const abilities = abilitiesOf(model, { ...match?.abilities, ...input.abilities });
  const isDefault = input.isDefault ?? (await findModel(ctx, input.tenantId, null)) === null;
  const row: ModelRow = {
    id,
    tenantId: input.tenantId,
    name,
    provider,
    baseUrl: match?.baseUrl ?? offered[0]?.baseUrl ?? baseUrl,
    model,
    apiKey: sealKey(ctx, id, input.apiKey),
    abilities,
    isDefault,
    source: "added",
  };
  await insertModel(ctx, row);
  return shown(row);
}

/** Throws `invalid`, or `address_refused`. */
export async function checkedAddress(
  ctx: Context,
  tenantId: string | null,
  provider: Provider,
  address: string | null | undefined,
): Promise<string | null> {
  if (!address?.trim()) {
    if (provider === "openai-compatible")
      throw new AppError("invalid", "Say the address of the model's server, such as http://127.0.0.1:11434/v1");
    return null;
  }
  const text = address.trim().replace(/\/+$/, "");
  // The operator's own may be local: the host itself is what is allowed.
  const host = URL.canParse(text) ? [new URL(text).host] : [];
  await checkAddress(text, { allowHosts: tenantId === null ? host : ctx.config.allowHosts });
  return provider === "anthropic" ? anthropicBase(text) : text;
}

/** What the server has; nothing when it is away or keeps no list, which is no reason not to add it. */
export async function askServer(
  ctx: Context,
  input: Pick<NewModel, "tenantId" | "apiKey"> & { provider: Provider; baseUrl: string },
): Promise<Offered[]> {
  if (input.provider !== "openai-compatible") return [];
  try {
    const fetch = modelFetch(ctx, input.tenantId);
    return await listOffered(input.baseUrl, { apiKey: input.apiKey ?? null, fetch, timeoutMs: ASK_MS });
  } catch (error) {
    if (error instanceof AppError) throw error;
    ctx.log.info({ host: new URL(input.baseUrl).host, error: String(error) }, "a model's server listed no models");
    return [];
  }
}

async function insertModel(ctx: Context, row: ModelRow): Promise<void> {
  try {
    await ctx.db.transaction(async (tx) => {
      // What was found on this machine makes room: it becomes this one, or gets its server's name behind its own.
      const found = and(ofOwner(row.tenantId), eq(models.name, row.name), eq(models.source, "found"));
      const same = and(found, eq(models.model, row.model), sql`${models.baseUrl} is not distinct from ${row.baseUrl}`);
      const [before] = await tx.delete(models).where(same).returning();
      await tx
        .update(models)
        .set({ name: sql`${models.name} || ' (' || ${models.baseUrl} || ')'` })
        .where(found);
      row.isDefault ||= before?.isDefault ?? false;
      if (row.isDefault) await clearDefault(tx, row.tenantId);
      await tx.insert(models).values(row);
    });
  } catch (error) {
    const code = (error as { cause?: { code?: string } }).cause?.code;
    if (code === "23505") throw nameTaken(row.name);
    if (code === "23503") throw new AppError("not_found", `There is no client "${row.tenantId}".`);
    throw error;
  } finally {
    resolved.delete(ctx);
  }
}

export const nameTaken = (name: string) =>
  new AppError("conflict", `There is a model named "${name}" already. Choose another name or remove it first.`);

/** A tenant's own, or the operator's. */
export const ofOwner = (tenantId: string | null) =>
  tenantId === null ? isNull(models.tenantId) : eq(models.tenantId, tenantId);

/** All of them, so that two who choose at once wait for each other. */
export async function clearDefault(tx: Pick<Context["db"], "update">, tenantId: string | null): Promise<void> {
  await tx.update(models).set({ isDefault: false }).where(ofOwner(tenantId));
  if (tenantId !== null) await tx.update(tenants).set({ defaultModelId: null }).where(eq(tenants.id, tenantId));
}

/** Removes a model that was added. Throws `not_found`, or `invalid` for one that comes from the environment or was found. */
export async function removeModel(ctx: Context, tenantId: string | null, name: string): Promise<void> {
  const which = and(ofOwner(tenantId), eq(models.name, name));
  const [removed] = await ctx.db
    .delete(models)
    .where(and(which, eq(models.source, "added")))
    .returning();
  resolved.delete(ctx);
  if (removed) return;
  const [other] = await ctx.db.select({ source: models.source }).from(models).where(which);
  if (!other) throw new AppError("not_found", `There is no model named "${name}" here.`);
  throw new AppError(
    "invalid",
    other.source === "environment"
      ? `The model "${name}" comes from the environment. Unset its variable and start again.`
      : `The model "${name}" was found on this machine. Stop its server, or add another model as the default.`,
  );
}

export interface ModelTest {
  model: ShownModel;
  /** What it answered. */
  text: string;
  firstTokenMs: number;
  durationMs: number;
  usage: ModelUsage;
}

/** Asks a model for one word, as an agent would. Throws `no_model` or what `callModel` throws. */
export async function testModel(ctx: Context, tenantId: string | null, name: string | null): Promise<ModelTest> {
  const row = tenantId === null ? await operatorModel(ctx, name) : await resolveModel(ctx, tenantId, name);
  return await askForAWord(ctx, tenantId, row);
}

/** `tenantId`: whose day it counts for. */
export async function askForAWord(ctx: Context, tenantId: string | null, row: ModelRow): Promise<ModelTest> {
  const { text, firstTokenMs, durationMs, usage, recorded } = await callModel(ctx, {
    tenantId,
    roomId: null,
    agentId: null,
    personId: null,
    runId: null,
    model: row,
    system: "You are being tested.",
    messages: [{ role: "user", content: "Answer with the one word: ready" }],
    signal: AbortSignal.timeout(120_000),
    limits: { attempts: 1 },
  });
  await recorded;
  return { model: shown(row), text, firstTokenMs, durationMs, usage };
}

async function operatorModel(ctx: Context, name: string | null): Promise<ModelRow> {
  const row = await findModel(ctx, null, name);
  if (!row) throw noModel(name);
  return row;
}
