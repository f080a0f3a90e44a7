/** What the API says of form tools and takes for them. */
import type { JsonSchema } from "../../migrations/types.ts";
import { moment, words, z } from "./endpoint.ts";
import { pageQuery } from "./pages.ts";

/** Any JSON object here: what it may hold is checked in `bots/forms/schema.ts`, with a sentence. */
const schemaBody = z
  .record(z.string(), z.unknown())
  .transform((schema) => schema as JsonSchema)
  .openapi("FormSchema", { description: "A JSON Schema (2020-12) of an object with fields, one level deep." });

const schemaView = z.record(z.string(), z.unknown()).openapi("FormSchemaView");

/** Shapes and lengths; what it means is checked in `bots/forms/definition.ts`. */
export const formBody = z
  .object({
    name: words(100).openapi({ description: "What people write after `!` and agents call `form_<name>`." }),
    title: words(200, 0),
    description: words(2000, 0),
    input: schemaBody,
    prompt: words(50_000, 0).openapi({ description: "`{{field}}` for what was filled in." }),
    agent: words(100).nullable().openapi({ description: "Id of the agent that does it; null: a model alone." }),
    model: words(100).nullable().openapi({ description: "Name of a model; null: the client's default." }),
    output: schemaBody.nullable().openapi({ description: "What the answer must be; null: a text." }),
  })
  .openapi("FormDefinitionInput");

const formDefinition = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    input: schemaView,
    prompt: z.string(),
    agent: z.string().nullable(),
    model: z.string().nullable(),
    output: schemaView.nullable(),
  })
  .openapi("FormDefinition");

export const formItem = z
  .object({
    id: z.string(),
    name: z.string(),
    title: z.string(),
    description: z.string(),
    state: z.enum(["draft", "active", "paused"]).openapi({ description: "`draft`: never published." }),
    version: z.number().int().nullable().openapi({ description: "What is published; null before." }),
    hasDraft: z.boolean().nullable(),
    agentId: z.string().nullable(),
    agentName: z.string().nullable().openapi({ description: "Who does it; null: a model alone." }),
    model: z.string().nullable(),
  })
  .openapi("FormItem");
export type FormItem = z.output<typeof formItem>;

export const formVersionView = z
  .object({
    version: z.number().int(),
    by: z.string().nullable().openapi({ description: "A Matrix user id, or `operator:<name>`." }),
    note: z.string().nullable(),
    at: moment,
  })
  .openapi("FormVersion");

export const formVersionDetails = formVersionView.extend({ definition: formDefinition }).openapi("FormVersionDetails");

/** One form. For members, `definition` and what follows from it is null. */
export const formView = formItem
  .extend({
    input: schemaView.nullable().openapi({ description: "What is filled in; null before it was published." }),
    output: schemaView.nullable(),
    definition: formDefinition.nullable().openapi({ description: "What is published; null before." }),
    draft: formDefinition.nullable().openapi({ description: "What is written and not published; null: nothing." }),
    revision: z.number().int().nullable().openapi({ description: "Send it back when you save." }),
    draftBy: z.string().nullable(),
    draftAt: moment.nullable(),
    warnings: z.array(z.string()),
    problems: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .openapi({ description: "What keeps the draft from being published." }),
    versions: z.array(formVersionView).openapi({ description: "The newest ten." }),
  })
  .openapi("Form");
export type FormView = z.output<typeof formView>;

export const formRunView = z
  .object({
    id: z.string(),
    formId: z.string(),
    title: z.string(),
    version: z.number().int(),
    via: z.enum(["panel", "link", "command", "tool", "try"]),
    by: z.string(),
    byName: z.string().nullable(),
    roomId: z.string().nullable().openapi({ description: "Where the result goes." }),
    roomName: z.string().nullable(),
    values: z.record(z.string(), z.unknown()).nullable().openapi({ description: "Null once erased." }),
    state: z.enum(["queued", "running", "done", "failed", "stopped"]),
    result: z.string().nullable().openapi({ description: "Markdown; where the form promises fields, JSON." }),
    error: z.string().nullable(),
    untrusted: z.string().nullable().openapi({ description: "What it read that nobody vouches for." }),
    tokens: z.number().int(),
    runId: z.string().nullable().openapi({ description: "The agent's run." }),
    input: schemaView,
    output: schemaView.nullable(),
    at: moment,
    finishedAt: moment.nullable(),
  })
  .openapi("FormRun");
export type FormRunView = z.output<typeof formRunView>;

export const listQuery = pageQuery.extend({
  q: z.string().max(200).optional().openapi({ description: "Part of the name or title." }),
});

const revision = z.number().int().min(0).max(2_147_483_646);
export const createBody = z.object({ definition: formBody.partial().required({ name: true }) });
export const draftBody = z.object({ definition: formBody, revision });
export const publishBody = z.object({ revision, note: words(500, 0).optional() });
export const discardQuery = z.object({ revision: z.coerce.number().pipe(revision).optional() });
export const fillBody = z.object({
  values: z.record(z.string(), z.unknown()),
  room: z.string().max(300).optional().openapi({ description: "Where the result goes; you must be in it." }),
  draft: z.boolean().optional().openapi({ description: "Try what is written; takes the right to change forms." }),
});
export const linkBody = z.object({ room: z.string().min(1).max(300) });
