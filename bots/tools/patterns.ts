/**
 * The patterns of boundaries. `*` stands for any characters; nothing else is special, and case does not count. Pure.
 *
 * - addresses: a host (`example.org`, `*.example.org`), with a port where it is not the usual one, or an address with a path (`https://example.org/docs/*`). Without `*`
 *   a path also stands for what is below it;
 * - rooms: id, alias or name; folders: a path, which stands for what is below it too; recipients: an address or `*@example.org`; agents: the name.
 */
import type { Target } from "./tool.ts";

export function matches(pattern: string, target: Target): boolean {
  switch (target.kind) {
    case "address":
      return matchesAddress(pattern.trim().toLowerCase(), target.value);
    case "folder":
      return matchesPath(
        pattern
          .trim()
          .toLowerCase()
          .replace(/^\/+|\/+$/g, ""),
        target.value.toLowerCase(),
      );
    default:
      return like(pattern.trim().toLowerCase(), target.value.toLowerCase());
  }
}

function matchesAddress(pattern: string, address: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  if (!pattern.includes("/"))
    return like(pattern, pattern.includes(":") ? url.host : url.hostname) && (pattern.includes(":") || url.port === "");
  const [scheme, rest] = pattern.includes("://") ? split(pattern, "://") : ["", pattern];
  if (scheme && !like(scheme, url.protocol.slice(0, -1))) return false;
  const [host, path] = split(rest, "/");
  if (!like(host, host.includes(":") ? url.host : url.hostname) || (url.port !== "" && !host.includes(":")))
    return false;
  return path === "" || matchesPath(path, (url.pathname + url.search).slice(1).toLowerCase());
}

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
