/**
 * The patterns of boundaries. `*` stands for any characters; nothing else is special, and case does not count. Pure.
 *
 * - addresses: a host (`example.org`, `*.example.org`), with a port where it is not the usual one (without a port, `refuse` means all of them), or an address with a path (`https://example.org/docs/*`). Without `*`
 *   a path also stands for what is below it;
 * - rooms: id, alias or name; folders: a path, which stands for what is below it too; recipients: an address or `*@example.org`; agents: the name.
 */
import { domainToASCII } from "node:url";
import type { Target } from "./tool.ts";

export function matches(pattern: string, target: Aimed, side: "allow" | "refuse" = "allow"): boolean {
  const wanted = pattern.trim().toLowerCase();
  switch (target.kind) {
    case "address":
      return matchesAddress(wanted, target.value, side);
    case "folder":
      return matchesPath(wanted.replace(/^\/+|\/+$/g, ""), target.value.toLowerCase());
    default:
      return [target.value, target.id].some((value) => value !== undefined && like(wanted, value.toLowerCase()));
  }
}

/** A room has a name and an id, and may be meant by either. */
export type Aimed = Target & { id?: string };

function matchesAddress(pattern: string, address: string, side: "allow" | "refuse"): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  const { scheme, host, path } = partsOf(pattern);
  // Servers lead from http to https: who allowed the one meant the other too.
  const upgraded = side === "allow" && scheme === "http" && url.protocol === "https:";
  if (scheme && !upgraded && !like(scheme, url.protocol.slice(0, -1))) return false;
  const named = host.includes(":");
  // Who is refused is refused on every port; who is allowed, on the usual one.
  if (!named && url.port !== "" && side === "allow") return false;
  const hostname = url.hostname.replace(/\.$/, "");
  const own = named ? hostname + url.host.slice(url.hostname.length) : hostname;
  if (!like(host, own)) return false;
  return path === "" || matchesPath(path, plainPath(url).toLowerCase());
}

/** Names in other letters as addresses have them. */
function partsOf(pattern: string): { scheme: string; host: string; path: string } {
  const [scheme, rest] = pattern.includes("://") ? split(pattern, "://") : ["", pattern];
  const [written, path] = split(rest, "/");
  const ascii = /[^ -~]/.test(written) ? domainToASCII(written) : "";
  return { scheme, host: ascii || written, path };
}

/** Letters that are written as %41 are the same letters (RFC 3986, 6.2.2.2), and `//` leads where `/` does on most servers. */
const plainPath = ({ pathname, search }: URL): string =>
  (pathname.replaceAll(/\/{2,}/g, "/") + search)
    .slice(1)
    .replaceAll(/%(?:[46][1-9a-f]|[57][0-9a]|3\d|2[de]|5f|7e)/gi, (sign) => {
      const letter = String.fromCharCode(Number.parseInt(sign.slice(1), 16));
      return /[\w.~-]/.test(letter) ? letter : sign;
    });

function matchesPath(pattern: string, path: string): boolean {
  if (pattern.includes("*")) return like(pattern, path);
  const folder = pattern.replace(/\/+$/, "");
  return folder === "" || path === folder || path.startsWith(`${folder}/`) || path.startsWith(`${folder}?`);
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ""] : [text.slice(0, index), text.slice(index + at.length)];
}

/** `*` matches greedily part by part: no backtracking, whatever the pattern. */
export function like(pattern: string, value: string): boolean {
  const parts = pattern.split("*");
  if (parts.length === 1) return pattern === value;
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false;
  let at = first.length;
  const end = value.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const found = value.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
