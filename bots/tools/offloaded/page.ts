/** A page as text: what Readability takes for its article, else all of it. Scripts never run, nothing is fetched. */
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom";
import { decodeText } from "../decode.ts";
import { oneLine } from "../one-line.ts";
import { type PageNode, pageText } from "./page-text.ts";
import { scanPage } from "./scan-page.ts";

interface Given {
  bytes: Uint8Array;
  contentType: string;
  url: string;
  whole: boolean;
}

/** Of more, and of what is nested deeper, no tree is made: it would take long, and memory many times the page's. */
const MOST_TAGS = 60_000;
const MOST_OPEN = 1_000;
/** They have no end tag. */
const UNENDED = /<\/?(?:[!?]|(?:area|br|col|hr|img|input|link|meta|source|wbr)\b)/iy;
/** A tag with very many attributes; a long one with few carries a picture. */
const LONG_TAG = 20_000;
const MOST_WORDS = 2_000;
/** Readability's time grows faster than the page. */
const MOST_ELEMENTS = 15_000;
/** An article that is less than this share of its page is rather a part of a list. */
const LEAST_SHARE = 0.2;

interface Page {
  title: string;
  text: string;
}

interface PageDocument extends PageNode {
  body: PageNode | null;
  documentElement: PageNode;
  querySelector(selector: string): (PageNode & { textContent: string }) | null;
  getElementsByTagName(name: string): { length: number };
}

export async function run({ bytes, contentType, url, whole }: Given): Promise<Page> {
  const html = decodeText(bytes, contentType, true);
  const page = isLarge(html) ? scanPage(html, url) : readTree(html, url, whole);
  return { ...page, title: oneLine(page.title, 200) };
}

function isLarge(html: string): boolean {
  let tags = 0;
  let open = 0;
  let end = 0;
  for (let at = html.indexOf("<"); at >= 0; at = html.indexOf("<", at + 1)) {
    UNENDED.lastIndex = at;
    if (!UNENDED.test(html)) open = Math.max(0, open + (html[at + 1] === "/" ? -1 : 1));
    if (++tags > MOST_TAGS || open > MOST_OPEN) return true;
    if (end >= at) continue;
    end = html.indexOf(">", at);
    if (end < 0) end = html.length;
    if (end - at > LONG_TAG && html.slice(at, end).split(/\s+/, MOST_WORDS).length === MOST_WORDS) return true;
  }
  return false;
}

function readTree(html: string, url: string, whole: boolean): Page {
  try {
    return readDocument(parse(html), url, whole);
  } catch (error) {
    if (error instanceof RangeError) return scanPage(html, url);
    throw error;
  }
}

function readDocument(document: PageDocument, url: string, whole: boolean): Page {
  const base = baseOf(document, url);
  const all = pageText(document.body ?? document.documentElement, base);
  const named = document.querySelector("title")?.textContent.trim();
  const article = whole ? null : readArticle(document, base);
  const heading = /^#+ (.*)$/m.exec(all)?.[1];
  const text = article && article.text.length >= all.length * LEAST_SHARE ? article.text : all;
  return { title: named || article?.title || heading || "", text };
}

/** linkedom takes the first element for the root: a page that begins without one gets it. */
function parse(html: string): PageDocument {
  const complete = /<(html|body)[\s>]/i.test(html.slice(0, 10_000));
  const text = complete ? html : `<!doctype html><html><body>${html}</body></html>`;
  return parseHTML(text).document as unknown as PageDocument;
}

function baseOf(document: PageDocument, url: string): string {
  const href = document.querySelector("base[href]")?.getAttribute("href");
  return href && URL.canParse(href, url) ? new URL(href, url).href : url;
}

function readArticle(document: PageDocument, base: string): Page | null {
  if (document.getElementsByTagName("*").length > MOST_ELEMENTS) return null;
  try {
    const article = new Readability<PageNode>(document as never, {
      serializer: (node) => node as unknown as PageNode,
    }).parse();
    return article?.content ? { title: article.title ?? "", text: pageText(article.content, base) } : null;
  } catch {
    // It knows pages as browsers mend them; of others there is the whole text.
    return null;
  }
}
