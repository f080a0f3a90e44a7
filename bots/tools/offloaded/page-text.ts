/** A tree of HTML as text with headings, lists, tables, code and links as in Markdown. Pictures are named, not shown. No recursion: pages nest as they like. */

export const LEFT_OUT = new Set(
  "script style noscript template svg canvas iframe object embed audio video head select option button input textarea math".split(
    " ",
  ),
);
export const BLOCKS = new Set(
  "p div section article main header footer aside nav ul ol dl dt dd table form fieldset figure figcaption blockquote pre address details summary hr h1 h2 h3 h4 h5 h6 body tr li".split(
    " ",
  ),
);
const ELEMENT = 1;
const TEXT = 3;

/** What is used of a DOM, whose types would bring a browser's globals with them. */
export interface PageNode {
  nodeType: number;
  nodeValue: string | null;
  firstChild: PageNode | null;
  nextSibling: PageNode | null;
  parentNode: PageNode | null;
  /** Of elements. */
  localName: string;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}

interface Writing {
  out: string[];
  base: string;
  /** Where the text of the open link begins in `out`, and which element it is. */
  link: { element: PageNode; at: number } | null;
  pre: PageNode | null;
}

export function pageText(root: PageNode, base: string): string {
  const writing: Writing = { out: [], base, link: null, pre: null };
  let node: PageNode | null = root;
  while (node) {
    const inside: PageNode | null = enter(writing, node) ? node.firstChild : null;
    if (inside) {
      node = inside;
      continue;
    }
    while (node && node !== root && !node.nextSibling) {
      leave(writing, node);
      node = node.parentNode;
    }
    if (!node) break;
    leave(writing, node);
    node = node === root ? null : node.nextSibling;
  }
  return tidied(writing.out.join(""));
}

/** Whether to go into it. */
function enter(writing: Writing, element: PageNode): boolean {
  if (element.nodeType === TEXT) write(writing, element.nodeValue ?? "");
  if (element.nodeType !== ELEMENT) return false;
  const name = element.localName.toLowerCase();
  if (LEFT_OUT.has(name) || isHidden(element)) return false;
  const { out } = writing;
  if (BLOCKS.has(name)) out.push(name === "tr" || name === "li" ? "\n" : "\n\n");
  if (/^h[1-6]$/.test(name)) out.push(`${"#".repeat(Number(name[1]))} `);
  else if (name === "li") out.push("- ");
  else if (name === "br") out.push("\n");
  else if (name === "hr") out.push("---\n\n");
  else if (name === "img") write(writing, pictureName(element));
  else if (name === "pre" && !writing.pre) {
    out.push("```\n");
    writing.pre = element;
  } else if (name === "a" && !writing.link && element.hasAttribute("href")) writing.link = { element, at: out.length };
  return true;
}

function leave(writing: Writing, node: PageNode): void {
  if (node.nodeType !== ELEMENT) return;
  const { out, link } = writing;
  const name = node.localName.toLowerCase();
  if (link && link.element === node) closeLink(writing, link);
  if (writing.pre === node) {
    writing.pre = null;
    out.push("\n```");
  }
  if (name === "td" || name === "th") out.push(" | ");
  else if (BLOCKS.has(name) && name !== "tr" && name !== "li") out.push("\n\n");
}

function write({ out, pre }: Writing, text: string): void {
  out.push(pre ? text : text.replaceAll(/\s+/g, " "));
}

function closeLink(writing: Writing, { element, at }: { element: PageNode; at: number }): void {
  writing.link = null;
  const text = writing.out.splice(at).join("");
  writing.out.push(linkText(text, element.getAttribute("href") ?? "", writing.base));
}

/** `[text](address)`; only the text where it leads nowhere else. */
export function linkText(text: string, href: string, base: string): string {
  const words = text.replaceAll(/\s+/g, " ").trim();
  const url = URL.canParse(href, base) ? new URL(href, base) : null;
  const leads = url && /^(https?|mailto):$/.test(url.protocol) && !href.startsWith("#");
  return words === "" || !leads ? words : `[${words}](${url.href})`;
}

function pictureName(element: PageNode): string {
  const name = element.getAttribute("alt")?.trim();
  return name ? `(picture: ${name})` : "";
}

const isHidden = (element: PageNode): boolean =>
  element.hasAttribute("hidden") ||
  element.getAttribute("aria-hidden") === "true" ||
  /display\s*:\s*none|visibility\s*:\s*hidden/i.test(element.getAttribute("style") ?? "");

/** No spaces at ends of lines, no more than one empty line. */
export function tidied(text: string): string {
  const lines: string[] = [];
  let pre = false;
  for (const line of text.split("\n")) {
    if (line === "```") pre = !pre;
    const clean = pre ? line.trimEnd() : line.trim().replace(/( \|)+$/, "");
    if (clean !== "" || pre || (lines.length > 0 && lines.at(-1) !== "")) lines.push(clean);
  }
  return lines.join("\n").trim();
}
