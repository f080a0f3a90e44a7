import { APICallError, UnsupportedFunctionalityError } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { emptyAnswer, forLog, modelError, retryAfter } from "../../bots/model-errors.ts";

const NOW = Date.UTC(2026, 0, 15, 12);
const FAILURE = { model: "ada", answering: false, hasFiles: false, now: NOW };

const answered = (statusCode: number, body: unknown, headers: Record<string, string> = {}) =>
  new APICallError({
    message: "Bad",
    url: "https://models.test/v1?key=secret",
    requestBodyValues: { messages: ["private words"] },
    statusCode,
    responseHeaders: headers,
    responseBody: typeof body === "string" ? body : JSON.stringify(body),
  });

const unreachable = (code: string) =>
  new APICallError({
    message: "Cannot connect to API",
    url: "https://models.test/v1",
    requestBodyValues: {},
    cause: Object.assign(new Error(`connect ${code}`), { code }),
  });

const openai = (message: string, code: string | null = null) => ({
  error: { message, type: "invalid_request_error", code },
});

const CASES: [string, unknown, string, Partial<typeof FAILURE>?][] = [
  [
    "OpenAI: too long",
    answered(400, openai("maximum context length is 8192 tokens", "context_length_exceeded")),
    "model_context",
  ],
  [
    "Anthropic: too long",
    answered(400, {
      type: "error",
      error: { type: "invalid_request_error", message: "prompt is too long: 204000 tokens > 200000 maximum" },
    }),
    "model_context",
  ],
  [
    "Google: too long",
    answered(400, {
      error: { message: "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)." },
    }),
    "model_context",
  ],
  [
    "vLLM: too long",
    answered(
      400,
      openai(
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens. Please reduce the length of the messages.",
      ),
    ),
    "model_context",
  ],
  [
    "llama.cpp: too long",
    answered(400, {
      error: {
        code: 400,
        message: "the request exceeds the available context size, try increasing it",
        type: "exceed_context_size_error",
      },
    }),
    "model_context",
  ],
  [
    "LM Studio: too long",
    answered(400, {
      error:
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
    }),
    "model_context",
  ],
  ["too large for the server", answered(413, "Request Entity Too Large"), "model_context"],
  [
    "too long, in the stream",
    { message: "Your input exceeds the context window of this model", code: "context_length_exceeded" },
    "model_context",
  ],
  ["a limit per minute", answered(429, openai("Rate limit reached for requests")), "model_rate_limited"],
  [
    "a limit on tokens per minute is no context",
    answered(429, openai("Request too large: too many tokens per minute")),
    "model_rate_limited",
  ],
  ["a limit in the stream", { type: "rate_limit_error", message: "slow down" }, "model_rate_limited"],
  ["no credit", answered(429, openai("You exceeded your current quota", "insufficient_quota")), "model_refused"],
  ["no credit at Anthropic", answered(400, openai("Your credit balance is too low")), "model_refused"],
  ["an unknown key", answered(401, openai("Incorrect API key provided: sk-abc")), "model_refused"],
  ["an unknown model", answered(404, openai("The model `x` does not exist")), "model_refused"],
  [
    "an image to a model for text",
    answered(400, openai("image input is not supported")),
    "model_refused",
    { hasFiles: true },
  ],
  [
    "a file that the SDK cannot send",
    new UnsupportedFunctionalityError({ functionality: "file part" }),
    "model_refused",
    { hasFiles: true },
  ],
  ["an error inside", answered(500, "oops"), "model_down"],
  ["a gateway without its server", answered(502, "<html>Bad Gateway</html>"), "model_down"],
  ["overloaded", answered(529, { error: { type: "overloaded_error" } }), "model_down"],
  ["overloaded, in the stream", { type: "overloaded_error", message: "Overloaded" }, "model_down"],
  ["a status in the stream", { code: 503, message: "no" }, "model_down"],
  ["refused connection", unreachable("ECONNREFUSED"), "model_down"],
  ["unknown host", unreachable("ENOTFOUND"), "model_down"],
  ["a certificate nobody knows", unreachable("DEPTH_ZERO_SELF_SIGNED_CERT"), "model_down"],
  ["a connection lost in the answer", unreachable("ECONNRESET"), "model_broken", { answering: true }],
  ["nonsense", new Error("JSON parsing failed"), "model_broken", { answering: true }],
  ["nothing that is an error", undefined, "model_broken"],
];

test.each(CASES)("%s", (_name, error, code, rest = {}) => {
  const result = modelError(error, { ...FAILURE, ...rest });
  expect(result.code).toBe(code);
  expect(result.sentence).toMatch(/^[A-Z].*\bada\b.*[.]$|^The account .*[.]$/);
  expect(result.sentence).not.toMatch(/https?:|sk-|undefined|secret/);
  // The SDK's error holds the prompt; the workflow engine would write it into its tables.
  expect(result.cause).toBeUndefined();
});

test.each([
  [{ "retry-after": "7" }, 7000],
  [{ "retry-after": "0" }, 0],
  [{ "retry-after": "1.5" }, 1500],
  [{ "retry-after": new Date(NOW + 30_000).toUTCString() }, 30_000],
  [{ "retry-after": new Date(NOW - 30_000).toUTCString() }, 0],
  [{ "retry-after-ms": "250", "retry-after": "9" }, 250],
  [{ "retry-after": "soon" }, undefined],
  [{}, undefined],
])("retry-after %j", (headers, ms) => {
  expect(retryAfter(headers as Record<string, string>, NOW)).toBe(ms);
  expect(modelError(answered(429, "", headers as Record<string, string>), FAILURE).retryAfterMs).toBe(ms);
});

test.each([
  ["stop", "model_empty"],
  ["content-filter", "model_refused"],
  ["length", "model_context"],
])("no text and finish reason %s", (reason, code) => {
  expect(emptyAnswer("ada", reason).code).toBe(code);
});

test("the log gets the server's words without keys, addresses or the prompt", () => {
  const logged = JSON.stringify(
    forLog(answered(401, "bad key sk-proj-abcdef1234567890 at https://ann:pw@host/?key=abc")),
  );
  expect(logged).toContain("bad key");
  expect(logged).not.toMatch(/abcdef|ann:pw|key=abc|private words/);
});
