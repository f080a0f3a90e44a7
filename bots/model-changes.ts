/** What is done to models from the panel: changed, chosen as the default, tried, taken over from what was found. */
import { and, eq, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { plainFetch } from "../core/guard.ts";
import { models, tenants } from "../migrations/schema.ts";
import type { ModelAbilities, ModelCheck } from "../migrations/types.ts";
import { discoverModels, type Offered } from "./discovery.ts";
import { abilitiesOf } from "./model-families.ts";
import { sealKey } from "./model-keys.ts";
import {
  askForAWord,
  askServer,
  checkedAddress,
  clearDefault,
  forgetModels,
  nameTaken,
  ofOwner,
  openRow,
  type Row,
  removeModel,
} from "./models.ts";
import { refreshDefaultModel } from "./refresh-model.ts";

/** A model as lists show it: never its key. */
export interface ModelFacts extends Omit<Row, "apiKey"> {
  hasKey: boolean;
  /** What answers here where an agent names none. */
  isDefaultHere: boolean;
  /** Agents that name it. */
  agents: number;
}

/** Where a page ended. */
export interface ModelCursor {
  shared: number;
  name: string;
  id: string;
}

/** Of a tenant: its own, then the operator's. Of the operator (null): the operator's. By name. */
export async function listModelFacts(
  ctx: Context,
  tenantId: string | null,
  { limit, after, id }: { limit: number; after?: ModelCursor | undefined; id?: string | undefined },
): Promise<ModelFacts[]> {
  const shared = sql<number>`(${models.tenantId} is null)::int`;
  const scope = tenantId === null ? ofOwner(null) : sql`(${ofOwner(tenantId)} or ${ofOwner(null)})`;
  const beyond =
    after &&
    sql`(${shared}, ${models.name}, ${models.id}) > (${after.shared}::int, ${after.name}::text, ${after.id}::text)`;
  const rows = await ctx.db
    .select({ row: models, agents: agentsOf(tenantId) })
    .from(models)
    .where(and(scope, beyond, id === undefined ? undefined : eq(models.id, id)))
    .orderBy(shared, models.name, models.id)
    .limit(limit);
  const defaultId = await defaultModelId(ctx, tenantId);
  return rows.map(({ row: { apiKey, ...row }, agents }) => ({
    ...row,
    hasKey: apiKey !== null,
    isDefaultHere: row.id === defaultId,
    agents,
  }));
}

/**
 * Agents that name it and mean it: a client's own model hides the operator's of the same name. The columns are written out, because drizzle
 * leaves their table away.
 */
const agentsOf = (tenantId: string | null) => sql<number>`(
  select count(*)::int from agents a where a.state <> 'removed' and a.definition->>'model' = models.name
    and (${tenantId}::text is null or a.tenant_id = ${tenantId})
    and (models.tenant_id is not null or not exists (
      select 1 from models own where own.tenant_id = a.tenant_id and own.name = models.name)))`;

async function defaultModelId({ sql: query }: Context, tenantId: string | null): Promise<string | null> {
  const [row] = await query<{ id: string }[]>`
    select id from models m where (m.tenant_id is null or m.tenant_id = ${tenantId}) and (m.is_default or m.id = (
      select default_model_id from tenants where id = ${tenantId}))
    order by m.tenant_id, m.is_default limit 1`;
  return row?.id ?? null;
}

/** One that belongs to this owner. Throws `not_found`. */
async function getModel(ctx: Context, tenantId: string | null, id: string): Promise<Row> {
  const [row] = await ctx.db
    .select()
    .from(models)
    .where(and(eq(models.id, id), ofOwner(tenantId)));
  if (!row) throw new AppError("not_found", "There is no such model here. It may have been removed.");
  return row;
}

export interface ModelChanges {
  name?: string | undefined;
  baseUrl?: string | undefined;
  model?: string | undefined;
  /** A new key in place of the old one; null: none any more. */
  apiKey?: string | null | undefined;
  contextWindow?: number | undefined;
}

/**
 * Changes a model that was added. A stored key goes to no other server than the one that it was typed for: with another address it has to be
 * typed again. Throws `not_found`, `invalid`, `conflict`, `address_refused`.
 */
export async function changeModel(
  ctx: Context,
  { tenantId, id }: { tenantId: string | null; id: string },
  wish: ModelChanges,
): Promise<void> {
  const row = await getModel(ctx, tenantId, id);
  if (row.source !== "added") throw notOurs(row);
  const name = wish.name?.trim() ?? row.name;
  if (name !== row.name) await checkName(ctx, row, name);
  const baseUrl =
    wish.baseUrl === undefined ? row.baseUrl : await checkedAddress(ctx, tenantId, row.provider, wish.baseUrl);
  if (row.apiKey !== null && !wish.apiKey && wish.apiKey !== null && hostOf(baseUrl) !== hostOf(row.baseUrl))
    throw new AppError(
      "invalid",
      "With another address the key has to be typed again: the stored one was meant for the server that it was typed for.",
    );
  const apiKey = wish.apiKey === undefined ? row.apiKey : sealKey(ctx, id, wish.apiKey?.trim());
  const model = wish.model?.trim() || row.model;
  const same = model === row.model && baseUrl === row.baseUrl && apiKey === row.apiKey;
  const abilities = await abilitiesAfter(ctx, row, { ...wish, model, baseUrl });
  const values = { name, baseUrl, apiKey, model, abilities, ...(same ? {} : { lastCheck: null }) };
  await update(ctx, row, values);
}

const hostOf = (address: string | null) => (address && URL.canParse(address) ? new URL(address).origin : address);

async function checkName(ctx: Context, row: Row, name: string): Promise<void> {
  if (!name || name.length > 100) throw new AppError("invalid", "A model needs a name of 1 to 100 characters.");
  const [facts] = await listModelFacts(ctx, row.tenantId, { limit: 1, id: row.id });
  const count = facts?.agents ?? 0;
  if (count > 0)
    throw new AppError(
      "conflict",
      `${count === 1 ? "One agent answers" : `${count} agents answer`} with "${row.name}" by this name. Give them another model first, or keep the name.`,
    );
}

async function abilitiesAfter(
  ctx: Context,
  row: Row,
  now: Omit<ModelChanges, "model" | "baseUrl"> & { model: string; baseUrl: string | null },
): Promise<ModelAbilities> {
  const context = now.contextWindow === undefined ? {} : { contextWindow: now.contextWindow };
  if (now.model === row.model && now.baseUrl === row.baseUrl) return { ...row.abilities, ...context };
  const { provider, tenantId } = row;
  const apiKey = now.apiKey === undefined ? openRow(ctx, row).apiKey : now.apiKey;
  const offered = now.baseUrl ? await askServer(ctx, { tenantId, provider, baseUrl: now.baseUrl, apiKey }) : [];
  const match = offered.find((entry) => entry.model === now.model);
  return abilitiesOf(now.model, { ...match?.abilities, ...context });
}

/** Only over the row that was looked at: a key and an address that two people change at once never meet. */
async function update(ctx: Context, row: Row, values: Partial<Row>): Promise<void> {
  try {
    const changed = await ctx.db
      .update(models)
      .set(values)
      .where(
        and(
          eq(models.id, row.id),
          sql`${models.baseUrl} is not distinct from ${row.baseUrl}`,
          sql`${models.apiKey} is not distinct from ${row.apiKey}`,
        ),
      )
      .returning({ id: models.id });
    if (changed.length === 0)
      throw new AppError("conflict", "Somebody else changed this model at the same moment. Look at it and try again.");
  } catch (error) {
    if ((error as { cause?: { code?: string } }).cause?.code === "23505") throw nameTaken(values.name ?? row.name);
    throw error;
  } finally {
    forgetModels(ctx);
  }
}

const notOurs = ({ name, source }: Row): AppError =>
  new AppError(
    "conflict",
    source === "environment"
      ? `The model "${name}" comes from the environment of the platform. Change its variables and start the platform again.`
      : `The model "${name}" was found on the platform's machine. Add it to change anything about it.`,
  );

/**
 * What answers where an agent names no model. For a tenant: one of its own, one of the operator's, or (null) whatever the operator's
 * default is. For the operator: one that was added, or the environment's (also by null), which is the default where no added one is.
 */
export async function setDefaultModel(ctx: Context, tenantId: string | null, id: string | null): Promise<void> {
  const row = id === null ? null : await defaultCandidate(ctx, tenantId, id);
  await ctx.db.transaction(async (tx) => {
    // The lock under which the environment's default is brought in line.
    await tx.execute(sql`select pg_advisory_xact_lock(7431)`);
    await clearDefault(tx, tenantId);
    if (row && row.tenantId === tenantId && row.source === "added")
      await tx.update(models).set({ isDefault: true }).where(eq(models.id, row.id));
    else if (row && tenantId !== null)
      await tx.update(tenants).set({ defaultModelId: row.id }).where(eq(tenants.id, tenantId));
  });
  forgetModels(ctx);
  if (tenantId === null && row?.source !== "added") await refreshDefaultModel(ctx);
}

async function defaultCandidate(ctx: Context, tenantId: string | null, id: string): Promise<Row> {
  const [row] = await ctx.db
    .select()
    .from(models)
    .where(and(eq(models.id, id), tenantId === null ? ofOwner(null) : sql`(${ofOwner(tenantId)} or ${ofOwner(null)})`));
  if (!row) throw new AppError("not_found", "There is no such model here. It may have been removed.");
  if (tenantId === null && row.source === "found") throw notOurs(row);
  return row;
}

/** Removes a model that was added. Throws `not_found`, or `conflict` for one that comes from elsewhere. */
export async function removeModelById(ctx: Context, tenantId: string | null, id: string): Promise<Row> {
  const row = await getModel(ctx, tenantId, id);
  if (row.source !== "added") throw notOurs(row);
  await removeModel(ctx, tenantId, row.name);
  return row;
}

/**
 * Asks a model for one word and keeps what came of it. `tenantId`: for whom, which may be one of the operator's too. What goes wrong is
 * part of the answer. Throws `not_found`.
 */
export async function checkModel(ctx: Context, tenantId: string | null, id: string): Promise<ModelCheck> {
  const [row] = await ctx.db.select().from(models).where(eq(models.id, id));
  if (!row || (row.tenantId !== null && row.tenantId !== tenantId)) await getModel(ctx, tenantId, id);
  if (!row) throw new AppError("not_found", "There is no such model here. It may have been removed.");
  const at = new Date(ctx.clock.now()).toISOString();
  let check: ModelCheck;
  try {
    const { text, firstTokenMs, durationMs } = await askForAWord(ctx, tenantId, openRow(ctx, row));
    check = { at, ok: true, text: text.trim().slice(0, 500), firstTokenMs, durationMs };
  } catch (error) {
    if (error instanceof AppError) check = { at, ok: false, text: error.sentence };
    else if ((error as Error).name === "TimeoutError")
      check = { at, ok: false, text: `${row.name} was not done after two minutes.` };
    else throw error;
    // A client's used-up day says nothing about the model.
    if (error instanceof AppError && error.code === "token_cap") return check;
  }
  await ctx.db.update(models).set({ lastCheck: check }).where(eq(models.id, id));
  return check;
}

/** Model servers that run on the platform's machine now, without what was added already. */
export async function foundModels(ctx: Context): Promise<Offered[]> {
  const found = await discoverModels(ctx, plainFetch);
  const added = await ctx.db
    .select({ baseUrl: models.baseUrl, model: models.model })
    .from(models)
    .where(and(ofOwner(null), eq(models.source, "added")));
  return found.filter((one) => !added.some(({ baseUrl, model }) => baseUrl === one.baseUrl && model === one.model));
}
