/**
 * rjsf's theme for Mantine, piece by piece: as a whole it brings a calendar with styles of its own, where the browser's date field does
 * (which phones and screen readers know).
 */
import { Switch, Textarea } from "@mantine/core";
import type { ThemeProps } from "@rjsf/core";
import { generateTemplates } from "@rjsf/mantine/lib/templates/index.js";
import CheckboxesWidget from "@rjsf/mantine/lib/widgets/CheckboxesWidget.js";
import RadioWidget from "@rjsf/mantine/lib/widgets/RadioWidget.js";
import SelectWidget from "@rjsf/mantine/lib/widgets/SelectWidget.js";
import type { WidgetProps } from "@rjsf/utils";

type Value = Record<string, unknown>;

const errorOf = ({ rawErrors }: WidgetProps<Value>) => (rawErrors?.length ? rawErrors.join("\n") : undefined);

/** A switch with its label and its help. */
function YesNo(props: WidgetProps<Value>) {
  const { id, htmlName, label, hideLabel, value, disabled, readonly, options, schema, onChange } = props;
  return (
    <Switch
      id={id}
      name={htmlName || id}
      label={hideLabel ? undefined : label}
      description={options.description || schema.description}
      checked={value === true}
      disabled={disabled || readonly}
      error={errorOf(props)}
      onChange={({ currentTarget }) => onChange(currentTarget.checked)}
    />
  );
}

function LongText(props: WidgetProps<Value>) {
  const { id, htmlName, label, hideLabel, value, required, disabled, readonly, options, schema, onChange } = props;
  return (
    <Textarea
      id={id}
      name={htmlName || id}
      label={hideLabel ? undefined : label}
      description={options.description || schema.description}
      value={typeof value === "string" ? value : ""}
      required={required ?? false}
      disabled={disabled || readonly}
      error={errorOf(props)}
      autosize
      minRows={4}
      maxRows={16}
      onChange={({ currentTarget }) => onChange(currentTarget.value === "" ? undefined : currentTarget.value)}
    />
  );
}

export const formTheme: ThemeProps<Value> = {
  templates: generateTemplates<Value>(),
  widgets: {
    CheckboxWidget: YesNo,
    TextareaWidget: LongText,
    CheckboxesWidget,
    RadioWidget,
    SelectWidget,
  },
};
