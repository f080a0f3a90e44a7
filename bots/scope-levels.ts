import type { Context } from "../core/context.ts";
import { SCOPE_LEVEL } from "../homeserver/rooms.ts";
import type { Scope } from "../migrations/types.ts";

/** The power level of each agent in a room, by its scope there. */
export async function scopeLevels(ctx: Context, tenantId: string, roomId: string): Promise<Record<string, number>> {
  const rows = await ctx.sql<{ userId: string; scope: Scope }[]>`
    select a.user_id as "userId", coalesce(s.scope, a.definition->>'scope') as scope
    from room_members m join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id
      left join agent_scopes s on s.agent_id = a.id and s.room_id = m.room_id
    where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership in ('join', 'invite')`;
  return Object.fromEntries(rows.map(({ userId, scope }) => [userId, SCOPE_LEVEL[scope]]));
}
