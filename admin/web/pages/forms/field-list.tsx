import { List, Text } from "@mantine/core";
import { texts } from "../../texts.ts";
import type { JsonSchema } from "./definition.ts";
import { fieldsOf } from "./fields.ts";

const words = texts.forms.result;

/** Fields with their values, in the form's order. */
export function FieldList({ schema, values }: { schema: JsonSchema; values: Record<string, unknown> }) {
  const fields = fieldsOf(schema).filter(({ name }) => values[name] !== undefined && values[name] !== null);
  return (
    <dl className="agt-form-fields">
      {fields.map(({ key, name, title }) => (
        <div key={key}>
          <dt>{title}</dt>
          <dd>
            <Value value={values[name]} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: unknown }) {
  if (typeof value === "boolean") return value ? words.yes : words.no;
  if (Array.isArray(value))
    return (
      <List size="sm">
        {value.map((item, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list that does not change
          <List.Item key={at}>{String(item)}</List.Item>
        ))}
      </List>
    );
  return (
    <Text span inherit style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
      {String(value)}
    </Text>
  );
}
