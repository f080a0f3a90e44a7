import { Lexer, Marked } from "marked";
import sanitizeHtml from "sanitize-html";

/** What goes into an m.room.message: `html` is absent where it would say no more than the plain text. */
export interface Rendered {
  body: string;
  html: string | undefined;
}

const marked = new Marked({ gfm: true, breaks: true, async: false });

/**
 * Markdown to the HTML that Matrix clients show: only the tags and attributes that the specification allows
 * (client-server API, m.room.message msgtypes), no pictures from elsewhere, links to http(s), mailto and matrix only. Never throws, and takes a fraction of a second
 * for a message, whatever the text.
 */
export function renderMarkdown(text: string): Rendered {
  if (isTooHard(text)) return { body: text, html: undefined };
  const html = sanitizeHtml(marked.parse(text) as string, RULES).trim();
  const plain = html.replace(/^<p>([^<]*)<\/p>$/, "$1");
  return { body: text, html: plain.includes("<") ? html : undefined };
}

/** Of the signs of emphasis in one paragraph, and of letters in one word. */
const MOST_SIGNS = 1_000;
const LONG_WORD = /(?<![\w.+-])[\w.+-]{2000}/;
const DEEP = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))){50}/m;

/**
 * What marked takes seconds for, or runs out of stack on, is no text that somebody meant: quotations and lists fifty deep, a thousand signs of emphasis in
 * one paragraph, words of thousands of letters. It is said as it stands. In code they are nothing unusual, and cost nothing.
 */
function isTooHard(text: string): boolean {
  if (DEEP.test(text)) return true;
  if (!isCostly(text)) return false;
  const lexer = new Lexer({ gfm: true, breaks: true });
  lexer.blockTokens(text.replaceAll(/\r\n?/g, "\n"), []);
  return lexer.inlineQueue.some(({ src }) => isCostly(src));
}

const isCostly = (text: string): boolean => LONG_WORD.test(text) || (text.match(/[*_~]/g)?.length ?? 0) > MOST_SIGNS;

const RULES: sanitizeHtml.IOptions = {
  allowedTags: (
    "del h1 h2 h3 h4 h5 h6 blockquote p a ul ol sup sub li b i u strong em s code hr br div table thead tbody tr th td " +
    "caption pre span details summary"
  ).split(" "),
  allowedAttributes: { a: ["href"], ol: ["start"], code: ["class"], span: ["data-mx-spoiler"] },
  allowedClasses: { code: ["language-*"] },
  allowedSchemes: ["http", "https", "mailto", "matrix"],
  allowProtocolRelative: false,
  nestingLimit: 60,
  disallowedTagsMode: "discard",
  // A picture from elsewhere would tell its server who reads: what is left of it is a link.
  transformTags: {
    img: (_tag, { src, alt }) => ({ tagName: "a", attribs: { href: src ?? "" }, text: alt || src || "picture" }),
  },
};
