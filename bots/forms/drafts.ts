/** Drafts of form tools: what a manager is writing and nobody can fill in yet. */
import { eq } from "drizzle-orm";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { getTenant } from "../../homeserver/tenants.ts";
import { formTools } from "../../migrations/tool-tables.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import { checkForm } from "./definition.ts";
import { checkFormReferences, type FormIds, type FormRow, formNameTaken, lockForm, writtenForm } from "./rows.ts";

/** A draft as somebody else left it. */
export interface SavedForm {
  definition: FormDefinition;
  revision: number;
  by: string | null;
  at: Date | null;
}

/** Somebody saved, published or discarded meanwhile: what there is now comes with it, so that nothing of either is lost. */
export class FormConflict extends AppError {
  readonly current: SavedForm;
  constructor(row: FormRow) {
    const who = row.draftBy?.replace(/^operator:/, "") ?? "somebody else";
    const what = row.draft === null ? "was published or set back" : `was saved by ${who}`;
    super(
      "conflict",
      `The form ${row.name} ${what} since you opened it. Compare it with yours, then save again or take theirs.`,
    );
    this.name = "FormConflict";
    this.current = { definition: writtenForm(row), revision: row.draftRevision, by: row.draftBy, at: row.draftAt };
  }
}

/** A form that is written and not published. Throws `DefinitionError`, `conflict` for a name that is taken. */
export async function createForm(
  ctx: Context,
  wish: { tenantId: string; definition: FormDefinition; by: string },
): Promise<FormRow> {
  await getTenant(ctx, wish.tenantId);
  const definition = checkForm(wish.definition, { whole: false });
  await checkFormReferences(ctx.db, wish.tenantId, definition);
  const [row] = await ctx.db
    .insert(formTools)
    .values({
      id: newId(),
      tenantId: wish.tenantId,
      name: definition.name,
      definition,
      draft: definition,
      draftRevision: 1,
      draftBy: wish.by,
      draftAt: new Date(ctx.clock.now()),
    })
    .returning()
    .catch((error: unknown) => {
      throw formNameTaken(error, definition.name);
    });
  if (!row) throw new Error("an insert returns its row");
  return row;
}

/** Keeps a draft. `revision` is that of the draft which was changed. Throws `FormConflict`, `DefinitionError`, `conflict` for a name that is taken. */
export async function saveForm(
  ctx: Context,
  wish: FormIds & { definition: FormDefinition; revision: number; by: string },
): Promise<FormRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockForm(tx, wish);
    if (before.draftRevision !== wish.revision) throw new FormConflict(before);
    const definition = checkForm(wish.definition, { whole: false });
    await checkFormReferences(tx, wish.tenantId, definition);
    // One that was never published has nothing else: lists show what is written.
    const unpublished = before.state === "draft" ? { definition, name: definition.name } : {};
    const draft = {
      draft: definition,
      draftRevision: before.draftRevision + 1,
      draftBy: wish.by,
      draftAt: new Date(ctx.clock.now()),
    };
    const [row] = await tx
      .update(formTools)
      .set({ ...unpublished, ...draft })
      .where(eq(formTools.id, before.id))
      .returning()
      .catch((error: unknown) => {
        throw formNameTaken(error, definition.name);
      });
    return row ?? before;
  });
}

/** What a form without a draft has in the columns of one. */
export const NO_DRAFT = { draft: null, draftBy: null, draftAt: null };

/** Forgets a draft: what is published stands. Throws `conflict` for a form that has nothing else, `FormConflict`. */
export async function discardForm(ctx: Context, wish: FormIds & { revision?: number | undefined }): Promise<FormRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockForm(tx, wish);
    if (wish.revision !== undefined && before.draftRevision !== wish.revision) throw new FormConflict(before);
    if (before.state === "draft")
      throw new AppError(
        "conflict",
        `The form ${before.name} was never published: its draft is all there is. Remove it instead.`,
      );
    if (before.draft === null) return before;
    const [row] = await tx
      .update(formTools)
      .set({ ...NO_DRAFT, draftRevision: before.draftRevision + 1 })
      .where(eq(formTools.id, before.id))
      .returning();
    return row ?? before;
  });
}
