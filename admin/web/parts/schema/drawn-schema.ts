/** What is drawn of a schema: its fields in their order, without what rjsf would draw twice. */
import type { UiSchema } from "@rjsf/utils";
import type { JsonSchema } from "../../../../migrations/types.ts";

/** A yes/no that nobody touches is a no; the page has a title already. */
export function drawnSchema(schema: JsonSchema): JsonSchema {
  const { title: _title, description: _description, properties = {}, ...rest } = schema;
  const fields = Object.entries(properties).map(([name, field]): [string, JsonSchema] => [
    name,
    field.type === "boolean" && field.default === undefined ? { ...field, default: false } : field,
  ]);
  return { ...rest, type: "object", properties: Object.fromEntries(fields) };
}

/** Mantine shows a field's help where it is told so for each field; `x-order` is the order of the fields, which JSON in a database does not keep. */
export function uiSchemaOf(schema: JsonSchema): UiSchema<Record<string, unknown>> {
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]) => [name, uiOf(field)]);
  const order = schema["x-order"];
  const listed = Array.isArray(order)
    ? order.filter((name) => typeof name === "string" && schema.properties?.[name])
    : [];
  return { ...Object.fromEntries(fields), ...(listed.length > 0 ? { "ui:order": [...listed, "*"] } : {}) };
}

function uiOf(field: JsonSchema): UiSchema {
  return {
    ...(field.description ? { "ui:description": field.description } : {}),
    ...(field.properties ? uiSchemaOf(field) : {}),
    ...(Array.isArray(field.enum) && field.type === "string" && !field.default ? { "ui:placeholder": "" } : {}),
  };
}
