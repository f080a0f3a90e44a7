import type { LanguageModelV4FilePart, LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import type { FilePart, ImagePart, ModelMessage } from "ai";
import { AppError } from "../core/errors.ts";

/**
 * Messages in the AI SDK's public form, made into what its providers take (`LanguageModelV4Prompt`). The SDK's own
 * conversion also downloads what messages link to; here a link throws instead: no model call fetches an address
 * that somebody wrote. Throws `invalid`.
 */
export function toPrompt(system: string, messages: readonly ModelMessage[]): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = system ? [{ role: "system", content: system }] : [];
  for (const message of messages) prompt.push(toMessage(message));
  return prompt;
}

function toMessage(message: ModelMessage): LanguageModelV4Message {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user": {
      if (typeof message.content === "string") return userText(message.content);
      const content = message.content.map((part) => {
        if (part.type === "text") return { type: "text" as const, text: part.text };
        return filePart(part);
      });
      return { role: "user", content };
    }
    case "assistant": {
      if (typeof message.content === "string")
        return { role: "assistant", content: [{ type: "text", text: message.content }] };
      const content = message.content.map((part) => {
        if (part.type === "text") return { type: "text" as const, text: part.text };
        if (part.type === "file") return filePart(part);
        throw unusable(part.type);
      });
      return { role: "assistant", content };
    }
    case "tool":
      throw unusable("tool");
  }
}

const userText = (text: string): LanguageModelV4Message => ({ role: "user", content: [{ type: "text", text }] });

function filePart(part: FilePart | ImagePart): LanguageModelV4FilePart {
  const mediaType = part.mediaType ?? "image/*";
  const filename = part.type === "file" && part.filename ? { filename: part.filename } : {};
  return { type: "file", mediaType, data: fileData(part.type === "image" ? part.image : part.data), ...filename };
}

function fileData(data: FilePart["data"] | ImagePart["image"]): LanguageModelV4FilePart["data"] {
  if (data instanceof Uint8Array) return { type: "data", data };
  if (data instanceof ArrayBuffer) return { type: "data", data: new Uint8Array(data) };
  if (typeof data === "string" && !/^[a-z]+:/i.test(data)) return { type: "data", data };
  if (typeof data === "object" && "type" in data) {
    if (data.type === "data") return fileData(data.data as string | Uint8Array);
    if (data.type === "text") return { type: "text", text: String(data.text) };
  }
  throw unusable("a link to a file");
}

const unusable = (what: string) =>
  new AppError("invalid", `A message for the model holds ${what}, which Agentopia cannot pass on.`);

/** What one image or document counts in an estimate: between the figures of the large providers. */
const FILE_TOKENS = 1500;

/** What a message costs beside its text: role, separators, 12 tokens. */
const MESSAGE_BYTES = 36;

/** Tokens of a text, estimated: 4 bytes each, as in English; scripts beyond ASCII have more bytes and more tokens. */
export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / 4);

/** The same, meant to be too much rather than too little: 3 bytes each. */
export const mostTokens = (bytes: number): number => Math.ceil(bytes / 3);

/** Tokens that a prompt takes, as they are held against the day's cap. */
export function estimatePrompt(prompt: LanguageModelV4Prompt): number {
  let bytes = 0;
  let files = 0;
  for (const message of prompt) {
    bytes += MESSAGE_BYTES;
    if (typeof message.content === "string") bytes += Buffer.byteLength(message.content);
    else
      for (const part of message.content) {
        if (part.type === "text" || part.type === "reasoning") bytes += Buffer.byteLength(part.text);
        else if (part.type === "file" && part.data.type === "text") bytes += Buffer.byteLength(part.data.text);
        else if (part.type === "file") files++;
        else bytes += Buffer.byteLength(JSON.stringify(part));
      }
  }
  return mostTokens(bytes) + files * FILE_TOKENS;
}

/** True when the prompt has parts that only a model for images or files can take. */
export const hasFiles = (prompt: LanguageModelV4Prompt): boolean =>
  prompt.some((message) => Array.isArray(message.content) && message.content.some((part) => part.type === "file"));
