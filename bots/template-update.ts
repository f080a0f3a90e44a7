/** Agents whose template says something new, and how they take it. */
import { and, eq, getTableColumns, inArray, notInArray, sql as raw } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { agents, agentVersions } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { type AgentRow, lockAgent } from "./agent-rows.ts";
import type { Reader } from "./definition.ts";
import { savedMeanwhile } from "./drafts.ts";
import { mergeTemplate, type TemplateMerge } from "./merge-template.ts";
import { listTemplates, type Template } from "./templates.ts";

export interface TemplateUpdate extends TemplateMerge {
  /** What the agent has now: its draft, or what is published. */
  from: AgentDefinition;
  /** The template that would be taken. */
  template: AgentDefinition;
  /** The draft that this was made for. */
  revision: number;
}

/** What an agent would get from its template; null when there is nothing new, or the template is gone. */
export async function templateUpdate(ctx: { db: Reader }, agent: AgentRow): Promise<TemplateUpdate | null> {
  const template = listTemplates().find(({ id }) => id === agent.templateId)?.definition;
  if (!template) return null;
  const base = lastTaken(agent) ?? baseOfOld(await firstVersions(ctx.db, [agent.id]), agent.id, template);
  return updateFrom(agent, template, base);
}

/** The template as what `updateFrom` compares has it: the draft's, or that of what is published. */
const lastTaken = ({ draftTemplate, templateDefinition }: AgentRow) => draftTemplate ?? templateDefinition;

function updateFrom(agent: AgentRow, template: AgentDefinition, base: AgentDefinition | null): TemplateUpdate | null {
  const from = agent.draft ?? agent.definition;
  const merge = mergeTemplate(base, template, from);
  if (merge.changes.length === 0 && merge.conflicts.length === 0) return null;
  return { ...merge, from, template, revision: agent.draftRevision };
}

/**
 * Writes what is new into the draft, which somebody then publishes. `revision` is the draft's that they looked at. Throws
 * `DraftConflict` when somebody saved another one meanwhile, `conflict` when there is nothing to take.
 */
export async function takeTemplateUpdate(
  ctx: Context,
  { tenantId, agentId, revision, by }: { tenantId: string; agentId: string; revision: number; by: string },
): Promise<TemplateUpdate> {
  return await ctx.db.transaction(async (tx) => {
    const agent = await lockAgent(tx, tenantId, agentId);
    if (agent.draftRevision !== revision) throw savedMeanwhile(agent);
    const update = await templateUpdate({ db: tx }, agent);
    if (!update)
      throw new AppError("conflict", `${agent.name} has all that its template says. There is nothing to take.`);
    const { definition } = update;
    await tx
      .update(agents)
      .set({
        draft: definition,
        draftRevision: revision + 1,
        draftBy: by,
        draftAt: new Date(ctx.clock.now()),
        // One that was never published has nothing else, and nothing to discard its draft for.
        ...(agent.state === "draft"
          ? { definition, templateDefinition: update.template }
          : { draftTemplate: update.template }),
      })
      .where(eq(agents.id, agent.id));
    return { ...update, revision: revision + 1 };
  });
}

export interface AgentToUpdate {
  agent: AgentRow;
  template: Template;
}

/** Agents of a client for which their template has something new, by name and id from `after` on; at most `limit`. */
export async function agentsToUpdate(
  ctx: Context,
  tenantId: string,
  { after, limit }: { after: { name: string; id: string }; limit: number },
): Promise<AgentToUpdate[]> {
  const templates = new Map(listTemplates().map((template) => [template.id, template]));
  const found: AgentToUpdate[] = [];
  for (let from = after; found.length < limit; ) {
    const rows = await madeFrom(ctx, tenantId, templates, from);
    const old = rows.filter((agent) => lastTaken(agent) === null).map(({ id }) => id);
    const first = await firstVersions(ctx.db, old);
    for (const agent of rows) {
      if (found.length >= limit) break;
      const template = templates.get(agent.templateId ?? "");
      if (!template) continue;
      const base = lastTaken(agent) ?? baseOfOld(first, agent.id, template.definition);
      if (updateFrom(agent, template.definition, base)) found.push({ agent, template });
    }
    const last = rows.at(-1);
    if (!last || rows.length < BATCH) break;
    from = { name: last.name, id: last.id };
  }
  return found;
}

/** Each is merged to see whether anything is left for a person: a page needs few. */
const BATCH = 25;

/** Those whose template is not the one that they took: nearly all have, and Postgres sees that at once. */
async function madeFrom(
  ctx: Context,
  tenantId: string,
  templates: ReadonlyMap<string, Template>,
  from: { name: string; id: string },
) {
  const now = JSON.stringify(Object.fromEntries([...templates].map(([id, { definition }]) => [id, definition])));
  return await ctx.db
    .select(getTableColumns(agents))
    .from(agents)
    // A join, so that the templates are taken apart once and not for each agent.
    .innerJoin(raw`jsonb_each(${now}::jsonb) as now`, raw`now.key = ${agents.templateId}`)
    .where(
      and(
        eq(agents.tenantId, tenantId),
        raw`coalesce(${agents.draftTemplate}, ${agents.templateDefinition}) is distinct from now.value`,
        notInArray(agents.state, ["removing", "removed"]),
        raw`(${agents.name}, ${agents.id}) > (${from.name}, ${from.id})`,
      ),
    )
    .orderBy(agents.name, agents.id)
    .limit(BATCH);
}

/**
 * Agents made before templates were kept with them: the texts of their first version are the nearest to what the template said then.
 * Of everything else in it nobody knows whether a person chose it, so the template changes none of that; variables it only adds.
 */
function baseOfOld(
  first: ReadonlyMap<string, AgentDefinition>,
  agentId: string,
  template: AgentDefinition,
): AgentDefinition | null {
  const definition = first.get(agentId);
  if (!definition) return null;
  const { description, instructions } = definition;
  return { ...template, description, instructions, variables: {} };
}

/** By agent, what was published first. */
async function firstVersions(db: Reader, agentIds: string[]): Promise<Map<string, AgentDefinition>> {
  if (agentIds.length === 0) return new Map();
  const rows = await db
    .select({ id: agentVersions.agentId, definition: agentVersions.definition })
    .from(agentVersions)
    .where(and(inArray(agentVersions.agentId, agentIds), eq(agentVersions.version, 1)));
  return new Map(rows.map(({ id, definition }) => [id, definition]));
}
