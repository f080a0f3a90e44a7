/** The Matrix users of agents: made, named and given a face as their published definition says. */
import { and, eq, sql as raw } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { stableId } from "../core/ids.ts";
import { type Picture, registerAgentUser, setProfile } from "../homeserver/accounts.ts";
import { actions, agents, roomMembers, rooms } from "../migrations/schema.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { type AgentRow, readAgent, type Transaction } from "./agent-rows.ts";
import { faceOf, readPicture } from "./pictures.ts";

/** How long whoever published has to bring Matrix in line before the actions do it. */
const AFTER_SECONDS = 15;
const actionOf = ({ id, version }: Pick<AgentRow, "id" | "version">) => stableId("agent", id, version);

/**
 * Written in the transaction that publishes a version: Matrix follows it whatever happens to this process. Call `followNow` after the commit.
 */
export async function followLater(tx: Transaction, row: AgentRow): Promise<void> {
  await tx
    .insert(actions)
    .values({
      id: actionOf(row),
      tenantId: row.tenantId,
      roomId: "",
      payload: { kind: "agent", agentId: row.id },
      dueAt: raw`now() + make_interval(secs => ${AFTER_SECONDS})`,
    })
    .onConflictDoNothing();
  await repairPowerLevels(tx, row);
}

/** Brings Matrix in line with what was published. When that fails the actions go on with it, at once. */
export async function followNow(ctx: Context, row: AgentRow): Promise<AgentRow> {
  await ctx.sql.notify(CHANNELS.action, "");
  try {
    const now = await bringInLine(ctx, row.id);
    await ctx.sql`update actions set state = 'done', finished_at = now() where id = ${actionOf(row)} and state = 'open'`;
    return now;
  } catch (error) {
    await ctx.sql`update actions set due_at = now() where id = ${actionOf(row)} and state = 'open'`;
    await ctx.sql.notify(CHANNELS.action, "");
    throw error;
  }
}

/**
 * Makes the agent's user where there is none, and gives it name and face of its definition. Any number of times: what is right already is left
 * alone, and a version that is published meanwhile is followed too.
 */
export async function bringInLine(ctx: Context, agentId: string): Promise<AgentRow> {
  for (;;) {
    const row = await readAgent(ctx, agentId);
    if (row.state !== "creating" && row.state !== "active" && row.state !== "paused") return row;
    const face = faceOf(row.id, row.definition);
    const picture = face === row.profileFace ? undefined : await pictureFor(ctx, row);
    if (row.state === "creating") await makeUser(ctx, row, picture);
    else
      await setProfile(ctx, { tenantId: row.tenantId, userId: row.userId, displayName: row.definition.name, picture });
    const same = and(eq(agents.id, agentId), eq(agents.version, row.version), eq(agents.state, row.state));
    const [now] = await ctx.db
      .update(agents)
      .set({ profileFace: face, state: row.state === "creating" ? "active" : row.state })
      .where(same)
      .returning();
    if (now) return now;
  }
}

async function makeUser(ctx: Context, row: AgentRow, picture: Picture | undefined): Promise<void> {
  const { tenantId, userId, deviceId, definition } = row;
  const localpart = userId.slice(1, userId.indexOf(":"));
  await registerAgentUser(ctx, { tenantId, localpart, displayName: definition.name, deviceId, picture });
}

/** Agents from before faces were chosen keep the one they have. */
async function pictureFor(ctx: Context, row: AgentRow): Promise<Picture> {
  const picture = await readPicture(ctx, row.tenantId, { id: row.id, definition: row.definition });
  return { ...picture, replace: row.profileFace !== null || row.definition.avatar !== undefined };
}

/** In rooms of ours the homeserver holds the scope: one action for each of them. */
async function repairPowerLevels(tx: Transaction, { id, tenantId, userId, version }: AgentRow): Promise<void> {
  const found = await tx
    .select({ roomId: rooms.roomId, kind: rooms.kind })
    .from(roomMembers)
    .innerJoin(rooms, and(eq(rooms.tenantId, roomMembers.tenantId), eq(rooms.roomId, roomMembers.roomId)))
    .where(and(eq(roomMembers.tenantId, tenantId), eq(roomMembers.userId, userId), eq(roomMembers.membership, "join")));
  const ours = found.filter(({ kind }) => kind !== "other");
  if (ours.length === 0) return;
  await tx
    .insert(actions)
    .values(
      ours.map(({ roomId }) => ({
        id: stableId(tenantId, roomId, "scope", id, version),
        tenantId,
        roomId,
        payload: { kind: "power_levels" as const },
      })),
    )
    .onConflictDoNothing();
}

/** What is said when a first version could not be made in Matrix yet. */
export function notMadeYet(error: unknown, { name }: AgentDefinition): unknown {
  if (!(error instanceof AppError) || !error.retry) return error;
  return new AppError(
    error.code,
    `${name} is published, but its homeserver does not answer, so nobody can see it yet. It is completed as soon as the homeserver is back.`,
    { cause: error },
  );
}
