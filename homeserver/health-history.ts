/** A homeserver's state as it is, and as it was. */
import { and, desc, eq, lt } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { tenantHealth } from "../migrations/panel-tables.ts";
import type { TenantRow } from "./access.ts";

/** Changes that are kept of one homeserver: a crash loop writes a few an hour. */
const KEPT = 1000;

export interface HealthChange {
  id: number;
  at: Date;
  state: TenantRow["state"];
  detail: string | null;
}

/** Writes the state and its place in the history, and tells open pages: one statement, so that none is without the other. */
export async function writeState(
  { sql }: Pick<Context, "sql">,
  tenantId: string,
  { state, detail }: { state: TenantRow["state"]; detail: string | null },
): Promise<void> {
  await sql`
    with changed as (
      update tenants set state = ${state}, state_detail = ${detail} where id = ${tenantId} returning id),
    noted as (
      insert into tenant_health (tenant_id, state, detail) select id, ${state}::text, ${detail}::text from changed returning id),
    forgotten as (
      delete from tenant_health where tenant_id = ${tenantId} and id <= (
        select id from tenant_health where tenant_id = ${tenantId} order by id desc offset ${KEPT - 1} limit 1))
    select pg_notify(${CHANNELS.panel}, 'clients ' || id) from changed`;
}

/** Changes of state, newest first; from before the change `before` on. */
export async function listHealth(
  { db }: Pick<Context, "db">,
  tenantId: string,
  { limit, before }: { limit: number; before?: number | undefined },
): Promise<HealthChange[]> {
  const older = before === undefined ? undefined : lt(tenantHealth.id, before);
  const rows = await db
    .select()
    .from(tenantHealth)
    .where(and(eq(tenantHealth.tenantId, tenantId), older))
    .orderBy(desc(tenantHealth.id))
    .limit(limit);
  return rows.map(({ id, at, state, detail }) => ({ id, at, state: state as HealthChange["state"], detail }));
}
