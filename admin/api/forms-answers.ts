/** Makes the API's answers of what the bots know about form tools. */
import { DefinitionError } from "../../bots/definition.ts";
import { checkForm, formReferenceProblems, formWarnings } from "../../bots/forms/definition.ts";
import { FormConflict } from "../../bots/forms/drafts.ts";
import type { FormRun, ListedForm } from "../../bots/forms/list.ts";
import { type FormVersion, listFormVersions } from "../../bots/forms/publish.ts";
import { agentNames, type FormRow, writtenForm } from "../../bots/forms/rows.ts";
import { FormValuesError } from "../../bots/forms/values.ts";
import type { Context } from "../../core/context.ts";
import { ConflictError, InvalidFields } from "./conflict.ts";
import type { FormItem, FormRunView, FormView } from "./forms-views.ts";
import { iso } from "./iso.ts";

const headingOf = (row: ListedForm) => (row.state === "draft" ? writtenForm(row) : row.definition);

/** Id of the agent that does it. */
export const agentOf = (row: ListedForm): string | null => headingOf(row).agent;

/** `all` false: what members see. */
export function formItemOf(row: ListedForm, names: ReadonlyMap<string, string>, all: boolean): FormItem {
  const { id, state, version, draft } = row;
  const { name, title, description, agent, model } = headingOf(row);
  return {
    id,
    name,
    title: title || name,
    description,
    state: state === "removed" ? "paused" : state,
    version: state === "draft" ? null : version,
    hasDraft: all ? draft !== null : null,
    agentId: agent,
    agentName: agent === null ? null : (names.get(agent) ?? null),
    model: all ? model : null,
  };
}

export async function formOf(ctx: Context, row: FormRow, all: boolean): Promise<FormView> {
  const names = await agentNames(ctx, row.tenantId, [agentOf(row)]);
  const published = row.state === "draft" ? null : row.definition;
  const item = formItemOf(row, names, all);
  const open = { input: published?.input ?? null, output: published?.output ?? null };
  const nothing = { definition: null, draft: null, revision: null, draftBy: null, draftAt: null };
  if (!all) return { ...item, ...open, ...nothing, warnings: [], problems: [], versions: [] };
  return {
    ...item,
    ...open,
    definition: published,
    draft: row.draft,
    revision: row.draftRevision,
    draftBy: row.draftBy,
    draftAt: row.draftAt?.toISOString() ?? null,
    warnings: formWarnings(writtenForm(row)),
    problems: await problemsOf(ctx, row),
    versions: (await listFormVersions(ctx, row.id, { limit: 10 })).map(formVersionOf),
  };
}

/** What would keep the draft from being published. */
async function problemsOf(ctx: Context, row: FormRow): Promise<FormView["problems"]> {
  const written = writtenForm(row);
  const fields = { ...wrongIn(written), ...(await formReferenceProblems(ctx.db, row.tenantId, written)) };
  return Object.entries(fields).map(([path, message]) => ({ path, message }));
}

function wrongIn(definition: FormRow["definition"]): Record<string, string> {
  try {
    checkForm(definition, { whole: true });
    return {};
  } catch (error) {
    if (error instanceof DefinitionError) return error.fields;
    throw error;
  }
}

export const formVersionOf = ({ version, createdBy: by, note, createdAt }: FormVersion) => ({
  version,
  by,
  note,
  at: createdAt.toISOString(),
});

export const formRunOf = ({ createdAt, finishedAt, micros: _micros, ...run }: FormRun): FormRunView => ({
  ...run,
  at: iso(createdAt),
  finishedAt: iso(finishedAt),
});

/** Refusals of the bots as the API says them: with the other draft, or field by field below `prefix`. */
export async function sayingWhy<T>(work: Promise<T>, prefix: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FormConflict) {
      const { definition, revision, by, at } = error.current;
      throw new ConflictError(error.sentence, { definition, revision, by, at: at?.toISOString() ?? null });
    }
    if (error instanceof DefinitionError || error instanceof FormValuesError)
      throw new InvalidFields(
        Object.fromEntries(Object.entries(error.fields).map(([path, problem]) => [prefix + path, problem])),
      );
    throw error;
  }
}
