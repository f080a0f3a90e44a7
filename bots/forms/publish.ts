/** Versions of a form tool: what people fill in is the newest one that was published. */
import { and, desc, eq, isNull, lt, ne, sql } from "drizzle-orm";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { formTools, formVersions, grants } from "../../migrations/tool-tables.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import type { Transaction } from "../agent-rows.ts";
import { schemaHash } from "../tools/hashes.ts";
import { checkForm } from "./definition.ts";
import { FormConflict, NO_DRAFT } from "./drafts.ts";
import { checkFormReferences, type FormIds, type FormRow, formNameTaken, lockForm } from "./rows.ts";
import { modelSchema } from "./schema.ts";

type Which = FormIds & { by: string };

/**
 * Makes the draft what people fill in. Said twice it happens once. Throws `FormConflict` when another draft was saved than `revision`,
 * `DefinitionError` for what cannot be, `conflict` for a name that is taken.
 */
export async function publishForm(
  ctx: Context,
  wish: Which & { revision: number; note?: string | undefined },
): Promise<FormRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockForm(tx, wish);
    if (before.draftRevision !== wish.revision) throw new FormConflict(before);
    if (before.draft === null) return before;
    const definition = checkForm(before.draft, { whole: true });
    await checkFormReferences(tx, wish.tenantId, definition);
    return await writeVersion(tx, before, { definition, by: wish.by, note: wish.note || null, more: NO_DRAFT });
  });
}

/** Publishes what an earlier version said, as a new one; a draft stays as it is. Throws `not_found`, `conflict`. */
export async function rollbackForm(ctx: Context, wish: Which & { version: number }): Promise<FormRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockForm(tx, wish);
    const old = await readVersion(tx, before, wish.version);
    if (wish.version === before.version)
      throw new AppError("conflict", `Version ${wish.version} is what the form ${before.name} has now.`);
    await checkFormReferences(tx, wish.tenantId, old.definition);
    const note = `Back to version ${wish.version}`;
    return await writeVersion(tx, before, { definition: old.definition, by: wish.by, note, more: {} });
  });
}

interface NewVersion {
  definition: FormDefinition;
  by: string;
  note: string | null;
  more: Partial<FormRow>;
}

async function writeVersion(
  tx: Transaction,
  before: FormRow,
  { definition, by, note, more }: NewVersion,
): Promise<FormRow> {
  const version = before.version + 1;
  const state = before.state === "draft" ? "active" : before.state;
  const [row] = await tx
    .update(formTools)
    .set({ definition, name: definition.name, version, state, ...more })
    .where(eq(formTools.id, before.id))
    .returning()
    .catch((error: unknown) => {
      throw formNameTaken(error, definition.name);
    });
  if (!row) throw new Error("a row that is locked is updated");
  await tx.insert(formVersions).values({ formId: row.id, version, definition, createdBy: by, note });
  await endGrants(tx, before, definition);
  return row;
}

/** "Always" was said to the tool as it was: another name or other fields are another tool, and a later form of this name is as well. */
async function endGrants(tx: Transaction, { tenantId, name }: FormRow, now: FormDefinition | null): Promise<void> {
  const tool = `form_${name}`;
  const still = now?.name === name ? schemaHash({ name: tool, input: modelSchema(now.input) }) : "";
  await tx
    .update(grants)
    .set({ revokedAt: sql`now()` })
    .where(
      and(eq(grants.tenantId, tenantId), eq(grants.tool, tool), isNull(grants.revokedAt), ne(grants.schemaHash, still)),
    );
}

export type FormVersion = typeof formVersions.$inferSelect;

/** Newest first, at most `limit`, older than version `before`. */
export async function listFormVersions(
  ctx: Context,
  formId: string,
  { before = 2_147_483_647, limit }: { before?: number; limit: number },
): Promise<FormVersion[]> {
  return await ctx.db
    .select()
    .from(formVersions)
    .where(and(eq(formVersions.formId, formId), lt(formVersions.version, before)))
    .orderBy(desc(formVersions.version))
    .limit(limit);
}

/** Throws `not_found`. */
export async function readVersion(
  db: Pick<Context["db"], "select">,
  row: FormRow,
  version: number,
): Promise<FormVersion> {
  const [found] = await db
    .select()
    .from(formVersions)
    .where(and(eq(formVersions.formId, row.id), eq(formVersions.version, version)));
  if (!found) throw new AppError("not_found", `The form ${row.name} has no version ${version}.`);
  return found;
}

/** Paused nobody can fill it in, by hand or as a tool. Throws `conflict` for a form that was never published. */
export async function setFormState(ctx: Context, ids: FormIds, state: "active" | "paused"): Promise<FormRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockForm(tx, ids);
    if (before.state === "draft")
      throw new AppError("conflict", `The form ${before.name} is not published yet. Publish it first.`);
    const [row] = await tx.update(formTools).set({ state }).where(eq(formTools.id, before.id)).returning();
    return row ?? before;
  });
}

/** Its name is free again; what was filled in stays. What is under way goes on to its end. */
export async function removeForm(ctx: Context, ids: FormIds): Promise<FormRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockForm(tx, ids);
    await tx
      .update(formTools)
      .set({ state: "removed", ...NO_DRAFT })
      .where(eq(formTools.id, before.id));
    await endGrants(tx, before, null);
    return before;
  });
}
