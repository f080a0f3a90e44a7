/** What a model said in one turn, as it has to be given back to it with the results of the tools that it called. */
import type { LanguageModelV4Message, LanguageModelV4StreamPart, SharedV4ProviderMetadata } from "@ai-sdk/provider";

/** A tool call as the model wrote it. `input` is JSON, unless the model made a mistake. */
export interface SaidCall {
  callId: string;
  tool: string;
  input: string;
}

/** Parts in order. Providers want some of them back as they were: signed thoughts (Anthropic), signatures of calls (Google). */
export type SaidPart =
  | { type: "reasoning"; text: string; meta?: SharedV4ProviderMetadata }
  | ({ type: "call"; meta?: SharedV4ProviderMetadata } & SaidCall);

type Assistant = Extract<LanguageModelV4Message, { role: "assistant" }>;

/** Names of tools have 64 characters; what is longer is none, and goes into no index. */
const MAX_NAME = 200;

/** Gathers the parts of a stream that are no text: the text has its own way (thoughts are filtered out of it). */
export class Said {
  readonly parts: SaidPart[] = [];
  readonly #thoughts = new Map<string, Extract<SaidPart, { type: "reasoning" }>>();

  get calls(): SaidCall[] {
    return this.parts.filter((part) => part.type === "call");
  }

  push(part: LanguageModelV4StreamPart): void {
    if (part.type === "reasoning-start") {
      const thought = { type: "reasoning" as const, text: "" };
      this.#thoughts.set(part.id, thought);
      this.parts.push(thought);
    }
    if (part.type === "reasoning-start" || part.type === "reasoning-delta" || part.type === "reasoning-end") {
      const thought = this.#thoughts.get(part.id);
      if (!thought) return;
      if (part.type === "reasoning-delta") thought.text += part.delta;
      if (part.providerMetadata) thought.meta = { ...thought.meta, ...part.providerMetadata };
    } else if (part.type === "tool-call" && !part.providerExecuted)
      this.parts.push({
        type: "call",
        callId: storable(part.toolCallId),
        tool: storable(part.toolName).slice(0, MAX_NAME),
        input: part.input,
        ...(part.providerMetadata ? { meta: part.providerMetadata } : {}),
      });
  }
}

/** The turn as a message for the next call. Thoughts without a signature are not given back. */
export function assistantMessage(text: string, parts: readonly SaidPart[]): Assistant {
  const content: Assistant["content"] = [];
  for (const part of parts)
    if (part.type === "reasoning" && part.meta)
      content.push({ type: "reasoning", text: part.text, providerOptions: part.meta });
  if (text.trim()) content.push({ type: "text", text });
  for (const part of parts)
    if (part.type === "call")
      content.push({
        type: "tool-call",
        toolCallId: part.callId,
        toolName: part.tool,
        input: argumentsOf(part.input) ?? {},
        ...(part.meta ? { providerOptions: part.meta } : {}),
      });
  return { role: "assistant", content };
}

/** Postgres takes neither NUL nor half a character. */
export const storable = (text: string): string => text.replaceAll("\u0000", "").toWellFormed();

/** A text, or an object with names that can be kept. */
function storableItem(item: unknown): unknown {
  if (typeof item === "string") return storable(item);
  if (item === null || typeof item !== "object" || Array.isArray(item)) return item;
  const fits = Object.keys(item).every((name) => name.isWellFormed() && !name.includes("\u0000"));
  return fits ? item : Object.fromEntries(Object.entries(item).map(([name, value]) => [storable(name), value]));
}

/** The arguments of a call; null for what is no JSON object. An empty text is an empty object, as some models write it. */
export function argumentsOf(input: string): Record<string, unknown> | null {
  if (input.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(input, (_key, item: unknown) => storableItem(item));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    // Models write broken JSON now and then: they are told so.
    return null;
  }
}
