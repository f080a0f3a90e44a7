import { eq } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import type { Wake } from "../core/wake.ts";
import { tenants } from "../migrations/schema.ts";
import type { TenantConfig, TenantSecrets } from "../migrations/types.ts";

export type TenantRow = typeof tenants.$inferSelect;

/** Local parts: the control bot's, and how the agents' begin. */
export const CONTROL_LOCALPART = "agentopia";
export const AGENT_PREFIX = "agent-";
export const APPSERVICE_ID = "agentopia";
/** How the aliases of rooms begin that the platform made. */
export const ALIAS_PREFIX = "agentopia-";

/** What is needed to talk to a tenant's homeserver. */
export interface TenantAccess {
  id: string;
  serverName: string;
  homeserverUrl: string;
  asToken: string;
  hsToken: string;
  hsTokenHash: string;
  controlUserId: string;
  registrationSharedSecret: string;
  config: TenantConfig;
}

/** Throws `not_found`. */
export async function getTenant(ctx: Context, id: string): Promise<TenantRow> {
  const [row] = await ctx.db.select().from(tenants).where(eq(tenants.id, id));
  if (!row) throw new AppError("not_found", `There is no client "${id}" here.`);
  return row;
}

export function openTenantSecrets(ctx: Context, row: Pick<TenantRow, "id" | "secrets">): TenantSecrets {
  return JSON.parse(ctx.secrets.open(row.secrets, aboutSecrets(row.id))) as TenantSecrets;
}

export const aboutSecrets = (id: string) => `tenants:${id}`;

const cached = new WeakMap<Context, Map<string, Promise<TenantAccess>>>();

/** Decrypted access to a tenant's homeserver; kept until its row changes. Throws `not_found`. */
export function tenantAccess(ctx: Context, id: string): Promise<TenantAccess> {
  const known = cached.get(ctx) ?? new Map<string, Promise<TenantAccess>>();
  cached.set(ctx, known);
  const before = known.get(id);
  if (before) return before;
  const access = readAccess(ctx, id);
  known.set(id, access);
  access.catch(() => known.get(id) === access && known.delete(id));
  return access;
}

/** Forgets what `tenantAccess` kept: of one tenant, or of all without an id. */
export function forgetTenantAccess(ctx: Context, id?: string): void {
  if (id) cached.get(ctx)?.delete(id);
  else cached.delete(ctx);
}

/** Keeps `tenantAccess` true to the rows. Every process calls it once; the result ends it. */
export function watchTenants(ctx: Context, wake: Wake): () => void {
  return wake.on(CHANNELS.tenant, (id) => forgetTenantAccess(ctx, id || undefined));
}

/** Tells every process that the tenant's row changed. */
export async function tenantChanged(ctx: Context, id: string): Promise<void> {
  forgetTenantAccess(ctx, id);
  await ctx.sql.notify(CHANNELS.tenant, id);
}

async function readAccess(ctx: Context, id: string): Promise<TenantAccess> {
  const row = await getTenant(ctx, id);
  const { asToken, hsToken, registrationSharedSecret } = openTenantSecrets(ctx, row);
  const { serverName, homeserverUrl, hsTokenHash, controlUserId, config } = row;
  return {
    id,
    serverName,
    homeserverUrl,
    asToken,
    hsToken,
    hsTokenHash,
    controlUserId,
    registrationSharedSecret,
    config,
  };
}
