/** The text of a page whose tree would be too large: once through its tags, in a time that grows as the page does. */
import { BLOCKS, LEFT_OUT, linkText, tidied } from "./page-text.ts";

const NAMED: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  ndash: "–",
  mdash: "—",
  hellip: "…",
  copy: "©",
  euro: "€",
};
/** Of a tag, as much as is looked at. */
const MOST_OF_TAG = 4_000;

/** They are skipped up to their end tag. */
const ENDED = new Set([...LEFT_OUT, "title"]);
for (const name of ["input", "embed"]) ENDED.delete(name);

interface Scan {
  html: string;
  base: string;
  at: number;
  out: string[];
  link: { href: string; at: number } | null;
}

export function scanPage(html: string, base: string): { title: string; text: string } {
  const scan: Scan = { html, base, at: 0, out: [], link: null };
  while (scan.at < html.length) {
    const next = html.indexOf("<", scan.at);
    const text = html.slice(scan.at, next < 0 ? undefined : next);
    if (text !== "") scan.out.push(decodeEntities(text).replaceAll(/\s+/g, " "));
    if (next < 0) break;
    scan.at = next;
    readTag(scan);
  }
  const title = /<title[^>]{0,200}>([^<]{0,1000})/i.exec(html.slice(0, 200_000))?.[1] ?? "";
  return { title: decodeEntities(title), text: tidied(scan.out.join("")) };
}

function readTag(scan: Scan): void {
  const { html, at } = scan;
  if (html.startsWith("<!--", at)) {
    goPast(scan, "-->", at + 4);
    return;
  }
  const [, slash, word = ""] = /^<(\/?)([a-z][a-z0-9-]*)/i.exec(html.slice(at, at + 40)) ?? [];
  const name = word.toLowerCase();
  if (name === "" && !/[!?/]/.test(html[at + 1] ?? "")) {
    scan.out.push("<");
    scan.at = at + 1;
    return;
  }
  goPast(scan, ">", at);
  if (!slash && ENDED.has(name)) skip(scan, name);
  else if (name === "a") readLink(scan, slash === "/", html.slice(at, Math.min(scan.at, at + MOST_OF_TAG)));
  else scan.out.push(marks(name, slash === "/"));
}

/** What stands for the tag in a text. */
function marks(name: string, closes: boolean): string {
  if (name === "br" || name === "tr") return "\n";
  if (name === "li") return closes ? "" : "\n- ";
  if (name === "td" || name === "th") return closes ? " | " : "";
  if (/^h[1-6]$/.test(name) && !closes) return `\n\n${"#".repeat(Number(name[1]))} `;
  return BLOCKS.has(name) ? "\n\n" : "";
}

function goPast(scan: Scan, what: string, from: number): void {
  const end = scan.html.indexOf(what, from);
  scan.at = end < 0 ? scan.html.length : end + what.length;
}

/** To behind the end tag; what has none goes on to the end. */
function skip(scan: Scan, name: string): void {
  const end = new RegExp(`</${name}[^>]{0,100}>`, "gi");
  end.lastIndex = scan.at;
  scan.at = end.test(scan.html) ? end.lastIndex : scan.html.length;
}

function readLink(scan: Scan, closes: boolean, tag: string): void {
  const { link, out } = scan;
  if (link) out.push(linkText(out.splice(link.at).join(""), link.href, scan.base));
  scan.link = null;
  const [, , a, b, c] = /\shref\s*=\s*("([^"]*)"|'([^']*)'|([^\s>"']+))/i.exec(tag) ?? [];
  const href = a ?? b ?? c;
  if (!closes && href !== undefined) scan.link = { href: decodeEntities(href), at: out.length };
}

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));/gi, (all, decimal, hex, name) => {
    if (name) return NAMED[String(name).toLowerCase()] ?? all;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : "�";
  });
}
