/**
 * What agents did with tools on the seeded runs, and what managers made: rows only, in proportion to the runs and agents that are there. Nothing in them is
 * due or forgotten, so that a platform that runs over them leaves them as they are.
 */

import type { Context } from "../../core/context.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import type { Amounts } from "./seed.ts";

/** One call in ten of so many of the newest waits for a person. */
const WAITING = 3000;
/** A client has at most 10,000 files. */
const MOST_FILES = 10_000;

export async function seedTools(ctx: Context, amounts: Amounts, say: (line: string) => void): Promise<void> {
  for (let from = 0; from < amounts.runs; from += 100_000) {
    const to = Math.min(from + 100_000, amounts.runs);
    say(`seeding tool calls ${from} to ${to} of ${amounts.runs}`);
    await calls(ctx, amounts, from, to);
    await approvals(ctx, from, to);
  }
  say("seeding grants, schedules, forms and files");
  await ctx.sql`update runs set state = 'waiting', finished_at = null where id in (select run_id from tool_calls where state = 'waiting')`;
  await grantsAndSchedules(ctx, amounts);
  await forms(ctx, amounts);
  await formRuns(ctx, amounts);
  await filesAndSecrets(ctx, amounts);
}

/** As many as runs: every second one called two. The n-th call belongs to the run with that number, or the one before. */
async function calls({ sql }: Context, { runs }: Amounts, from: number, to: number): Promise<void> {
  const waits = sql`n >= ${runs - WAITING}::int and ${askedAbout(sql)}`;
  await sql`
    insert into tool_calls (id, tenant_id, run_id, agent_id, room_id, person_id, turn, index, call_id, tool, tool_group, arguments, arguments_hash,
      schema_hash, state, reason, result, untrusted, tokens, created_at, started_at, finished_at)
    select 'seed-call-' || n, r.tenant_id, r.id, r.agent_id, r.room_id, r.asked_by, n % 2, 0, 'call-' || n,
      (array['web_fetch','room_read','files_read','calculate','mail_send','http_call','form_form_5'])[1 + n / 2 % 7],
      (array['web','room','files','calculate','mail','web','forms'])[1 + n / 2 % 7],
      jsonb_build_object('url', 'https://example.org/page/' || n, 'why', repeat('to know more ', 1 + n % 12)), md5(n::text), md5('schema'),
      case when ${waits} then 'waiting' when n % 31 = 0 then 'failed' when n % 47 = 0 then 'refused' else 'done' end,
      case when n % 47 = 0 then 'It may not touch this.' end, case when not (${waits}) then repeat('A line of what came back. ', case when n / 2 % 5 = 3 and n % 2 = 1 then 1200 else 5 + n % 150 end) end,
      case when n / 2 % 7 = 0 then 'the page https://example.org' end, n % 300, r.created_at + n % 2 * interval '1 second', r.created_at, r.created_at + interval '2 seconds'
    from generate_series(${from}::int, ${to - 1}::int) as n join runs r on r.id = 'seed-run-' || (n - n % 2)`;
}

/** One in ten, of every client: which client a run belongs to goes by its number too. */
const askedAbout = (sql: Context["sql"]) => sql`n % 2 = 1 and (n / 2 + n / 200) % 5 = 0`;

/** One call in ten was asked about; those of runs that wait are open. */
async function approvals({ sql }: Context, from: number, to: number): Promise<void> {
  await sql`
    insert into approvals (id, tenant_id, run_id, call_id, agent_id, room_id, kind, tool, sentence, arguments_hash, schema_hash, level, only_person,
      grantable, event_id, state, decided_by, decided_via, answer, shown, expires_at, decided_at, created_at)
    select 'seed-approval-' || n, c.tenant_id, c.run_id, c.id, c.agent_id, c.room_id, case when n / 2 % 7 = 1 then 'input' else 'tool' end, c.tool,
      'read the page https://example.org/page/' || n, c.arguments_hash, c.schema_hash, 50, case when n / 2 % 7 = 1 then c.person_id end, true, '$approval' || n, s.state,
      case when s.state in ('approved', 'declined', 'answered') then c.person_id end, case when s.state in ('approved', 'declined', 'answered') then 'reaction' end,
      case when s.state = 'answered' then 'That one.' end, s.state, case when s.state = 'open' then now() + interval '7 days' else c.created_at + interval '30 minutes' end,
      case when s.state <> 'open' then c.created_at + interval '1 minute' end, c.created_at
    from generate_series(${from}::int, ${to - 1}::int) as n join tool_calls c on c.id = 'seed-call-' || n
      cross join lateral (select case when c.state = 'waiting' then 'open' when n / 2 % 7 = 1 then 'answered' when n % 9 = 1 then 'declined'
        when n % 11 = 1 then 'expired' else 'approved' end as state) s
    where ${askedAbout(sql)}`;
}

/** Four grants an agent, one in five of them over; two agents in five do something by themselves. */
async function grantsAndSchedules({ sql }: Context, { agents }: Amounts): Promise<void> {
  const person = sql`(select user_id from people p where p.tenant_id = a.tenant_id order by user_id offset n % 7 limit 1)`;
  await sql`
    insert into grants (id, tenant_id, agent_id, room_id, tool, schema_hash, granted_by, created_at, revoked_at)
    select 'seed-grant-' || n, a.tenant_id, a.id, '!room' || (1 + n / ${agents}::int % 3) || ':' || a.tenant_id || '.localhost',
      case when n / ${agents}::int < 3 then 'web_fetch' else 'mail_send' end, md5('schema'), ${person}, now() - n * interval '5 minutes',
      case when n % 5 = 3 then now() end
    from generate_series(0, ${4 * agents - 1}::int) as n join agents a on a.id = 'seed-agent-' || (1 + n % ${agents}::int)`;
  await sql`
    insert into schedules (id, tenant_id, agent_id, room_id, created_by, task, time, state, next_at, times, created_at)
    select 'seed-schedule-' || n, a.tenant_id, a.id, '!room' || (1 + n % 3) || ':' || a.tenant_id || '.localhost', ${person},
      'Say what is new. ' || repeat('Look at it well. ', n % 20), '{"kind":"cron","pattern":"0 9 * * 1","zone":"UTC"}',
      (array['active','active','active','paused','done'])[1 + n / 3 % 5], case when n / 3 % 5 < 3 then now() + (30 + n % 30) * interval '1 day' end, n % 90, now() - n * interval '1 hour'
    from generate_series(1, ${Math.floor((2 * agents) / 5)}::int) as n join agents a on a.id = 'seed-agent-' || n`;
}

/** As many as schedules, each published three times. */
async function forms({ sql }: Context, { agents }: Amounts): Promise<void> {
  const field = (title: string) => ({
    type: "string",
    title,
    description: `What ${title.toLowerCase()} is, as you know it`,
  });
  const definition: FormDefinition = {
    name: "form",
    title: "An offer for a customer",
    description: "Writes an offer from what is known of a customer and of what they want.",
    input: {
      type: "object",
      properties: { customer: field("Customer"), goods: field("Goods"), price: field("Price"), until: field("Until") },
      required: ["customer", "goods"],
      "x-order": ["customer", "goods", "price", "until"],
    },
    prompt: `Write an offer for {{customer}} on {{goods}}. ${"Be short and friendly. ".repeat(20)}`,
    agent: null,
    model: null,
    output: null,
  };
  const named = sql`${sql.json(definition as never)}::jsonb || jsonb_build_object('name', 'form_' || n, 'title', 'Offer ' || n)`;
  await sql`
    insert into form_tools (id, tenant_id, name, state, version, definition, created_at)
    select 'seed-form-' || n, a.tenant_id, 'form_' || n, case when n % 20 = 1 then 'paused' else 'active' end, 3, ${named}, now() - n * interval '1 hour'
    from generate_series(1, ${Math.floor((2 * agents) / 5)}::int) as n join agents a on a.id = 'seed-agent-' || n`;
  await sql`
    insert into form_versions (form_id, version, definition, created_by, note)
    select id, v, definition, 'operator:bench', 'Better words' from form_tools, generate_series(1, 3) as v where id like 'seed-form-%'`;
}

/** A tenth of the runs' number; one form in the first client has a tenth of these. Some are worked on by agents that wait. */
async function formRuns({ sql }: Context, { runs, agents }: Amounts): Promise<void> {
  const amount = Math.floor(runs / 10);
  await sql`
    insert into form_runs (id, tenant_id, form_id, version, "values", via, by, state, result, error, tokens, created_at, started_at, finished_at)
    select 'seed-form-run-' || n, f.tenant_id, f.id, 3, jsonb_build_object('customer', 'Customer ' || n, 'goods', repeat('a thing, ', 1 + n % 9)), 'panel',
      p.user_id, case when n % 40 = 0 then 'failed' else 'done' end, case when n % 40 <> 0 then repeat('An offer that pleases. ', 10 + n % 40) end,
      case when n % 40 = 0 then 'The model did not answer.' end, n % 900, now() - (${amount}::int - n) * interval '1 minute', now(), now()
    from generate_series(1, ${amount}::int) as n
      join form_tools f on f.id = 'seed-form-' || (case when n % 10 = 0 then 5 else 1 + n * 7919::bigint % ${Math.floor((2 * agents) / 5)}::int end)
      join (select tenant_id, user_id, row_number() over (partition by tenant_id order by user_id) - 1 as nth, count(*) over (partition by tenant_id) as of from people) p
        on p.tenant_id = f.tenant_id and p.nth = n / 10 % p.of`;
  await sql`
    update form_runs f set state = 'running', finished_at = null, result = null, run_id = w.id
    from (select id, tenant_id, row_number() over (partition by tenant_id order by id) as nth from runs where state = 'waiting') w
      join (select id, tenant_id, row_number() over (partition by tenant_id order by created_at desc) as nth from form_runs where id like 'seed-form-run-%') n using (tenant_id, nth)
    where f.id = n.id and n.nth <= 20`;
}

async function filesAndSecrets({ sql }: Context, { runs, clients }: Amounts): Promise<void> {
  const amount = Math.floor(runs / 10);
  const bytes = sql`decode(repeat(md5(n::text), 20 + n % 90), 'hex')`;
  await sql`
    insert into files (id, tenant_id, path, content_type, size, bytes, written_by, created_at, changed_at)
    select 'seed-file-' || n, 'seed-' || lpad((case when n % 10 = 0 and n / 10 < ${MOST_FILES}::int then 1 else 2 + n % ${clients - 1}::int end)::text, 3, '0'),
      (array['reports','offers','notes/2026'])[1 + n / 10 % 3] || '/file-' || n || '.md', 'text/markdown', length(${bytes}), ${bytes}, 'operator:bench', now(), now()
    from generate_series(1, ${amount}::int) as n`;
  await sql`
    insert into tool_secrets (tenant_id, name, value, header, hosts, created_by)
    select id, 'secret-' || n, 'sealed', 'authorization', '["example.org"]', 'operator:bench' from tenants, generate_series(1, 5) as n where id like 'seed-%'`;
  await sql`
    insert into tool_counts (agent_id, key, unit, since, count)
    select id, key, 'day', date_trunc('day', now()) - d * interval '1 day', 5 from agents, unnest(array['web','mail']) as key, generate_series(0, 2) as d
    where id like 'seed-agent-%'`;
}
