/**
 * What is done to a person. The homeserver has the last word on states; where an owner is concerned, the row changes first and under the
 * lock of the client's owners, so that two at once cannot take the last one away.
 */
import { and, eq } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { passwordProblem } from "../homeserver/accounts.ts";
import {
  deactivatePerson,
  type HomeserverPerson,
  isPersonId,
  listDevices,
  noSuchPerson,
  setDisplayName,
  setPassword,
  setSuspended,
  signOutDevices,
  unlock,
} from "../homeserver/people.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { people } from "../migrations/schema.ts";
import { tellPanels } from "./api/live.ts";
import { type PersonState, refreshPerson, stateOf } from "./people-sync.ts";
import { keepAnOwner, withdrawInvites } from "./roles.ts";
import { revokeSessionsOf } from "./sign-in/sessions.ts";

export interface Who {
  tenantId: string;
  userId: string;
}

/** The person as the homeserver has them now. Throws `not_found`, also for agents and people of other servers. */
export async function requirePerson(ctx: Context, who: Who): Promise<HomeserverPerson> {
  const { serverName } = await getTenant(ctx, who.tenantId);
  const person = isPersonId(who.userId, serverName) ? await refreshPerson(ctx, who) : null;
  if (!person) throw noSuchPerson(who.userId);
  return person;
}

/** As `requirePerson`, for what a deactivated account cannot have. Throws `conflict`. */
export async function requireAccount(ctx: Context, who: Who): Promise<HomeserverPerson> {
  const person = await requirePerson(ctx, who);
  if (!person.deactivated) return person;
  throw new AppError(
    "conflict",
    `The account ${who.userId} was deactivated. It cannot come back; invite the person anew.`,
  );
}

/** They can read but not write, and are signed out of the panel. Twice is harmless. Throws `conflict` for the last owner. */
export async function suspendPerson(ctx: Context, who: Who): Promise<void> {
  await requireAccount(ctx, who);
  await changeState(ctx, who, { state: "suspended", doing: "suspended" }, () =>
    setSuspended(ctx, { ...who, suspended: true }),
  );
  await withdrawInvites(ctx, ctx.db, { ...who, role: "member" });
  await revokeSessionsOf(ctx, who);
}

/** They can write again; one who was locked elsewhere can sign in again. */
export async function unsuspendPerson(ctx: Context, who: Who): Promise<void> {
  const person = await requireAccount(ctx, who);
  if (person.locked) await unlock(ctx, who);
  await setSuspended(ctx, { ...who, suspended: false });
  await refreshPerson(ctx, who);
}

/**
 * The end of an account (see `deactivatePerson`); whoever had rights here has none any more, and does not come back by an invite link of
 * their own making. Twice is harmless.
 */
export async function endPerson(ctx: Context, who: Who & { erase: boolean }): Promise<void> {
  await requirePerson(ctx, who);
  await changeState(ctx, who, { state: "deactivated", doing: "deactivated" }, () => deactivatePerson(ctx, who));
  await ctx.sql`delete from tenant_roles where tenant_id = ${who.tenantId} and user_id = ${who.userId}`;
  await revokeAll(ctx, who);
  await ctx.sql`update invites set revoked_at = ${new Date(ctx.clock.now())}
    where tenant_id = ${who.tenantId} and created_by = ${who.userId} and revoked_at is null`;
  await tellPanels(ctx, "invites", who.tenantId);
}

/** Marks the row, does it, and looks what came of it: also after an error, which may hide that it was done. */
async function changeState(
  ctx: Context,
  who: Who,
  { state, doing }: { state: PersonState; doing: string },
  act: () => Promise<void>,
): Promise<void> {
  const row = and(eq(people.tenantId, who.tenantId), eq(people.userId, who.userId));
  const [before] = await ctx.db.select({ state: people.state }).from(people).where(row);
  await ctx.db.transaction(async (tx) => {
    await keepAnOwner(tx, who.tenantId, who.userId, doing);
    await tx
      .update(people)
      .set({ state, syncedAt: new Date(ctx.clock.now()) })
      .where(row);
  });
  try {
    await act();
  } catch (error) {
    const now = await refreshPerson(ctx, who).catch((second: unknown) => {
      ctx.log.warn({ err: second, user: who.userId }, "a person could not be looked at after a change that failed");
      return null;
    });
    if (!now)
      await ctx.db
        .update(people)
        .set({ state: before?.state ?? "active" })
        .where(row);
    if (now && stateOf(now) === state) return;
    throw error;
  }
  await refreshPerson(ctx, who);
}

/** What lets somebody in without a password: sessions, tokens, links. */
async function revokeAll(ctx: Context, who: Who): Promise<void> {
  const now = new Date(ctx.clock.now());
  await revokeSessionsOf(ctx, who);
  await ctx.sql`update api_tokens set revoked_at = ${now}
    where tenant_id = ${who.tenantId} and user_id = ${who.userId} and revoked_at is null`;
  await ctx.sql`update one_time_links set revoked_at = ${now}
    where tenant_id = ${who.tenantId} and user_id = ${who.userId} and used_at is null and revoked_at is null`;
}

/** The name that others see. */
export async function renamePerson(ctx: Context, who: Who & { displayName: string }): Promise<void> {
  await requireAccount(ctx, who);
  await setDisplayName(ctx, who);
  await refreshPerson(ctx, who);
}

/** Signs one device out, or all of them. Returns how many. Throws `not_found` for a device that is not there. */
export async function signOut(ctx: Context, who: Who & { device: string | null }): Promise<number> {
  await requirePerson(ctx, who);
  const all = (await listDevices(ctx, who)).map(({ id }) => id);
  const devices = who.device === null ? all : all.filter((id) => id === who.device);
  if (who.device !== null && devices.length === 0)
    throw new AppError("not_found", "This device is signed out already. Load the list again.");
  await signOutDevices(ctx, { ...who, devices });
  return devices.length;
}

/**
 * What a password link does: the homeserver takes the new password and signs out every device; sessions of the panel end too. The same
 * again is harmless, so the link is marked used after this. Throws `invalid` for a password that is too easy, `conflict` for a
 * deactivated account, `homeserver_down` when nothing was set or nobody knows: then the link still works.
 */
export async function resetPassword(ctx: Context, who: Who & { password: string }): Promise<void> {
  const person = await requireAccount(ctx, who);
  const localpart = who.userId.slice(1).split(":")[0];
  const problem = passwordProblem(who.password, [localpart, person.displayName]);
  if (problem) throw new AppError("invalid", problem);
  await setPassword(ctx, who);
  await revokeSessionsOf(ctx, who);
  await tellPanels(ctx, "people", who.tenantId);
}
