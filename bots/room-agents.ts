/** Agents come into rooms of the platform and go, with a scope of their own in each. Every step is harmless twice. */
import { and, eq } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { joinRoom, leaveRoom } from "../homeserver/matrix.ts";
import { readOurRoom } from "../homeserver/room-manage.ts";
import { inviteAgentToRoom, putAgentPowerLevels, SCOPE_LEVEL } from "../homeserver/rooms.ts";
import { actions, agentScopes } from "../migrations/schema.ts";
import type { Scope } from "../migrations/types.ts";
import { type AgentRow, getAgent } from "./agents.ts";
import { scopeLevels } from "./scope-levels.ts";

interface Place {
  tenantId: string;
  agentId: string;
  roomId: string;
}

/**
 * Puts an agent into a room: its scope first, so that it never may more than that, then the invite and its coming. `scope` null: that of
 * its definition. Throws `conflict` for an archived room and for an agent that nobody has published yet.
 */
export async function addAgentToRoom(ctx: Context, where: Place & { scope: Scope | null }): Promise<AgentRow> {
  const { tenantId, agentId, roomId, scope } = where;
  const room = await readOurRoom(ctx, tenantId, roomId);
  if (room.kind === "space")
    throw new AppError("invalid", "Agents are members of a team's rooms, not of the team itself. Choose a room.");
  if (room.archivedAt) throw new AppError("conflict", "This room is archived. Bring it back before you add anybody.");
  const agent = await getAgent(ctx, tenantId, agentId);
  if (agent.state !== "active" && agent.state !== "paused")
    throw new AppError("conflict", `${agent.name} is not published yet. Publish it, then add it to rooms.`);
  await writeScope(ctx, agent, roomId, scope);
  const level = SCOPE_LEVEL[scope ?? agent.definition.scope];
  const users = { ...(await scopeLevels(ctx, tenantId, roomId)), [agent.userId]: level };
  await putAgentPowerLevels(ctx, { tenantId, roomId, users });
  await inviteAgentToRoom(ctx, { tenantId, roomId, userId: agent.userId });
  await joinRoom(ctx, { tenantId, as: agent.userId, roomId });
  return agent;
}

/** Takes an agent out of a room; what it wrote stays. Also from rooms that people made: it may always leave. */
export async function removeAgentFromRoom(ctx: Context, { tenantId, agentId, roomId }: Place): Promise<AgentRow> {
  const agent = await getAgent(ctx, tenantId, agentId);
  await leaveRoom(ctx, { tenantId, as: agent.userId, roomId, reason: "A manager took it out of this room." });
  await ctx.db.delete(agentScopes).where(and(eq(agentScopes.agentId, agent.id), eq(agentScopes.roomId, roomId)));
  return agent;
}

/** Another scope in a room it is in. The row decides at once who is answered; the homeserver's power levels follow. */
export async function changeScopeInRoom(ctx: Context, where: Place & { scope: Scope | null }): Promise<AgentRow> {
  const { tenantId, agentId, roomId, scope } = where;
  await readOurRoom(ctx, tenantId, roomId);
  const agent = await getAgent(ctx, tenantId, agentId);
  const [member] = await ctx.sql`
    select 1 from room_members where tenant_id = ${tenantId} and room_id = ${roomId} and user_id = ${agent.userId}
      and membership in ('join', 'invite')`;
  if (!member) throw new AppError("not_found", `${agent.name} is not in this room.`);
  await writeScope(ctx, agent, roomId, scope);
  return agent;
}

/** The row and the action that makes the homeserver hold it are written together. */
async function writeScope(ctx: Context, agent: AgentRow, roomId: string, scope: Scope | null): Promise<void> {
  const own = scope === agent.definition.scope ? null : scope;
  await ctx.db.transaction(async (tx) => {
    if (own === null)
      await tx.delete(agentScopes).where(and(eq(agentScopes.agentId, agent.id), eq(agentScopes.roomId, roomId)));
    else
      await tx
        .insert(agentScopes)
        .values({ agentId: agent.id, roomId, scope: own })
        .onConflictDoUpdate({ target: [agentScopes.agentId, agentScopes.roomId], set: { scope: own } });
    await tx
      .insert(actions)
      .values({ id: newId(), tenantId: agent.tenantId, roomId, payload: { kind: "power_levels" } });
  });
  await ctx.sql.notify(CHANNELS.action, "");
}
