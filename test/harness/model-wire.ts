/** How each provider's API looks on the wire: what is read from a request, what a stream of it is made of. */

export interface ChatMessage {
  role: string;
  /** Text of all its parts. */
  text: string;
  /** Types of the parts that are not text: `image_url`, `image`, `file`, `inlineData`, … */
  attachments: string[];
}

export interface Usage {
  input: number;
  output: number;
}

export interface Wire {
  /** Messages of a request, the system instructions first. */
  read(body: Record<string, unknown>): ChatMessage[];
  streams(path: string, body: Record<string, unknown>): boolean;
  whole(model: string, text: string, usage: Usage): unknown;
  open(model: string): string;
  piece(model: string, text: string): string;
  close(model: string, usage: Usage): string;
  error(status: number, code: string, message: string): unknown;
}

/** The wire that a path belongs to; undefined for a path that no provider has. */
export function wireOf(path: string): Wire | undefined {
  if (path.endsWith("/chat/completions")) return openai;
  if (path.endsWith("/messages")) return anthropic;
  if (/:(streamG|g)enerateContent$/.test(path)) return google;
  return undefined;
}

const data = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const named = (type: string, value: object) => `event: ${type}\n${data({ type, ...value })}`;

function message(role: string, content: unknown): ChatMessage {
  if (typeof content === "string") return { role, text: content, attachments: [] };
  const parts = (Array.isArray(content) ? content : []) as Record<string, unknown>[];
  const text = parts.map((part) => (typeof part.text === "string" ? part.text : "")).join("\n");
  const attachments = parts
    .filter((part) => typeof part.text !== "string")
    .map((part) => String(part.type ?? Object.keys(part)[0]));
  return { role, text: text.trim(), attachments };
}

const openaiChunk = (model: string, delta: object | null, rest: object = {}) =>
  data({
    id: "chatcmpl-scripted",
    object: "chat.completion.chunk",
    created: 1,
    model,
    choices: delta ? [{ index: 0, delta, finish_reason: null, ...rest }] : [],
  });

/** https://platform.openai.com/docs/api-reference/chat */
const openai: Wire = {
  read: (body) =>
    ((body.messages ?? []) as { role: string; content: unknown }[]).map((m) => message(m.role, m.content)),
  streams: (_path, body) => body.stream === true,
  whole: (model, text, usage) => ({
    id: "chatcmpl-scripted",
    object: "chat.completion",
    created: 1,
    model,
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    usage: openaiUsage(usage),
  }),
  open: (model) => openaiChunk(model, { role: "assistant", content: "" }),
  piece: (model, text) => openaiChunk(model, { content: text }),
  close: (model, usage) =>
    openaiChunk(model, {}, { finish_reason: "stop" }) +
    data({
      id: "chatcmpl-scripted",
      object: "chat.completion.chunk",
      created: 1,
      model,
      choices: [],
      usage: openaiUsage(usage),
    }) +
    "data: [DONE]\n\n",
  error: (_status, code, text) => ({ error: { message: text, type: code, code, param: null } }),
};

const openaiUsage = (usage: Usage) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
});

/** https://docs.anthropic.com/en/api/messages-streaming */
const anthropic: Wire = {
  read: (body) => [
    ...(body.system ? [message("system", body.system)] : []),
    ...((body.messages ?? []) as { role: string; content: unknown }[]).map((m) => message(m.role, m.content)),
  ],
  streams: (_path, body) => body.stream === true,
  whole: (model, text, usage) => ({
    id: "msg_scripted",
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: usage.input, output_tokens: usage.output },
  }),
  open: (model) =>
    named("message_start", {
      message: {
        id: "msg_scripted",
        type: "message",
        role: "assistant",
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    }) + named("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
  piece: (_model, text) => named("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  close: (_model, usage) =>
    named("content_block_stop", { index: 0 }) +
    named("message_delta", {
      delta: { stop_reason: "end_turn", stop_sequence: null },
      usage: { input_tokens: usage.input, output_tokens: usage.output },
    }) +
    named("message_stop", {}),
  error: (_status, code, text) => ({ type: "error", error: { type: code, message: text } }),
};

interface GoogleContent {
  role?: string;
  parts: unknown;
}

const googleChunk = (model: string, text: string, rest: object = {}, candidate: object = {}) => ({
  candidates: [{ index: 0, content: { role: "model", parts: [{ text }] }, ...candidate }],
  modelVersion: model,
  ...rest,
});

const googleEnd = (model: string, text: string, usage: Usage) =>
  googleChunk(
    model,
    text,
    {
      usageMetadata: {
        promptTokenCount: usage.input,
        candidatesTokenCount: usage.output,
        totalTokenCount: usage.input + usage.output,
      },
    },
    { finishReason: "STOP" },
  );

/** https://ai.google.dev/api/generate-content */
const google: Wire = {
  read: (body) => [
    ...(body.systemInstruction ? [message("system", (body.systemInstruction as GoogleContent).parts)] : []),
    ...((body.contents ?? []) as GoogleContent[]).map((m) => message(m.role ?? "user", m.parts)),
  ],
  streams: (path) => path.endsWith(":streamGenerateContent"),
  whole: googleEnd,
  open: () => "",
  piece: (model, text) => data(googleChunk(model, text)),
  close: (model, usage) => data(googleEnd(model, "", usage)),
  error: (status, code, text) => ({ error: { code: status, message: text, status: code.toUpperCase() } }),
};
