import { lookup as systemLookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";
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

export const refused = (sentence: string, cause?: unknown) => new AppError("address_refused", sentence, { cause });

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
export function parseUrl(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw refused("An address must begin with http:// or https://.");
  if (url.username || url.password) throw refused("An address must not hold a user name or password.");
  return url;
}

export function parseAddress(text: string): URL {
  const url = parseUrl(text);
  const host = bareHost(url);
  // 2130706433, 0x7f.1, 0177.0.0.1 and full-width digits are all turned into 127.0.0.1 by the URL parser. Nobody writes a
  // public address so; who does means to get past a filter.
  if (ipaddr.IPv4.isValid(host) && !text.toLowerCase().includes(host))
    throw refused(`Write the host of this address as plain numbers (${host}) or as a name.`);
  return url;
}

/** Refuses an IP address in the URL itself; names are checked when they are resolved. */
export function checkLiteral(url: URL): void {
  const host = bareHost(url);
  const why = ipaddr.isValid(host) ? forbiddenAddress(host) : isLocalName(host) ? "this machine itself" : null;
  if (why) throw refusedHost(host, why);
}

const isLocalName = (host: string) => /(^|\.)localhost\.?$/.test(host);

/** Whoever reads it may be the operator or somebody of a client: the setting stands there for the one, whom to ask for the other. */
const refusedHost = (host: string, why: string) =>
  refused(
    `"${host}" leads to ${why}, which may not be reached from here. If that is meant, ask whoever runs the platform to allow it ` +
      `(they name ${ipaddr.IPv6.isValid(host) ? `[${host}]` : host} in AGENTOPIA_ALLOW_HOSTS and start the platform anew).`,
  );

/** One bad address among good ones is refused too: which of them is used is not ours to say. */
export function checkResolved(host: string, addresses: readonly Address[]): void {
  if (addresses.length === 0) throw refused(`There is no host "${host}" that can be found. Check the address.`);
  for (const { address } of addresses) {
    const why = forbiddenAddress(address);
    if (why) throw refusedHost(host, why);
  }
}

export const bareHost = (url: URL) => url.hostname.replace(/^\[|\]$/g, "");

export function isAllowed(url: URL, allowHosts: readonly string[] | undefined): boolean {
  const names = [url.host, url.hostname, `${url.hostname}:${url.port || (url.protocol === "https:" ? 443 : 80)}`];
  return allowHosts?.some((allowed) => names.includes(allowed.toLowerCase())) ?? false;
}

export const resolveAll = async (host: string): Promise<Address[]> =>
  (await systemLookup(host, { all: true })) as unknown as Address[];
