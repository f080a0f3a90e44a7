/**
 * The patterns of boundaries. `*` stands for any characters; nothing else is special. Case does not count, nor how letters are put together (NFC). Pure.
 *
 * - addresses: a host (`example.org`, `*.example.org`), with a port where it is not the usual one (without a port, `refuse` means all of them), or an address with a path (`https://example.org/docs/*`). Without `*`
 *   a path also stands for what is below it;
 * - rooms: id, alias or name; folders: a path, which stands for what is below it too; recipients: an address or `*@example.org`; agents: the name.
 */
import { domainToASCII } from "node:url";
import type { Target } from "./tool.ts";

export function matches(pattern: string, target: Aimed, side: "allow" | "refuse" = "allow"): boolean {
  const wanted = plain(pattern.trim());
  switch (target.kind) {
    case "address":
      return matchesAddress(wanted, target.value, side);
    case "folder":
      return matchesPath(wanted.replace(/^\/+|\/+$/g, ""), plain(target.value));
    case "recipient":
      return like(recipientOf(wanted), plain(target.value));
    default:
      return [target.value, target.id].some((value) => value !== undefined && like(wanted, plain(value)));
  }
}

const plain = (text: string): string => text.normalize("NFC").toLowerCase();

/** Its domain in the letters in which addresses are used. */
function recipientOf(pattern: string): string {
  const at = pattern.lastIndexOf("@");
  return at < 0 ? pattern : pattern.slice(0, at + 1) + asciiOf(pattern.slice(at + 1));
}

const asciiOf = (domain: string): string => (/[^ -~]/.test(domain) ? domainToASCII(domain) : "") || domain;

/** A room has a name and an id, and may be meant by either. */
export type Aimed = Target & { id?: string };

function matchesAddress(pattern: string, address: string, side: "allow" | "refuse"): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  const { scheme, host, port, path } = partsOf(pattern);
  // Servers lead from http to https: who allowed the one meant the other too.
  const upgraded = side === "allow" && scheme === "http" && url.protocol === "https:";
  if (scheme && !upgraded && !like(scheme, url.protocol.slice(0, -1))) return false;
  // Who is refused is refused on every port; who is allowed, on the usual one.
  if (port === "" && url.port !== "" && side === "allow") return false;
  if (port !== "" && !like(port, url.port || USUAL_PORTS[url.protocol] || "")) return false;
  if (!like(host, url.hostname.replace(/\.$/, ""))) return false;
  return path === "" || matchesPath(path, plainPath(url).toLowerCase());
}

const USUAL_PORTS: Record<string, string> = { "https:": "443", "http:": "80" };

/** Hosts as addresses have them: names in other letters in ASCII, IPv6 in its short form. */
function partsOf(pattern: string): { scheme: string; host: string; port: string; path: string } {
  const [scheme, rest] = pattern.includes("://") ? split(pattern, "://") : ["", pattern];
  const [written, path] = split(rest, "/");
  const [, name = written, port = ""] = /^(\[[^\]]*\]|[^:]*)(?::([\d*]+))?$/.exec(written) ?? [];
  const literal = name.startsWith("[") && URL.canParse(`http://${name}`) ? new URL(`http://${name}`).hostname : null;
  return { scheme, host: literal ?? asciiOf(name).replace(/\.$/, ""), port, path };
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
