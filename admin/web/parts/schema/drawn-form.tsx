/** The form itself, drawn by rjsf with Mantine's fields. */
import { Alert, Button, Group } from "@mantine/core";
import { type IChangeEvent, withTheme } from "@rjsf/core";
import type { ErrorSchema, RJSFSchema, RJSFValidationError } from "@rjsf/utils";
import { useMemo, useState } from "react";
import { texts } from "../../texts.ts";
import type { SchemaFormProps } from "../schema-form.tsx";
import { schemaValidator } from "../schema-validator.ts";
import { drawnSchema, uiSchemaOf } from "./drawn-schema.ts";
import { formTheme } from "./theme.tsx";

type Value = Record<string, unknown>;

const Form = withTheme<Value>(formTheme);

export default function DrawnForm({
  schema,
  value,
  onChange,
  onSubmit,
  errors,
  submitLabel,
  busy,
  idPrefix,
}: SchemaFormProps) {
  const drawn = useMemo(() => drawnSchema(schema), [schema]);
  const ui = useMemo(() => uiSchemaOf(schema), [schema]);
  const [beside, setBeside] = useState<string[]>([]);
  const known = Object.keys(schema.properties ?? {});
  const elsewhere = Object.entries(errors ?? {}).filter(([field]) => !known.includes(field));
  const sentences = [...beside, ...elsewhere.map(([, sentence]) => sentence)];
  return (
    <Form
      schema={drawn as RJSFSchema}
      uiSchema={ui}
      validator={schemaValidator}
      {...(value === undefined ? {} : { formData: value })}
      onChange={({ formData }: IChangeEvent<Value>) => onChange?.(formData ?? {})}
      onSubmit={({ formData }: IChangeEvent<Value>) => {
        setBeside([]);
        onSubmit?.(formData ?? {});
      }}
      onError={(wrong: RJSFValidationError[]) =>
        setBeside(
          wrong.filter(({ property }) => property === ".").map(({ message }) => message ?? texts.forms.wrong.other),
        )
      }
      extraErrors={extraErrorsOf(errors ?? {}, known)}
      tagName={onSubmit ? "form" : "div"}
      idPrefix={idPrefix ?? "form"}
      showErrorList={false}
      focusOnFirstError
      noHtml5Validate
    >
      {sentences.length > 0 && (
        <Alert color="red" role="alert" mb="sm">
          {sentences.join(" ")}
        </Alert>
      )}
      {onSubmit ? (
        <Group>
          <Button type="submit" loading={busy ?? false}>
            {submitLabel ?? texts.forms.submit}
          </Button>
        </Group>
      ) : (
        // Without children rjsf draws a button of its own.
        <span />
      )}
    </Form>
  );
}

const extraErrorsOf = (errors: Record<string, string>, known: string[]): ErrorSchema<Value> =>
  Object.fromEntries(
    Object.entries(errors)
      .filter(([field]) => known.includes(field))
      .map(([field, sentence]) => [field, { __errors: [sentence] }]),
  ) as ErrorSchema<Value>;
