/** Whether arguments are what a schema asks for (JSON Schema 2020-12). Interpreted: no code is made of schemas that people write. */
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "../../migrations/types.ts";

const kept = new WeakMap<JsonSchema, Validator>();

/** What is wrong, for models, at most five; nothing when it fits. For people `problem-words.ts` says it. */
export function problemsOf(schema: JsonSchema, value: unknown): string[] {
  return validationErrors(schema, value)
    .slice(0, 5)
    .map(
      ({ instanceLocation, error }) =>
        `${instanceLocation.replace(/^#\/?/, "").replaceAll("/", ".") || "all"}: ${error}`,
    );
}

export function validationErrors(schema: JsonSchema, value: unknown): OutputUnit[] {
  const validator = kept.get(schema) ?? new Validator(schema as Schema, "2020-12", false);
  kept.set(schema, validator);
  const { valid, errors } = validator.validate(value);
  if (valid) return [];
  // The first errors of a failing object say only that something below it fails.
  const inner = errors.filter(({ keyword }) => !["properties", "items", "additionalProperties$"].includes(keyword));
  return inner.length > 0 ? inner : errors;
}
