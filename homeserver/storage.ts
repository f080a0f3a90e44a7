/** What homeservers take on the disk: measured once a day, and when somebody asks. */
import { and, desc, eq, lt, notExists, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { tenantStorage } from "../migrations/panel-tables.ts";
import { tenants } from "../migrations/schema.ts";
import { getTenant, type TenantRow } from "./access.ts";
import { driverOf } from "./drivers/list.ts";

export type StorageRow = typeof tenantStorage.$inferSelect;

/** Reading a large media folder costs the disk something. */
const AGAIN_MS = 60_000;
const KEPT_DAYS = 400;

const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Whether what it takes can be known here: not of homeservers that others run. */
const storageIsKnown = (row: Pick<TenantRow, "driver">): boolean => driverOf(row.driver).storage !== undefined;

const measuring = new Map<string, Promise<StorageRow>>();

/**
 * Measures now and keeps it as today's; what was measured less than a minute ago is given as it is. Throws `not_found`, or `conflict`
 * for a homeserver that others run.
 */
export async function measureStorage(ctx: Context, tenantId: string): Promise<StorageRow> {
  const row = await getTenant(ctx, tenantId);
  const [last] = await listStorage(ctx, tenantId, { limit: 1 });
  if (last && Math.abs(ctx.clock.now() - last.measuredAt.getTime()) < AGAIN_MS) return last;
  const key = `${ctx.databaseUrl} ${tenantId}`;
  const underWay = measuring.get(key) ?? measure(ctx, row).finally(() => measuring.delete(key));
  measuring.set(key, underWay);
  return await underWay;
}

async function measure(ctx: Context, row: TenantRow): Promise<StorageRow> {
  const size = await driverOf(row.driver).storage?.(ctx, row);
  if (!size)
    throw new AppError("conflict", "Others run this homeserver: what it takes on the disk is not known from here.");
  const now = ctx.clock.now();
  const values = { ...size, tenantId: row.id, day: dayOf(now), measuredAt: new Date(now) };
  const [kept] = await ctx.db
    .insert(tenantStorage)
    .values(values)
    .onConflictDoUpdate({ target: [tenantStorage.tenantId, tenantStorage.day], set: values })
    .returning();
  const old = dayOf(now - KEPT_DAYS * 86_400_000);
  await ctx.db.delete(tenantStorage).where(and(eq(tenantStorage.tenantId, row.id), lt(tenantStorage.day, old)));
  return kept ?? values;
}

/** What was measured, newest first. */
export async function listStorage(
  ctx: Pick<Context, "db">,
  tenantId: string,
  { limit, before }: { limit: number; before?: string | undefined },
): Promise<StorageRow[]> {
  const older = before === undefined ? undefined : lt(tenantStorage.day, before);
  return await ctx.db
    .select()
    .from(tenantStorage)
    .where(and(eq(tenantStorage.tenantId, tenantId), older))
    .orderBy(desc(tenantStorage.day))
    .limit(limit);
}

/** Measures those that were not measured today. One that cannot be is tried again at the next look. */
export async function measureAll(ctx: Context, ended: () => boolean): Promise<void> {
  const today = ctx.db
    .select({ one: sql`1` })
    .from(tenantStorage)
    .where(and(eq(tenantStorage.tenantId, tenants.id), eq(tenantStorage.day, dayOf(ctx.clock.now()))));
  const due = await ctx.db
    .select()
    .from(tenants)
    .where(and(eq(tenants.state, "running"), notExists(today)));
  for (const row of due.filter(storageIsKnown)) {
    if (ended()) return;
    await measureStorage(ctx, row.id).catch((error: unknown) =>
      ctx.log.warn({ err: error, tenant: row.id }, "what its homeserver takes on the disk could not be measured"),
    );
  }
}
