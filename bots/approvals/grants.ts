/** "Always in this room for this tool": what was granted, and its end. */
import { CHANNELS, type Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { nameIn } from "../person-name.ts";
import { atMicros, type Place } from "../scan-page.ts";

export interface ListedGrant {
  id: string;
  agentId: string;
  agentName: string;
  roomId: string;
  roomName: string | null;
  tool: string;
  grantedBy: { id: string; name: string };
  /** Milliseconds since 1970. */
  createdAt: number;
}

interface Row extends Omit<ListedGrant, "grantedBy"> {
  micros: number;
  by: string;
  byName: string | null;
}

/** Those that hold, newest first. `only`: those that this person gave. */
export async function listGrants(
  ctx: Context,
  { tenantId, only }: { tenantId: string; only: string | null },
  page: { limit: number; after: Place | null },
): Promise<(ListedGrant & { micros: number })[]> {
  const { sql } = ctx;
  const rows = await sql<Row[]>`
    select t.id, t.agent_id as "agentId", g.name as "agentName", t.room_id as "roomId", coalesce(o.channel, o.state->>'name') as "roomName",
      t.tool, t.granted_by as by, p.display_name as "byName", extract(epoch from t.created_at)::float8 * 1000 as "createdAt",
      (extract(epoch from t.created_at) * 1000000)::float8 as micros
    from (select * from grants where tenant_id = ${tenantId} and revoked_at is null ${only === null ? sql`` : sql`and granted_by = ${only}`}
        ${page.after ? sql`and (created_at, id) < (${atMicros(ctx, page.after.micros)}, ${page.after.id})` : sql``}
        order by created_at desc, id desc limit ${page.limit}) t
      join agents g on g.id = t.agent_id
      left join rooms o on o.tenant_id = t.tenant_id and o.room_id = t.room_id
      left join people p on p.tenant_id = t.tenant_id and p.user_id = t.granted_by
    order by t.created_at desc, t.id desc`;
  return rows.map(({ by, byName, ...row }) => ({ ...row, grantedBy: { id: by, name: byName ?? nameIn(by) } }));
}

/** Ends it: the next call is asked about again. `only`: as above. Throws `not_found`. */
export async function revokeGrant(
  ctx: Context,
  { tenantId, id, by, only }: { tenantId: string; id: string; by: string; only: string | null },
): Promise<{ agentId: string; roomId: string; tool: string }> {
  const { sql } = ctx;
  const [row] = await sql<{ agentId: string; roomId: string; tool: string }[]>`
    with ended as (
      update grants set revoked_at = ${new Date(ctx.clock.now())}, revoked_by = ${by}
      where tenant_id = ${tenantId} and id = ${id} and revoked_at is null ${only === null ? sql`` : sql`and granted_by = ${only}`}
      returning agent_id as "agentId", room_id as "roomId", tool)
    select *, pg_notify(${CHANNELS.panel}, ${`approvals ${tenantId}`}) from ended`;
  if (!row) throw new AppError("not_found", "There is no such permission any more, or it is not yours to take back.");
  return { agentId: row.agentId, roomId: row.roomId, tool: row.tool };
}
