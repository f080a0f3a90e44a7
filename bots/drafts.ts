/** Drafts: what a manager is writing and nobody hears yet. */
import { and, eq, ne } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { agents, tryChats } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { agentLocalpart } from "./agent-names.ts";
import {
  type AgentRow,
  definitionOf,
  freeName,
  insertAgent,
  lockAgent,
  nameIsFree,
  nameTaken,
  readAgent,
  type Transaction,
} from "./agent-rows.ts";
import { checkDefinition, DefinitionError, referenceProblems } from "./definition.ts";

/** A draft as somebody else left it. */
export interface SavedDraft {
  definition: AgentDefinition;
  revision: number;
  by: string | null;
  at: Date | null;
}

/** Somebody saved, published or discarded meanwhile: what there is now comes with it, so that nothing of either is lost. */
export class DraftConflict extends AppError {
  readonly current: SavedDraft;
  constructor(sentence: string, current: SavedDraft) {
    super("conflict", sentence);
    this.name = "DraftConflict";
    this.current = current;
  }
}

const savedDraft = ({ draft, definition, draftRevision, draftBy, draftAt }: AgentRow): SavedDraft => ({
  definition: draft ?? definition,
  revision: draftRevision,
  by: draftBy,
  at: draftAt,
});

export function savedMeanwhile(row: AgentRow): DraftConflict {
  const what = row.draft === null ? "was published or set back" : `was saved by ${nameOfWriter(row.draftBy)}`;
  return new DraftConflict(
    `${row.name} ${what} since you opened it. Compare it with yours, then save again or take theirs.`,
    savedDraft(row),
  );
}

const nameOfWriter = (by: string | null) => by?.replace(/^operator:/, "") ?? "somebody else";

interface NewDraft {
  tenantId: string;
  definition: AgentDefinition;
  templateId?: string | null;
  /** What the template said when it was taken. */
  templateDefinition?: AgentDefinition | null;
  by: string;
}

/** An agent that is written and not published: no Matrix user yet, a user id kept for it. Throws `DefinitionError`, `conflict` for a name that is taken. */
export async function createDraft(ctx: Context, wish: NewDraft): Promise<AgentRow> {
  const definition = checkDefinition(wish.definition, { whole: false });
  const { serverName } = await getTenant(ctx, wish.tenantId);
  await checkReferences(ctx.db, wish.tenantId, definition);
  const values = {
    tenantId: wish.tenantId,
    state: "draft" as const,
    definition,
    templateId: wish.templateId ?? null,
    templateDefinition: wish.templateDefinition ?? null,
    draft: definition,
    draftRevision: 1,
    draftBy: wish.by,
    draftAt: new Date(ctx.clock.now()),
  };
  return await insertAgent(ctx, serverName, values, () => Promise.resolve());
}

/** The same under the next free name ("Writer 2"). */
export async function createDraftNamed(ctx: Context, wish: NewDraft): Promise<AgentRow> {
  for (let attempt = 1; ; attempt++)
    try {
      const name = await freeName(ctx, wish.tenantId, wish.definition.name.normalize("NFC"));
      return await createDraft(ctx, { ...wish, definition: { ...wish.definition, name } });
    } catch (error) {
      const again = error instanceof AppError && error.code === "conflict" && attempt < 10;
      if (!again) throw error;
    }
}

/**
 * Keeps a draft. `revision` is that of the draft which was changed. Throws `DraftConflict` when somebody else was faster, `DefinitionError` for
 * what cannot be, `conflict` for a name that is taken.
 */
export async function saveDraft(
  ctx: Context,
  wish: { tenantId: string; agentId: string; definition: AgentDefinition; revision: number; by: string },
): Promise<AgentRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockAgent(tx, wish.tenantId, wish.agentId);
    if (before.draftRevision !== wish.revision) throw savedMeanwhile(before);
    const definition = checkDefinition(wish.definition, { whole: false });
    await checkReferences(tx, wish.tenantId, definition);
    await nameIsFree(tx, before, definition.name);
    // One that was never published has nothing else: lists show what is written.
    const unpublished =
      before.state === "draft"
        ? { definition, name: definition.name, userId: await userIdFor(tx, before, definition.name) }
        : {};
    const [row] = await tx
      .update(agents)
      .set({
        ...unpublished,
        draft: definition,
        draftRevision: before.draftRevision + 1,
        draftBy: wish.by,
        draftAt: new Date(ctx.clock.now()),
      })
      .where(eq(agents.id, before.id))
      .returning()
      .catch((error: unknown) => {
        throw nameTaken(error, definition.name);
      });
    return row ?? before;
  });
}

/** What an agent without a draft has in the columns of one. */
export const NO_DRAFT = { draft: null, draftTemplate: null, draftBy: null, draftAt: null };

/** Forgets a draft, and what it took of its template: what is published stands. Throws `conflict` for an agent that has nothing else, `DraftConflict` as `saveDraft`. */
export async function discardDraft(
  ctx: Context,
  { tenantId, agentId, revision }: { tenantId: string; agentId: string; revision?: number | undefined },
): Promise<AgentRow> {
  return await ctx.db.transaction(async (tx) => {
    const before = await lockAgent(tx, tenantId, agentId);
    if (revision !== undefined && before.draftRevision !== revision) throw savedMeanwhile(before);
    if (before.state === "draft")
      throw new AppError(
        "conflict",
        `${before.name} was never published: its draft is all there is. Remove it instead.`,
      );
    if (before.draft === null) return before;
    const [row] = await tx
      .update(agents)
      .set({ ...NO_DRAFT, draftRevision: before.draftRevision + 1 })
      .where(eq(agents.id, agentId))
      .returning();
    return row ?? before;
  });
}

/** A draft of the same as what is written of this one, with its template. Throws `not_found`. */
export async function duplicateAgent(
  ctx: Context,
  { tenantId, agentId, by }: { tenantId: string; agentId: string; by: string },
): Promise<AgentRow> {
  const row = await readAgent(ctx, agentId);
  if (row.tenantId !== tenantId || row.state === "removed") throw new AppError("not_found", "There is no such agent.");
  const { templateId } = row;
  const definition = row.draft ?? definitionOf(row);
  const model = (await referenceProblems(ctx.db, tenantId, definition)).model ? null : definition.model;
  return await createDraftNamed(ctx, {
    tenantId,
    definition: { ...definition, model },
    templateId,
    templateDefinition: row.draftTemplate ?? row.templateDefinition,
    by,
  });
}

async function checkReferences(...about: Parameters<typeof referenceProblems>): Promise<void> {
  const problems = await referenceProblems(...about);
  if (Object.keys(problems).length > 0) throw new DefinitionError(problems);
}

/** Its user id follows its name as long as nobody has met it, neither in Matrix nor in a chat beside the form. */
async function userIdFor(tx: Transaction, row: AgentRow, name: string): Promise<string> {
  const same = (n: number) => agentLocalpart(row.name, n, row.id) === agentLocalpart(name, n, row.id);
  if (same(1)) return row.userId;
  const [tried] = await tx.select({ id: tryChats.id }).from(tryChats).where(eq(tryChats.agentId, row.id)).limit(1);
  if (tried) return row.userId;
  const server = row.userId.slice(row.userId.indexOf(":"));
  for (let n = 1; ; n++) {
    const userId = `@${agentLocalpart(name, n, row.id)}${server}`;
    const others = await tx
      .select({ id: agents.id })
      .from(agents)
      .where(and(eq(agents.tenantId, row.tenantId), eq(agents.userId, userId), ne(agents.id, row.id)));
    if (others.length === 0) return userId;
  }
}
