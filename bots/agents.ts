/** Agents: rows with a definition, and the Matrix users that act for them. Nothing of them is kept in memory. */
import { and, asc, eq, ne, or, sql as raw } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId, stableId } from "../core/ids.ts";
import { deactivateUser, registerAgentUser, setProfile } from "../homeserver/accounts.ts";
import { joinedRooms, leaveRoom } from "../homeserver/matrix.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { agents, agentVersions } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { agentLocalpart, agentNameProblem } from "./agent-names.ts";
import { drawAvatar } from "./avatar.ts";

export type AgentRow = typeof agents.$inferSelect;

const MAX_INSTRUCTIONS = 100_000;

interface NewAgent {
  tenantId: string;
  definition: AgentDefinition;
  templateId?: string;
}

/**
 * Makes an agent with its Matrix user, name and face. After a crash the same call completes it, and the agent of a template is made
 * once however often it is asked for. Throws `invalid` for what cannot be, `conflict` when the name is taken.
 */
export async function createAgent(ctx: Context, wish: NewAgent): Promise<AgentRow> {
  const definition = checkDefinition(wish.definition);
  const tenant = await getTenant(ctx, wish.tenantId);
  const row = await insertAgent(ctx, { ...wish, definition }, tenant.serverName);
  if (row.state !== "creating") return row;
  await registerAgentUser(ctx, {
    tenantId: row.tenantId,
    localpart: row.userId.slice(1, row.userId.indexOf(":")),
    displayName: row.name,
    deviceId: row.deviceId,
    avatarPng: drawAvatar(row.id),
  });
  const [made] = await ctx.db
    .update(agents)
    .set({ state: "active" })
    .where(and(eq(agents.id, row.id), eq(agents.state, "creating")))
    .returning();
  return made ?? (await readAgent(ctx, row.id));
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
  if (!row)
    throw new AppError("not_found", `${tenantId} has no agent "${nameOrId}". "agent list" shows those that there are.`);
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
  const why = now.state === "creating" ? "is still being made. Create it again to complete it." : "was removed.";
  throw new AppError("conflict", `${now.name} ${why}`);
}

/** A new version of the definition; runs under way keep the one they began with. Throws `invalid` and `conflict` as createAgent. */
export async function changeAgent(ctx: Context, id: string, change: Partial<AgentDefinition>): Promise<AgentRow> {
  const row = await ctx.db.transaction(async (tx) => {
    const [before] = await tx.select().from(agents).where(eq(agents.id, id)).for("update");
    if (!before || before.state === "removed") throw new AppError("not_found", "There is no such agent any more.");
    const definition = checkDefinition({ ...before.definition, ...change });
    const version = before.version + 1;
    const [after] = await tx
      .update(agents)
      .set({ definition, version, name: definition.name })
      .where(eq(agents.id, id))
      .returning()
      .catch((error: unknown) => {
        throw nameTaken(error, definition.name);
      });
    await tx.insert(agentVersions).values({ agentId: id, version, definition });
    return after ?? before;
  });
  if (row.state !== "creating")
    await setProfile(ctx, { tenantId: row.tenantId, userId: row.userId, displayName: row.name });
  await repairPowerLevels(ctx, row);
  return row;
}

/** Ends an agent for good: its runs stop, it leaves its rooms, its user is deactivated. What it wrote stays, and its rows. */
export async function removeAgent(ctx: Context, id: string): Promise<void> {
  const row = await readAgent(ctx, id);
  if (row.state === "removed") return;
  await ctx.db.update(agents).set({ state: "removing" }).where(eq(agents.id, id));
  await stopRunsOf(ctx, id);
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

async function insertAgent(ctx: Context, wish: NewAgent, serverName: string): Promise<AgentRow> {
  const { tenantId, definition, templateId } = wish;
  const known = await sameAgent(ctx, wish);
  if (known) return known;
  const id = newId();
  for (let n = 1; ; n++) {
    const userId = `@${agentLocalpart(definition.name, n, id)}:${serverName}`;
    const [row] = await ctx.db.transaction(async (tx) => {
      const made = await tx
        .insert(agents)
        .values({
          id,
          tenantId,
          name: definition.name,
          userId,
          definition,
          templateId: templateId ?? null,
          deviceId: "AGENTOPIA",
        })
        .onConflictDoNothing({ target: [agents.tenantId, agents.userId] })
        .returning()
        .catch((error: unknown) => {
          throw nameTaken(error, definition.name);
        });
      if (made.length > 0) await tx.insert(agentVersions).values({ agentId: id, version: 1, definition });
      return made;
    });
    if (row) return row;
  }
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
  if (same && (row.state === "creating" || templateId)) return row;
  throw taken(definition.name);
}

function checkDefinition(definition: AgentDefinition): AgentDefinition {
  const name = definition.name.normalize("NFC");
  const problem = agentNameProblem(name);
  if (problem) throw new AppError("invalid", problem);
  if (definition.instructions.trim() === "")
    throw new AppError("invalid", "Say in the instructions what the agent does.");
  if (definition.instructions.length > MAX_INSTRUCTIONS)
    throw new AppError("invalid", `Instructions have at most ${MAX_INSTRUCTIONS} characters.`);
  if (definition.description.length > 500) throw new AppError("invalid", "A description has at most 500 characters.");
  return { ...definition, name };
}

async function readAgent(ctx: Context, id: string): Promise<AgentRow> {
  const [row] = await ctx.db.select().from(agents).where(eq(agents.id, id));
  if (!row) throw new AppError("not_found", "There is no such agent.");
  return row;
}

async function stopRunsOf(ctx: Context, agentId: string): Promise<void> {
  await ctx.sql`
    with stopped as (
      update runs set stop_reason = 'removed'
      where agent_id = ${agentId} and state in ('queued', 'running') and stop_reason is null returning id)
    select pg_notify(${CHANNELS.stop}, id) from stopped`;
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

/** In rooms of ours the homeserver holds the scope: one action for each of them. */
async function repairPowerLevels(ctx: Context, { id, tenantId, userId, version }: AgentRow): Promise<void> {
  const found = await ctx.sql<{ roomId: string }[]>`
    select r.room_id as "roomId" from room_members m join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id
    where m.tenant_id = ${tenantId} and m.user_id = ${userId} and m.membership = 'join' and r.kind <> 'other'`;
  for (const { roomId } of found)
    await ctx.sql`
      insert into actions (id, tenant_id, room_id, payload)
      values (${stableId(tenantId, roomId, "scope", id, version)}, ${tenantId}, ${roomId}, '{"kind":"power_levels"}')
      on conflict do nothing`;
  if (found.length > 0) await ctx.sql.notify(CHANNELS.action, "");
}

const taken = (name: string) =>
  new AppError("conflict", `There is an agent called ${name} already. Choose another name, or remove that one first.`);

/** Unique violation (23505) of the name's index; anything else stays what it is. */
function nameTaken(error: unknown, name: string): unknown {
  const { code, constraint_name } = ((error as { cause?: unknown }).cause ?? error) as {
    code?: string;
    constraint_name?: string;
  };
  return code === "23505" && constraint_name === "agents_name" ? taken(name) : error;
}
