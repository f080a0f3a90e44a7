/** An agent as one file that goes from client to client: nothing secret in it, and no ids of where it comes from. */
import { z } from "zod";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { type AgentRow, definitionOf } from "./agent-rows.ts";
import { hasModel } from "./definition.ts";
import { createDraftNamed } from "./drafts.ts";
import { findPicture, keepPicture } from "./pictures.ts";

export const MAX_FILE = 2_000_000;
/** Of the file's form. A newer one is refused: nobody knows what it means. */
const FORM = 1;

// biome-ignore lint/suspicious/noControlCharactersInRegex: what Postgres and Matrix do not take
const UNSTORABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

const text = (most: number) =>
  z
    .string()
    .max(most)
    .refine((value) => !UNSTORABLE.test(value), "contains characters that cannot be stored");

const bounds = z.strictObject({
  policy: z.enum(["never", "ask", "direct", "allowed"]).optional(),
  allow: z.array(text(500)).optional(),
  refuse: z.array(text(500)).optional(),
  perRun: z.number().optional(),
  perHour: z.number().optional(),
  perDay: z.number().optional(),
  tokensPerDay: z.number().optional(),
  level: z.number().optional(),
});

const definition = z.strictObject({
  name: text(200),
  description: text(500),
  instructions: text(100_000),
  model: text(100).nullable(),
  whoMayInvite: z.enum(["anyone", "nobody"]),
  scope: z.enum(["observer", "member", "moderator"]),
  variables: z.record(text(100), text(2000)).optional(),
  avatar: z.strictObject({ kind: z.literal("generated"), seed: text(200) }).optional(),
  limits: z.strictObject({ tokensPerDay: z.number().optional(), maxAnswerTokens: z.number().optional() }).optional(),
  tools: z.record(text(100), bounds).optional(),
});

const agentFile = z.strictObject({
  agentopia: z.literal(FORM),
  kind: z.literal("agent"),
  definition,
  /** From which template it was made, and what that said then. */
  template: z.strictObject({ id: text(100), definition: definition.nullable() }).nullable(),
  /** An uploaded picture, as base64. */
  avatar: z.base64().max(1_400_000).nullable(),
});
export type AgentFile = z.output<typeof agentFile>;

/** What is published of an agent, or the draft of one that never was. */
export async function exportAgent(ctx: Context, row: AgentRow): Promise<AgentFile> {
  const own = definitionOf(row);
  const { avatar } = own;
  const picture = avatar?.kind === "uploaded" ? await findPicture(ctx, row.tenantId, avatar.id) : null;
  return {
    agentopia: FORM,
    kind: "agent",
    definition: portable(own),
    template: row.templateId
      ? { id: row.templateId, definition: row.templateDefinition && portable(row.templateDefinition) }
      : null,
    avatar: picture && Buffer.from(picture.bytes).toString("base64"),
  };
}

/** People who may invite it are people of this client: elsewhere nobody may until somebody says who. */
function portable(own: AgentDefinition): AgentFile["definition"] {
  const { name, description, instructions, model, scope, variables, avatar, limits, tools } = own;
  return {
    name,
    description,
    instructions,
    model,
    whoMayInvite: typeof own.whoMayInvite === "object" ? "nobody" : own.whoMayInvite,
    scope,
    ...(variables ? { variables } : {}),
    ...(avatar?.kind === "generated" ? { avatar } : {}),
    ...(limits ? { limits } : {}),
    ...(tools ? { tools } : {}),
  };
}

/**
 * Writes a draft from such a file. `remarks` say what could not be taken over as it was. Throws `invalid` with what is wrong with the
 * file, `DefinitionError` for what an agent cannot be.
 */
export async function importAgent(
  ctx: Context,
  { tenantId, file, by }: { tenantId: string; file: string; by: string },
): Promise<{ row: AgentRow; remarks: string[] }> {
  const read = readFile(file);
  const remarks: string[] = [];
  const wanted: AgentDefinition = { ...read.definition };
  if (read.avatar !== null)
    wanted.avatar = { kind: "uploaded", id: await keepPicture(ctx, tenantId, Buffer.from(read.avatar, "base64")) };
  if (wanted.model !== null && !(await hasModel(ctx.db, tenantId, wanted.model))) {
    remarks.push(`There is no model named "${wanted.model}" here: the default answers until another one is chosen.`);
    wanted.model = null;
  }
  const { id: templateId, definition: templateDefinition } = read.template ?? { id: null, definition: null };
  const row = await createDraftNamed(ctx, { tenantId, definition: wanted, templateId, templateDefinition, by });
  if (row.name !== wanted.name.normalize("NFC"))
    remarks.push(`There is an agent called ${wanted.name} already: this one is called ${row.name}.`);
  return { row, remarks };
}

function readFile(file: string): AgentFile {
  if (Buffer.byteLength(file) > MAX_FILE) throw refused("it has more than 2 MB");
  let json: unknown;
  try {
    json = JSON.parse(file.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw refused("it is no JSON", cause);
  }
  const { agentopia, kind } = (typeof json === "object" && json !== null ? json : {}) as Partial<AgentFile>;
  if (typeof agentopia !== "number") throw refused("it does not come from Agentopia");
  if (kind !== "agent") throw refused("it holds something else than an agent");
  if (agentopia !== FORM) throw refused("it comes from a newer Agentopia. Update this one first");
  const parsed = agentFile.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refused(`${issue?.path.join(".") || "the file"}: ${issue?.message ?? "is not as it must be"}`);
}

const refused = (why: string, cause?: unknown) =>
  new AppError("invalid", `This file cannot be used: ${why}. Choose a file that "Export" made.`, { cause });
