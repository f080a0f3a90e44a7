/** The rows of tenants: what the operator wants. The supervisor of the running platform makes it so. */
import path from "node:path";
import { eq, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { hashToken, newToken } from "../core/ids.ts";
import { tenants } from "../migrations/schema.ts";
import type { TenantConfig, TenantSecrets } from "../migrations/types.ts";
import { aboutSecrets, CONTROL_LOCALPART, getTenant, type TenantRow, tenantChanged } from "./access.ts";
import { driverOf } from "./drivers/list.ts";

export {
  AGENT_PREFIX,
  APPSERVICE_ID,
  CONTROL_LOCALPART,
  forgetTenantAccess,
  getTenant,
  type TenantAccess,
  type TenantRow,
  tenantAccess,
  tenantChanged,
  watchTenants,
} from "./access.ts";

export interface NewTenant {
  id: string;
  title?: string | undefined;
  serverName?: string | undefined;
  driver?: TenantRow["driver"] | undefined;
  /** Base URL of the homeserver (driver `external`). */
  url?: string | undefined;
  config?: Partial<TenantConfig> | undefined;
}

/** Writes the row of a new tenant. Throws `invalid` for names that cannot be, `conflict` for those that are taken. */
export async function createTenant(ctx: Context, wish: NewTenant): Promise<TenantRow> {
  const problem = tenantNameProblem(wish.id);
  if (problem) throw new AppError("invalid", problem);
  const serverName = (wish.serverName ?? `${wish.id}.localhost`).toLowerCase();
  const nameProblem = serverNameProblem(serverName);
  if (nameProblem) throw new AppError("invalid", nameProblem);
  const driver = wish.driver ?? "process";
  const place = await driverOf(driver).plan(ctx, wish);
  const secrets: TenantSecrets = {
    asToken: newToken(),
    hsToken: newToken(),
    registrationSharedSecret: newToken(),
    macaroonSecret: newToken(),
    formSecret: newToken(),
    databasePassword: newToken(24),
  };
  const [row] = await ctx.db
    .insert(tenants)
    .values({
      id: wish.id,
      title: wish.title?.trim() || wish.id,
      serverName,
      driver,
      homeserverUrl: place.homeserverUrl,
      config: { readableRooms: true, rateLimits: "people", ...wish.config, ...place.config },
      secrets: ctx.secrets.seal(JSON.stringify(secrets), aboutSecrets(wish.id)),
      hsTokenHash: hashToken(secrets.hsToken),
      controlUserId: `@${CONTROL_LOCALPART}:${serverName}`,
    })
    .onConflictDoNothing()
    .returning();
  if (!row)
    throw new AppError("conflict", `There is a client "${wish.id}" or one with the server name ${serverName} already.`);
  await tenantChanged(ctx, row.id);
  return row;
}

/** What is wrong with a tenant's short name, as a sentence; null when nothing is. */
export function tenantNameProblem(id: string): string | null {
  if (/^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/.test(id)) return null;
  return `"${id}" cannot be a client's name. Use 1 to 30 small letters, digits or "-", beginning with a letter.`;
}

/** The same for a server name. */
export function serverNameProblem(name: string): string | null {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(name) && name.length <= 200) return null;
  return `"${name}" is not a server name. Use one like chat.example.org.`;
}

export async function listTenants(ctx: Context): Promise<TenantRow[]> {
  return await ctx.db.select().from(tenants).orderBy(tenants.createdAt, tenants.id);
}

/** Says whether its homeserver shall run; the supervisor does it. Throws `not_found`, or `conflict` while it is being removed. */
export async function setDesired(ctx: Context, id: string, desired: TenantRow["desired"]): Promise<void> {
  const row = await getTenant(ctx, id);
  if (row.config.removal) throw new AppError("conflict", `${row.title} is being removed.`);
  await ctx.db.update(tenants).set({ desired }).where(eq(tenants.id, id));
  await tenantChanged(ctx, id);
}

/**
 * Has the running platform end its homeserver and start it anew; one that is stopped is started. Asked again while that is under way it
 * is still done once. Throws `not_found`, or `conflict` for a homeserver that others start and for one that is being removed.
 */
export async function requestRestart(ctx: Context, id: string): Promise<void> {
  const row = await getTenant(ctx, id);
  if (row.config.removal) throw new AppError("conflict", `${row.title} is being removed.`);
  if (driverOf(row.driver).lookAgainMs)
    throw new AppError(
      "conflict",
      `The homeserver of ${row.title} is started by others: restart it where it runs. Agentopia notices by itself within a minute.`,
    );
  const now = new Date(ctx.clock.now()).toISOString();
  // One that starts or is stopped needs no second end.
  const asked = sql`case when ${tenants.desired} = 'stopped' or ${tenants.state} in ('creating', 'starting')
    then ${tenants.restartRequestedAt} else coalesce(${tenants.restartRequestedAt}, ${now}::timestamptz) end`;
  await ctx.db.update(tenants).set({ desired: "running", restartRequestedAt: asked }).where(eq(tenants.id, id));
  await tenantChanged(ctx, id);
}

/**
 * Has the tenant removed by the running platform, with everything of it. Returns where the backup will lie (null: none).
 * The row is gone when it is done. Throws `not_found`.
 */
export async function requestRemoval(
  ctx: Context,
  id: string,
  options: { keepBackup: boolean },
): Promise<{ backup: string | null }> {
  const row = await getTenant(ctx, id);
  const stamp = new Date(ctx.clock.now()).toISOString().replaceAll(/[:.]/g, "-");
  const backup = options.keepBackup ? path.join(ctx.config.home, "backups", `${id}-${stamp}.tar`) : null;
  const config = { ...row.config, removal: row.config.removal ?? { backup } };
  await ctx.db.update(tenants).set({ desired: "stopped", state: "removing", config }).where(eq(tenants.id, id));
  await tenantChanged(ctx, id);
  return config.removal;
}
