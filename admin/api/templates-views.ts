/** What the API says of templates. */
import { z } from "./endpoint.ts";

export const templateView = z
  .object({
    id: z.string(),
    title: z.string(),
    category: z.string(),
    name: z.string().openapi({ description: "What an agent made from it is called." }),
    description: z.string(),
    questions: z.array(z.string()).openapi({ description: "What one may ask it." }),
  })
  .openapi("Template");
export type TemplateView = z.output<typeof templateView>;

export const templateDetails = templateView
  .extend({ instructions: z.string(), variables: z.record(z.string(), z.string()) })
  .openapi("TemplateDetails");
export type TemplateDetails = z.output<typeof templateDetails>;

export const templateUpdateView = z
  .object({
    revision: z.number().int().openapi({ description: "Of the draft that it was made for; send it back to take it." }),
    changes: z.array(
      z.object({
        field: z.string().openapi({ example: "variables.voice" }),
        from: z.unknown().openapi({ description: "What the agent has." }),
        to: z.unknown().openapi({ description: "What it would have." }),
      }),
    ),
    conflicts: z
      .array(z.object({ field: z.string(), yours: z.unknown(), template: z.unknown() }))
      .openapi({ description: "Changed by both: the agent's own text is kept." }),
  })
  .openapi("TemplateUpdate");
export type TemplateUpdateView = z.output<typeof templateUpdateView>;

export const agentToUpdate = z.object({ id: z.string(), name: z.string(), template: z.string(), title: z.string() });
export type AgentToUpdate = z.output<typeof agentToUpdate>;
