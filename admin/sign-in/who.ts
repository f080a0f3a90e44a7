/** From a cookie or an API token to whoever asks, with the role that they have at this moment. */
import type { Context as Request } from "hono";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { hashToken } from "../../core/ids.ts";
import type { Caller } from "../api/caller.ts";
import type { Role } from "../rights.ts";
import { noteRefusal } from "./refusals.ts";
import { type Account, columnsOf, findSession, sessionToken } from "./sessions.ts";

export const TOKEN_PREFIX = "agt_";

/** Null for a stranger. `address`: from where, for the audit log. Throws `unauthorized` for a token that is none, expired or revoked. */
export async function whoAsks(ctx: Context, c: Request, address: string): Promise<Caller | null> {
  const authorization = c.req.header("authorization");
  if (authorization !== undefined) return byToken(ctx, /^Bearer\s+(\S+)$/i.exec(authorization)?.[1] ?? "", address);
  const token = await sessionToken(ctx, c);
  const session = token ? await findSession(ctx, token) : null;
  if (!session) return null;
  return account(ctx, session, { sessionId: session.id, token: null, scopes: null });
}

/** The caller that a session just opened will be. Throws `forbidden` for an account that may not come in. */
export async function callerOfSession(ctx: Context, owner: Account, sessionId: string): Promise<Caller> {
  const caller = await account(ctx, columnsOf(owner), { sessionId, token: null, scopes: null });
  if (!caller)
    throw new AppError("forbidden", "This account may not sign in at the moment. Ask a manager or your operator.");
  return caller;
}

type Through = Pick<Caller, "sessionId" | "token" | "scopes">;

interface TokenRow {
  id: string;
  name: string;
  scopes: string[];
  operatorId: string | null;
  tenantId: string | null;
  userId: string | null;
  state: "open" | "revoked" | "expired";
}

async function byToken(ctx: Context, token: string, address: string): Promise<Caller> {
  const now = new Date(ctx.clock.now());
  const [row] = token.startsWith(TOKEN_PREFIX)
    ? await ctx.sql<TokenRow[]>`with used as (
          update api_tokens set last_used_at = ${now} where token_hash = ${hashToken(token)} and revoked_at is null
            and expires_at > ${now} and (last_used_at is null or last_used_at < ${now}::timestamptz - interval '1 minute'))
        select id, name, scopes, operator_id as "operatorId", tenant_id as "tenantId", user_id as "userId",
          case when revoked_at is not null then 'revoked' when expires_at <= ${now} then 'expired' else 'open' end as state
        from api_tokens where token_hash = ${hashToken(token)}`
    : [];
  const caller =
    row?.state === "open" &&
    (await account(ctx, row, { sessionId: null, token: { id: row.id, name: row.name }, scopes: row.scopes }));
  if (caller) return caller;
  await noteRefusal(ctx, {
    action: "session.token_refused",
    tenantId: row?.tenantId ?? null,
    target: { kind: "token", id: row?.id ?? "-", name: row?.name ?? null },
    address,
    why: !row ? "unknown" : row.state === "open" ? "closed" : row.state,
  });
  throw new AppError(
    "unauthorized",
    "This API token is not valid, or no longer. Make a new one in the panel under Account.",
  );
}

/** The account as it is now: a disabled operator or a suspended person is nobody. */
async function account(
  ctx: Context,
  who: { operatorId: string | null; tenantId: string | null; userId: string | null },
  through: Through,
): Promise<Caller | null> {
  if (who.operatorId !== null) {
    const [row] = await ctx.sql<{ name: string }[]>`
      select name from operators where id = ${who.operatorId} and state = 'active'`;
    return row
      ? { kind: "operator", id: who.operatorId, name: row.name, role: "operator", tenantId: null, ...through }
      : null;
  }
  if (who.tenantId === null || who.userId === null) return null;
  const [row] = await ctx.sql<{ role: Role; name: string | null; state: string | null }[]>`
    select coalesce(r.role, 'member') as role, p.display_name as name, p.state
    from tenants t left join tenant_roles r on r.tenant_id = t.id and r.user_id = ${who.userId}
      left join people p on p.tenant_id = t.id and p.user_id = ${who.userId}
    where t.id = ${who.tenantId}`;
  if (!row || (row.state !== null && row.state !== "active")) return null;
  const name = row.name || (who.userId.slice(1).split(":")[0] ?? who.userId);
  return { kind: "person", id: who.userId, name, role: row.role, tenantId: who.tenantId, ...through };
}
