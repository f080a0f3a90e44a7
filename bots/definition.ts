/** What a definition may be: for people, with a sentence for each field. */
import { and, eq, isNull, or } from "drizzle-orm";
import type { Database } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { avatars, models } from "../migrations/schema.ts";
import type { AgentDefinition, AgentLimits } from "../migrations/types.ts";
import { agentNameProblem } from "./agent-names.ts";
import { toolsProblems } from "./tools/bounds-check.ts";
import { unknownVariables } from "./variables.ts";

/** What is wrong, by the field's path: `{"variables.tone": "…"}`. */
export type Problems = Record<string, string>;

/** A definition that cannot be used; the sentence is that of the first field. */
export class DefinitionError extends AppError {
  readonly fields: Problems;
  constructor(fields: Problems) {
    super("invalid", Object.values(fields)[0] ?? "This definition cannot be used.");
    this.name = "DefinitionError";
    this.fields = fields;
  }
}

/** The database or a transaction on it. */
export type Reader = Pick<Database, "select">;

const MAX_INSTRUCTIONS = 100_000;
const MAX_DESCRIPTION = 500;
const MAX_VARIABLES = 50;
const MAX_VALUE = 2000;
const MAX_USERS = 500;

/** The definition as it is kept. Throws `DefinitionError` for what cannot be, a `whole` one also for what is missing. */
export function checkDefinition(definition: AgentDefinition, how: { whole: boolean }): AgentDefinition {
  const checked = { ...definition, name: definition.name.normalize("NFC") };
  const problems = { ...definitionProblems(checked), ...(how.whole ? missingParts(checked) : {}) };
  if (Object.keys(problems).length > 0) throw new DefinitionError(problems);
  return checked;
}

/** What is missing to publish it. */
export const missingParts = ({ instructions }: AgentDefinition): Problems =>
  instructions.trim() === "" ? { instructions: "Say in the instructions what the agent does." } : {};

/** What can be said without the database. */
export function definitionProblems(definition: AgentDefinition): Problems {
  const { name, description, instructions, whoMayInvite, variables = {}, limits = {} } = definition;
  const problems: Problems = {};
  const say = (path: string, problem: string | false | null) => {
    if (problem) problems[path] = problem;
  };
  say("name", agentNameProblem(name));
  say(
    "description",
    description.length > MAX_DESCRIPTION && `A description has at most ${MAX_DESCRIPTION} characters.`,
  );
  say(
    "instructions",
    instructions.length > MAX_INSTRUCTIONS && `Instructions have at most ${MAX_INSTRUCTIONS} characters.`,
  );
  if (typeof whoMayInvite === "object") say("whoMayInvite", usersProblem(whoMayInvite.users));
  say("variables", Object.keys(variables).length > MAX_VARIABLES && `There are at most ${MAX_VARIABLES} variables.`);
  for (const [variable, value] of Object.entries(variables))
    say(`variables.${variable}`, variableProblem(variable, value));
  Object.assign(problems, toolsProblems(definition.tools ?? {}));
  for (const limit of ["tokensPerDay", "maxAnswerTokens"] as const) say(`limits.${limit}`, limitProblem(limits, limit));
  return problems;
}

function usersProblem(users: string[]): string | null {
  if (users.length > MAX_USERS) return `At most ${MAX_USERS} people can be named.`;
  const wrong = users.find((user) => !/^@[^\s:@]+:[^\s@]+$/.test(user) || user.length > 255);
  if (wrong === undefined) return null;
  return `"${wrong.slice(0, 60)}" is not a user id. Write it like @anna:example.org.`;
}

function variableProblem(name: string, value: string): string | null {
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(name))
    return `"${name.slice(0, 60)}" cannot be a variable's name. Use small letters, digits and _, beginning with a letter.`;
  return value.length > MAX_VALUE ? `The value of ${name} has at most ${MAX_VALUE} characters.` : null;
}

function limitProblem(limits: AgentLimits, name: keyof AgentLimits): string | null {
  const value = limits[name];
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return null;
  return "A limit is a whole number above 0. Leave it empty for none.";
}

/** What only the database knows: whether its model and its picture are the tenant's to use. */
export async function referenceProblems(
  db: Reader,
  tenantId: string,
  { model, avatar }: AgentDefinition,
): Promise<Problems> {
  const problems: Problems = {};
  if (model !== null && !(await hasModel(db, tenantId, model)))
    problems.model = `There is no model named "${model}" here. Choose another one, or none for the default.`;
  if (avatar?.kind === "uploaded" && !(await hasPicture(db, tenantId, avatar.id)))
    problems.avatar = "This picture is not there any more. Upload it again, or choose a drawn face.";
  return problems;
}

export async function hasModel(db: Reader, tenantId: string, name: string): Promise<boolean> {
  const here = and(eq(models.name, name), or(isNull(models.tenantId), eq(models.tenantId, tenantId)));
  return (await db.select({ id: models.id }).from(models).where(here).limit(1)).length > 0;
}

async function hasPicture(db: Reader, tenantId: string, id: string): Promise<boolean> {
  const here = and(eq(avatars.tenantId, tenantId), eq(avatars.id, id));
  return (await db.select({ id: avatars.id }).from(avatars).where(here)).length > 0;
}

/** What one may want to know before it is published: nothing of it keeps anybody from it. */
export function definitionWarnings(definition: AgentDefinition): string[] {
  const unknown = unknownVariables(definition);
  const some = unknown.slice(0, 5).map((name) => `{{${name}}}`);
  const warnings: string[] = [];
  if (unknown.length > 0)
    warnings.push(
      `${some.join(", ")}${unknown.length > some.length ? " and others" : ""} in the instructions ${unknown.length === 1 ? "has" : "have"} no value and will be read as written. Add a variable of that name.`,
    );
  if (definition.scope === "observer")
    warnings.push("An observer reads along and never answers. Choose member for an agent that answers.");
  if (definition.whoMayInvite === "nobody")
    warnings.push("Nobody may invite it: it comes only into rooms where managers add it.");
  return warnings;
}
