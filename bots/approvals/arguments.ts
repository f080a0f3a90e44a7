/** The arguments of a call as people read them before they decide: all of them, exactly, and nothing in them can pretend to be anything else. Pure. */
import { visible } from "../tools/visible.ts";

/** How a text that somebody else wrote stands in a message, on one line: as it is where it is plain, quoted in Markdown. */
export type Quote = (text: string) => string;

const ONE_LINE = 200;

/** One part for each argument: short ones beside their name, prose and lists as a quotation, all else as it would be in code. */
export function argumentsText(args: Record<string, unknown> | null, quote: Quote): string {
  const parts = Object.entries(args ?? {}).map(([name, value]) => argument(`**${quote(name)}:**`, value, quote));
  return parts.length > 0 ? parts.join("\n\n") : "Without arguments.";
}

function argument(name: string, value: unknown, quote: Quote): string {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return `${name} ${value}`;
  if (typeof value === "string") return value === "" ? `${name} (empty)` : text(name, value, quote);
  if (Array.isArray(value) && value.length > 0 && value.every((item) => isSimple(item)))
    return `${name}\n${value.map((item) => `- ${typeof item === "string" ? line(item, quote) : item}`).join("\n")}`;
  return `${name}\n\n${fenced("json", JSON.stringify(value, null, 2))}`;
}

const isSimple = (item: unknown) =>
  typeof item === "number" ||
  typeof item === "boolean" ||
  (typeof item === "string" && item !== "" && isProse(item) && isShort(item));

const isShort = (value: string) => value.length <= ONE_LINE && !value.includes("\n");

/** Nothing of it is lost where white space does not count. */
const isProse = (value: string) => !/[^\S\n]{2}|\t|\r|^\s|\s$|\n[^\S\n]|[^\S\n]\n|\n{3}/.test(value);

function text(name: string, value: string, quote: Quote): string {
  if (!isProse(value)) return `${name}\n\n${fenced("", value)}`;
  if (isShort(value)) return `${name} ${line(value, quote)}`;
  return `${name}\n${value
    .split("\n")
    .map((line) => `> ${quote(line)}`.trimEnd())
    .join("\n")}`;
}

/** A text that reads like a number, a truth value or nothing says that it is a text. */
const line = (value: string, quote: Quote) =>
  /^(?:true|false|null|\(empty\))$/.test(value) || !Number.isNaN(Number(value)) ? `“${quote(value)}”` : quote(value);

function fenced(language: string, value: string): string {
  const shown = near(value.replaceAll("\r\n", "\n")).split("\t").map(visible).join("\t");
  // Longer than any fence in it.
  const longest = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${shown}\n${fence}`;
}

/** Nothing is pushed out of sight by white space: lots of it are counted instead. */
const near = (text: string): string =>
  text
    .replaceAll(/[^\S\n]{40,}/g, (space) => ` [${space.length} spaces] `)
    .replaceAll(/\n(?:[^\S\n]*\n){5,}/g, (lines) => `\n[${lines.split("\n").length - 2} empty lines]\n`);
