/** What a form tool may be: for people, with a sentence for each field. */
import { and, eq, inArray } from "drizzle-orm";
import { agents } from "../../migrations/schema.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import { DefinitionError, hasModel, type Problems, type Reader } from "../definition.ts";
import { fieldsOf, keptSchema, schemaProblem } from "./schema.ts";

/** Words that mean something else after `!`. */
export const RESERVED = ["help", "stop", "tools", "approvals", "schedules", "forms"];
const NAME = /^[a-z][a-z0-9_]{1,39}$/;
const MAX_TITLE = 100;
const MAX_DESCRIPTION = 1000;
const MAX_PROMPT = 20_000;
/** What the panel writes into the prompt of a new form. */
const PROMPT_START = "Write here what is to be done with what was filled in.";

/** The definition as it is kept. Throws `DefinitionError` for what cannot be, a `whole` one also for what is missing. */
export function checkForm(definition: FormDefinition, how: { whole: boolean }): FormDefinition {
  const problems = { ...(how.whole ? missingParts(definition) : {}), ...formProblems(definition) };
  if (Object.keys(problems).length > 0) throw new DefinitionError(problems);
  const { name, title, description, input, prompt, agent, model, output } = definition;
  return {
    name,
    title: title.normalize("NFC").trim(),
    description: description.normalize("NFC").trim(),
    input: keptSchema(input),
    prompt,
    agent,
    model,
    output: output && keptSchema(output),
  };
}

function missingParts({ title, input, prompt }: FormDefinition): Problems {
  const problems: Problems = {};
  if (title.trim() === "") problems.title = "Give it a title that people see.";
  if (Object.keys(input.properties ?? {}).length === 0) problems.input = "This form has no fields yet. Add one first.";
  if (isUnwritten(prompt)) problems.prompt = "Say in the prompt what is to be done with what was filled in.";
  return problems;
}

/** Empty, or what it began with, perhaps with fields put in. */
function isUnwritten(prompt: string): boolean {
  const words = prompt.replaceAll(PLACE, "").trim();
  return words === PROMPT_START || prompt.trim() === "";
}

/** What can be said without the database. */
export function formProblems({
  name,
  title,
  description,
  input,
  prompt,
  agent,
  model,
  output,
}: FormDefinition): Problems {
  const problems: Problems = {};
  const say = (path: string, problem: string | false | null) => {
    if (problem) problems[path] = problem;
  };
  say("name", nameProblem(name));
  say("title", title.length > MAX_TITLE && `A title has at most ${MAX_TITLE} characters.`);
  say(
    "description",
    description.length > MAX_DESCRIPTION && `A description has at most ${MAX_DESCRIPTION} characters.`,
  );
  say("input", schemaProblem(input, "form"));
  say("prompt", prompt.length > MAX_PROMPT && `A prompt has at most ${MAX_PROMPT} characters.`);
  say("model", agent !== null && model !== null && "An agent has a model of its own. Choose the agent or a model.");
  say("output", output && schemaProblem(output, "result"));
  return problems;
}

export function nameProblem(name: string): string | null {
  if (!NAME.test(name))
    return "A name has small letters, digits and _, begins with a letter and has 2 to 40 characters: people write it after “!”.";
  return RESERVED.includes(name) ? `!${name} is a command already. Choose another name.` : null;
}

/** What only the database knows: whether its agent and its model are the client's to use. */
export async function formReferenceProblems(
  db: Reader,
  tenantId: string,
  { agent, model }: FormDefinition,
): Promise<Problems> {
  const problems: Problems = {};
  if (agent !== null) {
    const usable = and(
      eq(agents.tenantId, tenantId),
      eq(agents.id, agent),
      inArray(agents.state, ["active", "paused", "creating"]),
    );
    const rows = await db.select({ id: agents.id }).from(agents).where(usable).limit(1);
    if (rows.length === 0)
      problems.agent = "There is no such agent here, or it is not published yet. Choose another one, or a model.";
  } else if (model !== null && !(await hasModel(db, tenantId, model)))
    problems.model = `There is no model named "${model}" here. Choose another one, or none for the default.`;
  return problems;
}

const PLACE = /\{\{([^{}]{1,100})\}\}/g;

/** What one may want to know before it is published: nothing of it keeps anybody from it. */
export function formWarnings({ input, prompt }: FormDefinition): string[] {
  if (schemaProblem(input, "form")) return [];
  const names = fieldsOf(input).map(({ name }) => name);
  const named = [...prompt.matchAll(PLACE)].map(([, name = ""]) => name.trim());
  const unknown = [...new Set(named)].filter((name) => name !== "" && !names.includes(name));
  const unused = names.filter((name) => !named.includes(name));
  const warnings: string[] = [];
  if (unknown.length > 0)
    warnings.push(
      `${list(unknown.map((name) => `{{${name}}}`))} in the prompt ${unknown.length === 1 ? "names no field" : "name no fields"} of the form and will be read as written.`,
    );
  if (unused.length > 0)
    warnings.push(
      `The prompt does not say where ${list(unused)} ${unused.length === 1 ? "goes" : "go"}: what is filled in there is put below it.`,
    );
  return warnings;
}

const list = (words: string[]) => `${words.slice(0, 5).join(", ")}${words.length > 5 ? " and others" : ""}`;
