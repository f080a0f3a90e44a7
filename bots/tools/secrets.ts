/** Secrets that a tool may put into requests: each in one header, to its hosts and nowhere else. They go in and never come out to people or models. */
import { and, asc, eq, gt } from "drizzle-orm";
import { isAllowed } from "../../core/addresses.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { toolSecrets } from "../../migrations/tool-tables.ts";
import { checkSecret, type SecretWish, SettingError, secretHost } from "./setting-checks.ts";

export interface ShownSecret {
  name: string;
  header: string;
  hosts: string[];
  createdBy: string;
  createdAt: Date;
}

export interface OpenSecret {
  name: string;
  header: string;
  /** As `host` of a URL: with a port where it is not the usual one of https. */
  hosts: string[];
  /** In the clear: never logged, never shown. */
  value: string;
}

const MOST = 100;
const about = (tenantId: string, name: string) => `tool_secrets:${tenantId}:${name}`;
const SHOWN = {
  name: toolSecrets.name,
  header: toolSecrets.header,
  hosts: toolSecrets.hosts,
  createdBy: toolSecrets.createdBy,
  createdAt: toolSecrets.createdAt,
};

/** By name, without the values. */
export async function listToolSecrets(
  ctx: Context,
  tenantId: string,
  page: { limit?: number; after?: string | undefined } = {},
): Promise<ShownSecret[]> {
  const after = page.after === undefined ? undefined : gt(toolSecrets.name, page.after);
  return await ctx.db
    .select(SHOWN)
    .from(toolSecrets)
    .where(and(eq(toolSecrets.tenantId, tenantId), after))
    .orderBy(asc(toolSecrets.name))
    .limit(page.limit ?? MOST);
}

/**
 * Keeps a secret, or changes where it goes. Left out, it stays the old one, unless it would go to a host to which it did not go before. Throws
 * `SettingError`.
 */
export async function putToolSecret(
  ctx: Context,
  tenantId: string,
  wish: SecretWish & { by: string },
): Promise<ShownSecret> {
  checkSecret(wish, ctx.config.allowHosts);
  const hosts = [...new Set(wish.hosts.map((host) => secretHost(host, ctx.config.allowHosts)))];
  const { name, header, secret, by } = wish;
  const mine = and(eq(toolSecrets.tenantId, tenantId), eq(toolSecrets.name, name));
  return await ctx.db.transaction(async (tx) => {
    const [before] = await tx.select().from(toolSecrets).where(mine).for("update");
    if (!before && secret === undefined) throw new SettingError({ secret: "Write the secret itself." });
    if (before && secret === undefined && hosts.some((host) => !before.hosts.includes(host)))
      throw new SettingError({
        secret: "Write the secret again: it would go to a host to which it did not go before.",
      });
    if (!before && (await tx.$count(toolSecrets, eq(toolSecrets.tenantId, tenantId))) >= MOST)
      throw new AppError("conflict", `There are ${MOST} secrets, and that is the most. Remove one first.`);
    const value = secret === undefined ? (before?.value ?? "") : ctx.secrets.seal(secret, about(tenantId, name));
    const row = { tenantId, name, value, header, hosts, createdBy: by, createdAt: new Date(ctx.clock.now()) };
    const [kept] = await tx
      .insert(toolSecrets)
      .values(row)
      .onConflictDoUpdate({ target: [toolSecrets.tenantId, toolSecrets.name], set: { value, header, hosts } })
      .returning(SHOWN);
    if (!kept) throw new Error("an upsert returns its row");
    return kept;
  });
}

/** What was removed, or null when there was none. */
export async function removeToolSecret(ctx: Context, tenantId: string, name: string): Promise<ShownSecret | null> {
  const mine = and(eq(toolSecrets.tenantId, tenantId), eq(toolSecrets.name, name));
  const [row] = await ctx.db.delete(toolSecrets).where(mine).returning(SHOWN);
  return row ?? null;
}

/** The secret in the clear, for a tool that puts it into its header. Throws `not_found`. */
export async function openToolSecret(ctx: Context, tenantId: string, name: string): Promise<OpenSecret> {
  const mine = and(eq(toolSecrets.tenantId, tenantId), eq(toolSecrets.name, name));
  const [row] = await ctx.db.select().from(toolSecrets).where(mine);
  if (!row)
    throw new AppError("not_found", "There is no secret with that name. A manager keeps them on the Tools page.");
  const { header, hosts } = row;
  return { name, header, hosts, value: ctx.secrets.open(row.value, about(tenantId, name)) };
}

/** Whether a secret may go with a request: to one of its hosts, and over TLS except to hosts that the operator allowed. Pure. */
export const mayGoTo = (secret: Pick<OpenSecret, "hosts">, url: URL, allowHosts: readonly string[]): boolean =>
  secret.hosts.includes(url.host) && (url.protocol === "https:" || isAllowed(url, allowHosts));
