/** API tokens: for programs that act for whoever made them, with no more than both may. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { hashToken, newId, newToken } from "../../core/ids.ts";
import { isAction, type Role, roleMay } from "../rights.ts";
import { type Account, columnsOf } from "./sessions.ts";
import { TOKEN_PREFIX } from "./who.ts";

const LONGEST_MS = 366 * 86_400_000;
/** Of one account that are not over. */
const MOST = 100;

export interface ApiToken {
  id: string;
  name: string;
  /** Actions of the table in `admin/rights.ts`. */
  scopes: string[];
  state: "active" | "expired" | "revoked";
  /** Milliseconds since 1970. */
  expiresAt: number;
  lastUsedAt: number | null;
  createdAt: number;
}

/** Makes a token and returns it this once; the database keeps its hash. Throws `invalid`, `forbidden` for rights one does not have. */
export async function createToken(
  ctx: Context,
  owner: { account: Account; role: Role },
  wish: { name: string; scopes: string[]; expiresAt: Date },
): Promise<ApiToken & { token: string }> {
  const scopes = [...new Set(wish.scopes)].toSorted();
  checkScopes(owner.role, scopes);
  const now = ctx.clock.now();
  const life = wish.expiresAt.getTime() - now;
  if (!(life > 0))
    throw new AppError("invalid", "The token would be over already. Choose a day that is still to come.");
  if (life > LONGEST_MS) throw new AppError("invalid", "A token lives for one year at most. Choose an earlier day.");
  const { operatorId, tenantId, userId } = columnsOf(owner.account);
  const id = newId();
  const token = TOKEN_PREFIX + newToken();
  const [made] = await ctx.sql<ApiToken[]>`
    insert into api_tokens (id, name, token_hash, operator_id, tenant_id, user_id, scopes, expires_at, created_at)
    select ${id}, ${wish.name}, ${hashToken(token)}, ${operatorId}::text, ${tenantId}::text, ${userId}::text,
      ${JSON.stringify(scopes)}::text::jsonb, ${wish.expiresAt}, ${new Date(now)}
    where (select count(*) from api_tokens where ${ofAccount(ctx, owner.account)} and revoked_at is null
      and expires_at > ${new Date(now)}) < ${MOST}
    returning ${columns(ctx)}`;
  if (!made) throw new AppError("conflict", `You have ${MOST} tokens already. Revoke those that nobody uses.`);
  return { ...made, token };
}

function checkScopes(role: Role, scopes: string[]): void {
  if (scopes.length === 0) throw new AppError("invalid", "Choose at least one thing that the token may do.");
  const unknown = scopes.find((scope) => !isAction(scope));
  if (unknown !== undefined) throw new AppError("invalid", `There is no right "${unknown}". Choose from your own.`);
  const beyond = scopes.find((scope) => isAction(scope) && !roleMay(role, scope));
  if (beyond !== undefined)
    throw new AppError("forbidden", `A token may do no more than you: "${beyond}" is not among your rights.`);
}

/** Tokens of an account, newest first. `before`: creation and id where the last page ended. */
export async function listTokens(
  ctx: Context,
  account: Account,
  { limit, before }: { limit: number; before: readonly [createdAt: number, id: string] | null },
): Promise<ApiToken[]> {
  const { sql } = ctx;
  return await sql<ApiToken[]>`
    select ${columns(ctx)} from api_tokens where ${ofAccount(ctx, account)}
    ${before ? sql`and (created_at, id) < (${new Date(before[0])}, ${before[1]})` : sql``}
    order by created_at desc, id desc limit ${limit}`;
}

/** Ends a token of this account; a second time is harmless. Throws `not_found`. Returns its name. */
export async function revokeToken(ctx: Context, account: Account, id: string): Promise<string> {
  const [row] = await ctx.sql<{ name: string }[]>`
    update api_tokens set revoked_at = coalesce(revoked_at, ${new Date(ctx.clock.now())})
    where id = ${id} and ${ofAccount(ctx, account)} returning name`;
  if (!row) throw new AppError("not_found", "You have no such token.");
  return row.name;
}

const ofAccount = ({ sql }: Context, account: Account) =>
  "operatorId" in account
    ? sql`operator_id = ${account.operatorId}`
    : sql`(tenant_id = ${account.tenantId} and user_id = ${account.userId})`;

const columns = ({ sql, clock }: Context) => sql`
  id, name, scopes, case when revoked_at is not null then 'revoked' when expires_at <= ${new Date(clock.now())} then 'expired'
    else 'active' end as state,
  extract(epoch from expires_at)::float8 * 1000 as "expiresAt", extract(epoch from last_used_at)::float8 * 1000 as "lastUsedAt",
  extract(epoch from created_at)::float8 * 1000 as "createdAt"`;
