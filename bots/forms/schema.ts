/**
 * The JSON Schemas that forms and their results are made of: one level of named fields, of kinds that the form editor draws and every model takes.
 * Pure.
 */
import type { JsonSchema } from "../../migrations/types.ts";
import { storable } from "../said.ts";

export const MAX_FIELDS = 30;
const MAX_BYTES = 32_768;
const MAX_CHOICES = 100;
const FIELD = /^[a-z][a-z0-9_]{0,39}$/;

export interface Field {
  name: string;
  /** For people; the name where there is none. */
  title: string;
  schema: JsonSchema;
  required: boolean;
}

/** The fields in their order. `x-order` keeps it: a database does not keep the order of an object's names. */
export function fieldsOf(schema: JsonSchema): Field[] {
  const { properties = {}, required = [] } = schema;
  return orderOf(schema).map((name) => {
    const field = properties[name] ?? {};
    return { name, title: field.title?.trim() || name, schema: field, required: required.includes(name) };
  });
}

function orderOf({ properties = {}, "x-order": order }: JsonSchema): string[] {
  const names = Object.keys(properties);
  const listed = Array.isArray(order)
    ? order.filter((name): name is string => typeof name === "string" && Object.hasOwn(properties, name))
    : [];
  return [...new Set([...listed, ...names])];
}

/** The schema as it is kept: with the order of its fields, and closed to all others. */
export const keptSchema = (schema: JsonSchema): JsonSchema => ({
  ...schema,
  type: "object",
  properties: schema.properties ?? {},
  required: [...new Set(schema.required ?? [])],
  "x-order": orderOf(schema),
  additionalProperties: false,
});

/** What models are given: in order, without words that some providers refuse. What those say is said in the description. */
export function modelSchema(schema: JsonSchema): JsonSchema {
  const fields = fieldsOf(schema).map(({ name, schema: field }): [string, JsonSchema] => [name, forModel(field)]);
  return {
    type: "object",
    properties: Object.fromEntries(fields),
    required: schema.required ?? [],
    additionalProperties: false,
  };
}

function forModel({ format, title, description, default: preset, ...field }: JsonSchema): JsonSchema {
  const about = [title, description, FORMATS[String(format)]?.forModel];
  const words = about.filter((part) => typeof part === "string" && part !== "").join(". ");
  return { ...field, ...(words ? { description: words } : {}), ...(preset === undefined ? {} : { default: preset }) };
}

/** `textarea` is JSON Editor's word for a text of several lines. */
const FORMATS: Record<string, { forModel: string }> = {
  textarea: { forModel: "" },
  date: { forModel: "A date like 2026-03-14" },
  email: { forModel: "A mail address" },
};

/** The first thing that is wrong with it, in a sentence; null for a schema that can be used. */
export function schemaProblem(schema: JsonSchema, what: "form" | "result"): string | null {
  if (schema.type !== "object")
    return `The ${what} must be a JSON Schema of an object: {"type": "object", "properties": …}.`;
  if (isDeep(schema)) return `The ${what} has named fields, one level deep.`;
  if (Buffer.byteLength(JSON.stringify(schema)) > MAX_BYTES)
    return `The ${what} is too large: its schema has at most 32 kB.`;
  if (!isStorable(schema)) return `The ${what} contains characters that cannot be stored.`;
  const strange = Object.keys(schema).find((keyword) => !OUTER.has(keyword));
  if (strange) return `The ${what} cannot use "${strange.slice(0, 60)}". It has named fields, one level deep.`;
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== false)
    return `The ${what} takes no fields but those that it names: leave "additionalProperties" out.`;
  const { properties = {}, required = [] } = schema;
  if (typeof properties !== "object" || properties === null || Array.isArray(properties))
    return '"properties" must be an object with a schema for each field.';
  const names = Object.keys(properties);
  if (names.length > MAX_FIELDS) return `The ${what} has ${names.length} fields; there may be ${MAX_FIELDS}.`;
  if (what === "result" && names.length === 0)
    return "Name at least one field that the result has, or take a text as the result.";
  if (
    !Array.isArray(required) ||
    !required.every((name) => typeof name === "string" && Object.hasOwn(properties, name))
  )
    return '"required" must name fields that there are.';
  for (const [name, field] of Object.entries(properties)) {
    const problem = fieldProblem(name, field, what);
    if (problem) return problem;
  }
  return null;
}

/** Deeper than any schema that can be used: nothing that goes down by itself (JSON.stringify, too) is given it. */
function isDeep(schema: unknown): boolean {
  let level: unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > 6) return true;
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
  return false;
}

/** Names and texts alike: Postgres takes neither NUL nor half a character. */
function isStorable(value: unknown): boolean {
  if (typeof value === "string") return storable(value) === value;
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([name, item]) => storable(name) === name && isStorable(item));
}

const OUTER = new Set([
  "$schema",
  "type",
  "title",
  "description",
  "properties",
  "required",
  "additionalProperties",
  "x-order",
]);
const ALWAYS = ["type", "title", "description", "default"];
const KEYWORDS: Record<string, Set<string>> = {
  string: new Set([...ALWAYS, "enum", "format", "minLength", "maxLength"]),
  number: new Set([...ALWAYS, "minimum", "maximum"]),
  integer: new Set([...ALWAYS, "minimum", "maximum"]),
  boolean: new Set(ALWAYS),
  array: new Set(["type", "title", "description", "items"]),
};

function fieldProblem(name: string, field: unknown, what: "form" | "result"): string | null {
  if (!FIELD.test(name))
    return `"${name.slice(0, 60)}" cannot be a field's name. Use small letters, digits and _, beginning with a letter, at most 40.`;
  if (typeof field !== "object" || field === null || Array.isArray(field)) return `The field ${name} needs a schema.`;
  const schema = field as JsonSchema;
  const keywords = Object.hasOwn(KEYWORDS, String(schema.type)) ? KEYWORDS[String(schema.type)] : undefined;
  if (!keywords || (schema.type === "array" && what === "form"))
    return `The field ${name} must be a text, a number, a yes/no, a choice, a date or a mail address.`;
  const strange = Object.keys(schema).find((keyword) => !keywords.has(keyword));
  if (strange) return `The field ${name} cannot use "${strange.slice(0, 60)}".`;
  return (
    wordsProblem(name, schema) ??
    choiceProblem(name, schema) ??
    boundsProblem(name, schema) ??
    listProblem(name, schema)
  );
}

function wordsProblem(name: string, { title, description, format }: JsonSchema): string | null {
  if (title !== undefined && (typeof title !== "string" || title.length > 200))
    return `The label of ${name} has at most 200 characters.`;
  if (description !== undefined && (typeof description !== "string" || description.length > 1000))
    return `The help of ${name} has at most 1000 characters.`;
  if (format !== undefined && !Object.hasOwn(FORMATS, String(format)))
    return `The format of ${name} must be one of: ${Object.keys(FORMATS).join(", ")}.`;
  return null;
}

function choiceProblem(name: string, { enum: choices }: JsonSchema): string | null {
  if (choices === undefined) return null;
  const fits =
    Array.isArray(choices) &&
    choices.length > 0 &&
    choices.length <= MAX_CHOICES &&
    choices.every((choice) => typeof choice === "string" && choice.trim() !== "" && choice.length <= 200) &&
    new Set(choices).size === choices.length;
  return fits ? null : `Give ${name} at least one choice and at most ${MAX_CHOICES}, each a text, none of them twice.`;
}

function boundsProblem(name: string, field: JsonSchema): string | null {
  for (const keyword of ["minimum", "maximum", "minLength", "maxLength"]) {
    const bound = field[keyword];
    if (bound === undefined) continue;
    const whole = keyword.endsWith("Length");
    if (typeof bound !== "number" || !Number.isFinite(bound) || (whole && (!Number.isInteger(bound) || bound < 0)))
      return `"${keyword}" of ${name} must be ${whole ? "a whole number, 0 or more" : "a number"}.`;
  }
  const { type, default: preset, enum: choices } = field;
  if (preset === undefined) return null;
  const fits = type === "integer" ? Number.isInteger(preset) : typeof preset === type;
  if (!fits || (Array.isArray(choices) && !choices.includes(preset)))
    return `What ${name} begins with does not fit its kind.`;
  return null;
}

function listProblem(name: string, { type, items }: JsonSchema): string | null {
  if (type !== "array") return null;
  const fits =
    typeof items === "object" &&
    items !== null &&
    (items as JsonSchema).type === "string" &&
    Object.keys(items).length === 1;
  return fits ? null : `The list ${name} must be one of texts: "items": {"type": "string"}.`;
}
