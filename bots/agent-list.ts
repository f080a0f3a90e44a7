/** Agents as lists show them, page by page, with what they did lately. Only what a page shows is counted. */
import type { Context } from "../core/context.ts";
import type { AgentDefinition, Scope } from "../migrations/types.ts";
import type { AgentRow } from "./agent-rows.ts";
import { faceOf } from "./pictures.ts";

export interface ListedAgent {
  id: string;
  name: string;
  /** What the list is sorted by. */
  key: string;
  description: string;
  state: AgentRow["state"];
  userId: string;
  version: number;
  hasDraft: boolean;
  model: string | null;
  templateId: string | null;
  face: string;
}

export interface AgentFilter {
  /** Part of the name. */
  q?: string | undefined;
  state?: AgentRow["state"] | undefined;
  template?: string | undefined;
  /** Only those that people can meet. */
  published?: boolean;
}

/** By name, from `after` on. The index of the names serves it: within a tenant a name is there once. */
export async function pageOfAgents(
  ctx: Context,
  tenantId: string,
  filter: AgentFilter,
  { after, limit }: { after: string | null; limit: number },
): Promise<ListedAgent[]> {
  const { sql } = ctx;
  const rows = await sql<(Omit<ListedAgent, "face"> & { avatar: AgentDefinition["avatar"] | null })[]>`
    select id, name, lower(name) as key, state, user_id as "userId", version, draft is not null as "hasDraft",
      template_id as "templateId", d.is->>'description' as description, d.is->>'model' as model, d.is->'avatar' as avatar
    from agents cross join lateral (
      select case when state = 'draft' then coalesce(draft, definition) else definition end as is) d
    where tenant_id = ${tenantId} and state <> 'removed'
      ${after === null ? sql`` : sql`and lower(name) > ${after}`}
      ${filter.q ? sql`and position(lower(${filter.q}) in lower(name)) > 0` : sql``}
      ${filter.state ? sql`and state = ${filter.state}` : sql``}
      ${filter.published ? sql`and state in ('active', 'paused')` : sql``}
      ${filter.template ? sql`and template_id = ${filter.template}` : sql``}
    order by lower(name) limit ${limit}`;
  return rows.map(({ avatar, ...row }) => ({ ...row, face: faceOf(row.id, avatar ? { avatar } : {}) }));
}

export interface AgentCounts {
  rooms: number;
  runs: number;
  up: number;
  down: number;
}

/** Of the last 30 days. Counting ends at this many. */
const MOST_RUNS = 1000;

/** For the agents of one page. */
export async function countFor(
  ctx: Context,
  tenantId: string,
  agents: readonly Pick<ListedAgent, "id" | "userId">[],
): Promise<Map<string, AgentCounts>> {
  const ids = agents.map(({ id }) => id);
  const rows = await ctx.sql<(AgentCounts & { id: string })[]>`
    with page as materialized (select * from unnest(${ids}::text[], ${agents.map(({ userId }) => userId)}::text[]) as p (id, user_id))
    select p.id,
      (select count(*)::int from room_members m join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id and r.kind <> 'space'
        where m.tenant_id = ${tenantId} and m.user_id = p.user_id and m.membership = 'join') as rooms,
      (select count(*)::int from (
        select from runs where agent_id = p.id and created_at > now() - interval '30 days' and source = 'room' limit ${MOST_RUNS}) r) as runs,
      f.up, f.down
    from page p cross join lateral (
      select count(*) filter (where value > 0)::int as up, count(*) filter (where value < 0)::int as down
      from feedback where agent_id = p.id and created_at > now() - interval '30 days') f`;
  return new Map(rows.map(({ id, ...counts }) => [id, counts]));
}

/** Which model answers for a definition that names one, or none, as `resolveModel` would say: names only, for lists. */
export async function answeringModels(
  ctx: Context,
  tenantId: string,
): Promise<(model: string | null) => string | null> {
  const rows = await ctx.sql<{ name: string; isDefault: boolean }[]>`
    select m.name, m.is_default or m.id is not distinct from t.default_model_id as "isDefault"
    from models m join tenants t on t.id = ${tenantId} where m.tenant_id is null or m.tenant_id = ${tenantId}
    order by m.tenant_id nulls last, m.id is not distinct from t.default_model_id desc`;
  const names = new Set(rows.map(({ name }) => name));
  const usual = rows.find(({ isDefault }) => isDefault)?.name ?? null;
  return (model) => (model === null ? usual : names.has(model) ? model : null);
}

export interface AgentRoom {
  roomId: string;
  name: string | null;
  kind: "space" | "channel" | "other";
  membership: "join" | "invite";
  scope: Scope;
  ownScope: boolean;
}

/** The rooms that an agent is in or was invited to, by room id. */
export async function roomsOfAgent(
  ctx: Context,
  { id, tenantId, userId, definition }: AgentRow,
  { after, limit }: { after: string; limit: number },
): Promise<AgentRoom[]> {
  return await ctx.sql<AgentRoom[]>`
    select m.room_id as "roomId", coalesce(r.state->>'name', r.channel) as name, r.kind, m.membership,
      coalesce(s.scope, ${definition.scope}) as scope, s.scope is not null as "ownScope"
    from room_members m join rooms r on r.tenant_id = m.tenant_id and r.room_id = m.room_id
      left join agent_scopes s on s.agent_id = ${id} and s.room_id = m.room_id
    where m.tenant_id = ${tenantId} and m.user_id = ${userId} and m.membership in ('join', 'invite') and m.room_id > ${after}
    order by m.room_id limit ${limit}`;
}

export interface AgentFeedback {
  id: string;
  run: string;
  by: string;
  name: string | null;
  value: 1 | -1;
  roomId: string;
  /** Microseconds since 1970, as the database has them: the list goes on from exactly there. */
  at: number;
}

/** 👍 and 👎 on an agent's answers, newest first, older than `before`. */
export async function feedbackOfAgent(
  ctx: Context,
  { id, tenantId }: AgentRow,
  { before, limit }: { before: { at: number; id: string } | null; limit: number },
): Promise<AgentFeedback[]> {
  const { sql } = ctx;
  return await sql<AgentFeedback[]>`
    select f.reaction_event as id, f.run_id as run, f.user_id as by, f.value, r.room_id as "roomId",
      (select m.display_name from room_members m where m.tenant_id = f.tenant_id and m.room_id = r.room_id and m.user_id = f.user_id) as name,
      (extract(epoch from f.created_at) * 1000000)::bigint::float8 as at
    from feedback f join runs r on r.id = f.run_id
    where f.agent_id = ${id} and f.tenant_id = ${tenantId}
      ${
        before === null
          ? sql``
          : sql`and (f.created_at, f.reaction_event) < ('epoch'::timestamptz + ${before.at}::float8 * interval '1 microsecond', ${before.id})`
      }
    order by f.created_at desc, f.reaction_event desc limit ${limit}`;
}
