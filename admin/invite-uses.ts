/**
 * The rows that say how often a link was used. Three rules hold over crashes and several processes:
 * - One row per link and name, so one name spends one use, however often it is sent.
 * - Only who inserted the row gives it back, and only when it is certain that no account was made.
 * - Who finds a row (a crash, a second click) takes it over by its time, and never gives the use back.
 */
import { and, eq, gt, isNull, lt, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { call, errcodeOf, pathOf } from "../homeserver/http.ts";
import { invites, inviteUses } from "../migrations/panel-tables.ts";
import { type InviteRow, inviteState } from "./invites.ts";

/** Longer than any call to a homeserver lasts: what another process began before that is not under way any more. */
const OTHER_PROCESS_MS = 90_000;

export interface Use {
  /** `new`: the row is ours. Else it was there, in this state. */
  taken: "new" | "making" | "made";
  /** The row's time since we have it: whoever takes it over sets a later one. */
  at: Date;
}

/** One transaction: the row for this name and one use of the link, both or neither. Undefined: the link has no use left. */
export async function takeUse(
  ctx: Context,
  invite: InviteRow,
  person: { username: string; userId: string },
): Promise<Use | undefined> {
  return ctx.db.transaction(async (tx) => {
    const open = and(
      eq(invites.id, invite.id),
      lt(invites.uses, invites.maxUses),
      isNull(invites.revokedAt),
      gt(invites.expiresAt, new Date(ctx.clock.now())),
    );
    // This row's lock makes all takers of one link wait for one another, so the look at the name below is exact.
    await tx.select({ id: invites.id }).from(invites).where(eq(invites.id, invite.id)).for("update");
    const [known] = await tx.select().from(inviteUses).where(rowOf(invite, person.username));
    const at = new Date(Math.max(ctx.clock.now(), (known?.createdAt.getTime() ?? 0) + 1));
    if (known?.state === "made") return { taken: known.state, at: known.createdAt };
    if (known) {
      await tx.update(inviteUses).set({ createdAt: at }).where(rowOf(invite, person.username));
      return { taken: known.state, at };
    }
    const taken = await tx
      .update(invites)
      .set({ uses: sql`${invites.uses} + 1` })
      .where(open)
      .returning({ id: invites.id });
    if (taken.length === 0) return undefined;
    await tx.insert(inviteUses).values({
      inviteId: invite.id,
      username: person.username,
      userId: person.userId,
      state: "making",
      createdAt: at,
    });
    return { taken: "new", at };
  });
}

const rowOf = (invite: InviteRow, username: string) =>
  and(eq(inviteUses.inviteId, invite.id), eq(inviteUses.username, username));

/**
 * No use was left: perhaps one is held for an account that a crash kept from being made. `busy` says which names this process
 * works on. Throws `gone` if not.
 */
export async function settledUse(
  ctx: Context,
  invite: InviteRow,
  person: { username: string; userId: string },
  busy: (username: string) => boolean,
): Promise<Use> {
  const [now] = await ctx.db.select().from(invites).where(eq(invites.id, invite.id));
  const state = now ? inviteState(now, ctx.clock.now()) : "revoked";
  if (state === "spent" && (await settle(ctx, invite, busy)) > 0) {
    const use = await takeUse(ctx, invite, person);
    if (use) return use;
  }
  throw linkIsOver(state === "open" ? "spent" : state);
}

/** Gives back uses that a dead process holds for names which the homeserver does not know. Returns how many. */
async function settle(ctx: Context, invite: InviteRow, busy: (username: string) => boolean): Promise<number> {
  const held = await ctx.db
    .select()
    .from(inviteUses)
    .where(and(eq(inviteUses.inviteId, invite.id), eq(inviteUses.state, "making")));
  let given = 0;
  for (const row of held) {
    const old = ctx.clock.now() - row.createdAt.getTime() > OTHER_PROCESS_MS;
    if (!old || busy(row.username)) continue;
    if (!(await accountExists(ctx, invite.tenantId, row.userId)))
      given += await giveBack(ctx, invite, row.username, row.createdAt);
  }
  return given;
}

/** Synapse gives every account a profile when it is made (its display name). Throws `homeserver_down`. */
async function accountExists(ctx: Context, tenantId: string, userId: string): Promise<boolean> {
  try {
    await call(ctx, tenantId, { method: "GET", path: `/_matrix/client/v3/profile${pathOf(userId)}` });
    return true;
  } catch (error) {
    if (errcodeOf(error) === "M_NOT_FOUND") return false;
    throw error;
  }
}

/** Returns 1 when the use was given back, 0 when there was none to give. */
export async function giveBack(ctx: Context, invite: InviteRow, username: string, at: Date): Promise<number> {
  return ctx.db.transaction(async (tx) => {
    await tx.select({ id: invites.id }).from(invites).where(eq(invites.id, invite.id)).for("update");
    const gone = await tx
      .delete(inviteUses)
      .where(and(rowOf(invite, username), eq(inviteUses.state, "making"), eq(inviteUses.createdAt, at)))
      .returning({ username: inviteUses.username });
    if (gone.length > 0)
      await tx
        .update(invites)
        .set({ uses: sql`${invites.uses} - 1` })
        .where(eq(invites.id, invite.id));
    return gone.length;
  });
}

/** The account is there and in its rooms. */
export async function markMade(ctx: Context, invite: InviteRow, username: string): Promise<void> {
  await ctx.db.update(inviteUses).set({ state: "made" }).where(rowOf(invite, username));
}

export const linkIsOver = (state: "spent" | "expired" | "revoked") =>
  new AppError("gone", `${OVER[state]} Please ask whoever sent it to you for a new one.`);

const OVER = {
  spent: "This invite link has been used up.",
  expired: "This invite link has expired.",
  revoked: "This invite link was withdrawn.",
};
