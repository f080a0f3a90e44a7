import { z } from "zod";
import type { Context } from "../core/context.ts";
import type { ModelAbilities } from "../migrations/types.ts";
import { abilitiesOf, isChatModel } from "./model-families.ts";

/** A model that a server offers. */
export interface Offered {
  baseUrl: string;
  model: string;
  abilities: ModelAbilities;
}

const LOCAL_MS = 500;
const MAX_BODY = 2_000_000;

/** The list of OpenAI's `GET /v1/models`, with what the various servers add to it. */
const listSchema = z.object({
  object: z.literal("list").optional(),
  data: z.array(
    z.object({
      id: z.string().min(1).max(300),
      owned_by: z.string().nullish(),
      /** vLLM */
      max_model_len: z.number().nullish(),
      /** OpenRouter, LM Studio, Groq, LiteLLM */
      context_length: z.number().nullish(),
      context_window: z.number().nullish(),
      max_context_length: z.number().nullish(),
      /** llama.cpp */
      meta: z.object({ n_ctx: z.number().nullish(), n_ctx_train: z.number().nullish() }).nullish().catch(null),
      /** OpenRouter */
      architecture: z
        .object({ input_modalities: z.array(z.string()).nullish() })
        .nullish()
        .catch(null),
    }),
  ),
});
type Listed = z.infer<typeof listSchema>["data"][number];

export interface Asked {
  apiKey?: string | null;
  fetch: typeof fetch;
  timeoutMs: number;
}

/**
 * Which chat models an OpenAI-compatible server has, in its order. The address may lack its `/v1`: the one that answered
 * is returned with each. Throws what fetch throws, or an Error when nothing there is such a list.
 */
export async function listOffered(address: string, asked: Asked): Promise<Offered[]> {
  const base = address.replace(/\/+$/, "");
  const bases = /\/v\d+[a-z]*$|\/openai$/.test(base) ? [base] : [`${base}/v1`, base];
  let last: unknown;
  for (const baseUrl of bases)
    try {
      const listed = await readList(baseUrl, asked);
      return listed
        .filter(({ id }) => isChatModel(id))
        .map((entry) => ({
          baseUrl,
          model: entry.id,
          abilities: abilitiesOf(entry.id, said(entry)),
        }));
    } catch (error) {
      last = error;
    }
  throw last;
}

async function readList(baseUrl: string, { apiKey, fetch: ask, timeoutMs }: Asked): Promise<Listed[]> {
  const response = await ask(`${baseUrl}/models`, {
    headers: { accept: "application/json", ...(apiKey && { authorization: `Bearer ${apiKey}` }) },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const body = await response.text();
  if (!response.ok) throw new Error(`${new URL(baseUrl).host} answered ${response.status} when asked for its models.`);
  if (body.length > MAX_BODY) throw new Error("The list of models is too long.");
  return listSchema.parse(JSON.parse(body)).data;
}

function said(entry: Listed): Partial<ModelAbilities> {
  const context =
    entry.max_model_len ??
    entry.meta?.n_ctx ??
    entry.context_length ??
    entry.context_window ??
    entry.max_context_length;
  const modalities = entry.architecture?.input_modalities;
  return {
    ...(context && context >= 512 && { contextWindow: context }),
    ...(modalities && { images: modalities.includes("image") }),
  };
}

/**
 * Model servers on this machine, on the ports that Ollama, LM Studio, vLLM and llama.cpp usually have. All are asked at once and have half a
 * second; what answers with anything but a list of models is something else. In the order of the ports.
 */
export async function discoverModels(ctx: Context, fetch: typeof globalThis.fetch): Promise<Offered[]> {
  const found = await Promise.all(
    ctx.config.model.localPorts.map(async (port): Promise<Offered[]> => {
      try {
        const offered = await listOffered(`http://127.0.0.1:${port}/v1`, { fetch, timeoutMs: LOCAL_MS });
        const first = offered[0];
        if (first) first.abilities = await askOllama(port, first, fetch);
        return offered;
      } catch (error) {
        ctx.log.debug({ port, error: String(error) }, "no model server on this port");
        return [];
      }
    }),
  );
  return found.flat();
}

const showSchema = z.object({
  capabilities: z.array(z.string()).optional(),
  model_info: z.record(z.string(), z.unknown()).optional(),
  parameters: z.string().optional(),
});

/** Ollama runs a model with far less context than it could, unless told otherwise, and cuts what is longer without a word. */
const OLLAMA_CONTEXT = 8_192;

/** https://docs.ollama.com/api/show; what is no Ollama keeps what was known. */
async function askOllama(port: number, offered: Offered, ask: typeof globalThis.fetch): Promise<ModelAbilities> {
  try {
    const response = await ask(`http://127.0.0.1:${port}/api/show`, {
      method: "POST",
      body: JSON.stringify({ model: offered.model }),
      signal: AbortSignal.timeout(LOCAL_MS),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return offered.abilities;
    }
    const shown = showSchema.parse(await response.json());
    if (!shown.model_info && !shown.capabilities) return offered.abilities;
    const largest = Object.entries(shown.model_info ?? {}).find(([key]) => key.endsWith(".context_length"))?.[1];
    const set = Number(/num_ctx\s+(\d+)/.exec(shown.parameters ?? "")?.[1] ?? OLLAMA_CONTEXT);
    return abilitiesOf(offered.model, {
      contextWindow: typeof largest === "number" ? Math.min(largest, set) : set,
      ...(shown.capabilities && { images: shown.capabilities.includes("vision") }),
    });
  } catch {
    // Not an Ollama, or a slow one: nothing is lost but a better guess.
    return offered.abilities;
  }
}
