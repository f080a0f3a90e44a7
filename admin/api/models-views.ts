/** What the API says of models. */
import type { ModelFacts } from "../../bots/model-changes.ts";
import { moment, z } from "./endpoint.ts";

export const provider = z.enum(["openai-compatible", "openai", "anthropic", "google"]);

const abilities = z.object({
  contextWindow: z.number().int().openapi({ description: "What it reads at once, in tokens." }),
  maxOutput: z.number().int(),
  images: z.boolean(),
  files: z.boolean(),
});

export const checkView = z
  .object({
    at: moment,
    ok: z.boolean(),
    text: z.string().openapi({ description: "What it answered, or the sentence that says why it did not." }),
    firstTokenMs: z.number().nullable(),
    durationMs: z.number().nullable(),
  })
  .openapi("ModelCheck");
export type CheckView = z.output<typeof checkView>;

export const modelView = z
  .object({
    id: z.string(),
    name: z.string().openapi({ description: "What agents call it." }),
    provider,
    baseUrl: z.string().nullable().openapi({ description: "Null: the provider's own; or not yours to see." }),
    model: z.string().openapi({ description: "What its server calls it." }),
    shared: z.boolean().openapi({ description: "The operator's, for all clients." }),
    source: z.enum(["added", "environment", "found"]),
    editable: z.boolean(),
    isDefault: z.boolean().openapi({ description: "Answers here where an agent names no model." }),
    hasKey: z.boolean(),
    abilities,
    agents: z.number().int().openapi({ description: "Agents that name it." }),
    lastCheck: checkView.nullable(),
  })
  .openapi("Model");
export type ModelView = z.output<typeof modelView>;

export const foundView = z
  .object({ baseUrl: z.string(), model: z.string(), abilities })
  .openapi("FoundModel", { description: "On the platform's own machine, and not added yet." });
export type FoundView = z.output<typeof foundView>;

export const checkOf = (check: NonNullable<ModelFacts["lastCheck"]>): z.input<typeof checkView> => ({
  ...check,
  firstTokenMs: check.firstTokenMs ?? null,
  durationMs: check.durationMs ?? null,
});

/** `at`: whose list it is in; null: the operator's. `whole`: the reader is the operator. */
export function viewOf(facts: ModelFacts, at: string | null, whole: boolean): z.input<typeof modelView> {
  const { id, name, provider, baseUrl, model, source, hasKey, abilities, agents, isDefaultHere, lastCheck } = facts;
  const shared = facts.tenantId === null;
  return {
    id,
    name,
    provider,
    // Where the operator's servers stand is nothing for clients.
    baseUrl: shared && !whole ? null : baseUrl,
    model,
    shared,
    source,
    editable: source === "added" && facts.tenantId === at,
    isDefault: isDefaultHere,
    hasKey,
    abilities,
    agents,
    lastCheck: lastCheck && checkOf(lastCheck),
  };
}
