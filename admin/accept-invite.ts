/**
 * From a link to an account. A use of the link is taken in the database before the account is made, so that a link is never
 * overspent; Synapse's answer then decides whether it stays taken. Three rules hold over crashes and several processes:
 * - One row in `invite_uses` per link and name, so one name spends one use, however often it is sent.
 * - Only who inserted the row gives it back, and only when it is certain that no account was made.
 * - Who finds a row (a crash, a second click) takes it over by its time, goes on only with the account's password, and never
 *   gives the use back.
 */
import { and, eq, gt, isNull, lt, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { checkPassword, createPerson, passwordProblem, usernameProblem } from "../homeserver/accounts.ts";
import { call, errcodeOf, pathOf } from "../homeserver/http.ts";
import { addPersonToTeam } from "../homeserver/rooms.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { invites, inviteUses } from "../migrations/schema.ts";
import { findInvite, type InviteRow, inviteState } from "./invites.ts";

export interface Accepted {
  tenantId: string;
  username: string;
  /** `@name:server`. */
  userId: string;
}

/** What is wrong with what a person typed; the form shows each at its field. Empty: nothing. */
export interface FieldProblems {
  username?: string;
  password?: string;
}

/** Refused because of a field: `problems` says which. Code `invalid` or, for a name that is taken, `conflict`. */
export class FieldError extends AppError {
  readonly problems: FieldProblems;
  constructor(code: "invalid" | "conflict", problems: FieldProblems) {
    super(code, problems.username ?? problems.password ?? "Please look at what you typed.");
    this.name = "FieldError";
    this.problems = problems;
  }
}

/** Names in the making by this process: nobody else settles them (see `settle`). */
const inFlight = new Map<string, Promise<unknown>>();
/** Longer than any call to a homeserver lasts: what another process began before that is not under way any more. */
const OTHER_PROCESS_MS = 90_000;

/**
 * Makes the account on the tenant's homeserver and joins it to the link's team. The same name and password again after a
 * crash, or after it went well, is harmless. Throws FieldError, `not_found` (unknown link), `gone` (spent, expired,
 * revoked), `homeserver_down` (nothing was made, or the same again finishes it).
 */
export async function acceptInvite(
  ctx: Context,
  posted: { token: string; username: string; password: string },
): Promise<Accepted> {
  const invite = await findInvite(ctx, posted.token);
  if (!invite) throw unknownLink();
  const tenant = await getTenant(ctx, invite.tenantId);
  if (tenant.state === "removing") throw unknownLink();
  const username = normalName(posted.username);
  const problems = fieldProblems({ username, password: posted.password }, invite, tenant.serverName);
  if (problems.username || problems.password) throw new FieldError("invalid", problems);
  return oneAtATime(`${invite.id} ${username}`, () =>
    accept(ctx, invite, { username, password: posted.password, userId: `@${username}:${tenant.serverName}` }),
  );
}

/** Matrix names are lower case; phones like to begin with a capital letter. */
export const normalName = (typed: string): string => typed.trim().toLowerCase();

/** Pure: what is wrong with name and password for this link. */
export function fieldProblems(
  typed: { username: string; password: string },
  invite: Pick<InviteRow, "username">,
  serverName: string,
): FieldProblems {
  const username =
    invite.username !== null && typed.username !== invite.username
      ? `This link is for the user name "${invite.username}" only.`
      : usernameProblem(typed.username, serverName);
  const password = passwordProblem(typed.password);
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

interface Person {
  username: string;
  password: string;
  userId: string;
}

async function accept(ctx: Context, invite: InviteRow, person: Person): Promise<Accepted> {
  const use = (await takeUse(ctx, invite, person)) ?? (await settledUse(ctx, invite, person));
  if (use.taken === "new") await makeAccount(ctx, invite, person, use.at);
  else await continueAccount(ctx, invite, person, use.taken);
  if (invite.teamId)
    await addPersonToTeam(ctx, { tenantId: invite.tenantId, teamId: invite.teamId, userId: person.userId });
  await ctx.db.update(inviteUses).set({ state: "made" }).where(rowOf(invite, person.username));
  return { tenantId: invite.tenantId, username: person.username, userId: person.userId };
}

interface Use {
  /** `new`: the row is ours. Else it was there, in this state. */
  taken: "new" | "making" | "made";
  /** The row's time since we have it: whoever takes it over sets a later one. */
  at: Date;
}

/** One transaction: the row for this name and one use of the link, both or neither. Undefined: the link has no use left. */
async function takeUse(ctx: Context, invite: InviteRow, person: Person): Promise<Use | undefined> {
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

/** No use was left: perhaps one is held for an account that a crash kept from being made. Throws `gone` if not. */
async function settledUse(ctx: Context, invite: InviteRow, person: Person): Promise<Use> {
  const [now] = await ctx.db.select().from(invites).where(eq(invites.id, invite.id));
  const state = now ? inviteState(now, ctx.clock.now()) : "revoked";
  if (state === "spent" && (await settle(ctx, invite)) > 0) {
    const use = await takeUse(ctx, invite, person);
    if (use) return use;
  }
  throw linkIsOver(state === "open" ? "spent" : state);
}

/** Gives back uses that a dead process holds for names which the homeserver does not know. Returns how many. */
async function settle(ctx: Context, invite: InviteRow): Promise<number> {
  const held = await ctx.db
    .select()
    .from(inviteUses)
    .where(and(eq(inviteUses.inviteId, invite.id), eq(inviteUses.state, "making")));
  let given = 0;
  for (const row of held) {
    const old = ctx.clock.now() - row.createdAt.getTime() > OTHER_PROCESS_MS;
    if (!old || inFlight.has(`${invite.id} ${row.username}`)) continue;
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

/** Our row, our account: whatever makes it certain that none was made gives the use back. */
async function makeAccount(ctx: Context, invite: InviteRow, person: Person, at: Date): Promise<void> {
  try {
    await createPerson(ctx, { tenantId: invite.tenantId, username: person.username, password: person.password });
  } catch (error) {
    if (!mayHaveMade(error)) await giveBack(ctx, invite, person.username, at);
    throw error instanceof AppError && error.code === "conflict" ? nameTaken() : error;
  }
}

/**
 * A timeout or a broken connection leaves open whether the account was made; then the use stays with its name, and the same
 * name and password again find out. A refused connection or an answer that says no leaves nothing open.
 */
export function mayHaveMade(error: unknown): boolean {
  if (!(error instanceof AppError)) return true;
  if (error.code !== "homeserver_down") return false;
  const code = (error.cause as { code?: string } | undefined)?.code ?? "";
  return !["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "UND_ERR_CONNECT_TIMEOUT"].includes(code);
}

/** The name has its use already: from a crash, a timeout or a second click. Who knows the account's password goes on. */
async function continueAccount(
  ctx: Context,
  invite: InviteRow,
  person: Person,
  taken: "making" | "made",
): Promise<void> {
  const login = { tenantId: invite.tenantId, username: person.username, password: person.password };
  const state = inviteState(invite, ctx.clock.now());
  // A link that was withdrawn or has expired meanwhile still finishes an account, but makes none.
  if (taken === "making" && state !== "revoked" && state !== "expired") {
    try {
      await createPerson(ctx, login);
      return;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "conflict") throw error;
    }
  }
  if (!(await checkPassword(ctx, login))) throw state === "open" ? nameTaken() : linkIsOver(state);
}

/** Returns 1 when the use was given back, 0 when there was none to give. */
async function giveBack(ctx: Context, invite: InviteRow, username: string, at: Date): Promise<number> {
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

/** Two posts of one name on one link, as a double click makes: the second waits for the first, then finds its account. */
async function oneAtATime<T>(key: string, work: () => Promise<T>): Promise<T> {
  const before = inFlight.get(key);
  const mine = (before ?? Promise.resolve()).then(work, work);
  inFlight.set(key, mine);
  try {
    return await mine;
  } finally {
    if (inFlight.get(key) === mine) inFlight.delete(key);
  }
}

const nameTaken = () => new FieldError("conflict", { username: "This user name is taken. Please choose another one." });

export const unknownLink = () =>
  new AppError(
    "not_found",
    "There is no such invite link. Check that the whole address was copied, or ask for a new one.",
  );

export const linkIsOver = (state: "spent" | "expired" | "revoked") =>
  new AppError("gone", `${OVER[state]} Please ask whoever sent it to you for a new one.`);

const OVER = {
  spent: "This invite link has been used up.",
  expired: "This invite link has expired.",
  revoked: "This invite link was withdrawn.",
};
