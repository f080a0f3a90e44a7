import type { LookupFunction } from "node:net";
import { TransformStream } from "node:stream/web";
import { Agent, type RequestInit, Response as UndiciResponse, fetch as undiciFetch } from "undici";
import {
  type Address,
  bareHost,
  checkLiteral,
  checkResolved,
  type GuardOptions,
  isAllowed,
  parseAddress,
  parseUrl,
  refused,
  resolveAll,
} from "./addresses.ts";
import { AppError } from "./errors.ts";

export interface FetchLimits {
  /** Largest body, after decompression; 10 MB when not set. */
  maxBytes?: number | undefined;
  /** For everything, to the last byte; 30 s when not set, 0 for no limit. */
  timeoutMs?: number | undefined;
  /** False: a redirect is given back as it is. */
  follow?: boolean | undefined;
  /** Asked before a redirect within the host is followed. Where it says no, that is another place (`RedirectElsewhere`). */
  mayFollow?: ((to: URL) => boolean) | undefined;
}

/** A redirect that is not followed; `target` is the address to ask for instead. */
export class RedirectElsewhere extends AppError {
  readonly target: string;
  constructor(from: URL, to: URL) {
    super(
      "address_refused",
      `"${bareHost(from)}" redirects to another place, "${to.host}", which is not followed. Use that address itself.`,
    );
    this.target = to.href;
  }
}

const MAX_REDIRECTS = 5;
const DEFAULT_BYTES = 10_000_000;
const DEFAULT_MS = 30_000;

/** Who calls limits the time; an idle connection is kept for 15 s, which spares most calls a new one. */
const KEPT = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 15_000 };

/**
 * Connections that are made only to checked addresses. The name is resolved once, by the connection itself, and what was checked is
 * what is connected to: a name that changes its address between check and use changes nothing.
 */
function guardedAgent(options: GuardOptions): Agent {
  const resolve = options.lookup ?? resolveAll;
  const lookup: LookupFunction = (host, { all }, done) => {
    resolve(host)
      .then((addresses) => {
        checkResolved(host, addresses);
        const first = addresses[0] as Address;
        if (all) done(null, addresses);
        else done(null, first.address, first.family);
      })
      .catch((error: NodeJS.ErrnoException) => done(error, all ? [] : "", 4));
  };
  return new Agent({ ...KEPT, connect: { lookup, timeout: 10_000 } });
}

/** Kept between calls, so that connections are; one resolver each. Without one: the system's. */
const agents = new WeakMap<object, Agent>();
const bySystem = {};

function agentFor(options: GuardOptions): Agent {
  const key = options.lookup ?? bySystem;
  const agent = agents.get(key) ?? guardedAgent(options);
  agents.set(key, agent);
  return agent;
}

/** For hosts that the operator allowed, and for the operator's own addresses. */
const openAgent = new Agent({ ...KEPT, connect: { timeout: 10_000 } });

/** `fetch` for the operator's own addresses: kept connections, no check, and no limits but the caller's signal. */
export const plainFetch = ((url: string | URL, init?: RequestInit) =>
  undiciFetch(url, { ...init, dispatcher: openAgent })) as unknown as typeof globalThis.fetch;

/**
 * `fetch` for an address that somebody typed: http and https, to public addresses only (or hosts that the operator allowed),
 * redirects within the same host only, bounded in size and time. Throws `address_refused` (`RedirectElsewhere`), or what fetch throws.
 */
export async function guardedFetch(
  address: string | URL,
  init: globalThis.RequestInit = {},
  options: GuardOptions & FetchLimits = {},
): Promise<Response> {
  const signals = init.signal ? [init.signal] : [];
  const timeoutMs = options.timeoutMs ?? DEFAULT_MS;
  if (timeoutMs > 0) signals.push(AbortSignal.timeout(timeoutMs));
  let request: RequestInit = { ...(init as RequestInit), redirect: "manual" };
  if (signals.length > 0)
    request.signal = signals.length === 1 ? (signals[0] as AbortSignal) : AbortSignal.any(signals);
  let url = parseAddress(String(address));
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await send(url, request, options);
    const target = options.follow === false ? null : redirectOf(response, url);
    if (!target) return at(url, limited(response, options.maxBytes ?? DEFAULT_BYTES));
    await response.body?.cancel();
    checkRedirect(url, target, options);
    request = afterRedirect(response.status, request);
    url = target;
  }
  throw refused(`"${bareHost(url)}" redirects without end.`);
}

async function send(url: URL, request: RequestInit, options: GuardOptions): Promise<UndiciResponse> {
  if (isAllowed(url, options.allowHosts)) return undiciFetch(url, { ...request, dispatcher: openAgent });
  checkLiteral(url);
  try {
    return await undiciFetch(url, { ...request, dispatcher: agentFor(options) });
  } catch (error) {
    for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof AppError) throw at;
    throw error;
  }
}

function redirectOf(response: UndiciResponse, url: URL): URL | null {
  const location = response.headers.get("location");
  if (![301, 302, 303, 307, 308].includes(response.status) || !location) return null;
  if (!URL.canParse(location, url)) throw refused(`"${bareHost(url)}" redirects to something that is no address.`);
  return parseUrl(new URL(location, url).href);
}

/** The same host and port, or the same host from http to https on their usual ports. */
function checkRedirect(from: URL, to: URL, { mayFollow = () => true }: FetchLimits): void {
  const upgraded = from.protocol === "http:" && to.protocol === "https:" && from.port === "" && to.port === "";
  if (from.hostname === to.hostname && (from.origin === to.origin || upgraded) && mayFollow(to)) return;
  throw new RedirectElsewhere(from, to);
}

/** `limited` makes a response anew, which then has lost where it came from. */
const at = (url: URL, response: Response): Response => Object.defineProperty(response, "url", { value: url.href });

/** RFC 9110, 15.4: 303 always becomes GET, 301 and 302 do so for POST. */
function afterRedirect(status: number, request: RequestInit): RequestInit {
  const method = (request.method ?? "GET").toUpperCase();
  if (status >= 307 || method === "GET" || method === "HEAD" || (status !== 303 && method !== "POST")) return request;
  const { body: _body, ...rest } = request;
  return { ...rest, method: "GET" };
}

function limited(response: UndiciResponse, maxBytes: number): Response {
  const tooLarge = () => refused(`The answer of this address is larger than ${Math.ceil(maxBytes / 1e6)} MB.`);
  if (Number(response.headers.get("content-length") ?? 0) > maxBytes) {
    response.body?.cancel().catch(() => {
      // We hang up on an answer that is refused anyway.
    });
    throw tooLarge();
  }
  if (!response.body) return response as unknown as Response;
  let bytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) controller.error(tooLarge());
        else controller.enqueue(chunk);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new UndiciResponse(counted, { status, statusText, headers }) as unknown as Response;
}
