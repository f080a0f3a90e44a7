/**
 * Cuts a long markdown text into parts of at most `maxBytes` UTF-8 bytes: at a blank line if there is one in the second half, else at a
 * line end, else at a space, else anywhere between characters. A code block that is cut is closed and opened again. A part that has
 * something behind it stays as it is when text is appended.
 */
export function splitMarkdown(text: string, maxBytes: number): string[] {
  const parts: string[] = [];
  let rest = text;
  let fence = "";
  while (Buffer.byteLength(fence + rest) > maxBytes) {
    const room = maxBytes - Buffer.byteLength(fence) - FENCE_ROOM;
    const cut = cutAt(rest, prefixOf(rest, Math.max(room, 16)));
    const part = fence + rest.slice(0, cut);
    fence = openFence(part);
    parts.push(fence ? `${part.trimEnd()}\n\`\`\`` : part.trimEnd());
    rest = rest.slice(cut).replace(/^\n+/, "");
  }
  if (rest.trim() || parts.length === 0) parts.push(fence + rest);
  return parts;
}

/** For "\n```" at the end of a cut code block. */
const FENCE_ROOM = 8;

/** Length in UTF-16 units of the longest prefix of `text` that has at most `bytes` UTF-8 bytes and ends between characters. */
function prefixOf(text: string, bytes: number): number {
  const slice = Buffer.from(text.slice(0, bytes)).subarray(0, bytes).toString("utf8");
  return slice.replace(/\uFFFD+$/, "").length || 1;
}

function cutAt(text: string, limit: number): number {
  for (const mark of ["\n\n", "\n", " "]) {
    const at = text.lastIndexOf(mark, limit - mark.length);
    if (at > limit / 2) return at + mark.length;
  }
  return limit;
}

/** The line that opened the code block in which `text` ends, with its line end; "" outside of one. */
function openFence(text: string): string {
  let open = "";
  for (const line of text.split("\n")) {
    if (!/^ {0,3}```/.test(line)) continue;
    open = open ? "" : `${line.trim()}\n`;
  }
  return open;
}
