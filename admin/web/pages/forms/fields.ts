/** A schema as a list of fields that people write without code, and back. */
import type { JsonSchema } from "./definition.ts";

export const KINDS = ["text", "long", "number", "yesno", "choice", "date", "mail", "list"] as const;
export type Kind = (typeof KINDS)[number];

export interface EditedField {
  /** Stays the same while it is written. */
  key: number;
  name: string;
  title: string;
  kind: Kind;
  help: string;
  required: boolean;
  choices: string[];
  /** What the JSON Schema says besides: bounds, what it begins with. */
  more: JsonSchema;
}

/** As many as `bots/forms/schema.ts` takes. */
export const MAX_FIELDS = 30;

let keys = 0;
export const newKey = (): number => ++keys;

/** In their order. What the editor has no kind for is a text; the platform says whether it can be. */
export function fieldsOf(schema: JsonSchema): EditedField[] {
  const properties = schema.properties ?? {};
  const order = Array.isArray(schema["x-order"])
    ? schema["x-order"].filter((name) => Object.hasOwn(properties, String(name)))
    : [];
  const names = [...new Set([...order.map(String), ...Object.keys(properties)])];
  return names.map((name) => fieldOf(name, properties[name] ?? {}, schema.required?.includes(name) ?? false));
}

function fieldOf(name: string, schema: JsonSchema, required: boolean): EditedField {
  const { type: _type, format: _format, enum: choices, items: _items, title, description, ...more } = schema;
  return {
    key: newKey(),
    name,
    title: title ?? name,
    kind: kindOf(schema),
    help: description ?? "",
    required,
    choices: Array.isArray(choices) ? choices.map(String) : [],
    more,
  };
}

function kindOf({ type, format, enum: choices }: JsonSchema): Kind {
  if (type === "number" || type === "integer") return "number";
  if (type === "boolean") return "yesno";
  if (type === "array") return "list";
  if (Array.isArray(choices)) return "choice";
  return format === "textarea" ? "long" : format === "date" ? "date" : format === "email" ? "mail" : "text";
}

/** Two fields of one name would be one: the second gets another name until somebody gives it one. */
export function schemaOf(fields: readonly EditedField[]): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const required: string[] = [];
  for (const field of fields) {
    let name = field.name;
    for (let n = 2; Object.hasOwn(properties, name); n++) name = `${field.name}_${n}`;
    properties[name] = propertyOf(field);
    if (field.required) required.push(name);
  }
  return { type: "object", properties, required, "x-order": Object.keys(properties), additionalProperties: false };
}

function propertyOf({ title, kind, help, choices, more }: EditedField): JsonSchema {
  const { minimum, maximum, minLength, maxLength, default: preset } = more;
  const bounds =
    kind === "number" ? { minimum, maximum } : kind === "text" || kind === "long" ? { minLength, maxLength } : {};
  return defined({
    ...TYPES[kind],
    title,
    description: help || undefined,
    enum: kind === "choice" ? choices : undefined,
    ...bounds,
    default: presetFor(kind, preset, choices),
  });
}

/** What it began with as another kind means nothing now. */
function presetFor(kind: Kind, preset: unknown, choices: string[]): unknown {
  if (kind === "list") return undefined;
  if (kind === "choice") return choices.includes(String(preset)) ? preset : undefined;
  const type = kind === "number" ? "number" : kind === "yesno" ? "boolean" : "string";
  return typeof preset === type ? preset : undefined;
}

const TYPES: Record<Kind, JsonSchema> = {
  text: { type: "string" },
  long: { type: "string", format: "textarea" },
  number: { type: "number" },
  yesno: { type: "boolean" },
  choice: { type: "string" },
  date: { type: "string", format: "date" },
  mail: { type: "string", format: "email" },
  list: { type: "array", items: { type: "string" } },
};

const defined = (schema: JsonSchema): JsonSchema =>
  Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));

/** How it is written in a message that fills in the form; “…” stands for words. */
export function exampleOf({ name, kind, choices: [choice] }: EditedField): string {
  if (kind === "choice" && choice !== undefined) return `${name}=${quoted(choice)}`;
  return `${name}=${EXAMPLES[kind] ?? '"…"'}`;
}

const EXAMPLES: Partial<Record<Kind, string>> = {
  number: "12",
  yesno: "yes",
  date: "2026-03-14",
  mail: "ann@example.org",
};

/** A choice of several words, or with marks that a message reads as quotation marks. */
const quoted = (text: string): string => (/[\s"“„«]/.test(text) ? `"${text.replaceAll('"', '\\"')}"` : text);

export const isFieldName = (name: string): boolean => /^[a-z][a-z0-9_]{0,39}$/.test(name);

/** "field_3": the first of its kind that is free. */
export function freeName(fields: readonly EditedField[]): { name: string; n: number } {
  for (let n = fields.length + 1; ; n++)
    if (!fields.some(({ name }) => name === `field_${n}`)) return { name: `field_${n}`, n };
}
