/** What each kind of link does when it is used. */
import type { TransactionSql } from "postgres";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { beginAudit } from "../audit.ts";
import { resetPassword } from "../person-actions.ts";
import { type Link, type LinkKind, lookAtLink, requireOpen, revokeOperatorLinks, spendLink } from "./links.ts";
import { getOperator, newHash } from "./operators.ts";
import { type Account, revokeSessionsOf } from "./sessions.ts";
import { checkCode } from "./sign-in.ts";

export interface LinkFacts {
  kind: LinkKind;
  /** For whom: the operator's name or the Matrix user id. */
  name: string;
  client: { id: string; title: string; serverName: string } | null;
  expiresAt: number;
  /** The operator's second factor is asked for too. */
  needsCode: boolean;
}

/** What the page of a link shows before it is used. Throws `not_found`, `gone`. */
export async function describeLink(ctx: Context, token: string): Promise<LinkFacts> {
  const link = await lookAtLink(ctx, token);
  requireOpen(link);
  const { kind, expiresAt, operatorId, tenantId, userId } = link;
  if (operatorId !== null) {
    const { name, secondFactor } = await requireActive(ctx, operatorId);
    return { kind, name, client: null, expiresAt, needsCode: secondFactor };
  }
  const [client] = await ctx.sql<{ id: string; title: string; serverName: string }[]>`
    select id, title, server_name as "serverName" from tenants where id = ${tenantId} and state <> 'removing'`;
  if (!client || userId === null)
    throw new AppError("gone", "This link is over: the company it belongs to is not here any more.");
  return { kind, name: userId, client, expiresAt, needsCode: false };
}

interface Typed {
  password?: string | undefined;
  code?: string | undefined;
}

/**
 * Uses a link. Returns who is to be signed in by it; null for a new Matrix password, with which one signs in elsewhere. Throws `invalid` for
 * a password that will not do, `forbidden` for a missing or wrong code; the link then still works.
 */
export async function followLink(
  ctx: Context,
  token: string,
  typed: Typed & { address: string },
): Promise<Account | null> {
  const link = await lookAtLink(ctx, token);
  requireOpen(link);
  const line = await beginAudit(ctx, await changeOf(ctx, link, typed.address));
  try {
    const account = await spendLink(ctx, token, (open, tx) =>
      open.operatorId === null
        ? followPersonLink(ctx, open, typed)
        : followOperatorLink(ctx, open.operatorId, { typed, tx }),
    );
    if ("operatorId" in account) {
      await revokeSessionsOf(ctx, account);
      await revokeOperatorLinks(ctx, account.operatorId);
    }
    await line.done({});
    return link.kind === "password" ? null : account;
  } catch (error) {
    await (error instanceof AppError && error.status < 500 ? line.dropped() : line.failed());
    throw error;
  }
}

/** The line in the audit log: who follows a link is not signed in, so it says whose link it was. */
async function changeOf(ctx: Context, link: Link, address: string) {
  const { id, kind, createdBy, tenantId, operatorId, userId } = link;
  const name = operatorId === null ? userId : (await getOperator(ctx, operatorId)).name;
  return {
    actor: { kind: "link", id, name: "one-time link", onBehalfOf: createdBy },
    tenantId,
    action: kind === "sign_in" ? "session.sign_in" : "session.set_password",
    target: { kind: operatorId === null ? "person" : "operator", id: operatorId ?? userId ?? "", name },
    address,
  } as const;
}

async function followOperatorLink(
  ctx: Context,
  operatorId: string,
  { typed, tx }: { typed: Typed; tx: TransactionSql },
): Promise<Account> {
  const operator = await requireActive(ctx, operatorId);
  const passwordHash = await newHash(needPassword(typed), operator.name);
  if (operator.secondFactor) await checkCode(ctx, operatorId, typed.code);
  const now = new Date(ctx.clock.now());
  await tx`update operators set password_hash = ${passwordHash}, last_sign_in_at = ${now} where id = ${operatorId}`;
  return { operatorId };
}

async function followPersonLink(ctx: Context, link: Link, typed: Typed): Promise<Account> {
  const { tenantId, userId } = link;
  if (tenantId === null || userId === null) throw new AppError("internal", "A link without anybody it is for.");
  const account = { tenantId, userId };
  if (link.kind === "password") await resetPassword(ctx, { ...account, password: needPassword(typed) });
  else {
    const [row] = await ctx.sql<{ state: string }[]>`
      select state from people where tenant_id = ${tenantId} and user_id = ${userId}`;
    if (row && row.state !== "active")
      throw new AppError(
        "forbidden",
        `Your account is ${row.state}. Ask a manager of your company what this is about.`,
      );
  }
  return account;
}

async function requireActive(ctx: Context, operatorId: string) {
  const operator = await getOperator(ctx, operatorId);
  if (operator.state !== "active")
    throw new AppError(
      "gone",
      "This link is over: the operator's account is disabled. Another operator can enable it again.",
    );
  return operator;
}

function needPassword({ password }: Typed): string {
  if (!password) throw new AppError("invalid", "Choose a password.");
  return password;
}
