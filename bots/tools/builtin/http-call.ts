/** Call an HTTP interface, with a secret that the model never sees. */
import { AppError } from "../../../core/errors.ts";
import { decodeText } from "../decode.ts";
import { formsOf, hideSecret } from "../hide-secret.ts";
import { httpHeaders } from "../http-headers.ts";
import { characters, oneLine } from "../one-line.ts";
import { addressOf, failure, type Lookup, NotSent, type Request, reach, shownAddress } from "../reach.ts";
import { mayGoTo, type OpenSecret, openToolSecret } from "../secrets.ts";
import { type Args, OutcomeUnknown, type Tool, type ToolResult, type ToolRun } from "../tool.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const MOST_BYTES = 1_000_000;
const TIMEOUT_MS = 30_000;
/** What is told of an answer's head. */
const TOLD = ["content-type", "location", "retry-after", "link", "etag", "allow"];

/** The options are for tests. */
export const makeHttpCall = (options: Lookup & { timeoutMs?: number } = {}): Tool => ({
  name: "http_call",
  group: "web",
  title: "Call an address",
  summary: "Asks another system for something or changes something there, over its web interface.",
  description:
    "Sends one HTTP request to an interface and returns its status and answer. For pages that people read take web_fetch. A stored secret is named by " +
    '"secret" and put in on the way; never write credentials into url, headers or body. Redirects are not followed but told. When the outcome is unknown, ' +
    "do not send it again without asking.",
  input: {
    type: "object",
    properties: {
      method: { type: "string", enum: METHODS, description: "GET when left out." },
      url: { type: "string", minLength: 1, maxLength: 4_000, description: "As https://api.example.org/v1/things" },
      headers: { type: "object", additionalProperties: { type: "string", maxLength: 2_000 }, maxProperties: 30 },
      body: { type: "string", maxLength: 500_000, description: "Say what it is in the header content-type." },
      secret: { type: "string", maxLength: 64, description: "The name of a stored secret." },
    },
    required: ["url"],
    additionalProperties: false,
  },
  labels: { url: "Address", body: "Content", secret: "Stored secret" },
  always: { does: "call addresses", whatever: "whichever they are and whatever it sends there" },
  risk: "high",
  reads: "untrusted",
  sends: "outside",
  repeatable: false,
  targets: ({ url }) => [{ kind: "address", value: String(url).trim() }],
  sentence,
  run: (call) => send(call, options),
});

export const httpCall = makeHttpCall();

function sentence(args: Args): string {
  const secret = args.secret === undefined ? "" : ` with the secret “${oneLine(args.secret, 64)}”`;
  const body = args.body === undefined ? "" : `${secret ? " and" : " with"} a content of ${characters(args.body)}`;
  return `send ${oneLine(methodOf(args), 10)} to ${shownAddress(args.url)}${secret}${body}`;
}

const methodOf = ({ method }: Args): string => String(method ?? "GET").toUpperCase();

async function send(call: ToolRun, options: Lookup & { timeoutMs?: number }): Promise<ToolResult> {
  const { ctx, args } = call;
  const method = methodOf(args);
  const reads = method === "GET" || method === "HEAD";
  if (!METHODS.includes(method)) throw new AppError("invalid", `The method is one of ${METHODS.join(", ")}.`);
  if (reads && args.body !== undefined)
    throw new AppError("invalid", `${method} has no body. Leave it out, or take POST.`);
  const url = addressOf(args.url);
  const secret = args.secret === undefined ? null : await secretFor(call, url);
  const headers = {
    ...httpHeaders(args.headers, secret?.header),
    ...(secret ? { [secret.header]: secret.value } : {}),
  };
  const init = { method, headers, ...(args.body === undefined ? {} : { body: String(args.body) }) };
  const limits = { maxBytes: Number.POSITIVE_INFINITY, timeoutMs: TIMEOUT_MS, follow: false };
  const request: Request = { url, init, signal: call.signal, ...limits, ...options };
  const response = await reach(ctx, request).catch((error: unknown) => {
    throw reads ? error : withOutcome(error, call.signal);
  });
  const { text, remark } = await answerOf(response, request, secret);
  const hidden = (said: string) => (secret ? hideSecret(said, secret.value) : said);
  const head = TOLD.map((name) => [name, response.headers.get(name)] as const)
    .filter(([, value]) => value !== null)
    // Before it is cut or its spaces are put together, which would leave something that is not found.
    .map(([name, value]) => `${name}: ${oneLine(hidden(value ?? ""), 1_000)}`);
  const clean = [`HTTP ${response.status}`, ...head, "", hidden(text)].join("\n");
  return {
    text: remark ? `${clean.slice(0, call.maxChars - remark.length - 2)}\n${remark}` : clean,
    untrusted: `the answer of ${oneLine(url, 300)}`,
  };
}

/** What the guard refuses, and what found no connection, was not sent. Of all else nobody knows. */
function withOutcome(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || error instanceof NotSent || !(error instanceof AppError)) return error;
  if (error.code === "address_refused") return error;
  return new OutcomeUnknown(`${error.sentence} The request may have been done or not.`, { cause: error });
}

async function secretFor({ ctx, tenantId, args }: ToolRun, address: string): Promise<OpenSecret> {
  const secret = await openToolSecret(ctx, tenantId, String(args.secret));
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url && mayGoTo(secret, url, ctx.config.allowHosts)) return secret;
  const host = oneLine(url?.host ?? address, 100);
  const sentence =
    url && secret.hosts.includes(url.host)
      ? `The secret “${secret.name}” goes out over https only. Nothing was sent.`
      : `The secret “${secret.name}” may not go to ${host}. Nothing was sent. A manager says where it may go, in the panel under Tools.`;
  throw new AppError("forbidden", sentence);
}

/** The beginning of the answer, which was given: what goes wrong from here on does not undo it. */
async function answerOf(
  response: Response,
  request: Request,
  secret: OpenSecret | null,
): Promise<{ text: string; remark: string | null }> {
  const contentType = response.headers.get("content-type") ?? "";
  const { bytes, remark } = await readSome(response, request);
  if (bytes.length > 0 && !/^$|text|json|xml|javascript|yaml|csv|urlencoded/i.test(contentType))
    return { text: `(${bytes.length} bytes that are no text.)`, remark };
  const text = decodeText(bytes, contentType);
  // Half a secret at the cut would not be found.
  const longest = secret && remark ? (formsOf(secret.value)[0]?.length ?? 0) : 0;
  return { text: longest > 0 ? text.slice(0, -longest) : text, remark };
}

async function readSome(response: Response, request: Request): Promise<{ bytes: Uint8Array; remark: string | null }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let remark: string | null = null;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size <= MOST_BYTES) continue;
      remark = "[The answer goes on; only its beginning was read.]";
      break;
    }
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    const why = failure(error, request);
    remark = `[Only the beginning was read. ${why instanceof AppError ? why.sentence : ""}]`;
  }
  return { bytes: Buffer.concat(chunks).subarray(0, MOST_BYTES), remark };
}
