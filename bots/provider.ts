import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Context } from "../core/context.ts";
import { guardedFetch, plainFetch } from "../core/guard.ts";
import { stableId } from "../core/ids.ts";
import type { ModelRow } from "./models.ts";

/** Everything that a model object is made from. */
export type ModelSource = Pick<ModelRow, "tenantId" | "provider" | "baseUrl" | "model" | "apiKey">;

const MAX_KEPT = 200;
const kept = new Map<string, Promise<LanguageModelV4>>();

/**
 * The AI SDK's model object of a row; kept, so that it is made once. A tenant's own address is reached through the guard, each
 * time; the operator's may be anywhere. The SDK's providers are loaded when first used.
 */
export function languageModel(ctx: Context, row: ModelSource): Promise<LanguageModelV4> {
  const key = stableId(row.tenantId ?? "", row.provider, row.baseUrl ?? "", row.model, row.apiKey ?? "");
  const before = kept.get(key);
  if (before) return before;
  const made = makeModel(row, modelFetch(ctx, row.tenantId));
  kept.set(key, made);
  made.catch(() => kept.delete(key));
  const oldest = kept.keys().next().value;
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
  return made;
}

/** How a model server is reached: the operator's anywhere, a tenant's through the guard. No limit on time here: who calls watches for silence. */
export function modelFetch(ctx: Context, tenantId: string | null): typeof fetch {
  if (tenantId === null) return plainFetch;
  const { allowHosts } = ctx.config;
  return (input, init) =>
    guardedFetch(input instanceof Request ? input.url : input, init, {
      allowHosts,
      maxBytes: 50_000_000,
      timeoutMs: 0,
    });
}

/** Said in full, because without them the SDK's providers would take addresses and keys out of the environment: the operator's. */
const USUAL_ADDRESS = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com/v1",
  google: "https://generativelanguage.googleapis.com/v1beta",
  "openai-compatible": "",
};

async function makeModel(row: ModelSource, fetch: typeof globalThis.fetch): Promise<LanguageModelV4> {
  const settings = { baseURL: row.baseUrl ?? USUAL_ADDRESS[row.provider], apiKey: row.apiKey ?? "", fetch };
  switch (row.provider) {
    case "openai-compatible": {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      // Without includeUsage the last chunk has no token counts.
      const { apiKey, ...rest } = settings;
      return createOpenAICompatible({ ...rest, ...(apiKey && { apiKey }), name: "model", includeUsage: true })(
        row.model,
      );
    }
    case "openai": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      // Chat completions: the responses API would keep every conversation at OpenAI.
      return createOpenAI(settings).chat(row.model);
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic(settings)(row.model);
    }
    case "google": {
      const { createGoogle } = await import("@ai-sdk/google");
      return createGoogle(settings)(row.model);
    }
  }
}
