/** What the API says of agents and takes for them. */
import { moment, words, z } from "./endpoint.ts";
import { pageQuery } from "./pages.ts";

/** A seed of a drawn face, or the id of an uploaded picture. */
const avatarSchema = z.union([
  z.object({ kind: z.literal("generated"), seed: words(200) }),
  z.object({ kind: z.literal("uploaded"), id: words(100) }),
]);

const boundsBody = z
  .object({
    policy: z.enum(["never", "ask", "direct", "allowed"]).optional().openapi({
      description:
        "`never`: refused. `ask`: a person decides each time. `direct`: allowed in a chat of one person and the agent. Not set: as its group.",
    }),
    allow: z
      .array(words(500))
      .max(200)
      .optional()
      .openapi({ description: "Patterns of what it may touch; empty: everything." }),
    refuse: z.array(words(500)).max(200).optional(),
    perRun: z.number().int().min(1).max(1_000_000).optional(),
    perHour: z.number().int().min(1).max(1_000_000).optional(),
    perDay: z.number().int().min(1).max(1_000_000).optional(),
    tokensPerDay: z.number().int().min(1).max(1_000_000_000_000).optional(),
    level: z.number().int().min(0).max(100).optional().openapi({ description: "Power level of who approves; 50." }),
  })
  .openapi("ToolBoundsInput");

const boundsView = z
  .object({
    policy: z.enum(["never", "ask", "direct", "allowed"]).optional(),
    allow: z.array(z.string()).optional(),
    refuse: z.array(z.string()).optional(),
    perRun: z.number().optional(),
    perHour: z.number().optional(),
    perDay: z.number().optional(),
    tokensPerDay: z.number().optional(),
    level: z.number().optional(),
  })
  .openapi("ToolBounds");

/** Shapes and lengths; what it means is checked in `bots/definition.ts`, with a sentence for each field. */
export const definitionBody = z
  .object({
    name: words(200),
    description: words(500, 0).openapi({ description: "What it is for, in a line." }),
    instructions: words(100_000, 0).openapi({ description: "Empty in drafts only. `{{name}}` is filled in." }),
    model: words(100).nullable().openapi({ description: "Name of a model; null: the client's default." }),
    whoMayInvite: z.union([
      z.literal("anyone"),
      z.literal("nobody"),
      z.object({ users: z.array(z.string().max(255)).max(500) }),
    ]),
    scope: z.enum(["observer", "member", "moderator"]),
    variables: z
      .record(z.string().max(100), z.string().max(2000))
      .optional()
      .openapi({ description: "Values for `{{name}}` in the instructions." }),
    avatar: avatarSchema.optional().openapi({ description: "Not set: a face drawn for the agent." }),
    limits: z
      .object({
        tokensPerDay: z.number().int().min(1).max(1_000_000_000_000).optional(),
        maxAnswerTokens: z.number().int().min(1).max(10_000_000).optional(),
      })
      .optional(),
    tools: z
      .record(z.string().max(100), boundsBody)
      .optional()
      .openapi({ description: "What it may use, by group or by tool. What is not named it may not." }),
  })
  .openapi("AgentDefinitionInput");

/** The same as it is shown: what is kept may be older than the rules above. */
export const definitionView = z
  .object({
    name: z.string(),
    description: z.string(),
    instructions: z.string(),
    model: z.string().nullable(),
    whoMayInvite: z.union([z.literal("anyone"), z.literal("nobody"), z.object({ users: z.array(z.string()) })]),
    scope: z.enum(["observer", "member", "moderator"]),
    variables: z.record(z.string(), z.string()).optional(),
    avatar: z
      .union([
        z.object({ kind: z.literal("generated"), seed: z.string() }),
        z.object({ kind: z.literal("uploaded"), id: z.string() }),
      ])
      .optional(),
    limits: z.object({ tokensPerDay: z.number().optional(), maxAnswerTokens: z.number().optional() }).optional(),
    tools: z.record(z.string(), boundsView).optional(),
  })
  .openapi("AgentDefinition");
export type DefinitionView = z.output<typeof definitionView>;

const stateView = z.enum(["draft", "creating", "active", "paused", "removing", "removed"]);

/** One row of the gallery. What members may not see is null. */
export const agentItem = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    state: stateView.openapi({
      description: "`draft`: never published. `creating`: its homeserver has not made it yet.",
    }),
    userId: z.string().nullable().openapi({ description: "Its Matrix user; null before it was published." }),
    face: z.string().openapi({ description: "Changes with its face: the avatar's `?v=`." }),
    version: z.number().int().nullable().openapi({ description: "What is published; null before." }),
    hasDraft: z.boolean().nullable(),
    model: z.string().nullable().openapi({ description: "What its definition names." }),
    answeredBy: z.string().nullable().openapi({ description: "The model that would answer now; null: none would." }),
    templateId: z.string().nullable(),
    rooms: z.number().int().nullable(),
    runs: z.number().int().nullable().openapi({ description: "Of the last 30 days; at most 1000 are counted." }),
    up: z.number().int().nullable().openapi({ description: "👍 of the last 30 days." }),
    down: z.number().int().nullable().openapi({ description: "👎 of the last 30 days." }),
  })
  .openapi("AgentItem");
export type AgentItem = z.output<typeof agentItem>;

export const versionView = z
  .object({
    version: z.number().int(),
    by: z.string().nullable().openapi({ description: "A Matrix user id, or `operator:<name>`." }),
    note: z.string().nullable(),
    at: moment,
  })
  .openapi("AgentVersion");
export type VersionView = z.output<typeof versionView>;

export const versionDetails = versionView.extend({ definition: definitionView }).openapi("AgentVersionDetails");
export type VersionDetails = z.output<typeof versionDetails>;

/** The draft as it is kept; also what a 409 of saving carries as `current`. */
const draftView = z
  .object({
    definition: definitionView,
    revision: z.number().int().openapi({ description: "Send it back when you save." }),
    by: z.string().nullable(),
    at: moment.nullable(),
  })
  .openapi("AgentDraft");
export type DraftView = z.output<typeof draftView>;

/** One agent. For members, `definition` and what follows from it is null. */
export const agentView = agentItem
  .omit({ rooms: true, runs: true, up: true, down: true })
  .extend({
    definition: definitionView.nullable().openapi({ description: "What is published; null before." }),
    draft: definitionView.nullable().openapi({ description: "What is written and not published; null: nothing." }),
    revision: z.number().int().nullable(),
    draftBy: z.string().nullable(),
    draftAt: moment.nullable(),
    unknownVariables: z
      .array(z.string())
      .openapi({ description: "Names in {{ }} of its draft or definition that have no value." }),
    warnings: z.array(z.string()).openapi({ description: "Sentences about its draft or definition." }),
    problems: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .openapi({ description: "What keeps the draft from being published." }),
    versions: z.array(versionView).openapi({ description: "The newest ten." }),
    mayUse: z
      .array(
        z.object({
          name: z.string(),
          title: z.string(),
          summary: z.string(),
          group: z.string(),
          policy: z.enum(["ask", "direct", "allowed"]),
        }),
      )
      .openapi({ description: "Tools that what is published of it may use; for members too." }),
  })
  .openapi("Agent");
export type AgentView = z.output<typeof agentView>;

export const agentRoomView = z
  .object({
    roomId: z.string(),
    name: z.string().nullable(),
    kind: z.enum(["space", "channel", "other"]),
    membership: z.enum(["join", "invite"]),
    scope: z.enum(["observer", "member", "moderator"]).openapi({ description: "What holds in this room." }),
    ownScope: z.boolean().openapi({ description: "This room has another one than the definition." }),
  })
  .openapi("AgentRoom");
export type AgentRoomView = z.output<typeof agentRoomView>;

export const feedbackView = z
  .object({
    id: z.string().openapi({ description: "The reaction's event." }),
    run: z.string(),
    by: z.string(),
    name: z.string().nullable(),
    value: z.union([z.literal(1), z.literal(-1)]),
    roomId: z.string(),
    at: moment,
  })
  .openapi("AgentFeedback");
export type FeedbackView = z.output<typeof feedbackView>;

export const avatarView = z.object({ id: z.string() }).openapi("Avatar");
export type AvatarView = z.output<typeof avatarView>;

export const importedView = z
  .object({
    agent: agentView,
    remarks: z.array(z.string()).openapi({ description: "What was not taken over as it was." }),
  })
  .openapi("ImportedAgent");
export type ImportedView = z.output<typeof importedView>;

export const listQuery = pageQuery.extend({
  q: z.string().max(200).optional().openapi({ description: "Part of the name." }),
  state: z.enum(["draft", "creating", "active", "paused", "removing"]).optional(),
  template: z.string().max(100).optional(),
});

const revision = z.number().int().min(0).max(2_147_483_646);

/** From a template, from a definition, or from a template with parts of its own. */
export const createBody = z.object({
  template: z.string().max(100).optional(),
  definition: definitionBody.partial().optional(),
});
export const draftBody = z.object({ definition: definitionBody, revision });
export const publishBody = z.object({ revision, note: words(500, 0).optional() });
export const discardQuery = z.object({ revision: z.coerce.number().pipe(revision).optional() });
export const importBody = z.object({ file: z.string().openapi({ description: "The file's text." }) });
export const avatarBody = z.object({
  data: z.base64().openapi({ description: "A PNG or JPEG of at most 1 MB, as base64." }),
});
export const faceQuery = z.object({ seed: z.string().min(1).max(200) });
export const avatarQuery = z.object({
  of: z.enum(["published", "draft"]).default("published"),
  v: z.string().max(200).optional().openapi({ description: "Anything: another value is another address for caches." }),
});
