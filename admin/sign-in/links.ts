/** Links that let somebody in once: an operator who sets a password, a person into the panel, a new Matrix password. */
import type { TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { hashToken, newId, newToken } from "../../core/ids.ts";
import { publicUrl } from "../public-url.ts";

export type LinkKind = "operator" | "sign_in" | "password";

/** For whom a link is. */
export type LinkFor =
  | { kind: "operator"; operatorId: string }
  | { kind: "sign_in" | "password"; tenantId: string; userId: string };

export interface Link {
  id: string;
  kind: LinkKind;
  operatorId: string | null;
  tenantId: string | null;
  userId: string | null;
  createdBy: string | null;
  state: "open" | "used" | "expired" | "revoked";
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** Makes a link. Its address is returned this once; the database keeps a hash of its token. `createdBy`: a name for people. */
export async function createLink(
  ctx: Context,
  wish: LinkFor & { createdBy: string; ttlMs: number },
): Promise<{ id: string; url: string; expiresAt: Date }> {
  const id = newId();
  const token = newToken();
  const now = ctx.clock.now();
  const expiresAt = new Date(now + wish.ttlMs);
  const [operatorId, tenantId, userId] =
    wish.kind === "operator" ? [wish.operatorId, null, null] : [null, wish.tenantId, wish.userId];
  await ctx.sql`
    insert into one_time_links (id, token_hash, kind, operator_id, tenant_id, user_id, created_by, expires_at, created_at)
    values (${id}, ${hashToken(token)}, ${wish.kind}, ${operatorId}, ${tenantId}, ${userId}, ${wish.createdBy}, ${expiresAt}, ${new Date(now)})`;
  return { id, url: `${await publicUrl(ctx)}/panel/link/${token}`, expiresAt };
}

/** Ends the links of an operator that nobody used yet. */
export async function revokeOperatorLinks(ctx: Context, operatorId: string): Promise<void> {
  await ctx.sql`
    update one_time_links set revoked_at = ${new Date(ctx.clock.now())}
    where operator_id = ${operatorId} and used_at is null and revoked_at is null`;
}

/** What a link is for, without using it. Throws `not_found`. */
export async function lookAtLink(ctx: Context, token: string): Promise<Link> {
  const [row] = await ctx.sql<Row[]>`
    select ${columns(ctx)} from one_time_links where token_hash = ${hashToken(token)}`;
  return linkOf(ctx, row);
}

/**
 * Uses a link: `work` does what it is for, and only when that succeeded the link is used up. Of many at once one gets in. Throws
 * `not_found`, `gone` (used, expired, revoked), `conflict` while another one is using it, and what `work` throws.
 */
export async function spendLink<T>(
  ctx: Context,
  token: string,
  work: (link: Link, tx: TransactionSql) => Promise<T>,
): Promise<T> {
  const before = await lookAtLink(ctx, token);
  requireOpen(before);
  return (await ctx.sql.begin(async (tx) => {
    // Nobody waits for the row: whoever waited would hold a connection that `work` may need.
    const [row] = await tx<Row[]>`
      select ${columns(ctx)} from one_time_links where id = ${before.id} for update skip locked`;
    if (!row)
      throw new AppError(
        "conflict",
        "This link is being used at this very moment. Wait a few seconds and look whether it worked.",
      );
    const link = linkOf(ctx, row);
    requireOpen(link);
    const result = await work(link, tx);
    await tx`update one_time_links set used_at = ${new Date(ctx.clock.now())} where id = ${link.id}`;
    return result;
  })) as T;
}

const OVER = {
  used: "This link was used already; each works once. If that was not you, tell whoever sent it to you at once.",
  expired: "This link is too old. Ask whoever sent it to you for a new one.",
  revoked: "This link was withdrawn, perhaps because there is a newer one. Ask whoever sent it to you.",
};

/** Throws `gone` with the reason. */
export function requireOpen({ state }: Pick<Link, "state">): void {
  if (state !== "open") throw new AppError("gone", OVER[state]);
}

interface Row extends Omit<Link, "state"> {
  used: boolean;
  revoked: boolean;
}

const columns = ({ sql }: Pick<Context, "sql">) => sql`
  id, kind, operator_id as "operatorId", tenant_id as "tenantId", user_id as "userId", created_by as "createdBy",
  extract(epoch from expires_at)::float8 * 1000 as "expiresAt", used_at is not null as used, revoked_at is not null as revoked`;

function linkOf(ctx: Context, row: Row | undefined): Link {
  if (!row) throw new AppError("not_found", "There is no such link. Check that the whole address was copied.");
  const { used, revoked, ...link } = row;
  const state = used ? "used" : revoked ? "revoked" : link.expiresAt <= ctx.clock.now() ? "expired" : "open";
  return { ...link, state };
}
