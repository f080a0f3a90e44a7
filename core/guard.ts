import { lookup as systemLookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { Agent, type RequestInit, Response as UndiciResponse, fetch as undiciFetch } from "undici";
import { AppError } from "./errors.ts";

/** One address of a host. */
export interface Address {
  address: string;
  family: 4 | 6;
}

export interface GuardOptions {
  /** Hosts that the operator allowed wherever they lead: `host` or `host:port`, as they stand in an address. */
  allowHosts?: readonly string[] | undefined;
  /** Resolves a name to all its addresses; the system's resolver when not set. */
  lookup?: ((host: string) => Promise<Address[]>) | undefined;
}

export interface FetchLimits {
  /** Largest body, after decompression; 10 MB when not set. */
  maxBytes?: number | undefined;
  /** For everything, to the last byte; 30 s when not set, 0 for no limit. */
  timeoutMs?: number | undefined;
}

const MAX_REDIRECTS = 5;
const DEFAULT_BYTES = 10_000_000;
const DEFAULT_MS = 30_000;

/** Who calls limits the time; an idle connection is kept for 15 s, which spares most calls a new one. */
const KEPT = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 15_000 };

/** Public addresses of Azure's and others' metadata services, and blocks that carry an IPv4 address in an IPv6 one. */
const FORBIDDEN_BLOCKS: [string, string][] = [
  ["168.63.129.16/32", "a metadata service"],
  ["64:ff9b::/96", "an IPv4 address in an IPv6 one"],
  ["64:ff9b:1::/48", "an IPv4 address in an IPv6 one"],
  ["2002::/16", "an IPv4 address in an IPv6 one"],
  ["2001::/32", "an IPv4 address in an IPv6 one"],
  ["::/96", "an IPv4 address in an IPv6 one"],
  ["3fff::/20", "a reserved address"],
];
const BLOCKS = FORBIDDEN_BLOCKS.map(([block, what]) => ({ block: ipaddr.parseCIDR(block), what }));
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");

/**
 * Why an IP address must not be reached on behalf of somebody who typed it; null when it may. Only global unicast
 * addresses may (IANA's special-purpose registries, RFC 6890).
 */
export function forbiddenAddress(text: string): string | null {
  if (!ipaddr.isValid(text)) return "no address";
  const address = ipaddr.parse(text);
  for (const { block, what } of BLOCKS)
    if (block[0].kind() === address.kind() && address.match(block))
      return address.range() === "loopback" ? "loopback" : what;
  const range = address.range();
  if (range !== "unicast") return RANGES[range] ?? "a reserved address";
  if (address.kind() === "ipv6" && !address.match(GLOBAL_IPV6)) return "a reserved address";
  return null;
}

const RANGES: Record<string, string> = {
  loopback: "this machine itself",
  private: "a private network",
  uniqueLocal: "a private network",
  linkLocal: "a link-local address, as metadata services have",
  carrierGradeNat: "a provider's inner network",
  multicast: "a multicast address",
  broadcast: "a broadcast address",
  unspecified: "this machine itself",
  ipv4Mapped: "an IPv4 address in an IPv6 one",
};

const refused = (sentence: string, cause?: unknown) => new AppError("address_refused", sentence, { cause });

/**
 * Checks an address that somebody typed, before it is kept: what it is made of, and where its name leads now. The check
 * that counts is made again for each connection. Throws `address_refused`.
 */
export async function checkAddress(text: string, options: GuardOptions = {}): Promise<URL> {
  const url = parseAddress(text);
  if (isAllowed(url, options.allowHosts)) return url;
  checkLiteral(url);
  const host = bareHost(url);
  if (ipaddr.isValid(host)) return url;
  let addresses: Address[];
  try {
    addresses = await (options.lookup ?? resolveAll)(host);
  } catch (cause) {
    throw refused(`There is no host "${host}" that can be found. Check the address.`, cause);
  }
  checkResolved(host, addresses);
  return url;
}

/** The parts of an address that need no resolver. Throws `address_refused`. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw refused("An address must begin with http:// or https://.");
  if (url.username || url.password) throw refused("An address must not hold a user name or password.");
  return url;
}

function parseAddress(text: string): URL {
  const url = parseUrl(text);
  const host = bareHost(url);
  // 2130706433, 0x7f.1, 0177.0.0.1 and full-width digits are all turned into 127.0.0.1 by the URL parser. Nobody writes a
  // public address so; who does means to get past a filter.
  if (ipaddr.IPv4.isValid(host) && !text.toLowerCase().includes(host))
    throw refused(`Write the host of this address as plain numbers (${host}) or as a name.`);
  return url;
}

/** Refuses an IP address in the URL itself; names are checked when they are resolved. */
function checkLiteral(url: URL): void {
  const host = bareHost(url);
  const why = ipaddr.isValid(host) ? forbiddenAddress(host) : isLocalName(host) ? "this machine itself" : null;
  if (why) throw refusedHost(host, why);
}

const isLocalName = (host: string) => /(^|\.)localhost\.?$/.test(host);

const refusedHost = (host: string, why: string) =>
  refused(`"${host}" leads to ${why}, which may not be reached from here unless the operator allows that host.`);

/** One bad address among good ones is refused too: which of them is used is not ours to say. */
function checkResolved(host: string, addresses: readonly Address[]): void {
  if (addresses.length === 0) throw refused(`There is no host "${host}" that can be found. Check the address.`);
  for (const { address } of addresses) {
    const why = forbiddenAddress(address);
    if (why) throw refusedHost(host, why);
  }
}

const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, "");

function isAllowed(url: URL, allowHosts: readonly string[] | undefined): boolean {
  const names = [url.host, url.hostname, `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`];
  return allowHosts?.some((allowed) => names.includes(allowed.toLowerCase())) ?? false;
}

const resolveAll = async (host: string): Promise<Address[]> =>
  (await systemLookup(host, { all: true })) as unknown as Address[];

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
 * redirects within the same host only, bounded in size and time. Throws `address_refused`, or what fetch throws.
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
    const target = redirectOf(response, url);
    if (!target) return limited(response, options.maxBytes ?? DEFAULT_BYTES);
    await response.body?.cancel();
    checkRedirect(url, target);
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
function checkRedirect(from: URL, to: URL): void {
  const upgraded = from.protocol === "http:" && to.protocol === "https:" && from.port === "" && to.port === "";
  if (from.hostname === to.hostname && (from.origin === to.origin || upgraded)) return;
  throw refused(
    `"${bareHost(from)}" redirects to another place, "${to.host}", which is not followed. Use that address itself.`,
  );
}

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
    response.body?.cancel().catch(() => undefined);
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
