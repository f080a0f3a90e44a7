/** Every list of the API on a large operator's data, 20 requests at once, as an operator and as a member. */

import { ACTIONS } from "../../admin/rights.ts";
import type { Context } from "../../core/context.ts";
import { hashToken, newId, newToken } from "../../core/ids.ts";
import { type Platform, startPlatform } from "../harness/platform.ts";
import { type Ask, listAddresses } from "./list-addresses.ts";
import { percentile } from "./measure.ts";
import { type Amounts, clientName, LARGE, seed } from "./seed.ts";

export interface ListFigure {
  /** Path with its query. */
  list: string;
  requests: number;
  p50: number;
  p95: number;
}

const AT_ONCE = 20;

/** A platform of its own, seeded; asks every list with each of its filters. */
export async function measureLists(options: {
  amounts?: Amounts;
  requests: number;
  say: (line: string) => void;
}): Promise<ListFigure[]> {
  const platform = await startPlatform({ name: "bench-lists" });
  try {
    await seed(platform.ctx, options.amounts ?? LARGE, options.say);
    return await measureAll(platform, options);
  } finally {
    await platform.end();
  }
}

async function measureAll(
  platform: Platform,
  options: { requests: number; say: (line: string) => void },
): Promise<ListFigure[]> {
  const member = await somebody(platform);
  const ask = {
    operator: asking(platform, await operatorToken(platform)),
    member: asking(platform, await memberToken(platform, member)),
  };
  const figures: ListFigure[] = [];
  for (const { path, who } of await listAddresses(platform.ctx, ask, member)) {
    const { p50, p95 } = await measure(path, options.requests, ask[who]);
    const list = who === "member" ? `${path} (member)` : path;
    options.say(`${list}: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`);
    figures.push({ list, requests: options.requests, p50, p95 });
  }
  return figures;
}

function asking(platform: Platform, token: string): Ask {
  return async (path) => {
    const response = await fetch(`${platform.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  };
}

/** A token with every right, made where tokens are kept. */
async function operatorToken({ ctx }: Platform): Promise<string> {
  await ctx.sql`insert into operators (id, name) values ('bench', 'bench') on conflict do nothing`;
  return await tokenOf(ctx, { operator_id: "bench", tenant_id: null, user_id: null });
}

const memberToken = ({ ctx }: Platform, userId: string) =>
  tokenOf(ctx, { operator_id: null, tenant_id: clientName(1), user_id: userId });

async function tokenOf(
  ctx: Context,
  owner: { operator_id: string | null; tenant_id: string | null; user_id: string | null },
): Promise<string> {
  const token = `agt_${newToken()}`;
  const row = { ...owner, id: newId(), name: "bench", token_hash: hashToken(token), scopes: [...ACTIONS] as never };
  await ctx.sql`insert into api_tokens ${ctx.sql({ ...row, expires_at: new Date(ctx.clock.now() + 86_400_000) })}`;
  return token;
}

/** A person of the largest client who has no role there, in a room with agents. */
async function somebody({ ctx }: Platform): Promise<string> {
  const [person] = await ctx.sql<{ id: string }[]>`
    select user_id as id from people p join room_members m using (tenant_id, user_id)
    where tenant_id = ${clientName(1)} and state = 'active' and starts_with(m.room_id, '!room1:')
      and not exists (select from tenant_roles r where r.tenant_id = p.tenant_id and r.user_id = p.user_id) order by user_id limit 1`;
  return person?.id ?? "";
}

/** Each of the ten connections plans a query anew for its first five times: a platform that has run for a minute is past that. */
const WARM_UP = 80;

async function measure(path: string, requests: number, ask: Ask): Promise<{ p50: number; p95: number }> {
  await askAll(path, WARM_UP, ask);
  const times = await askAll(path, requests, ask);
  return { p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
}

/** How long each took, in milliseconds. */
async function askAll(path: string, requests: number, ask: Ask): Promise<number[]> {
  const times: number[] = [];
  let left = requests;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const began = performance.now();
        await ask(path);
        times.push(performance.now() - began);
      }
    }),
  );
  return times;
}
