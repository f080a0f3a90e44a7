import { and, isNull, ne, notInArray, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { plainFetch } from "../core/guard.ts";
import { stableId } from "../core/ids.ts";
import { models } from "../migrations/schema.ts";
import { type Choice, chooseDefault, NO_MODEL_SENTENCE } from "./default-model.ts";
import { discoverModels, listOffered, type Offered } from "./discovery.ts";
import { forLog } from "./model-errors.ts";
import { abilitiesOf } from "./model-families.ts";
import { openKey, sealKey } from "./model-keys.ts";
import type { ModelRow } from "./models.ts";
import { languageModel } from "./provider.ts";

/** A default that comes from outside: the environment, or a server found on this machine. */
type Outside = Omit<ModelRow, "tenantId" | "isDefault" | "name">;

const ASK_MS = 2000;

/**
 * Brings the operator's default model in line with the environment and with the model servers on this machine (the order is
 * at `chooseDefault`); a default that the operator added by hand stays. Returns the sentence for the start screen: which model
 * answers, or how to set one. Takes at most 2 s where a server has to be asked, half a second where servers are looked for.
 */
export async function refreshDefaultModel(ctx: Context): Promise<string> {
  const { rows, sentence } = await lookOutside(ctx, chooseDefault(ctx.config.model));
  await store(ctx, rows);
  const [row] = await ctx.db
    .select()
    .from(models)
    .where(and(isNull(models.tenantId), models.isDefault));
  if (!row) return sentence ?? NO_MODEL_SENTENCE;
  // Its part of the SDK is loaded now, beside other work, and not while the first asker waits (50 ms).
  await languageModel(ctx, { ...row, apiKey: openKey(ctx, row.id, row.apiKey) });
  return `Agents answer with ${row.name}${placeOf(row)}.`;
}

function placeOf(row: Pick<ModelRow, "source" | "baseUrl" | "provider">): string {
  const where = row.baseUrl && URL.canParse(row.baseUrl) ? `at ${new URL(row.baseUrl).host}` : `of ${row.provider}`;
  const how = { added: "added by the operator", environment: "set in the environment", found: "found on this machine" };
  return ` (${where}, ${how[row.source]})`;
}

async function lookOutside(ctx: Context, choice: Choice): Promise<{ rows: Outside[]; sentence?: string }> {
  switch (choice.kind) {
    case "impossible":
      return { rows: [], sentence: choice.sentence };
    case "model":
      return { rows: [await named(ctx, choice)] };
    case "first": {
      const offered = await ask(ctx, choice);
      const row = offered[0]
        ? fromServer("environment", offered[0], choice.apiKey)
        : await lastKnown(ctx, choice.baseUrl);
      const sentence = `OPENAI_BASE_URL (${hostOf(choice.baseUrl)}) does not list any model at the moment; it is asked again when somebody asks an agent. Or set AGENTOPIA_MODEL to the model's name and start again.`;
      return row ? { rows: [row] } : { rows: [], sentence };
    }
    case "local": {
      const found = await discoverModels(ctx, plainFetch);
      const wanted = choice.model;
      const first =
        wanted === null ? 0 : found.findIndex(({ model }) => model === wanted || model.startsWith(`${wanted}:`));
      if (first < 0)
        return {
          rows: [],
          sentence: `AGENTOPIA_MODEL names ${wanted}, but no model server on this machine has it and no key for a provider is set. Start its server, or correct AGENTOPIA_MODEL.`,
        };
      const ordered = [...found.slice(first, first + 1), ...found.slice(0, first), ...found.slice(first + 1)];
      return { rows: ordered.slice(0, 50).map((offered) => fromServer("found", offered, null)) };
    }
  }
}

const hostOf = (address: string) => (URL.canParse(address) ? new URL(address).host : "no valid address");

async function named(ctx: Context, choice: Choice & { kind: "model" }): Promise<Outside> {
  const { provider, model, apiKey, baseUrl } = choice;
  const offered =
    provider === "openai-compatible" && baseUrl
      ? (await ask(ctx, { baseUrl, apiKey })).find((entry) => entry.model === model)
      : undefined;
  if (offered) return fromServer("environment", offered, apiKey);
  const id = stableId("model", "environment", provider, baseUrl ?? "", model);
  return { id, provider, baseUrl, model, apiKey, abilities: abilitiesOf(model), source: "environment" };
}

function fromServer(source: "environment" | "found", offered: Offered, apiKey: string | null): Outside {
  const provider = "openai-compatible";
  const id = stableId("model", source, provider, offered.baseUrl, offered.model);
  return { ...offered, id, provider, apiKey, source };
}

async function ask(ctx: Context, server: { baseUrl: string; apiKey: string | null }): Promise<Offered[]> {
  try {
    return await listOffered(server.baseUrl, { apiKey: server.apiKey, fetch: plainFetch, timeoutMs: ASK_MS });
  } catch (error) {
    ctx.log.info({ host: hostOf(server.baseUrl), ...forLog(error) }, "the server of OPENAI_BASE_URL listed no models");
    return [];
  }
}

/** The model that this server had before: it is away for the moment. */
async function lastKnown(ctx: Context, baseUrl: string): Promise<Outside | null> {
  const rows = await ctx.db
    .select()
    .from(models)
    .where(and(isNull(models.tenantId), sql`${models.source} = 'environment'`));
  const row = rows.find((known) => known.baseUrl && hostOf(known.baseUrl) === hostOf(baseUrl));
  if (!row) return null;
  const { id, provider, model, abilities } = row;
  return {
    id,
    provider,
    baseUrl: row.baseUrl,
    model,
    abilities,
    source: "environment",
    apiKey: ctx.config.model.openaiKey ?? null,
  };
}

/** One process at a time (advisory lock 7431). The first row becomes the default unless the operator added one. */
async function store(ctx: Context, rows: readonly Outside[]): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(7431)`);
    const outside = and(isNull(models.tenantId), ne(models.source, "added"));
    const ids = rows.map((row) => row.id);
    await tx.delete(models).where(ids.length > 0 ? and(outside, notInArray(models.id, ids)) : outside);
    // Names and the default are given anew below; nothing of before may be in the way of them.
    await tx
      .update(models)
      .set({ isDefault: false, name: sql`${models.id}` })
      .where(outside);
    const added = await tx
      .select()
      .from(models)
      .where(and(isNull(models.tenantId), sql`${models.source} = 'added'`));
    const taken = new Set(added.map((row) => row.name));
    // One that was found and then added under its name is in the list as the added one.
    const isAdded = ({ source, model, baseUrl }: Outside) =>
      source === "found" && added.some((one) => one.name === model && one.model === model && one.baseUrl === baseUrl);
    for (const [index, row] of rows.filter((row) => !isAdded(row)).entries()) {
      const name = taken.has(row.model)
        ? `${row.model} (${row.baseUrl ? hostOf(row.baseUrl) : row.provider})`
        : row.model;
      taken.add(name);
      const isDefault = index === 0 && !added.some((other) => other.isDefault);
      const values = { ...row, tenantId: null, name, isDefault, apiKey: sealKey(ctx, row.id, row.apiKey) };
      await tx.insert(models).values(values).onConflictDoUpdate({ target: models.id, set: values });
    }
  });
}

const TRY_AGAIN_MS = 10_000;
const tries = new WeakMap<Context, { at: number; found: Promise<string> }>();

/**
 * Looks again for a default model, at most every 10 s: a model that was started after the platform is found at the next
 * question. Returns the sentence that says what was found, or why nothing.
 */
export function findDefaultAgain(ctx: Context): Promise<string> {
  const last = tries.get(ctx);
  if (last && performance.now() - last.at < TRY_AGAIN_MS) return last.found;
  const found = refreshDefaultModel(ctx);
  tries.set(ctx, { at: performance.now(), found });
  found.catch(() => tries.delete(ctx));
  return found;
}
