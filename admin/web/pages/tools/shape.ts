/** How the value of an argument is shown, so that no two values look alike. Pure. */
import { isProse } from "../../parts/signs.ts";

export type Shape =
  | { as: "word"; word: string; kind: "number" | "boolean" | "null" }
  /** `kind`: said beside it where it could be taken for something else. */
  | { as: "text"; text: string; code: boolean; kind: "empty" | "text" | null }
  | { as: "list"; items: Shape[] }
  | { as: "code"; value: unknown }
  /** Taken out, because it looks like a secret. */
  | { as: "removed" };

/** As the API writes what it took out. */
export const REMOVED = "[removed]";

/** `exact`: nothing was taken out of it. */
export function shapeOf(value: unknown, exact: boolean): Shape {
  if (typeof value === "number" || typeof value === "boolean" || value === null)
    return { as: "word", word: String(value), kind: value === null ? "null" : (typeof value as "number" | "boolean") };
  if (typeof value === "string") return !exact && value === REMOVED ? { as: "removed" } : textShape(value);
  if (Array.isArray(value) && value.length > 0 && value.every(isSimple))
    return { as: "list", items: value.map((item) => shapeOf(item, exact)) };
  return { as: "code", value };
}

const isSimple = (item: unknown) => typeof item !== "object" || item === null;

function textShape(text: string): Shape {
  const kind = text === "" ? "empty" : READS_OTHERWISE.test(text) ? "text" : null;
  return { as: "text", text, code: !isProse(text), kind };
}

/** Numbers, the words for yes, no and nothing, and what we write ourselves. */
const READS_OTHERWISE =
  /^\s*(?:[-+]?[\d.,]+(?:e[-+]?\d+)?|true|false|null|undefined|yes|no|nothing|none|empty( text)?|\[removed\]|[[{].*[\]}])\s*$/is;

/** Beyond this it has a frame of its own, in which it is scrolled. */
const MOST_SIGNS = 800;
const MOST_LINES = 14;

/** How much it is, when it is more than is seen at once. */
export function sizeOf(text: string): { signs: number; lines: number } | null {
  const lines = text.split("\n").length;
  return text.length > MOST_SIGNS || lines > MOST_LINES ? { signs: text.length, lines } : null;
}

/** `every_minutes` as a word for people. */
export function wordOf(name: string): string {
  const words = name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .trim();
  return /^[\p{L}\p{N} ]+$/u.test(words) ? words.charAt(0).toUpperCase() + words.slice(1).toLowerCase() : name;
}
