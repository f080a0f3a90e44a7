/** The text of a PDF. */
import { getDocumentProxy } from "unpdf";
import { AppError } from "../../../core/errors.ts";
import { oneLine } from "../one-line.ts";

const MOST_PAGES = 2_000;
const MOST_CHARS = 4_000_000;

/** Its pages one after the other. Throws AppError for what is no PDF, has a password or holds no text. */
export async function run({ bytes }: { bytes: Uint8Array }): Promise<{ pages: number; title: string; text: string }> {
  const document = await open(bytes);
  const parts: string[] = [];
  let left = MOST_CHARS;
  for (let number = 1; number <= Math.min(document.numPages, MOST_PAGES) && left > 0; number++) {
    const text = await pageText(document, number);
    parts.push(text.slice(0, left));
    left -= text.length;
  }
  const text = parts.join("\n\n").trim();
  if (text === "")
    throw new AppError("invalid", "This PDF holds no text. Perhaps its pages are pictures, as scanners make them.");
  return { pages: document.numPages, title: await titleOf(document), text };
}

type Proxy = Awaited<ReturnType<typeof getDocumentProxy>>;

async function open(bytes: Uint8Array): Promise<Proxy> {
  try {
    return await getDocumentProxy(new Uint8Array(bytes), { useSystemFonts: false, verbosity: 0 });
  } catch (cause) {
    if (cause instanceof Error && cause.name === "PasswordException")
      throw new AppError("invalid", "This PDF can only be read with a password. Ask for a copy without one.", {
        cause,
      });
    throw new AppError("invalid", "This is no PDF that can be read: it is damaged, or something else.", { cause });
  }
}

/** A page that cannot be read does not take the others with it. */
async function pageText(document: Proxy, number: number): Promise<string> {
  try {
    const { items } = await (await document.getPage(number)).getTextContent();
    return items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join("");
  } catch {
    return `(Page ${number} cannot be read.)`;
  }
}

async function titleOf(document: Proxy): Promise<string> {
  try {
    const { info } = await document.getMetadata();
    return oneLine((info as { Title?: unknown }).Title, 200);
  } catch {
    return "";
  }
}
