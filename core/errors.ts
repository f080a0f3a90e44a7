/**
 * Every failure that a person may see. `sentence` says what happened and what to do; `retry` says whether the same call
 * may succeed later without anyone doing anything; `code` is what programs look at and what HTTP statuses are made from.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly retry: boolean;
  /** What the model server or homeserver asked us to wait, in milliseconds, when it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, sentence: string, options: ErrorOptions & { retryAfterMs?: number | undefined } = {}) {
    super(sentence, options);
    this.name = "AppError";
    this.code = code;
    this.retry = ERRORS[code].retry;
    this.retryAfterMs = options.retryAfterMs;
  }

  get sentence(): string {
    return this.message;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}

/** One table: what a code means over HTTP, and whether waiting helps. */
export const ERRORS = {
  invalid: { status: 400, retry: false },
  unauthorized: { status: 401, retry: false },
  forbidden: { status: 403, retry: false },
  not_found: { status: 404, retry: false },
  conflict: { status: 409, retry: false },
  gone: { status: 410, retry: false },
  too_many: { status: 429, retry: true },
  setup: { status: 500, retry: false },
  internal: { status: 500, retry: false },
  homeserver_down: { status: 502, retry: true },
  homeserver_refused: { status: 409, retry: false },
  database_down: { status: 503, retry: true },
  no_model: { status: 503, retry: false },
  model_down: { status: 502, retry: true },
  model_slow: { status: 504, retry: true },
  model_rate_limited: { status: 429, retry: true },
  model_refused: { status: 502, retry: false },
  model_context: { status: 413, retry: false },
  model_empty: { status: 502, retry: true },
  model_broken: { status: 502, retry: true },
  token_cap: { status: 429, retry: false },
  agent_token_cap: { status: 429, retry: false },
  address_refused: { status: 400, retry: false },
} as const satisfies Record<string, { status: number; retry: boolean }>;

export type ErrorCode = keyof typeof ERRORS;

/** The sentence for a person. Errors that are not ours keep their text out of sight: it goes to the log only. */
export function sentenceOf(error: unknown): string {
  if (error instanceof AppError) return error.sentence;
  return "Something went wrong inside Agentopia. The platform's log says what; whoever runs it can look there.";
}
