/**
 * From a link to an account. A use of the link is taken in the database before the account is made, so that a link is never
 * overspent; Synapse's answer then decides whether it stays taken (rules in `invite-uses.ts`).
 */
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { checkPassword, createPerson, passwordProblem, usernameProblem } from "../homeserver/accounts.ts";
import { addPersonToTeam } from "../homeserver/rooms.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { tenantRoles } from "../migrations/panel-tables.ts";
import { tellPanels } from "./api/live.ts";
import { namesOfAgents } from "./impostors.ts";
import { giveBack, linkIsOver, markMade, settledUse, takeUse } from "./invite-uses.ts";
import { findInvite, type InviteRow, inviteState } from "./invites.ts";
import { rememberPerson } from "./people-sync.ts";

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

/** Names in the making by this process: nobody else settles them (see `settledUse`). */
const inFlight = new Map<string, Promise<unknown>>();
const busyOn = (invite: InviteRow) => (username: string) => inFlight.has(`${invite.id} ${username}`);

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
  const problems = await typedProblems(ctx, { username, password: posted.password }, invite, tenant.serverName);
  if (problems.username || problems.password) throw new FieldError("invalid", problems);
  return oneAtATime(`${invite.id} ${username}`, () =>
    accept(ctx, invite, { username, password: posted.password, userId: `@${username}:${tenant.serverName}` }),
  );
}

/** Matrix names are lower case; phones like to begin with a capital letter. */
export const normalName = (typed: string): string => typed.trim().toLowerCase();

/** What is wrong with name and password for this link; also a name by which people would take somebody for an agent. */
export async function typedProblems(
  ctx: Context,
  typed: { username: string; password: string },
  invite: Pick<InviteRow, "tenantId" | "username" | "displayName">,
  serverName: string,
): Promise<FieldProblems> {
  const problems = fieldProblems(typed, invite, serverName);
  if (problems.username || !(await namesOfAgents(ctx, invite.tenantId, [typed.username])).has(typed.username))
    return problems;
  return { ...problems, username: `"${typed.username}" is what an agent here is called. Choose another user name.` };
}

/** Pure: what is wrong with name and password for this link. */
function fieldProblems(
  typed: { username: string; password: string },
  invite: Pick<InviteRow, "username" | "displayName">,
  serverName: string,
): FieldProblems {
  const username =
    invite.username !== null && typed.username !== invite.username
      ? `This link is for the user name "${invite.username}" only.`
      : usernameProblem(typed.username, serverName);
  const password = passwordProblem(typed.password, [typed.username, invite.displayName]);
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) };
}

interface Person {
  username: string;
  password: string;
  userId: string;
}

async function accept(ctx: Context, invite: InviteRow, person: Person): Promise<Accepted> {
  const use = (await takeUse(ctx, invite, person)) ?? (await settledUse(ctx, invite, person, busyOn(invite)));
  if (use.taken === "new") await makeAccount(ctx, invite, person, use.at);
  else await continueAccount(ctx, invite, person, use.taken);
  if (invite.teamId)
    await addPersonToTeam(ctx, { tenantId: invite.tenantId, teamId: invite.teamId, userId: person.userId });
  await welcome(ctx, invite, person);
  await markMade(ctx, invite, person.username);
  return { tenantId: invite.tenantId, username: person.username, userId: person.userId };
}

/** The role that comes with the link, and the row in the list of people. Again after a crash is harmless; a role given since then stays. */
async function welcome(ctx: Context, invite: InviteRow, person: Person): Promise<void> {
  const { tenantId, role, displayName } = invite;
  const { userId, username } = person;
  if (role) await ctx.db.insert(tenantRoles).values({ tenantId, userId, role }).onConflictDoNothing();
  await rememberPerson(ctx, { tenantId, userId, displayName: displayName ?? username });
  await tellPanels(ctx, "people", tenantId);
  await tellPanels(ctx, "invites", tenantId);
}

/** Our row, our account: whatever makes it certain that none was made gives the use back. */
async function makeAccount(ctx: Context, invite: InviteRow, person: Person, at: Date): Promise<void> {
  try {
    await createPerson(ctx, loginOf(invite, person));
  } catch (error) {
    if (!mayHaveMade(error)) await giveBack(ctx, invite, person.username, at);
    throw error instanceof AppError && error.code === "conflict" ? nameTaken() : error;
  }
}

const loginOf = (invite: InviteRow, { username, password }: Person) => ({
  tenantId: invite.tenantId,
  username,
  password,
  displayName: invite.displayName,
});

/**
 * A timeout or a broken connection leaves open whether the account was made; then the use stays with its name, and the same
 * name and password again find out. A refused connection or an answer that says no leaves nothing open.
 */
function mayHaveMade(error: unknown): boolean {
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
  const login = loginOf(invite, person);
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
