import { eq, inArray } from "drizzle-orm";
import { Hono } from "hono";
import type { Context } from "../core/context.ts";
import { tenants } from "../migrations/schema.ts";

/** From a tenant to the answers of the two files (Matrix client-server and server-server specification, "Well-known URI"). */
export interface WellKnownTenant {
  serverName: string;
  homeserverUrl: string;
  config: { readableRooms: boolean };
}

/** `/.well-known/matrix/client`. Element Web offers encrypted rooms only where agents need not read them. */
export function clientWellKnown(tenant: WellKnownTenant): Record<string, unknown> {
  const readable = tenant.config.readableRooms;
  return {
    "m.homeserver": { base_url: tenant.homeserverUrl },
    "io.element.e2ee": { default: !readable, force_disable: readable, secure_backup_required: false },
  };
}

/** `/.well-known/matrix/server`: host and port under which other homeservers would reach it. */
export function serverWellKnown(tenant: WellKnownTenant): { "m.server": string } {
  const url = new URL(tenant.homeserverUrl);
  return { "m.server": `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}` };
}

/** Both files, for the tenant whose server name is the request's Host (with or without the port). */
export function wellKnownRoutes(ctx: Context): Hono {
  const app = new Hono();
  // The specification asks for this header: web clients on other addresses read these files.
  app.use("/.well-known/matrix/*", async (c, next) => {
    await next();
    c.header("access-control-allow-origin", "*");
    c.header("cache-control", "public, max-age=300");
  });
  app.get("/.well-known/matrix/client", async (c) => {
    const tenant = await tenantOfHost(ctx, c.req.header("host"));
    return tenant ? c.json(clientWellKnown(tenant)) : c.json(nobody, 404);
  });
  app.get("/.well-known/matrix/server", async (c) => {
    const tenant = await tenantOfHost(ctx, c.req.header("host"));
    return tenant ? c.json(serverWellKnown(tenant)) : c.json(nobody, 404);
  });
  return app;
}

const nobody = { errcode: "M_NOT_FOUND", error: "No homeserver of this name is served here." };

/** The server names that a Host header may stand for; none when it is no host name at all. */
export function hostNames(host: string | undefined): string[] {
  if (!host || !/^[a-z0-9.:[\]-]{1,255}$/i.test(host)) return [];
  const name = host.toLowerCase();
  return [...new Set([name, name.replace(/:\d+$/, "")])];
}

async function tenantOfHost(ctx: Context, host: string | undefined): Promise<WellKnownTenant | undefined> {
  const names = hostNames(host);
  if (names.length === 0) return undefined;
  const found = await ctx.db.select().from(tenants).where(inArray(tenants.serverName, names));
  return found.find((tenant) => tenant.serverName === names[0]) ?? found[0];
}

/** A tenant by the short name that stands in an address; undefined for unknown ones and for what is no such name. */
export async function tenantOfPath(ctx: Context, id: string) {
  if (!/^[a-z0-9-]{1,64}$/.test(id)) return undefined;
  const [tenant] = await ctx.db.select().from(tenants).where(eq(tenants.id, id));
  return tenant;
}
