/** Browsers that are signed in: a random token in a cookie, its SHA-256 in a row. */
import type { Context as Request } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Context } from "../../core/context.ts";
import { hashToken, newId, newToken } from "../../core/ids.ts";
import { publicUrl } from "../public-url.ts";

/** An operator, or a person of a client. */
export type Account = { operatorId: string } | { tenantId: string; userId: string };

const LIFE_MS = 30 * 86_400_000;
/** A session that nobody used for so long is over. */
const IDLE_MS = 7 * 86_400_000;
/** How exactly it is known when a session was last used. */
const SEEN_MS = 60_000;

/** Opens a session and returns the cookie's token, which is not kept. */
export async function createSession(
  ctx: Context,
  account: Account,
  from: { userAgent: string | null; address: string | null },
): Promise<{ id: string; token: string; expiresAt: Date }> {
  const id = newId();
  const token = newToken();
  const expiresAt = new Date(ctx.clock.now() + LIFE_MS);
  const { operatorId, tenantId, userId } = columnsOf(account);
  await ctx.sql`
    insert into sessions (id, token_hash, operator_id, tenant_id, user_id, user_agent, address, expires_at, last_seen_at, created_at)
    values (${id}, ${hashToken(token)}, ${operatorId}, ${tenantId}, ${userId}, ${from.userAgent?.slice(0, 300) ?? null},
      ${from.address?.slice(0, 64) ?? null}, ${expiresAt}, ${new Date(ctx.clock.now())}, ${new Date(ctx.clock.now())})`;
  return { id, token, expiresAt };
}

export function columnsOf(account: Account): {
  operatorId: string | null;
  tenantId: string | null;
  userId: string | null;
} {
  return "operatorId" in account
    ? { operatorId: account.operatorId, tenantId: null, userId: null }
    : { operatorId: null, tenantId: account.tenantId, userId: account.userId };
}

/** The session behind a cookie's token: not over, not revoked, not idle. Notes that it was used. */
export async function findSession(
  ctx: Context,
  token: string,
): Promise<{ id: string; operatorId: string | null; tenantId: string | null; userId: string | null } | null> {
  const now = ctx.clock.now();
  const [row] = await ctx.sql<
    { id: string; operatorId: string | null; tenantId: string | null; userId: string | null; seen: number }[]
  >`select id, operator_id as "operatorId", tenant_id as "tenantId", user_id as "userId",
      extract(epoch from last_seen_at)::float8 * 1000 as seen
    from sessions where token_hash = ${hashToken(token)} and revoked_at is null and expires_at > ${new Date(now)}`;
  if (!row || now - row.seen > IDLE_MS) return null;
  if (now - row.seen > SEEN_MS) await ctx.sql`update sessions set last_seen_at = ${new Date(now)} where id = ${row.id}`;
  const { id, operatorId, tenantId, userId } = row;
  return { id, operatorId, tenantId, userId };
}

/** Ends one session of this account. False when it is not theirs or over already. */
export async function revokeSession(ctx: Context, account: Account, id: string): Promise<boolean> {
  const ended = await ctx.sql`
    update sessions set revoked_at = ${new Date(ctx.clock.now())}
    where id = ${id} and revoked_at is null and ${ofAccount(ctx, account)} returning 1`;
  return ended.length > 0;
}

/** Ends all sessions of an account, but for one. Returns how many. */
export async function revokeSessionsOf(ctx: Context, account: Account, but?: string | null): Promise<number> {
  const ended = await ctx.sql`
    update sessions set revoked_at = ${new Date(ctx.clock.now())}
    where revoked_at is null and ${ofAccount(ctx, account)} and id is distinct from ${but ?? null} returning 1`;
  return ended.length;
}

/** Sessions of an account that are not over, newest use first; the 100 newest at most. */
export async function listSessions(ctx: Context, account: Account) {
  const now = new Date(ctx.clock.now());
  return await ctx.sql<
    {
      id: string;
      userAgent: string | null;
      address: string | null;
      createdAt: number;
      lastSeenAt: number;
      expiresAt: number;
    }[]
  >`select id, user_agent as "userAgent", address, extract(epoch from created_at)::float8 * 1000 as "createdAt",
      extract(epoch from last_seen_at)::float8 * 1000 as "lastSeenAt", extract(epoch from expires_at)::float8 * 1000 as "expiresAt"
    from sessions where ${ofAccount(ctx, account)} and revoked_at is null and expires_at > ${now}
      and last_seen_at > ${new Date(ctx.clock.now() - IDLE_MS)}
    order by last_seen_at desc limit 100`;
}

const ofAccount = ({ sql }: Context, account: Account) =>
  "operatorId" in account
    ? sql`operator_id = ${account.operatorId}`
    : sql`(tenant_id = ${account.tenantId} and user_id = ${account.userId})`;

/**
 * Cookies know no ports: two platforms on one machine would sign each other out under one name. By HTTPS the name begins with `__Host-`: no
 * other host of the same domain can put a session of its own into the browser.
 */
async function cookieOf(ctx: Context): Promise<{ name: string; secure: boolean }> {
  const url = new URL(await publicUrl(ctx));
  const secure = url.protocol === "https:";
  return { name: `${secure ? "__Host-" : ""}agentopia_${url.port || "session"}`, secure };
}

/** HttpOnly, SameSite=Strict, and Secure wherever the platform is reached by HTTPS. */
export async function setSessionCookie(
  ctx: Context,
  c: Request,
  { token, expiresAt }: { token: string; expiresAt: Date },
) {
  const { name, secure } = await cookieOf(ctx);
  setCookie(c, name, token, { path: "/", httpOnly: true, sameSite: "Strict", secure, expires: expiresAt });
}

export async function clearSessionCookie(ctx: Context, c: Request): Promise<void> {
  const { name, secure } = await cookieOf(ctx);
  deleteCookie(c, name, { path: "/", httpOnly: true, sameSite: "Strict", secure });
}

/** What the cookie of a request says; it is looked up by `findSession`. */
export async function sessionToken(ctx: Context, c: Request): Promise<string | undefined> {
  return getCookie(c, (await cookieOf(ctx)).name);
}
