/** Name and password to an account: an operator's, or the Matrix account of a client's person. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { checkPassword } from "../../homeserver/accounts.ts";
import { isPersonId, readPerson } from "../../homeserver/people.ts";
import { CodedError } from "../api/conflict.ts";
import { verifyPassword } from "./passwords.ts";
import type { Account } from "./sessions.ts";
import { takeCode } from "./totp.ts";

export interface SignedIn {
  account: Account;
  kind: "operator" | "person";
  /** The operator's id or the person's Matrix user id. */
  id: string;
  name: string;
  tenantId: string | null;
}

interface Typed {
  name: string;
  password: string;
  code?: string | undefined;
}

/** One sentence for every way to be wrong: nobody learns which names there are. */
const wrong = () => new CodedError("forbidden", "wrong_password", "Name or password is wrong.");

/** For a name that is no Matrix account, an operator's or not: it says also how people sign in. */
const wrongPlainName = () =>
  new CodedError(
    "forbidden",
    "wrong_password",
    "Name or password is wrong. People of a company sign in with their whole Matrix account, like @anna:chat.example.org.",
  );

/**
 * The name as it was typed; for a plain one that is no operator's but one active person's over all clients, that person's Matrix
 * account. So every way to write a name is one name, also where tries are counted.
 */
export async function fullName(ctx: Context, typed: string): Promise<string> {
  const written = matrixName(typed);
  if (written) return `@${written.localpart}:${written.serverName}`;
  const plain = typed.normalize("NFC").trim();
  const localpart = plain.replace(/^@/, "").toLowerCase();
  const [row] = await ctx.sql<{ operator: boolean; people: string[] }[]>`
    select exists (select 1 from operators where lower(name) = lower(${plain})) as operator,
      array(select p.user_id from tenants t join people p
        on p.tenant_id = t.id and p.user_id = '@' || ${localpart}::text || ':' || t.server_name
        where t.state <> 'removing' and p.state = 'active' limit 2) as people`;
  const [only, another] = row?.people ?? [];
  return row && !row.operator && only && !another ? only : typed;
}

/**
 * Throws `forbidden` (code `wrong_password`; after the right password `totp_required` or `totp_wrong`; suspended people), `homeserver_down`.
 * The caller counts the tries.
 */
export async function signIn(ctx: Context, typed: Typed): Promise<SignedIn> {
  const person = matrixName(await fullName(ctx, typed.name));
  if (!person) return await signInOperator(ctx, typed);
  const refusal = matrixName(typed.name) ? wrong : wrongPlainName;
  return await signInPerson(ctx, person, { password: typed.password, refusal });
}

/** Pure: `@alice:chat.example.org`, `alice:chat.example.org` and `alice@chat.example.org` are Matrix accounts, all else is not. */
export function matrixName(name: string): { localpart: string; serverName: string } | null {
  const bare = name.trim().replace(/^@/, "").toLowerCase();
  const [, localpart, serverName] = /^([^@:]+)[@:](.+)$/.exec(bare) ?? [];
  return localpart && serverName ? { localpart, serverName } : null;
}

async function signInOperator(ctx: Context, { name, password, code }: Typed): Promise<SignedIn> {
  const [row] = await ctx.sql<
    { id: string; name: string; hash: string | null; secondFactor: boolean; state: string }[]
  >`
    select id, name, password_hash as hash, totp_secret is not null as "secondFactor", state from operators
    where lower(name) = lower(${name.normalize("NFC").trim()})`;
  const right = await verifyPassword(row?.hash ?? null, password);
  if (!row || !right) throw wrongPlainName();
  if (row.state !== "active")
    throw new AppError("forbidden", "This operator's account is disabled. Another operator can enable it again.");
  if (row.secondFactor) await checkCode(ctx, row.id, code);
  await ctx.sql`update operators set last_sign_in_at = ${new Date(ctx.clock.now())} where id = ${row.id}`;
  return { account: { operatorId: row.id }, kind: "operator", id: row.id, name: row.name, tenantId: null };
}

/** The second factor, after the first was right. Throws `forbidden` with the code `totp_required` or `totp_wrong`. */
export async function checkCode(ctx: Context, operatorId: string, code: string | undefined): Promise<void> {
  if (!code)
    throw new CodedError(
      "forbidden",
      "totp_required",
      "Type the code that your authenticator app shows, or a recovery code.",
    );
  if (!(await takeCode(ctx, operatorId, code)))
    throw new CodedError(
      "forbidden",
      "totp_wrong",
      "This code is not right, or was used already. Type the one that your app shows now.",
    );
}

async function signInPerson(
  ctx: Context,
  { localpart, serverName }: { localpart: string; serverName: string },
  { password, refusal }: { password: string; refusal: () => Error },
): Promise<SignedIn> {
  const [tenant] = await ctx.sql<{ id: string; state: string }[]>`
    select id, state from tenants where server_name = ${serverName} and state <> 'removing'`;
  const userId = `@${localpart}:${serverName}`;
  if (!tenant || password === "" || !isPersonId(userId, serverName)) {
    await verifyPassword(null, password); // as much work as for a name that there is
    throw refusal();
  }
  if (!(await askHomeserver(() => checkPassword(ctx, { tenantId: tenant.id, username: localpart, password }))))
    throw refusal();
  const person = await askHomeserver(() => readPerson(ctx, { tenantId: tenant.id, userId }));
  if (!person || person.deactivated) throw refusal();
  if (person.suspended || person.locked)
    throw new AppError("forbidden", "Your account is suspended. Ask a manager of your company what this is about.");
  return {
    account: { tenantId: tenant.id, userId: person.userId },
    kind: "person",
    id: person.userId,
    name: person.displayName ?? localpart,
    tenantId: tenant.id,
  };
}

/** Sentences of the homeserver's calls are for operators; who signs in is told what to do. */
async function askHomeserver<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    if (!(cause instanceof AppError) || cause.code !== "homeserver_down") throw cause;
    if (cause.retryAfterMs !== undefined)
      throw new AppError("too_many", "Your chat server asks for a slower pace. Please try again in a minute.", {
        cause,
        retryAfterMs: cause.retryAfterMs,
      });
    throw new AppError(
      "homeserver_down",
      "Your chat server does not answer at the moment. Please try again in a minute.",
      {
        cause,
      },
    );
  }
}
