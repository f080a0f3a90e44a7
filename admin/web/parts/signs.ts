/** Texts that others wrote, as people can check them: what cannot be seen is found, so that it can be drawn. Pure. */

/** Signs that stand for themselves, and what has to be drawn in their place. */
export type Part = { text: string } | { sign: Sign; text: string };

export type Sign =
  /** Has no look of its own, or turns what is around it. */
  | { kind: "hidden"; code: string }
  /** A space where nobody sees it: at the end of a line, or beside others. */
  | { kind: "space" }
  /** A new line at the end of everything. */
  | { kind: "line" }
  /** So many that what follows would be out of sight. */
  | { kind: "spaces" | "lines"; count: number };

const HIDDEN = String.raw`[^\S \n]|[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]`;
const hidden = new RegExp(`(?!\\n)(?:${HIDDEN})`, "u");
const FAR_SPACES = 40;
const FAR_LINES = 7;

/** Empty lines and spaces in masses, spaces at an end, new lines at the very end, signs without a look. */
const anywhere = new RegExp(`\\n{${FAR_LINES},}| {${FAR_SPACES},}| +(?=\\n|$)|\\n+$|(?!\\n)(?:${HIDDEN})`, "gu");
/** On one line, spaces at its beginning and beside one another as well: no column shows them. */
const onOneLine = new RegExp(`^ +| {2,}|${anywhere.source}`, "gu");

/** What a text is made of. All its parts together are the text, and no other text is made of the same. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const match of text.matchAll(text.includes("\n") ? anywhere : onOneLine)) {
    const [found] = match;
    if (isAtHome(found, text, match.index)) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push(...signsOf(found));
    from = match.index + found.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function signsOf(found: string): Part[] {
  if (found.startsWith(" ") && found.length >= FAR_SPACES)
    return [{ sign: { kind: "spaces", count: found.length }, text: found }];
  if (found.startsWith("\n") && found.length >= FAR_LINES)
    return [{ sign: { kind: "lines", count: found.length - 1 }, text: found }];
  if (found.startsWith(" ")) return Array.from(found, (text) => ({ sign: { kind: "space" }, text }));
  if (found.startsWith("\n")) return Array.from(found, (text) => ({ sign: { kind: "line" }, text }));
  return [{ sign: { kind: "hidden", code: codeOf(found) }, text: found }];
}

const codeOf = (sign: string) => `U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Joiners within words of scripts that need them, and what makes emojis: they are seen by what they do. */
function isAtHome(sign: string, text: string, at: number): boolean {
  if (!["\u200c", "\u200d", "\ufe0f"].includes(sign)) return false;
  const before = text.slice(Math.max(0, at - 2), at);
  const after = text.slice(at + 1, at + 3);
  if (sign === "\ufe0f") return /\p{Extended_Pictographic}$/u.test(before) || after.startsWith("\u20e3");
  if (/(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u.test(before))
    return /^\p{Extended_Pictographic}/u.test(after) && sign === "\u200d";
  return JOINED_BEFORE.test(before) && JOINED_AFTER.test(after);
}

const JOINED = String.raw`(?:(?![\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])[\p{L}\p{M}])`;
const JOINED_BEFORE = new RegExp(`${JOINED}$`, "u");
const JOINED_AFTER = new RegExp(`^${JOINED}`, "u");

/** Nothing of it is lost, or hard to see, where white space does not count: it reads as prose. */
export const isProse = (text: string): boolean => !/ {2}|[^\S \n]|^\s|\s$|\n | \n|\n{3}/.test(text);

/** JSON that reads back as the same value, with every sign that cannot be seen by its number. */
export const exactJson = (value: unknown): string =>
  JSON.stringify(value, null, 2).replaceAll(new RegExp(hidden.source, "gu"), (sign) =>
    Array.from({ length: sign.length }, (_, n) => `\\u${sign.charCodeAt(n).toString(16).padStart(4, "0")}`).join(""),
  );
