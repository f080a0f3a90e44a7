/** The headers that a model may write. */
import { AppError } from "../../core/errors.ts";
import { oneLine } from "./one-line.ts";

/**
 * They say how a request is sent and where to (RFC 9110, 7), who sends it, or what it really is: they are ours, or would get past what was decided.
 */
const NOT_THEIRS =
  /^(host|content-length|content-encoding|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|sec-.*|forwarded|x-forwarded-.*|x-real-ip|via|authorization|cookie|set-cookie|x-http-method.*|x-method-override|accept-encoding)$/;
const NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
/** Visible Latin-1, spaces and tabs: nothing that ends a line. */
const VALUE = /^[\t\x20-\x7e\xa0-\xff]*$/;

/** As they are, in small letters. Throws AppError for what may not be written. `taken`: the header that carries a secret. */
export function httpHeaders(wish: unknown, taken?: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries((wish ?? {}) as Record<string, unknown>)) {
    const name = key.toLowerCase();
    const problem = problemOf(name, value, taken?.toLowerCase());
    if (problem) throw new AppError("invalid", `The header “${oneLine(key, 60)}” ${problem} Nothing was sent.`);
    headers[name] = String(value);
  }
  return headers;
}

function problemOf(name: string, value: unknown, taken: string | undefined): string | null {
  if (!NAME.test(name)) return "has a name that no header has.";
  if (name === taken) return "is that of the secret: leave it out.";
  if (NOT_THEIRS.test(name))
    return /^(authorization|cookie)$/.test(name)
      ? 'carries credentials. Name a stored secret in "secret" instead.'
      : "may not be set.";
  if (typeof value !== "string" || value.length > 2_000 || !VALUE.test(value))
    return "has a value with characters that no header takes.";
  return null;
}
