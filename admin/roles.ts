/** Who may do what to whom, and the rows that say which role a person of a client has. */
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import type { Database } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { invites, tenantRoles } from "../migrations/panel-tables.ts";
import type { TenantRole } from "../migrations/types.ts";
import { ACTIONS, type Role, roleMay } from "./rights.ts";

/** Auditors stand above managers: they read the log of what managers do. */
const RANK: Record<Role, number> = { operator: 4, owner: 3, auditor: 2, manager: 1, member: 0 };

/** Somebody who changes people: with what role, and whether it is a program with a token of theirs. */
export interface Actor {
  role: Role;
  /** Matrix user id; null for operators. */
  userId: string | null;
  byToken: boolean;
  /** What the program's token may; null without one. */
  scopes?: readonly string[] | null;
}

/** Pure: whether somebody with that role may things that the program's token may not. What every member may counts for nothing. */
const beyondToken = ({ scopes }: Actor, role: TenantRole): boolean =>
  scopes != null &&
  ACTIONS.some((action) => roleMay(role, action) && !roleMay("member", action) && !scopes.includes(action));

/**
 * Pure: why this one may not suspend, sign in as or give a password to that one, as a sentence; null when they may. Nobody acts on
 * somebody with a higher role. A program must stand above, and its token may all that the other may: with their password it would get more rights than it has.
 * `admin`: the homeserver's own administrators, whose password opens everything there, are for owners and operators.
 */
export function actingProblem(actor: Actor, target: { role: TenantRole; admin?: boolean }): string | null {
  const distance = RANK[actor.role] - RANK[target.role];
  if (distance < 0) return `A ${actor.role} cannot do this to an ${target.role}. Ask an owner or your operator.`;
  if (distance === 0 && actor.byToken)
    return `A token cannot do this to somebody with its owner's role (${target.role}). Do it in the panel.`;
  if (beyondToken(actor, target.role))
    return `This token may do less than the role ${target.role}, so it cannot do this. Do it in the panel.`;
  if (target.admin && RANK[actor.role] < RANK.owner)
    return "This person administers the homeserver itself. Ask an owner or your operator.";
  return null;
}

/** Pure: why this one may not give a new person that role, as a sentence. Who may change roles may give any. */
export function givingProblem(actor: Actor, role: TenantRole, mayChangeRoles: boolean): string | null {
  if (mayChangeRoles) return null;
  if (RANK[role] > RANK[actor.role]) return `A ${actor.role} cannot make an ${role}. Ask an owner or your operator.`;
  if (RANK[role] === RANK[actor.role] && actor.byToken)
    return `A token cannot give its owner's own role (${role}). Do it in the panel.`;
  if (beyondToken(actor, role))
    return `This token may do less than the role ${role}, so it cannot give it. Do it in the panel.`;
  return null;
}

type Db = Pick<Database, "execute">;

/** The role of a person; `member` without a row. */
export async function roleOf(ctx: Context, tenantId: string, userId: string): Promise<TenantRole> {
  const [row] = await ctx.sql<{ role: TenantRole }[]>`
    select role from tenant_roles where tenant_id = ${tenantId} and user_id = ${userId}`;
  return row?.role ?? "member";
}

/**
 * Locks a client's owners for the rest of the transaction, and throws `conflict` when no owner who can sign in would be left without
 * this person. Two who go at once wait for one another here, so that the second one sees what the first did.
 */
export async function keepAnOwner(db: Db, tenantId: string, userId: string, doing: string): Promise<void> {
  const owners = await db.execute<{ user_id: string }>(sql`
    select user_id from tenant_roles where tenant_id = ${tenantId} and role = 'owner' order by user_id for update`);
  if (!owners.some((owner) => owner.user_id === userId)) return;
  const [others] = await db.execute<{ left: boolean }>(sql`
    select exists (
      select 1 from tenant_roles r left join people p on p.tenant_id = r.tenant_id and p.user_id = r.user_id
      where r.tenant_id = ${tenantId} and r.role = 'owner' and r.user_id <> ${userId} and coalesce(p.state, 'active') = 'active'
    ) as left`);
  if (others?.left) return;
  throw new AppError(
    "conflict",
    `${userId} is the last owner of this client and cannot be ${doing}. Make somebody else an owner first.`,
  );
}

/** Gives a person a role. Returns the one before. Throws `conflict` when it would take the last owner away. */
export async function setRole(
  ctx: Context,
  { tenantId, userId, role }: { tenantId: string; userId: string; role: TenantRole },
): Promise<TenantRole> {
  return await ctx.db.transaction(async (tx) => {
    if (role !== "owner") await keepAnOwner(tx, tenantId, userId, "given another role");
    const [row] = await tx.execute<{ role: TenantRole }>(sql`
      select role from tenant_roles where tenant_id = ${tenantId} and user_id = ${userId} for update`);
    const before = row?.role ?? "member";
    await tx
      .insert(tenantRoles)
      .values({ tenantId, userId, role })
      .onConflictDoUpdate({ target: [tenantRoles.tenantId, tenantRoles.userId], set: { role } });
    await withdrawInvites(ctx, tx, { tenantId, userId, role });
    // A link that somebody made for a member would let them in as what the member is now.
    if (role !== before)
      await tx.execute(sql`update one_time_links set revoked_at = ${new Date(ctx.clock.now()).toISOString()}
        where tenant_id = ${tenantId} and user_id = ${userId} and used_at is null and revoked_at is null`);
    return before;
  });
}

const GIVEN = ["owner", "auditor", "manager"] as const;

/**
 * Ends the invite links by which somebody gives roles that they may not give any more: with one of their own they would come back as what
 * they were. `role`: what they are now.
 */
export async function withdrawInvites(
  ctx: Pick<Context, "clock">,
  db: Pick<Database, "update">,
  { tenantId, userId, role }: { tenantId: string; userId: string; role: TenantRole },
): Promise<void> {
  const over = GIVEN.filter((given) => !roleMay(role, "invites.write") || RANK[given] > RANK[role]);
  if (over.length === 0) return;
  const theirs = and(eq(invites.tenantId, tenantId), eq(invites.createdBy, userId), inArray(invites.role, over));
  await db
    .update(invites)
    .set({ revokedAt: new Date(ctx.clock.now()) })
    .where(and(theirs, isNull(invites.revokedAt)));
}
