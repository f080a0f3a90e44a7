/** Search the web through the client's own SearXNG, or through Brave. */
import { z } from "zod";
import { parseAddress } from "../../../core/addresses.ts";
import { AppError } from "../../../core/errors.ts";
import { decodeText } from "../decode.ts";
import { oneLine } from "../one-line.ts";
import { type Lookup, RedirectElsewhere, type Request, reach, readAll } from "../reach.ts";
import { type OpenSearch, readToolSettings } from "../settings.ts";
import type { Tool, ToolResult, ToolRun } from "../tool.ts";

const BRAVE = "https://api.search.brave.com/res/v1/web/search";
const MOST = 20;
const USUAL = 8;

/** `brave`: another address of the same API, for tests. */
export const makeWebSearch = (options: Lookup & { brave?: string } = {}): Tool => ({
  name: "web_search",
  group: "web",
  title: "Search the web",
  summary: "Looks for pages on the web; the words it looks for leave the company.",
  description:
    "Searches the web and returns titles, addresses and a few words of the pages found. Read a page with web_fetch before you rely on it. The query leaves " +
    "the company: put nothing confidential into it.",
  input: {
    type: "object",
    properties: {
      query: { type: "string", minLength: 1, maxLength: 400 },
      count: { type: "integer", minimum: 1, maximum: MOST, description: `How many; ${USUAL} when left out.` },
    },
    required: ["query"],
    additionalProperties: false,
  },
  labels: { query: "Words to look for", count: "Results" },
  risk: "low",
  reads: "untrusted",
  sends: "outside",
  repeatable: true,
  sentence: ({ query }) => `search the web for “${oneLine(query, 200)}”`,
  run: (call) => search(call, options),
});

export const webSearch = makeWebSearch();

async function search(call: ToolRun, options: Lookup & { brave?: string }): Promise<ToolResult> {
  const { search: settings } = await readToolSettings(call.ctx, call.tenantId);
  if (!settings)
    throw new AppError(
      "invalid",
      "No search is set up yet. A manager can name a SearXNG or a key of Brave's in the panel, under Tools → Settings.",
    );
  const query = oneLine(call.args.query, 400);
  const count = Number(call.args.count ?? USUAL);
  const found = (await ask(call, settings, { query, count, ...options })).slice(0, count);
  const lines = found.map(({ title, url, text }, at) => `${at + 1}. ${title}\n${url}${text && `\n${text}`}`);
  const text = lines.length > 0 ? lines.join("\n\n") : `Nothing was found for “${query}”.`;
  return { text, untrusted: `the results of a search for “${oneLine(query, 80)}”` };
}

interface Found {
  title: string;
  url: string;
  text: string;
}

interface Wish extends Lookup {
  query: string;
  count: number;
  brave?: string;
}

async function ask(call: ToolRun, settings: OpenSearch, wish: Wish): Promise<Found[]> {
  const request = requestFor(settings, wish, call.signal);
  try {
    const response = await reach(call.ctx, request);
    const bytes = await readAll(response, request);
    if (!response.ok) throw refusedBy(settings, response.status);
    return foundIn(settings, decodeText(bytes, response.headers.get("content-type") ?? ""));
  } catch (error) {
    if (error instanceof RedirectElsewhere)
      throw new AppError(
        "invalid",
        "The search server sends us elsewhere. A manager can correct its address under Tools → Settings.",
        {
          cause: error,
        },
      );
    throw error;
  }
}

function requestFor(
  { kind, url, key }: OpenSearch,
  { query, count, brave = BRAVE, lookup }: Wish,
  signal: AbortSignal,
): Request {
  const place = parseAddress(kind === "brave" ? brave : `${url?.replace(/\/+$/, "")}/search`);
  place.searchParams.set("q", query);
  if (kind === "brave") place.searchParams.set("count", String(count));
  else place.searchParams.set("format", "json");
  const headers = { accept: "application/json", ...(kind === "brave" && key ? { "x-subscription-token": key } : {}) };
  return { url: place.href, init: { headers }, maxBytes: 2_000_000, timeoutMs: 20_000, signal, lookup };
}

function refusedBy({ kind }: OpenSearch, status: number): AppError {
  if (status === 429) return new AppError("too_many", "The search server was asked too often. Try it again later.");
  if (kind === "brave" && [401, 403, 422].includes(status))
    return new AppError("invalid", "Brave does not take the key. A manager can correct it under Tools → Settings.");
  if (kind === "searxng" && status === 403)
    return new AppError(
      "invalid",
      "The SearXNG gives no JSON. Whoever runs it adds “json” to search.formats in its settings.yml.",
    );
  return new AppError("invalid", `The search server answered with the status ${status}. Try it again later.`);
}

const word = z.string().catch("");
const SEARXNG = z.object({ results: z.array(z.object({ url: word, title: word, content: word })) });
const BRAVE_ANSWER = z.object({
  web: z.object({ results: z.array(z.object({ url: word, title: word, description: word })) }).optional(),
});

function foundIn({ kind }: OpenSearch, text: string): Found[] {
  try {
    const answer: unknown = JSON.parse(text);
    const results =
      kind === "searxng"
        ? SEARXNG.parse(answer).results.map(({ content, ...rest }) => ({ ...rest, description: content }))
        : (BRAVE_ANSWER.parse(answer).web?.results ?? []);
    return results
      .filter(({ url }) => /^https?:/.test(url))
      .map(({ url, title, description }) => ({
        url: oneLine(url, 1_000),
        title: plain(title, 200),
        text: plain(description, 500),
      }));
  } catch (cause) {
    throw new AppError(
      "invalid",
      "The search server did not answer as it should. A manager can check its address under Tools → Settings.",
      {
        cause,
      },
    );
  }
}

/** Both mark what was found by tags. */
const plain = (text: string, most: number) => oneLine(text.slice(0, 5_000).replaceAll(/<\/?[a-z]{1,10}>/gi, ""), most);
