/** Makes the API's answers of what the bots know about agents. */
import { type AgentCounts, answeringModels, type ListedAgent } from "../../bots/agent-list.ts";
import { definitionOf } from "../../bots/agent-rows.ts";
import type { AgentRow } from "../../bots/agents.ts";
import {
  DefinitionError,
  definitionProblems,
  definitionWarnings,
  missingParts,
  referenceProblems,
} from "../../bots/definition.ts";
import { DraftConflict } from "../../bots/drafts.ts";
import { faceOf } from "../../bots/pictures.ts";
import { type AgentVersion, listVersions } from "../../bots/publish.ts";
import { boundsOf } from "../../bots/tools/decide.ts";
import { listTools } from "../../bots/tools/sources.ts";
import { unknownVariables } from "../../bots/variables.ts";
import type { Context } from "../../core/context.ts";
import { stableId } from "../../core/ids.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import type { AgentItem, AgentView, DraftView, VersionView } from "./agents-views.ts";
import { ConflictError, InvalidFields } from "./conflict.ts";

export const answering = answeringModels;

/** Short, and another one for another face. */
export const faceMark = (face: string): string => stableId(face).slice(0, 12);

/** `answers` null: for somebody who sees name, description, face and state only. */
export function itemOf(
  row: ListedAgent,
  answers: ((model: string | null) => string | null) | null,
  counts?: AgentCounts,
): AgentItem {
  const { id, name, description, state, userId, version, hasDraft, model, templateId } = row;
  const met = state !== "draft";
  return {
    id,
    name,
    description,
    state,
    userId: met ? userId : null,
    face: faceMark(row.face),
    version: answers && met ? version : null,
    hasDraft: answers ? hasDraft : null,
    model: answers ? model : null,
    answeredBy: answers ? answers(model) : null,
    templateId: answers ? templateId : null,
    rooms: counts?.rooms ?? null,
    runs: counts?.runs ?? null,
    up: counts?.up ?? null,
    down: counts?.down ?? null,
  };
}

/** One agent; without `all` what members may see of it. */
export async function agentOf(ctx: Context, row: AgentRow, all: boolean): Promise<AgentView> {
  const shown = definitionOf(row);
  const listed: ListedAgent = {
    ...row,
    key: row.name,
    description: shown.description,
    hasDraft: row.draft !== null,
    model: shown.model,
    face: faceOf(row.id, shown),
  };
  const nothing = { definition: null, draft: null, revision: null, draftBy: null, draftAt: null };
  const empty = { unknownVariables: [], warnings: [], problems: [], versions: [] };
  const mayUse = await mayUseOf(ctx, row.tenantId, shown);
  if (!all) return { ...itemOf(listed, null), ...nothing, ...empty, mayUse };
  const [answers, problems, versions] = await Promise.all([
    answeringModels(ctx, row.tenantId),
    problemsOf(ctx, row),
    listVersions(ctx, row.id, { limit: 10 }),
  ]);
  const written = row.draft ?? shown;
  return {
    ...itemOf(listed, answers),
    definition: row.state === "draft" ? null : row.definition,
    draft: row.draft,
    revision: row.draftRevision,
    draftBy: row.draftBy,
    draftAt: row.draftAt?.toISOString() ?? null,
    unknownVariables: unknownVariables(written),
    warnings: definitionWarnings(written),
    problems,
    versions: versions.map(versionOf),
    mayUse,
  };
}

/** What people who ask it should know of: not its boundaries, but what it may do, and whether somebody is asked. */
async function mayUseOf(ctx: Context, tenantId: string, { tools = {} }: AgentDefinition): Promise<AgentView["mayUse"]> {
  if (Object.keys(tools).length === 0) return [];
  const all = await listTools(ctx, tenantId);
  return [...all.values()].flatMap((tool) => {
    const policy = boundsOf(tools, tool).find((bounds) => bounds.policy !== undefined)?.policy ?? "never";
    return policy === "never"
      ? []
      : [{ name: tool.name, title: tool.title, summary: tool.summary, group: tool.group, policy }];
  });
}

async function problemsOf(ctx: Context, row: AgentRow): Promise<AgentView["problems"]> {
  const written = row.draft ?? definitionOf(row);
  const problems = {
    ...definitionProblems(written),
    ...missingParts(written),
    ...(await referenceProblems(ctx.db, row.tenantId, written)),
  };
  return Object.entries(problems).map(([path, message]) => ({ path, message }));
}

export const versionOf = ({ version, by, note, at }: Omit<AgentVersion, "definition">): VersionView => ({
  version,
  by,
  note,
  at: at.toISOString(),
});

/** Refusals of the bots as the API says them: with the other draft, or field by field below `prefix`. */
export async function sayingWhy<T>(work: Promise<T>, prefix = ""): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof DraftConflict) {
      const { definition, revision, by, at } = error.current;
      const current: DraftView = { definition, revision, by, at: at?.toISOString() ?? null };
      throw new ConflictError(error.sentence, current);
    }
    if (error instanceof DefinitionError)
      throw new InvalidFields(
        Object.fromEntries(Object.entries(error.fields).map(([path, problem]) => [prefix + path, problem])),
      );
    throw error;
  }
}
