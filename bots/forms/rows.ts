/** The rows of form tools: what everything that changes one of them shares. */
import { and, eq, inArray, ne } from "drizzle-orm";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { agents } from "../../migrations/schema.ts";
import { formTools } from "../../migrations/tool-tables.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import type { Transaction } from "../agent-rows.ts";
import { DefinitionError, type Reader } from "../definition.ts";
import { formReferenceProblems } from "./definition.ts";

export type FormRow = typeof formTools.$inferSelect;

export interface FormIds {
  tenantId: string;
  formId: string;
}

const gone = () => new AppError("not_found", "There is no such form.");

/** By id or name. Throws `not_found`. */
export async function getForm(ctx: Pick<Context, "db">, tenantId: string, idOrName: string): Promise<FormRow> {
  const there = and(eq(formTools.tenantId, tenantId), ne(formTools.state, "removed"));
  const [byId] = await ctx.db
    .select()
    .from(formTools)
    .where(and(there, eq(formTools.id, idOrName)));
  const [row] = byId
    ? [byId]
    : await ctx.db
        .select()
        .from(formTools)
        .where(and(there, eq(formTools.name, idOrName)));
  if (!row) throw gone();
  return row;
}

/** The row, held until the transaction ends. Throws `not_found`. */
export async function lockForm(tx: Transaction, { tenantId, formId }: FormIds): Promise<FormRow> {
  const [row] = await tx
    .select()
    .from(formTools)
    .where(and(eq(formTools.id, formId), eq(formTools.tenantId, tenantId)))
    .for("update");
  if (!row || row.state === "removed") throw gone();
  return row;
}

/** What is written of it: the draft, else what is published. */
export const writtenForm = <Definition>(row: { draft: Definition | null; definition: Definition }): Definition =>
  row.draft ?? row.definition;

/** Unique violation (23505) of the name's index; anything else stays what it is. */
export function formNameTaken(error: unknown, name: string): unknown {
  const { code, constraint_name } = ((error as { cause?: unknown }).cause ?? error) as {
    code?: string;
    constraint_name?: string;
  };
  return code === "23505" && constraint_name === "form_tools_name"
    ? new AppError("conflict", `There is a form called ${name} already. Choose another name, or remove that one first.`)
    : error;
}

/** Throws `DefinitionError` for an agent or a model that is not there. */
export async function checkFormReferences(db: Reader, tenantId: string, definition: FormDefinition): Promise<void> {
  const problems = await formReferenceProblems(db, tenantId, definition);
  if (Object.keys(problems).length > 0) throw new DefinitionError(problems);
}

/** The names of agents of a client, by their ids; without those that are gone. */
export async function agentNames(
  { db }: Pick<Context, "db">,
  tenantId: string,
  ids: (string | null)[],
): Promise<Map<string, string>> {
  const known = ids.filter((id) => id !== null);
  if (known.length === 0) return new Map();
  const rows = await db
    .select({ id: agents.id, name: agents.name })
    .from(agents)
    .where(and(eq(agents.tenantId, tenantId), inArray(agents.id, known)));
  return new Map(rows.map(({ id, name }) => [id, name]));
}
