/** How each provider's API looks on the wire: what is read from a request, what a stream of it is made of. */

export interface ChatMessage {
  role: string;
  /** Text of all its parts. */
  text: string;
  /** Types of the parts that are not text: `image_url`, `image`, `file`, `inlineData`, … */
  attachments: string[];
}

/** A tool call that the scripted model wants. `args` may be a text, for JSON that is broken. */
export interface WantedCall {
  tool: string;
  args: Record<string, unknown> | string;
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
  /** `calls`: how many tool calls came before it. */
  close(model: string, usage: Usage, calls: number): string;
  /** Tool calls after the text; `ids` name them. */
  calls(model: string, calls: { id: string; tool: string; input: string; args: unknown }[]): string;
  /** Names of the tools that a request offers, and results of tool calls in it since the model last spoke to people, oldest first. */
  tools(body: Record<string, unknown>): string[];
  results(body: Record<string, unknown>): string[];
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
  if (parts.length > 0 && parts.every((part) => part.type === "tool_result" || "functionResponse" in part))
    return { role: "tool", text: parts.map(resultOf).join("\n"), attachments: [] };
  const text = parts.map((part) => (typeof part.text === "string" ? part.text : "")).join("\n");
  const attachments = parts
    .filter((part) => typeof part.text !== "string")
    .map((part) => String(part.type ?? Object.keys(part)[0]));
  return { role, text: text.trim(), attachments };
}

/** The text of a tool's result, as Anthropic and Google put it into a message of the user. */
function resultOf(part: Record<string, unknown>): string {
  const { content, functionResponse } = part as {
    content?: string | { text?: string }[];
    functionResponse?: { response?: { content?: unknown } };
  };
  if (typeof content === "string") return content;
  if (Array.isArray(content)) return content.map(({ text }) => text ?? "").join("\n");
  return String(functionResponse?.response?.content ?? "");
}

/** Results since somebody last wrote something. */
function lastResults(messages: { role: string; texts: string[] }[]): string[] {
  const from = messages.findLastIndex(({ role }) => role === "user");
  return messages.slice(from + 1).flatMap(({ role, texts }) => (role === "tool" ? texts : []));
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
  calls: (model, calls) =>
    calls
      .map(({ id, tool, input }, index) =>
        openaiChunk(model, {
          tool_calls: [{ index, id, type: "function", function: { name: tool, arguments: input } }],
        }),
      )
      .join(""),
  tools: (body) => ((body.tools ?? []) as { function: { name: string } }[]).map((tool) => tool.function.name),
  results: (body) =>
    lastResults(
      ((body.messages ?? []) as { role: string; content: unknown }[]).map(({ role, content }) => ({
        role,
        texts: [message(role, content).text],
      })),
    ),
  close: (model, usage, calls) =>
    openaiChunk(model, {}, { finish_reason: calls > 0 ? "tool_calls" : "stop" }) +
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
  calls: (_model, calls) =>
    named("content_block_stop", { index: 0 }) +
    calls
      .map(({ id, tool, input }, n) => {
        const index = n + 1;
        const last = n === calls.length - 1;
        return (
          named("content_block_start", { index, content_block: { type: "tool_use", id, name: tool, input: {} } }) +
          named("content_block_delta", { index, delta: { type: "input_json_delta", partial_json: input } }) +
          (last ? "" : named("content_block_stop", { index }))
        );
      })
      .join(""),
  tools: (body) => ((body.tools ?? []) as { name: string }[]).map(({ name }) => name),
  results: (body) =>
    lastResults(
      ((body.messages ?? []) as { role: string; content: unknown }[]).map(({ role, content }) => {
        const read = message(role, content);
        const parts = read.role === "tool" ? (content as Record<string, unknown>[]) : [];
        return { role: read.role, texts: parts.map(resultOf) };
      }),
    ),
  close: (_model, usage, calls) =>
    named("content_block_stop", { index: calls }) +
    named("message_delta", {
      delta: { stop_reason: calls > 0 ? "tool_use" : "end_turn", stop_sequence: null },
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
  calls: (model, calls) =>
    data({
      candidates: [
        {
          index: 0,
          content: {
            role: "model",
            parts: calls.map(({ tool, args }) => ({
              functionCall: { name: tool, args },
              thoughtSignature: "c2lnbmVk",
            })),
          },
        },
      ],
      modelVersion: model,
    }),
  tools: (body) =>
    ((body.tools ?? []) as { functionDeclarations?: { name: string }[] }[]).flatMap(({ functionDeclarations = [] }) =>
      functionDeclarations.map(({ name }) => name),
    ),
  results: (body) =>
    lastResults(
      ((body.contents ?? []) as GoogleContent[]).map(({ role = "user", parts }) => {
        const read = message(role, parts);
        return {
          role: read.role,
          texts: read.role === "tool" ? (parts as Record<string, unknown>[]).map(resultOf) : [],
        };
      }),
    ),
  close: (model, usage) => data(googleEnd(model, "", usage)),
  error: (status, code, text) => ({ error: { code: status, message: text, status: code.toUpperCase() } }),
};
