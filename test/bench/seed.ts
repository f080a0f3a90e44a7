/**
 * Fills a platform's database with what a large operator has: rows only, no homeservers. One client in ten thousand is never typical, so the first
 * client has a fifth of everything; the others share the rest.
 */

import { listTemplates } from "../../bots/templates.ts";
import { rollUp } from "../../bots/usage-days.ts";
import type { Context } from "../../core/context.ts";
import { hashToken, newToken } from "../../core/ids.ts";
import { seedTools } from "./seed-tools.ts";

export interface Amounts {
  clients: number;
  people: number;
  agents: number;
  runs: number;
}

export const LARGE: Amounts = { clients: 200, people: 10_000, agents: 5_000, runs: 1_000_000 };

/** Name of the n-th client. */
export const clientName = (n: number): string => `seed-${String(n).padStart(3, "0")}`;
const DAYS = 90;
const ROOMS_A_CLIENT = 12;

/** Seeds once: with the same amounts a second time it does nothing. Says what it does. */
export async function seed(ctx: Context, amounts: Amounts, say: (line: string) => void): Promise<void> {
  const [known] = await ctx.sql`select 1 from tenants where id = ${clientName(amounts.clients)}`;
  if (known) return;
  say(`seeding ${amounts.clients} clients, ${amounts.people} people, ${amounts.agents} agents`);
  await clients(ctx, amounts);
  await peopleAndRooms(ctx, amounts);
  await agents(ctx, amounts);
  for (let from = 0; from < amounts.runs; from += 100_000) {
    say(`seeding runs ${from} to ${Math.min(from + 100_000, amounts.runs)} of ${amounts.runs}`);
    await runs(ctx, amounts, from, Math.min(from + 100_000, amounts.runs));
  }
  await auditAndInvites(ctx, amounts);
  await seedTools(ctx, amounts, say);
  say("summing up the days that are over, as the platform does each hour");
  await rollUp(ctx);
  say("vacuuming");
  // As one that has run for a while: the database looks after itself in the background, but not while it is measured.
  await ctx.sql`vacuum analyze`;
}

/** SQL: the client of the n-th thing. Every fifth belongs to the first one. */
const clientOf = ({ sql }: Context, n: ReturnType<Context["sql"]>, clients: number) =>
  sql`'seed-' || lpad((case when ${n} % 5 = 0 then 1 else 2 + (${n} / 5) % ${clients - 1} end)::text, 3, '0')`;

async function clients(ctx: Context, { clients: count }: Amounts): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) => {
    const id = clientName(index + 1);
    const secrets = {
      asToken: newToken(),
      hsToken: newToken(),
      registrationSharedSecret: "",
      macaroonSecret: "",
      formSecret: "",
    };
    return {
      id,
      title: `Company ${index + 1}`,
      server_name: `${id}.localhost`,
      driver: "external",
      desired: "stopped",
      state: "stopped",
      homeserver_url: "http://127.0.0.1:9",
      config: { readableRooms: true, rateLimits: "people" },
      secrets: ctx.secrets.seal(JSON.stringify(secrets), `tenants:${id}`),
      hs_token_hash: hashToken(secrets.hsToken),
      control_user_id: `@agentopia:${id}.localhost`,
      people_synced_at: new Date(ctx.clock.now()).toISOString(),
    };
  });
  const columns = ctx.sql.unsafe(Object.keys(rows[0] ?? {}).join(", "));
  await ctx.sql`
    insert into tenants (${columns})
    select ${columns} from jsonb_populate_recordset(null::tenants, ${JSON.stringify(rows)}::text::jsonb)`;
}

async function peopleAndRooms(ctx: Context, { clients: count, people }: Amounts): Promise<void> {
  const { sql } = ctx;
  await sql`
    insert into people (tenant_id, user_id, display_name, state, last_seen_at, created_at)
    select t, '@person' || n || ':' || t || '.localhost', (array['Ada','Bruno','Chen','Dana','Émile','Fatou','Grit','Hana'])[1 + n % 8] || ' ' || n,
      case when n % 97 = 0 then 'suspended' when n % 89 = 0 then 'deactivated' else 'active' end,
      now() - (n % 1000) * interval '1 hour', now() - (n % 300) * interval '1 day'
    from (select n, ${clientOf(ctx, sql`n`, count)} as t from generate_series(1, ${people}::int) as n) as p`;
  await sql`
    insert into tenant_roles (tenant_id, user_id, role)
    select tenant_id, user_id, (array['owner','manager','auditor'])[1 + (row_number() over (partition by tenant_id order by user_id))::int % 3]
    from people where substr(user_id, 8, 4) ~ '^[0-9]*0'`;
  await sql`
    insert into teams (id, tenant_id, name, space_room_id)
    select id || '-team-' || n, id, (array['Marketing','Support','Sales'])[n], '!space' || n || ':' || server_name
    from tenants, generate_series(1, 3) as n where id like 'seed-%'`;
  await sql`
    insert into rooms (tenant_id, room_id, team_id, channel, kind, state)
    select id, '!room' || n || ':' || server_name, id || '-team-' || (1 + n % 3), 'channel ' || n, 'channel',
      '{"name":"channel","topic":null,"encrypted":false,"historyVisibility":"shared","sharedSince":0,"creators":[],"roomVersion":"12","powerLevels":{"users":{},"usersDefault":0,"events":{},"eventsDefault":0,"stateDefault":50,"redact":50,"kick":50,"ban":50,"invite":0},"functionalMembers":[],"federated":false}'
    from tenants, generate_series(1, ${ROOMS_A_CLIENT}) as n where id like 'seed-%'`;
  await sql`
    insert into rooms (tenant_id, room_id, team_id, kind)
    select tenant_id, space_room_id, id, 'space' from teams where tenant_id like 'seed-%'`;
  await sql`
    insert into room_members (tenant_id, room_id, user_id, membership, display_name)
    select p.tenant_id, r.room_id, p.user_id, 'join', p.display_name
    from (select *, row_number() over (partition by tenant_id order by user_id) as nth from people) as p
      join rooms r on r.tenant_id = p.tenant_id and (r.kind = 'space' or r.room_id like '!room' || (1 + nth % ${ROOMS_A_CLIENT}) || ':%')
    where p.tenant_id like 'seed-%'`;
}

async function agents(ctx: Context, { clients: count, agents: amount }: Amounts): Promise<void> {
  const { sql } = ctx;
  await sql`
    insert into agents (id, tenant_id, name, user_id, state, version, definition, template_id, device_id, draft, draft_revision)
    select 'seed-agent-' || n, t, 'Agent ' || n, '@agent-seed' || n || ':' || t || '.localhost',
      case when n % 31 = 0 then 'paused' else 'active' end, 1,
      jsonb_build_object('name', 'Agent ' || n, 'description', 'Answers questions of kind ' || n, 'instructions', repeat('Say what helps. ', 60),
        'model', null, 'whoMayInvite', 'anyone', 'scope', 'member'),
      (array['writer','planner',null])[1 + n % 3], 'SEED', case when n % 13 = 0 then '{}'::jsonb end, n % 3
    from (select n, ${clientOf(ctx, sql`n`, count)} as t from generate_series(1, ${amount}::int) as n) as a`;
  // Nearly all have taken what their template says.
  for (const { id, definition } of listTemplates())
    await sql`update agents set template_definition = ${sql.json(definition as never)} where template_id = ${id}
      and case when id like 'seed-agent-%' then substr(id, 12)::int % 50 <> 0 end`;
  await sql`update agents set draft = definition where draft is not null and tenant_id like 'seed-%'`;
  await sql`
    insert into agent_versions (agent_id, version, definition) select id, 1, definition from agents where tenant_id like 'seed-%'`;
  await sql`
    insert into room_members (tenant_id, room_id, user_id, membership, display_name)
    select a.tenant_id, '!room' || n || ':' || a.tenant_id || '.localhost', a.user_id, 'join', a.name
    from agents a, generate_series(1, 3) as n where a.tenant_id like 'seed-%'`;
}

/** Runs `from` (exclusive of the end) `to`, each with its question, its answer and its call, spread evenly over the days. */
async function runs(
  ctx: Context,
  { clients: count, agents: agentCount, people, runs: total }: Amounts,
  from: number,
  to: number,
) {
  const { sql } = ctx;
  // The agent decides the client: the first client's agents are those whose number divides by five.
  const source = sql`
    select g.n, 'seed-run-' || g.n as id, a.tenant_id as t, a.id as agent, '!room' || (1 + g.n % ${ROOMS_A_CLIENT}) || ':' || a.tenant_id || '.localhost' as room,
      '@person' || p.n || ':' || a.tenant_id || '.localhost' as person,
      now() - (${total}::int - g.n) * (interval '${sql.unsafe(String(DAYS))} days' / ${total}::int) - interval '1 minute' as at
    from generate_series(${from}::int, ${to - 1}::int) as g(n)
      join lateral (select 1 + (g.n * 7919::bigint) % ${agentCount} as k) as x on true
      join agents a on a.id = 'seed-agent-' || x.k
      join lateral (select case when x.k % 5 = 0 then 5 * (1 + g.n % ${Math.max(1, Math.floor(people / 5))})
        else x.k + 5 * ${count - 1} * (g.n % ${Math.max(1, Math.floor((people - agentCount) / 5 / (count - 1)))}) end as n) as p on true`;
  await sql.begin(async (tx) => {
    await tx`create temporary table seeding on commit drop as ${source}`;
    await tx`
      insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id, created_at)
      select id || '-a', t, room, agent, '$q' || n, id, at from seeding`;
    await tx`
      insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, asked_by, state,
        error_code, error, timings, created_at, started_at, finished_at)
      select id, t, agent, 1, id || '-a', room, '$q' || n, '$q' || n, person,
        case when n % 211 = 0 then 'failed' when n % 97 = 0 then 'stopped' else 'done' end,
        case when n % 211 = 0 then 'model_down' end, case when n % 211 = 0 then 'The model did not answer.' end,
        '{"routedMs":5,"startedMs":8,"firstTextMs":400,"finishedMs":2100}', at, at, at + interval '2 seconds' from seeding`;
    await tx`
      insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content, received_at, routed_at, outcome)
      select t, '$q' || n, room, person, 'm.room.message', (extract(epoch from at) * 1000)::bigint,
        jsonb_build_object('msgtype', 'm.text', 'body', 'What do you know of this? ' || repeat('Please look it up. ', n % 8)), at, at, 'run' from seeding`;
    await tx`
      insert into ledger (id, tenant_id, room_id, agent_id, person_id, run_id, model_id, model, day, state, input_tokens, output_tokens,
        first_token_ms, duration_ms, result, created_at)
      select id || '-l', t, room, agent, person, id, 'seed-model', (array['llama3.2','gpt-5.4-mini','claude-sonnet-5'])[1 + n % 3],
        (at at time zone 'utc')::date, case when n % 211 = 0 then 'failed' else 'ok' end, 400 + n % 900, 80 + n % 400, 300, 1900, 'stop', at
      from seeding`;
    await tx`
      insert into feedback (tenant_id, reaction_event, run_id, agent_id, user_id, value, created_at)
      select t, '$f' || n, id, agent, person, case when n % 60 = 0 then -1 else 1 end, at from seeding where n % 20 = 0`;
  });
}

async function auditAndInvites(ctx: Context, { clients: count }: Amounts): Promise<void> {
  const { sql } = ctx;
  await sql`
    insert into audit (at, tenant_id, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, outcome)
    select now() - (100000 - n) * interval '1 minute', ${clientOf(ctx, sql`n`, count)}, 'person', '@person' || (n % 500), 'Ada ' || (n % 500),
      (array['agents.write','people.write','teams.write'])[1 + n % 3], 'agent', 'seed-agent-' || (1 + n % 5000), 'Agent', 'done'
    from generate_series(1, 100000) as n`;
  await sql`
    insert into invites (id, tenant_id, token_hash, max_uses, uses, expires_at, created_at)
    select 'seed-invite-' || n, ${clientOf(ctx, sql`n`, count)}, 'seed-' || n, 5, n % 5, now() + (n % 60 - 30) * interval '1 day', now() - n * interval '1 minute'
    from generate_series(1, 20000) as n`;
}
