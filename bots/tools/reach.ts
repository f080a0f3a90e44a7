/** Requests of tools to addresses that models write: through the guard, and with a sentence for each way in which they fail. */
import type { GuardOptions } from "../../core/addresses.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { type FetchLimits, guardedFetch, RedirectElsewhere } from "../../core/guard.ts";
import { oneLine } from "./one-line.ts";

/** In tests names are looked up elsewhere. */
export type Lookup = Pick<GuardOptions, "lookup">;

export interface Request extends FetchLimits, Lookup {
  url: string;
  init?: RequestInit;
  signal: AbortSignal;
}

/**
 * The answer of an address, whatever its status. Throws AppError with a sentence that holds nothing of what the server said, `RedirectElsewhere`, or
 * the signal's reason.
 */
export async function reach(ctx: Context, request: Request): Promise<Response> {
  const { url, init, signal, ...limits } = request;
  try {
    return await guardedFetch(addressOf(url), { ...init, signal }, { ...limits, allowHosts: ctx.config.allowHosts });
  } catch (error) {
    throw failure(error, request);
  }
}

/** The whole body of such an answer. Throws as `reach` does. */
export async function readAll(response: Response, request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw failure(error, request);
  }
}

/** What URL parsers leave out without a word could hide where a request goes, or end a line of it. */
export function addressOf(text: unknown): string {
  const address = String(text).trim();
  if (/[\p{Cc}\p{Zl}\p{Zp}\s]/u.test(address))
    throw new AppError("address_refused", "An address is one line without spaces. Write it anew.");
  return address;
}

/** For people: as it was written where its host can be read in it, else as it is used. Letters may look like others, and lead elsewhere. */
export function shownAddress(text: unknown): string {
  const written = String(text).trim();
  const url = URL.canParse(written) ? new URL(written) : null;
  return oneLine(url && !written.toLowerCase().includes(url.host) ? url.href : written, 300);
}

/** Nothing of the request can have gone out: there was no connection yet. */
export class NotSent extends AppError {}

export function failure(error: unknown, { url, signal, timeoutMs = 30_000 }: Request): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof AppError) return error;
  const host = oneLine(URL.canParse(url) ? new URL(url).host : url, 100);
  const code = codeOf(error);
  if (code === "TimeoutError")
    return new AppError("invalid", `"${host}" did not give its whole answer within ${timeoutMs / 1000} s.`, {
      cause: error,
    });
  const why = NO_CONNECTION.find(([pattern]) => pattern.test(code))?.[1];
  if (why) return new NotSent("invalid", `"${host}" ${why}.`, { cause: error });
  return new AppError("invalid", `The connection to "${host}" broke off before its whole answer was there.`, {
    cause: error,
  });
}

const NO_CONNECTION: [RegExp, string][] = [
  [/^(ENOTFOUND|EAI_\w+|ENODATA)$/, "is no host that can be found. Check the address"],
  [/^bad port$/, "is not asked on that port, which is no web server's"],
  [/^ECONNREFUSED$/, "takes no connections on that port"],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, "cannot be reached from here"],
  [/^UND_ERR_CONNECT_TIMEOUT$/, "does not answer"],
  [/CERT|SELF_SIGNED|UNABLE_TO_|^ERR_(TLS|SSL)_/, "cannot prove with its certificate that it is that host"],
];

/** The first code among an error and its causes; fetch itself says no more than "fetch failed". */
function codeOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at.name === "TimeoutError") return at.name;
    const inner = at instanceof AggregateError ? at.errors[0] : at;
    const code = (inner as { code?: unknown } | undefined)?.code;
    if (typeof code === "string") return code;
    // Ports that browsers do not ask either (Fetch, 2.9): mail servers and their like.
    if (at.message === "bad port") return at.message;
  }
  return "";
}

/** What is said of a redirect to another host: the model may ask for it, which is decided upon anew. */
export const redirected = (url: string, { target }: RedirectElsewhere): string =>
  `${url} redirects to ${target}, which is another place. Ask for that address itself if you want it.`;

export { RedirectElsewhere };
