/** Versions of an agent: what people hear is the newest one that was published; runs keep the one they began with. */
import { and, desc, eq, lt } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { agents, agentVersions } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { type AgentRow, lockAgent, nameTaken, type Transaction } from "./agent-rows.ts";
import { followLater, followNow, notMadeYet } from "./agent-user.ts";
import { checkDefinition, DefinitionError, hasModel, referenceProblems } from "./definition.ts";
import { NO_DRAFT, savedMeanwhile } from "./drafts.ts";

export interface AgentVersion {
  version: number;
  definition: AgentDefinition;
  by: string | null;
  note: string | null;
  at: Date;
}

interface Which {
  tenantId: string;
  agentId: string;
  by: string;
}

/**
 * Makes the draft the version that people hear; at first it makes the agent's Matrix user too. Said twice it happens once, and a first publication
 * that a crash or a homeserver cut off is completed. Throws `conflict` with the draft when another one was saved than `revision`,
 * `DefinitionError` for what cannot be, `homeserver_down` when a new agent could not be made yet (it will be).
 */
export async function publish(
  ctx: Context,
  { tenantId, agentId, revision, by, note }: Which & { revision: number; note?: string | undefined },
): Promise<AgentRow> {
  const row = await ctx.db.transaction(async (tx) => {
    const before = await lockAgent(tx, tenantId, agentId);
    if (before.draftRevision !== revision) throw savedMeanwhile(before);
    if (before.draft === null) {
      if (before.state === "draft") throw nothingToPublish(before);
      return before;
    }
    const definition = checkDefinition(before.draft, { whole: true });
    const problems = await referenceProblems(tx, tenantId, definition);
    if (Object.keys(problems).length > 0) throw new DefinitionError(problems);
    return await writeVersion(tx, before, { definition, by, note: note || null, draftToo: true });
  });
  return await follow(ctx, row);
}

const nothingToPublish = ({ name }: AgentRow) =>
  new AppError("conflict", `${name} has no draft to publish. Write one first.`);

/** Publishes what an earlier version said, as a new one; a draft stays as it is. Throws `not_found`, `conflict` when its name is taken now. */
export async function rollback(
  ctx: Context,
  { tenantId, agentId, version, by }: Which & { version: number },
): Promise<AgentRow> {
  const row = await ctx.db.transaction(async (tx) => {
    const before = await lockAgent(tx, tenantId, agentId);
    const [old] = await tx
      .select()
      .from(agentVersions)
      .where(and(eq(agentVersions.agentId, agentId), eq(agentVersions.version, version)));
    if (!old) throw noVersion(before, version);
    if (version === before.version)
      throw new AppError("conflict", `Version ${version} is what ${before.name} has now.`);
    const { model } = old.definition;
    const gone = model !== null && !(await hasModel(tx, tenantId, model));
    const definition = gone ? { ...old.definition, model: null } : old.definition;
    const note = `Back to version ${version}${gone ? `; its model ${model} is gone, so the default answers` : ""}`;
    return await writeVersion(tx, before, { definition, by, note, draftToo: false });
  });
  return await follow(ctx, row);
}

/** Newest first, at most `limit`, older than version `before`. */
export async function listVersions(
  ctx: Context,
  agentId: string,
  { before = 2_147_483_647, limit }: { before?: number; limit: number },
): Promise<Omit<AgentVersion, "definition">[]> {
  const { version, createdBy: by, note, createdAt: at } = agentVersions;
  return await ctx.db
    .select({ version, by, note, at })
    .from(agentVersions)
    .where(and(eq(agentVersions.agentId, agentId), lt(version, before)))
    .orderBy(desc(version))
    .limit(limit);
}

/** Throws `not_found`. */
export async function getVersion(ctx: Context, row: AgentRow, version: number): Promise<AgentVersion> {
  const [found] = await ctx.db
    .select()
    .from(agentVersions)
    .where(and(eq(agentVersions.agentId, row.id), eq(agentVersions.version, version)));
  if (!found) throw noVersion(row, version);
  const { definition, createdBy: by, note, createdAt: at } = found;
  return { version, definition, by, note, at };
}

const noVersion = ({ name }: AgentRow, version: number) =>
  new AppError("not_found", `${name} has no version ${version}.`);

interface NewVersion {
  definition: AgentDefinition;
  by: string | null;
  note: string | null;
  /** The draft is what is published: it is none any more. */
  draftToo: boolean;
}

async function writeVersion(tx: Transaction, before: AgentRow, wish: NewVersion): Promise<AgentRow> {
  const { definition, by, note, draftToo } = wish;
  const first = before.state === "draft";
  const version = first ? 1 : before.version + 1;
  const [row] = await tx
    .update(agents)
    .set({
      definition,
      name: definition.name,
      version,
      state: first ? "creating" : before.state,
      ...(draftToo ? { ...NO_DRAFT, templateDefinition: before.draftTemplate ?? before.templateDefinition } : {}),
    })
    .where(eq(agents.id, before.id))
    .returning()
    .catch((error: unknown) => {
      throw nameTaken(error, definition.name);
    });
  if (!row) throw new Error("a row that is locked is updated");
  await tx.insert(agentVersions).values({ agentId: row.id, version, definition, createdBy: by, note });
  await followLater(tx, row);
  return row;
}

/** What is published stands. Only a new agent has to be there before one can say so; of an old one Matrix follows later. */
async function follow(ctx: Context, row: AgentRow): Promise<AgentRow> {
  try {
    return await followNow(ctx, row);
  } catch (error) {
    if (row.state === "creating") throw notMadeYet(error, row.definition);
    ctx.log.warn({ err: error, agent: row.id }, "name and face of an agent reach its homeserver later");
    return row;
  }
}
