/** Form tools as agents call them: `form_<name>`, with the form as its arguments. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import type { FormDefinition, TenantLimits } from "../../migrations/types.ts";
import { limitsOf } from "../limits.ts";
import type { Tool, ToolRun, ToolSource } from "../tools/tool.ts";
import { fieldsOf, modelSchema } from "./schema.ts";
import { fillForm } from "./submit.ts";

const PREFIX = "form_";
/** More than this are made anew. */
const KEPT = 2000;

/** Tools by form and version: what was published as a version is never changed, and a client may have hundreds, which every page of calls asks for. */
const kept = new Map<string, Tool>();

export const formSource = {
  async list({ sql }: Pick<Context, "sql">, tenantId: string, names?: readonly string[]): Promise<Tool[]> {
    const forms = names?.filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
    if (forms?.length === 0) return [];
    const rows = await sql<{ id: string; key: string }[]>`
      select id, id || ' ' || version as key from form_tools
      where tenant_id = ${tenantId} and state = 'active' ${forms ? sql`and name = any(${forms}::text[])` : sql``} order by name`;
    const missing = rows.filter(({ key }) => !kept.has(key)).map(({ id }) => id);
    const fresh = missing.length > 0 ? await readTools(sql, missing) : [];
    const byId = new Map(fresh.map(({ id, tool }) => [id, tool]));
    const tools = rows.flatMap(({ id, key }) => byId.get(id) ?? kept.get(key) ?? []);
    if (kept.size + fresh.length > KEPT) kept.clear();
    for (const { key, tool } of fresh) kept.set(key, tool);
    return tools;
  },
} satisfies ToolSource;

async function readTools(sql: Context["sql"], ids: string[]): Promise<{ id: string; key: string; tool: Tool }[]> {
  const rows = await sql<{ id: string; key: string; definition: FormDefinition }[]>`
    select id, id || ' ' || version as key, definition from form_tools where id = any(${ids}::text[])`;
  return rows.map(({ id, key, definition }) => ({ id, key, tool: toolOf(id, definition) }));
}

function toolOf(formId: string, { name, title, description, input, output }: FormDefinition): Tool {
  const returns = output ? "Returns a JSON object." : "Returns a text.";
  return {
    name: PREFIX + name,
    group: "forms",
    title,
    summary: description || `Fills in the form “${title}”.`,
    description: `${description || title}${/[.!?]$/.test(description || title) ? "" : "."} ${returns}`,
    input: modelSchema(input),
    labels: Object.fromEntries(fieldsOf(input).map((field) => [field.name, field.title])),
    risk: "medium",
    reads: "private",
    sends: "inside",
    ofCompany: true,
    repeatable: true,
    sentence: () => `fill in the form “${title}”`,
    run: async (call) => {
      await fill(formId, call);
      return { waiting: true };
    },
  };
}

/** The same call fills it in once, whatever crashes in between. */
async function fill(formId: string, { ctx, tenantId, callId, args, agent, run, person }: ToolRun): Promise<void> {
  const hops = (run?.hops ?? 0) + 1;
  await checkHops(ctx, tenantId, hops, agent.name);
  await fillForm(ctx, {
    tenantId,
    formId,
    values: args,
    by: person,
    ...(run ? { askedBy: agent.userId } : {}),
    via: "tool",
    cause: ["tool", callId],
    parentCall: callId,
    hops,
    untrusted: run?.untrusted ?? null,
  });
}

/** A form that an agent does is one more agent in a row. */
async function checkHops({ sql }: Context, tenantId: string, hops: number, agent: string): Promise<void> {
  const [tenant] = await sql<{ limits: TenantLimits }[]>`select limits from tenants where id = ${tenantId}`;
  const { maxHops } = limitsOf({ limits: tenant?.limits ?? {} });
  if (hops > maxHops)
    throw new AppError(
      "forbidden",
      `${maxHops} agents in a row have now worked for each other, so ${agent} may fill in no further form for this question.`,
    );
}
