import { and, asc, desc, eq, isNull } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { hashToken, newId, newToken } from "../core/ids.ts";
import { usernameProblem } from "../homeserver/accounts.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { invites, inviteUses } from "../migrations/panel-tables.ts";
import { teams } from "../migrations/schema.ts";
import type { TenantRole } from "../migrations/types.ts";
import { publicUrl } from "./public-url.ts";

export type InviteRow = typeof invites.$inferSelect;
export type InviteState = "open" | "spent" | "expired" | "revoked";

const DAY = 86_400_000;
const MAX_TTL = 366 * DAY;
const MAX_USES = 10_000;

export interface NewInvite {
  tenantId: string;
  /** The team whose space and rooms are joined; the tenant's first one when neither is given. */
  teamId?: string | undefined;
  teamName?: string | undefined;
  /** How many accounts it makes (default 1). */
  maxUses?: number | undefined;
  /** Milliseconds (default 7 days, at most 366). */
  ttl?: number | undefined;
  /** Only for this user name. */
  username?: string | undefined;
  /** The name that others see; needs `username`. */
  displayName?: string | undefined;
  /** What its people may do in the panel (default: member). */
  role?: TenantRole | undefined;
  /** Who makes it: a Matrix user id, or an operator's name. */
  createdBy?: string | undefined;
}

export interface Invite {
  id: string;
  tenantId: string;
  team: string | null;
  state: InviteState;
  uses: number;
  maxUses: number;
  /** Names of the accounts that it made. */
  usedBy: string[];
  username: string | null;
  role: TenantRole;
  createdBy: string | null;
  expiresAt: string;
  createdAt: string;
}

/** What a link is good for now; `open` means that it makes an account. */
export function inviteState(invite: Pick<InviteRow, "revokedAt" | "expiresAt" | "uses" | "maxUses">, now: number) {
  if (invite.revokedAt) return "revoked" as const;
  if (invite.expiresAt.getTime() <= now) return "expired" as const;
  return invite.uses >= invite.maxUses ? ("spent" as const) : ("open" as const);
}

/**
 * Makes an invite link. The token stands in the link only: the database has its SHA-256. Throws `not_found` for an unknown
 * tenant or team, `invalid` for numbers or a name that cannot be.
 */
export async function createInvite(
  ctx: Context,
  wanted: NewInvite,
): Promise<{ id: string; url: string; expiresAt: string; team: string | null }> {
  const tenant = await getTenant(ctx, wanted.tenantId);
  const checked = inviteOf(tenant, wanted, ctx.clock.now());
  const team = await teamOf(ctx, tenant.id, wanted);
  const { row, token } = newRow(checked, { tenantId: tenant.id, teamId: team?.id ?? null });
  await ctx.db.insert(invites).values(row);
  return {
    id: row.id,
    url: await joinUrl(ctx, token),
    expiresAt: row.expiresAt.toISOString(),
    team: team?.name ?? null,
  };
}

type Checked = ReturnType<typeof inviteOf>;

/** Pure: the wish with its defaults. Throws `invalid`. */
export function inviteOf(tenant: { serverName: string }, wanted: Omit<NewInvite, "tenantId">, now: number) {
  const { maxUses = 1, ttl = 7 * DAY } = wanted;
  if (!Number.isInteger(maxUses) || maxUses < 1 || maxUses > MAX_USES)
    throw new AppError("invalid", `An invite link makes from 1 to ${MAX_USES} accounts, not ${maxUses}.`);
  if (!Number.isFinite(ttl) || ttl < 1000 || ttl > MAX_TTL)
    throw new AppError("invalid", "An invite link lives from one second to 366 days.");
  const username = wanted.username?.trim().toLowerCase() || null;
  const problem = username === null ? null : usernameProblem(username, tenant.serverName);
  if (problem) throw new AppError("invalid", problem);
  return {
    // A name is given once: more uses of such a link could never be made.
    maxUses: username === null ? maxUses : 1,
    username,
    displayName: username === null ? null : wanted.displayName?.trim() || null,
    role: wanted.role === undefined || wanted.role === "member" ? null : wanted.role,
    createdBy: wanted.createdBy ?? null,
    createdAt: new Date(now),
    expiresAt: new Date(now + ttl),
  };
}

/** A row with a token of its own. */
export function newRow(checked: Checked, place: { tenantId: string; teamId: string | null }) {
  const token = newToken();
  return { token, row: { id: newId(), ...place, tokenHash: hashToken(token), ...checked } };
}

/** The address behind which an account is made. */
export const joinUrl = async (ctx: Context, token: string): Promise<string> => `${await publicUrl(ctx)}/join/${token}`;

async function teamOf(ctx: Context, tenantId: string, wanted: NewInvite): Promise<{ id: string; name: string } | null> {
  const all = await ctx.db.select().from(teams).where(eq(teams.tenantId, tenantId)).orderBy(asc(teams.createdAt));
  if (!wanted.teamId && !wanted.teamName) return all[0] ?? null;
  const found = all.find((team) =>
    wanted.teamId ? team.id === wanted.teamId : team.name.toLowerCase() === wanted.teamName?.trim().toLowerCase(),
  );
  if (found) return found;
  const names = all.map((team) => `"${team.name}"`).join(", ");
  throw new AppError(
    "not_found",
    `${tenantId} has no team "${wanted.teamName ?? wanted.teamId}". ${names ? `Its teams: ${names}.` : "It has none yet."}`,
  );
}

/** A tenant's links, newest first. Throws `not_found` for an unknown tenant. */
export async function listInvites(ctx: Context, tenantId: string): Promise<Invite[]> {
  await getTenant(ctx, tenantId);
  const rows = await ctx.db
    .select({ invite: invites, team: teams.name })
    .from(invites)
    .leftJoin(teams, eq(teams.id, invites.teamId))
    .where(eq(invites.tenantId, tenantId))
    .orderBy(desc(invites.createdAt));
  const uses = await ctx.db
    .select({ inviteId: inviteUses.inviteId, userId: inviteUses.userId })
    .from(inviteUses)
    .innerJoin(invites, eq(invites.id, inviteUses.inviteId))
    .where(and(eq(invites.tenantId, tenantId), eq(inviteUses.state, "made")));
  return rows.map(({ invite, team }) => ({
    id: invite.id,
    tenantId,
    team,
    state: inviteState(invite, ctx.clock.now()),
    uses: invite.uses,
    maxUses: invite.maxUses,
    usedBy: uses.filter((use) => use.inviteId === invite.id).map((use) => use.userId),
    username: invite.username,
    role: invite.role ?? "member",
    createdBy: invite.createdBy,
    expiresAt: invite.expiresAt.toISOString(),
    createdAt: invite.createdAt.toISOString(),
  }));
}

/** Ends a link at once; accounts that it made stay. Twice is harmless. Throws `not_found`, also for another client's than the one given. */
export async function revokeInvite(ctx: Context, id: string, tenantId?: string): Promise<InviteRow> {
  const now = new Date(ctx.clock.now());
  const one = tenantId === undefined ? eq(invites.id, id) : and(eq(invites.id, id), eq(invites.tenantId, tenantId));
  await ctx.db
    .update(invites)
    .set({ revokedAt: now })
    .where(and(one, isNull(invites.revokedAt)));
  const [row] = await ctx.db.select().from(invites).where(one);
  if (row) return row;
  throw new AppError("not_found", `There is no invite link with the id "${id}" here.`);
}

/** The row behind a link's token, if any. */
export async function findInvite(ctx: Context, token: string): Promise<InviteRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(invites)
    .where(eq(invites.tokenHash, hashToken(token)));
  return row;
}
