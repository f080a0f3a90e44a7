/** Every list of the API on a large operator's data, 20 requests at once. */

import { ACTIONS } from "../../admin/rights.ts";
import { hashToken, newToken } from "../../core/ids.ts";
import { type Platform, startPlatform } from "../harness/platform.ts";
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
    const ask = asking(platform, await operatorToken(platform));
    const figures: ListFigure[] = [];
    for (const list of await allLists(platform, ask)) {
      const figure = await measure(list, options.requests, ask);
      options.say(`${figure.list}: p50 ${figure.p50.toFixed(0)} ms, p95 ${figure.p95.toFixed(0)} ms`);
      figures.push(figure);
    }
    return figures;
  } finally {
    await platform.end();
  }
}

type Ask = (path: string) => Promise<unknown>;

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
  const token = `agt_${newToken()}`;
  await ctx.sql`insert into operators (id, name) values ('bench', 'bench')`;
  await ctx.sql`insert into api_tokens (id, name, token_hash, operator_id, scopes, expires_at)
    values ('bench', 'bench', ${hashToken(token)}, 'bench', ${ctx.sql.json([...ACTIONS])}, now() + interval '1 day')`;
  return token;
}

interface Description {
  paths: Record<
    string,
    {
      get?: {
        parameters?: { name: string; in: string; schema?: { maximum?: number } }[];
        responses: Record<string, unknown>;
      };
    }
  >;
  components?: { schemas?: Record<string, unknown> };
}

/** The addresses of all lists (answers with `items` and `next`): bare, the second page, and with each filter that has a value below. */
async function allLists({ ctx }: Platform, ask: Ask): Promise<string[]> {
  const { paths } = (await ask("/openapi.json")) as Description;
  const [run] = await ctx.sql<{ id: string; agent: string; room: string; person: string }[]>`
    select id, agent_id as agent, room_id as room, asked_by as person from runs where tenant_id = ${clientName(1)} limit 1`;
  const names: Record<string, string> = {
    client: clientName(1),
    agent: run?.agent ?? "",
    room: run?.room ?? "",
    user: run?.person ?? "",
    run: run?.id ?? "",
    team: `${clientName(1)}-team-1`,
  };
  const values: Record<string, string> = {
    q: "a",
    state: "",
    agent: names.agent ?? "",
    room: names.room ?? "",
    person: names.user ?? "",
  };
  const lists: string[] = [];
  for (const [path, { get }] of Object.entries(paths)) {
    if (!get || !isList(get) || NOT_OF_THE_DATABASE.test(path)) continue;
    const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? "none"));
    lists.push(address);
    const page = (await ask(address)) as { next: string | null };
    if (page.next) lists.push(`${address}?cursor=${encodeURIComponent(page.next)}`);
    for (const { name, in: where, schema } of get.parameters ?? [])
      if (where === "query" && name === "limit") lists.push(`${address}?limit=${schema?.maximum ?? 50}`);
      else if (where === "query" && values[name]) lists.push(`${address}?${name}=${encodeURIComponent(values[name])}`);
    if (path.endsWith("/usage")) lists.push(`${address}?by=agent`, `${address}?by=person`);
    if (path.endsWith("/runs")) lists.push(`${address}?state=failed`, `${address}?state=running`);
  }
  return lists;
}

/** Asked of the homeserver, which a seeded client has not, or about the own account, which tokens may not. */
const NOT_OF_THE_DATABASE = /devices|^\/me\//;

/** Lists are what has pages, and the sums of usage. */
function isList(get: { responses: Record<string, unknown> }): boolean {
  const answer = JSON.stringify(get.responses["200"] ?? {});
  return (
    (answer.includes('"items"') && answer.includes('"next"')) ||
    answer.includes('"Usage"') ||
    answer.includes("schemas/Usage")
  );
}

/** Each of the ten connections plans a query anew for its first five times: a platform that has run for a minute is past that. */
const WARM_UP = 80;

async function measure(list: string, requests: number, ask: Ask): Promise<ListFigure> {
  await askAll(list, WARM_UP, ask);
  const times = await askAll(list, requests, ask);
  return { list, requests: times.length, p50: percentile(times, 0.5), p95: percentile(times, 0.95) };
}

/** How long each took, in milliseconds. */
async function askAll(list: string, requests: number, ask: Ask): Promise<number[]> {
  const times: number[] = [];
  let left = requests;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const began = performance.now();
        await ask(list);
        times.push(performance.now() - began);
      }
    }),
  );
  return times;
}
