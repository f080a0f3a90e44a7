/** Fetch a page of the web as readable text. */
import { AppError } from "../../../core/errors.ts";
import { decodeText } from "../decode.ts";
import { offload } from "../offload.ts";
import { oneLine } from "../one-line.ts";
import { partOf } from "../part.ts";
import {
  addressOf,
  type Lookup,
  RedirectElsewhere,
  type Request,
  reach,
  readAll,
  redirected,
  shownAddress,
} from "../reach.ts";
import type { Tool, ToolResult, ToolRun } from "../tool.ts";

const MAX_BYTES = 5_000_000;
const TIMEOUT_MS = 20_000;

/** Servers that ask who comes get an answer, and give pages as browsers get them. */
const HEADERS = {
  "user-agent": "Mozilla/5.0 (compatible; Agentopia)",
  accept: "text/html,application/xhtml+xml,application/pdf;q=0.9,text/*;q=0.9,application/json;q=0.9,*/*;q=0.5",
};

/** The options are for tests. */
export const makeWebFetch = (options: Lookup & { timeoutMs?: number } = {}): Tool => ({
  name: "web_fetch",
  group: "web",
  title: "Read a page of the web",
  summary: "Reads a page of the web that is open to everybody.",
  description:
    "Fetches an address and returns its text: of a page what is worth reading, with its links as [text](address); of a PDF its text; plain text and " +
    'JSON as they are. It does not run scripts. A long one comes in parts: go on with the "from" that the answer names.',
  input: {
    type: "object",
    properties: {
      url: { type: "string", minLength: 1, maxLength: 4_000, description: "As https://example.org/page" },
      from: { type: "integer", minimum: 0, maximum: 100_000_000, description: "Characters to leave out." },
      whole: { type: "boolean", description: "True: everything on the page, with menus and lists of links." },
    },
    required: ["url"],
    additionalProperties: false,
  },
  labels: { url: "Address", from: "Leave out at the beginning", whole: "The whole page" },
  risk: "low",
  reads: "untrusted",
  sends: "address",
  repeatable: true,
  targets: ({ url }) => [{ kind: "address", value: String(url).trim() }],
  sentence: ({ url }) => `read the page ${shownAddress(url)}`,
  run: (call) => fetchPage(call, options),
});

export const webFetch = makeWebFetch();

async function fetchPage(call: ToolRun, options: Lookup & { timeoutMs?: number }): Promise<ToolResult> {
  const url = addressOf(call.args.url);
  const untrusted = `the page ${oneLine(url, 300)}`;
  const limits = { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS, signal: call.signal, ...options };
  // Boundaries may be drawn by path, and only where it begins was decided upon.
  const mayFollow = ({ href }: URL) => call.mayTouch?.({ kind: "address", value: href }) ?? true;
  const request: Request = { url, init: { headers: HEADERS }, mayFollow, ...limits };
  try {
    const response = await reach(call.ctx, request);
    if (!response.ok) {
      await response.body?.cancel();
      throw new AppError(
        "invalid",
        `${oneLine(url, 300)} answered with the status ${response.status}${meaning(response.status)}.`,
      );
    }
    const { title, text } = await readable(call, response, await readAll(response, request));
    const head = [title === "" ? "" : `# ${title}\n`, `${response.url}\n\n`].join("");
    const part = partOf(text, Number(call.args.from ?? 0), call.maxChars - head.length);
    return {
      text: head + (part || "There is no text on this page. Perhaps it is made by scripts, which are not run."),
      untrusted,
    };
  } catch (error) {
    if (error instanceof RedirectElsewhere) return { text: redirected(url, error), untrusted };
    throw error;
  }
}

const MEANINGS: Record<number, string> = {
  401: ": it asks for a sign-in",
  403: ": it does not let us in",
  404: ": there is no such page",
  410: ": this page is gone",
  429: ": it was asked too often; try it later",
  503: ": it is overloaded or down; try it later",
};
const meaning = (status: number) => MEANINGS[status] ?? "";

async function readable(
  { args, tenantId, signal }: ToolRun,
  response: Response,
  bytes: Uint8Array,
): Promise<{ title: string; text: string }> {
  const contentType = response.headers.get("content-type") ?? "";
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 1024)).trimStart();
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/pdf" || start.startsWith("%PDF-")) return offload("pdf", { bytes }, { signal, tenantId });
  if (/html/.test(type) || (type === "" && start.startsWith("<"))) {
    const page = { bytes, contentType, url: response.url, whole: args.whole === true };
    return offload("page", page, { signal, tenantId });
  }
  if (type === "" || /^text\/|json|xml|javascript|yaml|csv/.test(type))
    return { title: "", text: decodeText(bytes, contentType) };
  throw new AppError(
    "invalid",
    `This is ${oneLine(type, 60).replaceAll(/[^\w/+.-]/g, "")}, which cannot be read as text.`,
  );
}
