import type { Sql, TransactionSql } from "postgres";

/** Whether somebody manages the client: what managers may do in the panel, they may do in rooms that they are in. */
export async function managesClient(
  sql: Sql | TransactionSql,
  { tenantId }: { tenantId: string },
  userId: string,
): Promise<boolean> {
  const rows = await sql`
    select 1 from tenant_roles where tenant_id = ${tenantId} and user_id = ${userId} and role in ('owner', 'manager')`;
  return rows.length > 0;
}
