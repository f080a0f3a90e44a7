/** Accounts of those who run the platform. One that is active, and has a password as soon as any has, always remains. */
import type { TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { hashPassword, operatorPasswordProblem, verifyPassword } from "./passwords.ts";
import { revokeSessionsOf } from "./sessions.ts";

export interface Operator {
  id: string;
  name: string;
  state: "active" | "disabled";
  /** False until the first sign-in by link. */
  hasPassword: boolean;
  /** A second factor is asked for. */
  secondFactor: boolean;
  /** Milliseconds since 1970. */
  lastSignInAt: number | null;
  createdAt: number;
}

const columns = ({ sql }: Pick<Context, "sql">) => sql`
  id, name, state, password_hash is not null as "hasPassword", totp_secret is not null as "secondFactor",
  extract(epoch from last_sign_in_at)::float8 * 1000 as "lastSignInAt", extract(epoch from created_at)::float8 * 1000 as "createdAt"`;

/** What is wrong with an operator's name, as a sentence; null when nothing is. */
export function operatorNameProblem(name: string): string | null {
  if (name === "") return "An operator needs a name.";
  if ([...name].length > 64) return "This name is too long: 64 characters are the most.";
  if (/[@:]/.test(name)) return "An operator's name has no @ and no colon: those are for Matrix accounts.";
  if (/\p{Cc}|\p{Cf}(?<!\u200d)|\p{Surrogate}/u.test(name)) return "This name contains characters that cannot be seen.";
  return null;
}

/** Makes an account without a password; a link lets its owner set one. Throws `invalid`, `conflict`. */
export async function createOperator(ctx: Context, wish: { name: string }): Promise<Operator> {
  const name = wish.name.normalize("NFC").trim();
  const problem = operatorNameProblem(name);
  if (problem) throw new AppError("invalid", problem);
  const [made] = await ctx.sql<Operator[]>`
    insert into operators (id, name, created_at) values (${newId()}, ${name}, ${new Date(ctx.clock.now())})
    on conflict do nothing returning ${columns(ctx)}`;
  if (!made) throw new AppError("conflict", `There is an operator "${name}" already. Choose another name.`);
  return made;
}

/** In the order of their names. `after`: the name and id where the last page ended. */
export async function listOperators(
  ctx: Context,
  { limit = 200, after = null }: { limit?: number; after?: readonly [name: string, id: string] | null } = {},
): Promise<Operator[]> {
  const { sql } = ctx;
  return await sql<Operator[]>`
    select ${columns(ctx)} from operators
    ${after ? sql`where (lower(name), id) > (lower(${after[0]}), ${after[1]})` : sql``}
    order by lower(name), id limit ${limit}`;
}

/** Throws `not_found`. */
export async function getOperator(ctx: Context, id: string): Promise<Operator> {
  const [found] = await ctx.sql<Operator[]>`select ${columns(ctx)} from operators where id = ${id}`;
  if (!found) throw new AppError("not_found", "There is no such operator. Somebody may have removed the account.");
  return found;
}

/** By name, in whatever case it is written. Throws `not_found`. */
export async function operatorByName(ctx: Context, name: string): Promise<Operator> {
  const [found] = await ctx.sql<Operator[]>`
    select ${columns(ctx)} from operators where lower(name) = lower(${name.trim()})`;
  if (!found)
    throw new AppError("not_found", `There is no operator "${name}". "operator list" shows those that there are.`);
  return found;
}

/** Disabling signs the operator out everywhere; tokens rest until it is enabled again. Throws `conflict` for the last one. */
export async function setOperatorState(ctx: Context, id: string, state: Operator["state"]): Promise<Operator> {
  await changeUnlessLast(ctx, id, {
    leaves: state === "disabled",
    change: (tx) => tx`update operators set state = ${state} where id = ${id}`,
  });
  if (state === "disabled") await revokeSessionsOf(ctx, { operatorId: id });
  return await getOperator(ctx, id);
}

/** Ends the account with its sessions, links and tokens. Its lines in the audit log stay. Throws `conflict` for the last one. */
export async function removeOperator(ctx: Context, id: string): Promise<void> {
  await changeUnlessLast(ctx, id, { leaves: true, change: (tx) => tx`delete from operators where id = ${id}` });
}

interface Leaving {
  /** Whether the operator cannot sign in any more afterwards. */
  leaves: boolean;
  change: (tx: TransactionSql) => PromiseLike<unknown>;
}

/** All rows are locked in one order: of two who remove each other, the second sees what the first did. */
async function changeUnlessLast(ctx: Context, id: string, { leaves, change }: Leaving): Promise<void> {
  await ctx.sql.begin(async (tx) => {
    const all = await tx<Pick<Operator, "id" | "name" | "state" | "hasPassword">[]>`
      select id, name, state, password_hash is not null as "hasPassword" from operators order by id for update`;
    const one = all.find((operator) => operator.id === id);
    if (!one) throw new AppError("not_found", "There is no such operator. Somebody may have removed the account.");
    if (leaves && isLast(one, all))
      throw new AppError(
        "conflict",
        `${one.name} is the last operator who can sign in. Add another one, who signs in once, and then try again.`,
      );
    await change(tx);
  });
}

type Able = Pick<Operator, "id" | "state" | "hasPassword">;

/** Pure: whether nobody could sign in any more without this one. */
export function isLast(one: Able, all: readonly Able[]): boolean {
  if (one.state === "disabled") return false;
  const others = all.filter(({ id, state }) => id !== one.id && state === "active");
  return others.length === 0 || (one.hasPassword && !others.some(({ hasPassword }) => hasPassword));
}

/**
 * Sets a new password with the old one, and ends every other session of the operator. Throws `forbidden` for a wrong password, `invalid` for
 * a new one that will not do.
 */
export async function changePassword(
  ctx: Context,
  operatorId: string,
  typed: { password: string; newPassword: string; sessionId: string | null },
): Promise<void> {
  await checkOwnPassword(ctx, operatorId, typed.password);
  const { name } = await getOperator(ctx, operatorId);
  const passwordHash = await newHash(typed.newPassword, name);
  await ctx.sql`update operators set password_hash = ${passwordHash} where id = ${operatorId}`;
  await revokeSessionsOf(ctx, { operatorId }, typed.sessionId);
}

/** The hash of a password that will do. Throws `invalid`. */
export async function newHash(password: string, name: string): Promise<string> {
  const problem = operatorPasswordProblem(password, name);
  if (problem) throw new AppError("invalid", problem);
  return await hashPassword(password);
}

/** Throws `forbidden` when it is not the operator's password. */
export async function checkOwnPassword(ctx: Context, operatorId: string, password: string): Promise<void> {
  const [row] = await ctx.sql<{ hash: string | null }[]>`
    select password_hash as hash from operators where id = ${operatorId}`;
  if (!(await verifyPassword(row?.hash ?? null, password)))
    throw new AppError("forbidden", "This is not your password. Nothing was changed.");
}
