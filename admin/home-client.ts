/** What the managers of a client should look at first, what happened today, and what comes next while there is little yet. */
import { limitsOf } from "../bots/limits.ts";
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import type { TenantRow } from "../homeserver/tenants.ts";
import type { Attention, Question, Step, Today } from "./home.ts";
import { callsToSee } from "./home-calls.ts";
import { COUNTED } from "./home-operator.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Names that one line says. */
const NAMED = 5;
const QUESTIONS = 10;

export async function clientAttention(ctx: Context, tenant: TenantRow): Promise<Attention[]> {
  const found = await Promise.all([
    agentsToSee(ctx, tenant),
    restToSee(ctx, tenant),
    callsToSee(ctx, tenant.id),
    teamsToSee(ctx, tenant),
  ]);
  const order: Attention["kind"][] = [
    "client_down",
    "approvals_waiting",
    "no_model",
    "failed_runs",
    "calls_unknown",
    "calls_failed",
    "token_cap",
    "team_problem",
  ];
  const rank = ({ kind }: Attention) => (order.indexOf(kind) + order.length + 1) % (order.length + 1);
  return [...homeserverToSee(tenant), ...found.flat()].sort((a, b) => rank(a) - rank(b));
}

function homeserverToSee({ id, title, desired, state, stateDetail }: TenantRow): Attention[] {
  if (state === "running" || (desired === "stopped" && state === "stopped")) return [];
  if (state === "starting" && stateDetail === null) return [];
  return [
    { kind: "client_down", client: { id, title }, text: stateDetail, names: [state], link: `/c/${id}/homeserver` },
  ];
}

/** Paused, with a draft that waits, and those that nobody can talk to because they are in no room. */
async function agentsToSee({ sql }: Context, { id }: TenantRow): Promise<Attention[]> {
  const rows = await sql<{ kind: "agents_paused" | "agents_draft" | "agents_roomless"; agent: string; name: string }[]>`
    select * from (select 'agents_paused' as kind, id as agent, name from agents
      where tenant_id = ${id} and state = 'paused' order by lower(name) limit ${COUNTED}) paused
    union all
    select * from (select 'agents_draft', id, name from agents
      where tenant_id = ${id} and state in ('draft', 'active', 'paused') and draft is not null order by lower(name) limit ${COUNTED}) drafts
    union all
    select * from (select 'agents_roomless', a.id, a.name from agents a
      where a.tenant_id = ${id} and a.state = 'active' and not exists (
        select 1 from room_members m where m.tenant_id = a.tenant_id and m.user_id = a.user_id and m.membership in ('join', 'invite'))
      order by lower(name) limit ${COUNTED}) roomless`;
  const states = { agents_paused: "paused", agents_draft: "draft", agents_roomless: "" };
  return (["agents_draft", "agents_paused", "agents_roomless"] as const).flatMap((kind): Attention[] => {
    const these = rows.filter((row) => row.kind === kind);
    const [only] = these;
    if (!only) return [];
    const list = `/c/${id}/agents${states[kind] ? `?state=${states[kind]}` : ""}`;
    const link = these.length === 1 ? `/c/${id}/agents/${only.agent}` : list;
    return [{ kind, count: these.length, names: these.slice(0, NAMED).map(({ name }) => name), link }];
  });
}

interface Counts {
  failed: number;
  expiring: number;
  unused: number;
  suspended: number;
  used: number;
  models: boolean;
  asked: number;
}

async function restToSee(ctx: Context, tenant: TenantRow): Promise<Attention[]> {
  const { id } = tenant;
  const now = ctx.clock.now();
  const day = utcDay(now);
  const open = ctx.sql`tenant_id = ${id} and revoked_at is null and uses < max_uses and expires_at > ${new Date(now)}`;
  const [row] = await ctx.sql<Counts[]>`
    select (select count(*)::int from (select 1 from runs where tenant_id = ${id} and state = 'failed'
        and created_at > ${new Date(now - HOUR)} limit ${COUNTED}) f) as failed,
      (select count(*)::int from invites where ${open} and expires_at < ${new Date(now + 2 * DAY)}) as expiring,
      (select count(*)::int from invites where ${open} and expires_at >= ${new Date(now + 2 * DAY)} and uses = 0
        and created_at < ${new Date(now - 3 * DAY)}) as unused,
      (select count(*)::int from people where tenant_id = ${id} and state = 'suspended') as suspended,
      coalesce((select used::float8 from token_days where tenant_id = ${id} and day = ${day}::date), 0) as used,
      (select count(*)::int from (select 1 from approvals where tenant_id = ${id} and state = 'open' and kind = 'tool'
        and expires_at >= ${new Date(now)} and room_id like '!%' limit ${COUNTED}) a) as asked,
      exists (select 1 from models where tenant_id is null or tenant_id = ${id}) as models`;
  if (!row) return [];
  const percent = Math.floor((100 * row.used) / Math.max(1, limitsOf(tenant).tokensPerDay));
  const lines: (Attention | null)[] = [
    row.asked > 0 ? { kind: "approvals_waiting", count: row.asked, link: `/c/${id}/approvals` } : null,
    row.models ? null : { kind: "no_model", link: `/c/${id}/models` },
    row.failed > 0 ? { kind: "failed_runs", count: row.failed, link: `/c/${id}/runs?state=failed` } : null,
    percent >= 90 ? { kind: "token_cap", count: percent, link: `/c/${id}/usage` } : null,
    row.expiring > 0 ? { kind: "invites_expiring", count: row.expiring, link: `/c/${id}/invites` } : null,
    row.unused > 0 ? { kind: "invites_unused", count: row.unused, link: `/c/${id}/invites` } : null,
    row.suspended > 0
      ? { kind: "people_suspended", count: row.suspended, link: `/c/${id}/people?state=suspended` }
      : null,
  ];
  return lines.filter((line) => line !== null);
}

async function teamsToSee({ sql }: Context, { id }: TenantRow): Promise<Attention[]> {
  const rows = await sql<{ name: string; problem: string }[]>`
    select name, making->>'problem' as problem from teams
    where tenant_id = ${id} and making ? 'problem' order by name limit ${NAMED}`;
  return rows.map(({ name, problem }) => ({
    kind: "team_problem",
    names: [name],
    text: problem,
    link: `/c/${id}/teams`,
  }));
}

export async function clientToday(ctx: Context, tenant: TenantRow): Promise<Today> {
  const { id } = tenant;
  const day = utcDay(ctx.clock.now());
  const since = `${day}T00:00:00Z`;
  const [row] = await ctx.sql<Today[]>`
    select (select count(*)::int from runs where tenant_id = ${id} and created_at >= ${since}::timestamptz
        and state = 'done' and source = 'room') as answers,
      coalesce((select used::float8 from token_days where tenant_id = ${id} and day = ${day}::date), 0) as tokens,
      ${limitsOf(tenant).tokensPerDay}::float8 as "tokensCap",
      (select count(*)::int from (select user_id from people where tenant_id = ${id} and last_seen_at >= ${since}::timestamptz
        union select asked_by from runs where tenant_id = ${id} and created_at >= ${since}::timestamptz
          and source = 'room' and not starts_with(asked_by, '@agent-')) seen) as "peopleActive",
      (select count(*)::int from people where tenant_id = ${id} and created_at >= ${since}::timestamptz) as "newPeople"`;
  return row ?? { answers: 0, tokens: 0, tokensCap: null, peopleActive: 0, newPeople: 0 };
}

/**
 * A team, an agent that is in a room, people to talk to it; the first that is missing is next. The first person is the one who sets
 * it all up, so it takes two.
 */
export async function clientSteps({ sql }: Context, { id }: TenantRow): Promise<Step[]> {
  const [has] = await sql<{ team: boolean; agent: boolean; people: boolean }[]>`
    select exists (select 1 from teams where tenant_id = ${id} and archived_at is null) as team,
      exists (select 1 from agents a join room_members m on m.tenant_id = a.tenant_id and m.user_id = a.user_id
        and m.membership = 'join' where a.tenant_id = ${id} and a.state = 'active') as agent,
      (select count(*) > 1 from (select 1 from people where tenant_id = ${id} and state = 'active' limit 2) two) as people`;
  const links = { team: `/c/${id}/teams`, agent: `/c/${id}/agents`, people: `/c/${id}/invites` };
  const kinds = ["team", "agent", "people"] as const;
  const next = kinds.find((kind) => !has?.[kind]);
  return kinds.map((kind) => ({
    kind,
    state: has?.[kind] ? "done" : kind === next ? "next" : "later",
    link: links[kind],
  }));
}

/** What somebody asked last, newest first. */
export async function questionsOf(ctx: Context, tenantId: string, userId: string): Promise<Question[]> {
  return await ctx.sql<Question[]>`
    select r.id as run, r.state, (extract(epoch from r.created_at) * 1000)::float8 as at, a.id as "agentId", a.name as "agentName", r.room_id as "roomId",
      coalesce(o.state->>'name', o.channel) as "roomName", r.question_event as event, left(i.content->>'body', 200) as text
    from runs r join agents a on a.id = r.agent_id
      left join rooms o on o.tenant_id = r.tenant_id and o.room_id = r.room_id
      left join inbox i on i.tenant_id = r.tenant_id and i.event_id = r.question_event
    where r.tenant_id = ${tenantId} and r.asked_by = ${userId} and r.source = 'room'
    order by r.created_at desc limit ${QUESTIONS}`;
}
