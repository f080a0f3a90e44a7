/** Whom a model means by a name or an id: people and agents of the client. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { isPersonId, readPerson } from "../../homeserver/people.ts";
import type { AgentDefinition, Scope } from "../../migrations/types.ts";
import { oneLine } from "./one-line.ts";

export interface KnownAgent {
  id: string;
  userId: string;
  name: string;
  state: "creating" | "active" | "paused";
  definition: AgentDefinition;
  /** In the room that was asked about. */
  joined: boolean;
  scope: Scope;
}

/** An agent of the client by its name, and what it is in a room. Null: there is none. */
export async function findAgent(
  { sql }: Pick<Context, "sql">,
  { tenantId, roomId, wanted }: { tenantId: string; roomId: string; wanted: string },
): Promise<KnownAgent | null> {
  const name = wanted.trim().replace(/^@/, "").toLowerCase();
  const [row] = await sql<KnownAgent[]>`
    select a.id, a.user_id as "userId", a.name, a.state, a.definition, coalesce(s.scope, a.definition->>'scope') as scope,
      exists (select from room_members m where m.tenant_id = a.tenant_id and m.room_id = ${roomId} and m.user_id = a.user_id
        and m.membership = 'join') as joined
    from agents a left join agent_scopes s on s.agent_id = a.id and s.room_id = ${roomId}
    where a.tenant_id = ${tenantId} and a.state in ('creating', 'active', 'paused') and (lower(a.name) = ${name} or a.user_id = ${wanted.trim()})
    order by lower(a.name) = ${name} desc limit 1`;
  return row ?? null;
}

export interface KnownPerson {
  userId: string;
  name: string;
}

interface PersonWish {
  tenantId: string;
  serverName: string;
  /** Only among those who are in it; null: among all of the client. */
  roomId: string | null;
  wanted: string;
}

/**
 * A person of the client by user id, display name or user name. Never an agent, never a bot. Throws `not_found`, and `conflict` where several are called so.
 */
export async function findPerson(ctx: Context, wish: PersonWish): Promise<KnownPerson> {
  const text = wish.wanted.trim();
  const id = /^@[^\s:]+:\S+$/.test(text) ? text : null;
  const found = await named(ctx, wish, { id, name: text.replace(/^@/, "").toLowerCase() });
  const [person, other] = found;
  if (other)
    throw new AppError(
      "conflict",
      `Several people are called “${oneLine(text)}”. Use the user id, one of: ${found.map(({ userId }) => userId).join(", ")}.`,
    );
  if (person) return person;
  if (id !== null && wish.roomId === null && isPersonId(id, wish.serverName)) {
    const known = await readPerson(ctx, { tenantId: wish.tenantId, userId: id });
    if (known && !known.deactivated) return { userId: id, name: known.displayName ?? id };
  }
  throw new AppError(
    "not_found",
    `No person called “${oneLine(text)}” is here. Use a name as the room shows it, or a user id.`,
  );
}

async function named(
  { sql }: Context,
  { tenantId, serverName, roomId }: PersonWish,
  { id, name }: { id: string | null; name: string },
): Promise<KnownPerson[]> {
  const everywhere = sql`
    select user_id, display_name from room_members where tenant_id = ${tenantId} and membership in ('join', 'invite')
    union all select user_id, display_name from people where tenant_id = ${tenantId} and state = 'active'`;
  const inRoom = sql`
    select m.user_id, m.display_name from room_members m join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id
    where m.tenant_id = ${tenantId} and m.room_id = ${roomId} and m.membership = 'join' and not coalesce(r.state->'functionalMembers' ? m.user_id, false)`;
  const called = sql`(lower(display_name) = ${name} or lower(split_part(substr(user_id, 2), ':', 1)) = ${name})`;
  const rows = await sql<KnownPerson[]>`
    select user_id as "userId", coalesce(max(display_name), user_id) as name from (${roomId === null ? everywhere : inRoom}) one
    where ${id === null ? called : sql`user_id = ${id}`} group by user_id order by user_id limit 20`;
  return rows.filter(({ userId }) => isPersonId(userId, serverName));
}
