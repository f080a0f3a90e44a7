/**
 * What rjsf asks of a validator, on an interpreter of JSON Schema: the page's policy lets no code be made of schemas, which is how ajv works.
 */
import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import type {
  CustomValidator,
  ErrorTransformer,
  RJSFSchema,
  RJSFValidationError,
  UiSchema,
  ValidationData,
  ValidatorType,
} from "@rjsf/utils";
import { toErrorSchema } from "@rjsf/utils";
import { texts } from "../texts.ts";

type Value = Record<string, unknown>;

/** A sentence for each field that is not as the schema wants it. */
export const schemaValidator: ValidatorType<Value> = {
  validateFormData(
    value: Value | undefined,
    schema: RJSFSchema,
    _custom?: CustomValidator<Value>,
    transform?: ErrorTransformer<Value>,
    uiSchema?: UiSchema<Value>,
  ): ValidationData<Value> {
    const found = problemsIn(schema, value);
    const errors = transform ? transform(found, uiSchema) : found;
    return { errors, errorSchema: toErrorSchema<Value>(errors) };
  },
  isValid: (schema, value, rootSchema) => problemsIn(withDefinitions(schema, rootSchema), value).length === 0,
  rawValidation<Result>(schema: RJSFSchema, value?: Value) {
    return { errors: problemsIn(schema, value) as Result[] };
  },
};

/** What `$ref` may point to stands in the root only. */
const withDefinitions = (schema: RJSFSchema, root: RJSFSchema): RJSFSchema =>
  typeof schema === "object" ? { ...schema, $defs: root.$defs, definitions: root.definitions } : schema;

/** Keywords that say no more than that something below them fails. */
const OUTER = new Set(["properties", "items", "prefixItems", "additionalProperties", "$ref", "allOf"]);

function problemsIn(schema: RJSFSchema, value: Value | undefined): RJSFValidationError[] {
  // A value that is not there is `undefined` in forms, and JSON has no such thing.
  const json: unknown = JSON.parse(JSON.stringify(value ?? {}));
  const { valid, errors } = new Validator(schema as Schema, "2020-12", false).validate(json);
  if (valid) return [];
  const inner = errors.filter(({ keyword }) => !OUTER.has(keyword));
  return (inner.length > 0 ? inner : errors).map((error) => {
    const path = pathOf(error);
    const message = sentenceFor(error);
    return { name: error.keyword, property: `.${path.join(".")}`, message, stack: message };
  });
}

/** What is missing is said at the field, not at the object around it. */
function pathOf({ instanceLocation, keyword, error }: OutputUnit): string[] {
  const path = instanceLocation.split("/").slice(1).map(unescaped);
  const [, missing] = (keyword === "required" && /property "(.*)"/.exec(error)) || [];
  return missing ? [...path, missing] : path;
}

const unescaped = (part: string) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");

function sentenceFor({ keyword, error }: OutputUnit): string {
  const { wrong } = texts.forms;
  const [number = ""] = /-?\d+(\.\d+)?(?=\D*$)/.exec(error) ?? [];
  if (keyword === "required") return wrong.missing;
  if (keyword === "type") return wrong.type[/Expected "(\w+)"/.exec(error)?.[1] ?? ""] ?? wrong.other;
  if (keyword === "format") return wrong.format[/format "([\w-]+)"/.exec(error)?.[1] ?? ""] ?? wrong.other;
  return wrong.keyword[keyword]?.(number) ?? wrong.other;
}
