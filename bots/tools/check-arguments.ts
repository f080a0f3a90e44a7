/** Whether arguments are what a schema asks for (JSON Schema 2020-12). Interpreted: no code is made of schemas that people write. */
import { type Schema, Validator } from "@cfworker/json-schema";
import type { JsonSchema } from "../../migrations/types.ts";

const kept = new WeakMap<JsonSchema, Validator>();

/** A sentence for each thing that is wrong, at most five; none when it fits. */
export function problemsOf(schema: JsonSchema, value: unknown): string[] {
  const validator = kept.get(schema) ?? new Validator(schema as Schema, "2020-12", false);
  kept.set(schema, validator);
  const { valid, errors } = validator.validate(value);
  if (valid) return [];
  // The first errors of a failing object say only that something below it fails.
  const inner = errors.filter(({ keyword }) => !["properties", "items", "additionalProperties$"].includes(keyword));
  return (inner.length > 0 ? inner : errors)
    .slice(0, 5)
    .map(
      ({ instanceLocation, error }) =>
        `${instanceLocation.replace(/^#\/?/, "").replaceAll("/", ".") || "all"}: ${error}`,
    );
}
