/** Agents: rows with a definition, and the Matrix users that act for them. Nothing of them is kept in memory. */
import { and, asc, eq, ne, or, sql as raw } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { deactivateUser } from "../homeserver/accounts.ts";
import { joinedRooms, leaveRoom } from "../homeserver/matrix.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { agents, agentVersions } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { closeWhatItHad } from "./agent-leaves.ts";
import { type AgentRow, insertAgent, readAgent, taken } from "./agent-rows.ts";
import { followLater, followNow } from "./agent-user.ts";
import { checkDefinition } from "./definition.ts";
import { listTemplates } from "./templates.ts";

export type { AgentRow } from "./agent-rows.ts";

interface NewAgent {
  tenantId: string;
  definition: AgentDefinition;
  templateId?: string;
  by?: string;
}

/**
 * Makes an agent that is published at once, with its Matrix user, name and face. After a crash the same call completes it, and the agent of a
 * template is made once however often it is asked for. Throws `invalid` for what cannot be, `conflict` when the name is taken.
 */
export async function createAgent(ctx: Context, wish: NewAgent): Promise<AgentRow> {
  const definition = checkDefinition(wish.definition, { whole: true });
  const tenant = await getTenant(ctx, wish.tenantId);
  const row =
    (await sameAgent(ctx, { ...wish, definition })) ??
    (await insertPublished(ctx, tenant.serverName, wish, definition));
  return row.state === "creating" ? await followNow(ctx, row) : row;
}

/** What the template says now is what later changes of it are compared with. */
function insertPublished(
  ctx: Context,
  serverName: string,
  { tenantId, templateId, by }: NewAgent,
  definition: AgentDefinition,
) {
  const templateDefinition = listTemplates().find(({ id }) => id === templateId)?.definition ?? null;
  const values = { tenantId, definition, templateId: templateId ?? null, templateDefinition };
  return insertAgent(ctx, serverName, values, async (tx, row) => {
    await tx.insert(agentVersions).values({ agentId: row.id, version: 1, definition, createdBy: by ?? null });
    await followLater(tx, row);
  });
}

/** Agents of a tenant by name, without those that were removed. */
export async function listAgents(ctx: Context, tenantId: string): Promise<AgentRow[]> {
  const here = and(eq(agents.tenantId, tenantId), ne(agents.state, "removed"));
  return await ctx.db
    .select()
    .from(agents)
    .where(here)
    .orderBy(asc(raw`lower(${agents.name})`));
}

/** By name (however it is written), user id or id. Throws `not_found`. */
export async function getAgent(ctx: Context, tenantId: string, nameOrId: string): Promise<AgentRow> {
  const [row] = await ctx.db
    .select()
    .from(agents)
    .where(
      and(
        eq(agents.tenantId, tenantId),
        ne(agents.state, "removed"),
        or(
          raw`lower(${agents.name}) = lower(${nameOrId.trim()})`,
          eq(agents.id, nameOrId),
          eq(agents.userId, nameOrId),
        ),
      ),
    )
    // An agent may be called as another one's id.
    .orderBy(raw`${agents.id} = ${nameOrId} desc`)
    .limit(1);
  if (!row) throw new AppError("not_found", `There is no agent "${nameOrId}" here.`);
  return row;
}

/** Pauses or resumes: a paused agent stays in its rooms and answers nobody. Runs under way end by themselves. */
export async function setAgentState(ctx: Context, id: string, state: "active" | "paused"): Promise<AgentRow> {
  const [row] = await ctx.db
    .update(agents)
    .set({ state })
    .where(and(eq(agents.id, id), or(eq(agents.state, "active"), eq(agents.state, "paused"))))
    .returning();
  if (row) return row;
  const now = await readAgent(ctx, id);
  throw new AppError("conflict", `${now.name} ${NOT_YET[now.state] ?? "was removed."}`);
}

const NOT_YET: Partial<Record<AgentRow["state"], string>> = {
  draft: "was never published. Publish it first.",
  creating: "is still being made: its homeserver does not answer. It is completed as soon as it does.",
};

/**
 * Ends an agent for good: its runs stop, it leaves its rooms, its user is deactivated. What it wrote stays, and its rows. One that was never
 * published has no user: no homeserver is needed.
 */
export async function removeAgent(ctx: Context, id: string): Promise<void> {
  const row = await readAgent(ctx, id);
  if (row.state === "removed") return;
  const never = await ctx.db
    .update(agents)
    .set({ state: "removed" })
    .where(and(eq(agents.id, id), eq(agents.state, "draft")))
    .returning({ id: agents.id });
  if (never.length > 0) return await closeWhatItHad(ctx, row);
  await ctx.db.update(agents).set({ state: "removing" }).where(eq(agents.id, id));
  await closeWhatItHad(ctx, row);
  const { tenantId, userId } = row;
  for (const roomId of await roomsOf(ctx, row))
    await leaveRoom(ctx, { tenantId, as: userId, roomId, reason: `${row.name} was removed.` }).catch(
      (error: unknown) => {
        // Deactivating takes it out as well. A homeserver that is down is met there again, and then this is done anew.
        ctx.log.warn({ err: error, agent: id, room: roomId }, "an agent that is removed could not leave a room");
      },
    );
  await deactivateUser(ctx, { tenantId, userId });
  await ctx.db.update(agents).set({ state: "removed" }).where(eq(agents.id, id));
}

/** Completes removals that a crash or a homeserver that was down left half done. */
export async function completeRemovals(ctx: Context): Promise<void> {
  const left = await ctx.db.select({ id: agents.id }).from(agents).where(eq(agents.state, "removing")).limit(100);
  for (const { id } of left)
    await removeAgent(ctx, id).catch((error: unknown) =>
      ctx.log.warn({ err: error, agent: id }, "an agent is not removed yet; it is tried again"),
    );
}

/** The agent that this call began before: half made, or of the same template. Throws `conflict` for another one of that name. */
async function sameAgent(ctx: Context, { tenantId, definition, templateId }: NewAgent): Promise<AgentRow | null> {
  const ofThatName = and(
    eq(agents.tenantId, tenantId),
    ne(agents.state, "removed"),
    raw`lower(${agents.name}) = lower(${definition.name})`,
  );
  const [row] = await ctx.db.select().from(agents).where(ofThatName);
  if (!row) return null;
  const same = row.name === definition.name && row.templateId === (templateId ?? null);
  if (same && row.state !== "draft" && (row.state === "creating" || templateId)) return row;
  throw taken(definition.name);
}

/** None for a user that was never made or is deactivated already. */
async function roomsOf(ctx: Context, { tenantId, userId }: AgentRow): Promise<string[]> {
  try {
    return await joinedRooms(ctx, { tenantId, as: userId });
  } catch (error) {
    if (error instanceof AppError && error.code === "homeserver_refused") return [];
    throw error;
  }
}
