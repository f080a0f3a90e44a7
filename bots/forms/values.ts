/** What was filled in, against the form. Pure. */
import { type Schema, Validator } from "@cfworker/json-schema";
import { AppError } from "../../core/errors.ts";
import type { JsonSchema } from "../../migrations/types.ts";
import { storable } from "../said.ts";
import { problemWords } from "../tools/problem-words.ts";
import { fieldsOf } from "./schema.ts";

export type Values = Record<string, unknown>;
/** Sentences by field. */
export type FieldProblems = Record<string, string>;

const MAX_TEXT = 50_000;
const MAX_ALL = 200_000;

/** The values do not fit the form; the sentence is that of the first field. */
export class FormValuesError extends AppError {
  readonly fields: FieldProblems;
  constructor(fields: FieldProblems) {
    const all = Object.entries(fields).map(([name, problem]) => `${name}: ${problem}`);
    super("invalid", all.join(" ") || "This does not fit the form.");
    this.name = "FormValuesError";
    this.fields = fields;
  }
}

/** As they are kept: what is empty is not there, what has a default has it, a yes/no that nobody touched is a no. */
export function completeValues(schema: JsonSchema, values: Values): Values {
  const known = fieldsOf(schema);
  const complete: Values = {};
  for (const { name, schema: field } of known) {
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    const value = given === null || (typeof given === "string" && given.trim() === "") ? undefined : given;
    const preset = field.default ?? (field.type === "boolean" ? false : undefined);
    const kept = value ?? preset;
    if (kept !== undefined) complete[name] = typeof kept === "string" ? storable(kept) : kept;
  }
  for (const name of Object.keys(values))
    if (!known.some((field) => field.name === name)) complete[name] = values[name];
  return complete;
}

/** A sentence for each field that does not fit; none when all do. Give it what `completeValues` made. */
export function valueProblems(schema: JsonSchema, values: Values): FieldProblems {
  const problems: FieldProblems = {};
  const names = fieldsOf(schema).map(({ name }) => name);
  for (const [name, value] of Object.entries(values)) {
    if (!names.includes(name))
      problems[name.slice(0, 60)] =
        names.length > 0 ? `There is no such field. There are ${names.join(", ")}.` : "There are no fields here.";
    else if (typeof value === "object") problems[name] = "This is not of the kind that is asked for.";
    else if (typeof value === "string" && value.length > MAX_TEXT)
      problems[name] = `Write at most ${MAX_TEXT} characters.`;
  }
  if (Object.keys(problems).length > 0) return problems;
  if (JSON.stringify(values).length > MAX_ALL) return { [names[0] ?? "all"]: "All fields together are too long." };
  for (const error of new Validator(schema as Schema, "2020-12", false).validate(values).errors) {
    const [name, sentence] = problemWords(error);
    if (name && !Object.hasOwn(problems, name)) problems[name] = sentence;
  }
  return problems;
}

/** Throws `FormValuesError`. */
export function checkedValues(schema: JsonSchema, values: Values): Values {
  const complete = completeValues(schema, values);
  const problems = valueProblems(schema, complete);
  if (Object.keys(problems).length > 0) throw new FormValuesError(problems);
  return complete;
}
