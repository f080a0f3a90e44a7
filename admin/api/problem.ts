/** Every refusal and failure of the API, as RFC 9457 problem+json with a sentence for people in `detail`. */
import type { Context as Request } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Context } from "../../core/context.ts";
import { isTransient } from "../../core/database.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import { CodedError, ConflictError, InvalidFields } from "./conflict.ts";
import { z } from "./endpoint.ts";

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string().openapi({ description: "What happened and what to do, for people." }),
    code: z.string().openapi({ description: "For programs: `not_found`, `conflict`, `totp_required`, …" }),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: "What is wrong with single fields." }),
    current: z.unknown().optional().openapi({ description: "With 409: what there is now." }),
  })
  .openapi("Problem");

type Problem = z.output<typeof problem>;

const TITLES: Record<number, string> = {
  400: "This cannot be used",
  401: "Sign in first",
  403: "Not allowed",
  404: "Not found",
  405: "Not here",
  409: "This cannot be done now",
  410: "Over",
  413: "Too large",
  415: "Another kind of content is needed",
  429: "One moment",
};

/** Answers with what went wrong; what is no refusal of ours goes to the log and keeps its text to itself. */
export function sendProblem(ctx: Context, c: Request, error: unknown): Response {
  const found = problemOf(error);
  if (found.status >= 500)
    ctx.log.error({ err: error, method: c.req.method, path: loggable(c.req.path) }, "a request of the API failed");
  if (error instanceof AppError && error.retryAfterMs !== undefined)
    c.header("retry-after", String(Math.ceil(error.retryAfterMs / 1000)));
  c.header("cache-control", "no-store");
  return c.body(JSON.stringify(found), found.status as ContentfulStatusCode, {
    "content-type": "application/problem+json",
  });
}

/** A link that could not be used still works: its token is nothing for the log. */
const loggable = (path: string): string => path.replace(/\/links\/.*$/, "/links/…");

function problemOf(error: unknown): Problem {
  if (error instanceof z.ZodError) return ofFields(error.issues.map(({ path, message }) => [path.join("."), message]));
  if (error instanceof InvalidFields) return { ...ofFields(Object.entries(error.fields)), detail: error.sentence };
  if (error instanceof AppError) {
    const code = error instanceof CodedError ? error.problemCode : error.code;
    const current = error instanceof ConflictError ? { current: error.current } : {};
    return { ...plain(error.status, code, error.sentence), ...current };
  }
  if (isTransient(error))
    return plain(503, "database_down", "Agentopia cannot reach its database now. Please try again in a minute.");
  return plain(500, "internal", sentenceOf(error));
}

const ofFields = (fields: [path: string, message: string][]): Problem => {
  const [first] = fields;
  // The path is for programs, and a form has the sentence at its field.
  const detail = first ? `Something in the form is not right: ${first[1]}` : "Something in this request is not right.";
  return { ...plain(400, "invalid", detail), errors: fields.map(([path, message]) => ({ path, message })) };
};

export const plain = (status: number, code: string, detail: string): Problem => ({
  type: "about:blank",
  title: TITLES[status] ?? "Something went wrong",
  status,
  detail,
  code,
});
