import type { Config } from "../core/config.ts";
import type { Provider } from "./models.ts";

type Environment = Config["model"];

/** What the environment says about the operator's default model. */
export type Choice =
  | { kind: "model"; from: string; provider: Provider; baseUrl: string | null; model: string; apiKey: string | null }
  /** The first model that this server lists. */
  | { kind: "first"; from: string; baseUrl: string; apiKey: string | null }
  /** Whatever server is found on this machine; `model` if it must be a certain one. */
  | { kind: "local"; model: string | null }
  | { kind: "impossible"; sentence: string };

/** Used where a key is set and no model named. */
const USUAL_MODEL = { openai: "gpt-5.4-mini", anthropic: "claude-sonnet-5", google: "gemini-flash-latest" };
type Hosted = keyof typeof USUAL_MODEL;

const KEY_NAME = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  google: "GOOGLE_GENERATIVE_AI_API_KEY or GEMINI_API_KEY",
};

/**
 * The operator's default model, from the environment. In this order:
 *
 * 1. `OPENAI_BASE_URL`: that server, with `OPENAI_API_KEY` if set; `AGENTOPIA_MODEL` is passed on as it is (gateways
 *    have names like `anthropic/claude-…`), or the server's first model is taken.
 * 2. `AGENTOPIA_MODEL=provider/model` with openai, anthropic, google or local: that provider.
 * 3. `AGENTOPIA_MODEL=model`: the provider that such names belong to, if its key is set; else the first provider with a key, if the
 *    name is not known to belong elsewhere; else a server on this machine that has it.
 * 4. The first of `OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GOOGLE_GENERATIVE_AI_API_KEY` that is set, with its usual model.
 * 5. A server on this machine, with its first model.
 */
export function chooseDefault(env: Environment): Choice {
  const model = env.model ?? null;
  if (env.openaiBaseUrl) {
    const server = { from: "OPENAI_BASE_URL", baseUrl: env.openaiBaseUrl, apiKey: env.openaiKey ?? null };
    return model === null
      ? { kind: "first", ...server }
      : { kind: "model", provider: "openai-compatible", model, ...server };
  }
  if (model === null) {
    const provider = firstKey(env);
    return provider ? hosted(env, provider, USUAL_MODEL[provider]) : { kind: "local", model: null };
  }
  const [prefix = "", ...rest] = model.split("/");
  const name = rest.join("/");
  if (name && prefix === "local") return { kind: "local", model: name };
  if (name && isHosted(prefix)) return hosted(env, prefix, name);
  const family = familyOf(model);
  if (family && keyOf(env, family)) return hosted(env, family, model);
  const provider = family ? null : firstKey(env);
  return provider ? hosted(env, provider, model) : { kind: "local", model };
}

const isHosted = (name: string): name is Hosted => name in USUAL_MODEL;

function keyOf(env: Environment, provider: Hosted): string | undefined {
  return { openai: env.openaiKey, anthropic: env.anthropicKey, google: env.googleKey }[provider];
}

const firstKey = (env: Environment): Hosted | null =>
  (["openai", "anthropic", "google"] as const).find((provider) => keyOf(env, provider)) ?? null;

function familyOf(model: string): Hosted | null {
  if (/^claude/i.test(model)) return "anthropic";
  if (/^gemini/i.test(model)) return "google";
  return /^(gpt-(?!oss)|chatgpt|o[134](-|$))/i.test(model) ? "openai" : null;
}

function hosted(env: Environment, provider: Hosted, model: string): Choice {
  const apiKey = keyOf(env, provider);
  if (!apiKey)
    return {
      kind: "impossible",
      sentence: `AGENTOPIA_MODEL names ${provider}/${model}, but ${KEY_NAME[provider]} is not set. Set it and start again.`,
    };
  const baseUrl = provider === "anthropic" && env.anthropicBaseUrl ? anthropicBase(env.anthropicBaseUrl) : null;
  return { kind: "model", from: KEY_NAME[provider].split(" ")[0] ?? "", provider, baseUrl, model, apiKey };
}

/** Anthropic's own tools take the address without `/v1`, the AI SDK with it. */
export function anthropicBase(address: string): string {
  const base = address.replace(/\/+$/, "");
  return /\/v1$/.test(base) ? base : `${base}/v1`;
}

export const NO_MODEL_SENTENCE =
  "No model is set, so agents cannot answer yet. Start Ollama or LM Studio on this machine; or set OPENAI_BASE_URL, OPENAI_API_KEY or ANTHROPIC_API_KEY and start again; or run: npm run -s agentopia -- model add --help";
