import { AISDKError, APICallError } from "@ai-sdk/provider";
import { AppError, type ErrorCode } from "../core/errors.ts";

/** What is known when a call fails. */
export interface Failure {
  /** The model's name, as people know it. */
  model: string;
  /** The server had begun to answer. */
  answering: boolean;
  /** The question had an image or a file with it. */
  hasFiles: boolean;
  /** Milliseconds since 1970, for a `retry-after` that is a date. */
  now: number;
}

/** Wordings for "too long" of OpenAI, Anthropic, Google, vLLM, llama.cpp, LM Studio, Ollama, Groq, Mistral. */
const TOO_LONG =
  /context[_ ](length|window|size)|maximum context|prompt is too long|too many (input )?tokens|token count[^.]{0,40} exceeds|exceeds? the (maximum|available|model)[^.]{0,40}(token|context)|reduce the length|context overflows|input is too long|exceed_context_size|larger than the maximum/i;
const NO_CREDIT = /insufficient_quota|credit balance|exceeded your current quota|billing|payment/i;
const NO_FILES =
  /image|vision|multimodal|multi-modal|file|audio|media type|content type|does not support .{0,20}(input|content)/i;
const DECLINED = /content[_ ](filter|policy|management)|safety/i;

/**
 * What a failed model call means for the person, and whether to try again. Servers' own words, which may hold addresses and
 * keys, decide the code and stay out of the sentence. The SDK's error is not kept as the cause: it holds the whole prompt, and the
 * workflow engine writes errors into its tables, where no redaction would find it. The log gets `forLog(error)`.
 */
export function modelError(error: unknown, failure: Failure): AppError {
  if (error instanceof AppError) return error;
  const { status, words, headers } = factsOf(error);
  const make = (code: ErrorCode, text?: string, retryAfterMs?: number) =>
    new AppError(code, text ?? sentence(code, failure.model), { retryAfterMs });

  if (words && TOO_LONG.test(words) && (status === undefined || (status >= 400 && status < 500 && status !== 429)))
    return make("model_context");
  if (status === 413) return make("model_context");
  if (status === 402 || (status !== undefined && NO_CREDIT.test(words) && status < 500))
    return make(
      "model_refused",
      `The account with the provider of the model ${failure.model} has no credit left. The operator can top it up or set another model.`,
    );
  if (status === 429 || (status === undefined && /rate.?limit/i.test(words)))
    return make("model_rate_limited", undefined, retryAfter(headers, failure.now));
  if (status === 408 || status === 409 || status === 425 || (status !== undefined && status >= 500))
    return make("model_down", undefined, retryAfter(headers, failure.now));
  if (status === undefined && /overloaded|server_error|internal/i.test(words)) return make("model_down");
  if (status !== undefined && status >= 400) return make("model_refused", refusal(status, words, failure));
  if (isUnsupported(error)) return make("model_refused", noFiles(failure.model));
  if (AISDKError.isInstance(error) && error.name === "AI_LoadAPIKeyError")
    return make("model_refused", refusal(401, "", failure));
  if (isNetwork(error)) return make(failure.answering ? "model_broken" : "model_down");
  return make("model_broken");
}

function sentence(code: ErrorCode, model: string): string {
  switch (code) {
    case "model_context":
      return `This conversation is too long for the model ${model}. Ask in a new thread or a new room, or with less text.`;
    case "model_rate_limited":
      return `The model ${model} is being asked too much at the moment. Please ask again in a minute.`;
    case "model_down":
      return `The model ${model} cannot be reached at the moment. Please ask again in a minute; if it stays so, whoever runs Agentopia can look at the platform's log.`;
    case "model_empty":
      return `The model ${model} returned no text. Please ask again, perhaps in other words.`;
    default:
      return `The answer of the model ${model} broke off or was not readable. Please ask again.`;
  }
}

/** The model ended without a word to show. */
export function emptyAnswer(model: string, finishReason: string): AppError {
  if (finishReason === "content-filter")
    return new AppError(
      "model_refused",
      `The provider of the model ${model} declined to answer this. Please ask in other words.`,
    );
  if (finishReason === "length")
    return new AppError(
      "model_context",
      `The model ${model} used up its room before it came to an answer. Ask with less text, or in a new thread.`,
    );
  return new AppError("model_empty", sentence("model_empty", model));
}

/** Nothing came for so long. */
export const slowAnswer = (model: string, ms: number): AppError =>
  new AppError(
    "model_slow",
    `The model ${model} said nothing for ${Math.max(1, Math.round(ms / 1000))} seconds, so I stopped waiting. Please ask again; if it stays so, whoever runs Agentopia can look at the platform's log.`,
  );

function refusal(status: number, words: string, { model, hasFiles }: Failure): string {
  if (status === 401 || status === 403)
    return `The key for the model ${model} was not accepted. An operator can set another under Models.`;
  if (hasFiles && NO_FILES.test(words)) return noFiles(model);
  if (DECLINED.test(words))
    return `The provider of the model ${model} declined to answer this. Please ask in other words.`;
  if (status === 404)
    return `The model server does not know the model ${model}. An operator can set another under Models.`;
  return `The model ${model} did not accept the question (HTTP ${status}). The platform's log says why; whoever runs it can look there.`;
}

const noFiles = (model: string) =>
  `The model ${model} cannot take this image or file. Ask without it, or ask an agent whose model can.`;

const isUnsupported = (error: unknown) =>
  AISDKError.isInstance(error) && error.name === "AI_UnsupportedFunctionalityError";

function factsOf(error: unknown): { status: number | undefined; words: string; headers: Record<string, string> } {
  if (APICallError.isInstance(error))
    return {
      status: error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : undefined,
      words: error.statusCode === undefined ? "" : `${error.message} ${error.responseBody ?? ""}`.slice(0, 4000),
      headers: error.responseHeaders ?? {},
    };
  // An error in the stream itself: {message, type, code} of OpenAI, Anthropic's {type, message}, a plain string.
  if (typeof error === "string") return { status: undefined, words: error, headers: {} };
  if (typeof error === "object" && error !== null && !(error instanceof Error)) {
    const { code, status } = error as { code?: unknown; status?: unknown };
    const number = [status, code].map(Number).find((value) => value >= 400 && value < 600);
    return { status: number, words: JSON.stringify(error).slice(0, 4000), headers: {} };
  }
  return { status: undefined, words: "", headers: {} };
}

/** A connection that could not be made or was lost, as opposed to an answer that makes no sense. */
function isNetwork(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 6; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code;
    if (
      typeof code === "string" &&
      /^(E[A-Z]{3,}|EAI_AGAIN|UND_ERR|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS|HPE_)/.test(code)
    )
      return true;
  }
  return false;
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3), in milliseconds. */
export function retryAfter(headers: Record<string, string>, now: number): number | undefined {
  const ms = Number(headers["retry-after-ms"] || Number.NaN);
  if (ms >= 0) return ms;
  const value = headers["retry-after"]?.trim();
  if (!value) return undefined;
  const seconds = Number(value);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** What the log gets of an error: its words, without addresses, keys or the prompt. */
export function forLog(error: unknown): Record<string, unknown> {
  if (APICallError.isInstance(error))
    return {
      status: error.statusCode,
      message: hide(error.message),
      body: hide((error.responseBody ?? "").slice(0, 500)),
      code: (error.cause as { code?: string } | undefined)?.code,
    };
  if (error instanceof Error) return { name: error.name, message: hide(error.message.slice(0, 500)) };
  return { message: hide(JSON.stringify(error)?.slice(0, 500) ?? "") };
}

/** Keys and passwords that servers like to repeat in their errors. */
const hide = (text: string) =>
  text
    .replace(/\b(sk|pk|key|gsk|xai|AIza)[-_]?[A-Za-z0-9_*-]{12,}/g, "***")
    .replace(/:\/\/[^/\s@]+@/g, "://***@")
    .replace(/([?&](?:key|api_key|token)=)[^&\s"]+/gi, "$1***");
