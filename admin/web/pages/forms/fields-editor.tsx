import { Accordion, Button, Group, Stack, Text, Textarea } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState } from "react";
import { sameJson } from "../../parts/same-json.ts";
import { texts } from "../../texts.ts";
import type { JsonSchema } from "./definition.ts";
import { FieldCard } from "./field-card.tsx";
import {
  type EditedField,
  fieldsOf,
  freeName,
  isFieldName,
  type Kind,
  MAX_FIELDS,
  newKey,
  schemaOf,
} from "./fields.ts";
import type { FormDraft } from "./use-form-draft.ts";

const words = texts.forms.field;

interface Props {
  label: string;
  schema: JsonSchema;
  kinds: readonly Kind[];
  requiredLabel: string;
  error: string | undefined;
  onChange: (schema: JsonSchema) => void;
  holdBack: FormDraft["holdBack"];
}

/** Fields without code: added, ordered, removed; as JSON Schema for those who want that. */
export function FieldsEditor({ label, schema, kinds, requiredLabel, error, onChange, holdBack }: Props) {
  const [fields, setFields] = useFields(schema);
  const full = fields.length >= MAX_FIELDS;
  const most = useId();
  const change = (next: EditedField[]) => {
    setFields(next);
    onChange(schemaOf(next));
  };
  const add = () => {
    const { name, n } = freeName(fields);
    const field = {
      key: newKey(),
      name,
      title: words.newTitle(n),
      kind: "text",
      help: "",
      required: true,
      choices: [],
      more: {},
    } as const;
    change([...fields, { ...field, choices: [] }]);
  };
  const move = (at: number, by: number) => {
    const next = [...fields];
    const [moved] = next.splice(at, 1);
    if (moved) next.splice(at + by, 0, moved);
    change(next);
  };
  return (
    <Stack gap="sm" role="group" aria-label={label}>
      {fields.length === 0 && (
        <Text size="sm" c="dimmed">
          {words.none}
        </Text>
      )}
      {fields.map((field, at) => (
        <FieldCard
          key={field.key}
          field={field}
          kinds={kinds}
          requiredLabel={requiredLabel}
          nameProblem={nameProblem(field, fields)}
          change={(part) => change(fields.map((one) => (one.key === field.key ? { ...one, ...part } : one)))}
          remove={() => change(fields.filter(({ key }) => key !== field.key))}
          up={at > 0 ? () => move(at, -1) : null}
          down={at < fields.length - 1 ? () => move(at, 1) : null}
        />
      ))}
      {error && (
        <Text size="sm" c="var(--mantine-color-error)" role="alert">
          {error}
        </Text>
      )}
      <Group gap="sm">
        <Button
          variant="default"
          leftSection={<IconPlus size={16} aria-hidden />}
          disabled={full}
          aria-describedby={full ? most : undefined}
          onClick={add}
        >
          {words.add}
        </Button>
        {full && (
          <Text id={most} size="sm" c="dimmed">
            {words.most(MAX_FIELDS)}
          </Text>
        )}
      </Group>
      <Advanced schema={schema} onChange={onChange} holdBack={holdBack} />
    </Stack>
  );
}

function nameProblem({ key, name }: EditedField, fields: readonly EditedField[]): string | undefined {
  if (!isFieldName(name)) return words.badName;
  return fields.some((other) => other.key !== key && other.name === name) ? words.twice : undefined;
}

/** What is being written; taken anew when the schema becomes another one than this makes. */
function useFields(schema: JsonSchema): [EditedField[], (fields: EditedField[]) => void] {
  const [fields, setFields] = useState(() => fieldsOf(schema));
  const now = useRef(fields);
  now.current = fields;
  useEffect(() => {
    if (!sameJson(schemaOf(fieldsOf(schema)), schemaOf(now.current))) setFields(fieldsOf(schema));
  }, [schema]);
  return [fields, setFields];
}

function Advanced({ schema, onChange, holdBack }: Pick<Props, "schema" | "onChange" | "holdBack">) {
  const [typed, setTyped] = useState<string | null>(null);
  const [wrong, setWrong] = useState(false);
  useEffect(() => (wrong ? holdBack() : undefined), [wrong, holdBack]);
  const take = () => {
    if (typed === null) return;
    const emptied = typed.trim() === "";
    const read = emptied ? null : readJson(typed);
    setWrong(!emptied && read === null);
    if (emptied || read !== null) setTyped(null);
    if (read !== null) onChange(read);
  };
  return (
    <Accordion variant="contained" chevronPosition="left">
      <Accordion.Item value="schema">
        <Accordion.Control>
          <Text size="sm">{words.advanced}</Text>
        </Accordion.Control>
        <Accordion.Panel>
          {/* Mantine's JsonInput keeps its `error` to itself while the text is no JSON. */}
          <Textarea
            label={words.schema}
            value={typed ?? JSON.stringify(schema, null, 2)}
            error={wrong ? words.badJson : undefined}
            autosize
            minRows={6}
            maxRows={20}
            autoComplete="off"
            spellCheck={false}
            styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
            onBlur={take}
          />
        </Accordion.Panel>
      </Accordion.Item>
    </Accordion>
  );
}

function readJson(text: string): JsonSchema | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonSchema) : null;
  } catch {
    // Said at the field.
    return null;
  }
}
