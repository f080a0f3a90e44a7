import { Marked } from "marked";
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
 * whatever the text.
 */
export function renderMarkdown(text: string): Rendered {
  if (isTooHard(text)) return { body: text, html: undefined };
  const html = sanitizeHtml(marked.parse(text) as string, RULES).trim();
  const plain = html.replace(/^<p>([^<]*)<\/p>$/, "$1");
  return { body: text, html: plain.includes("<") ? html : undefined };
}

const MOST_SIGNS = 2_000;

/**
 * What marked takes seconds for, or runs out of stack on, is no text that somebody meant: quotations and lists a hundred deep, thousands of signs of emphasis
 * in one paragraph, words of thousands of letters. It is said as it stands.
 */
const isTooHard = (text: string): boolean =>
  /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))){100}/m.test(text) ||
  /[\w.+-]{4000}/.test(text) ||
  text.split(/\n[ \t]*\n/).some((block) => (block.match(/[*_~]/g)?.length ?? 0) > MOST_SIGNS);

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
