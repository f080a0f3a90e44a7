import { ActionIcon, Checkbox, Fieldset, Group, Select, Stack, TagsInput, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconTrash } from "@tabler/icons-react";
import { texts } from "../../texts.ts";
import { shortName } from "./definition.ts";
import { type EditedField, KINDS, type Kind } from "./fields.ts";

const words = texts.forms.field;

interface Props {
  field: EditedField;
  kinds: readonly Kind[];
  requiredLabel: string;
  nameProblem: string | undefined;
  change: (part: Partial<EditedField>) => void;
  remove: () => void;
  /** Null for the first and the last. */
  up: (() => void) | null;
  down: (() => void) | null;
}

/** One field of a form. */
export function FieldCard({ field, kinds, requiredLabel, nameProblem, change, remove, up, down }: Props) {
  const called = field.title || field.name;
  // A name that was never given by hand follows the label.
  const follows = field.name === shortName(field.title) || /^field_\d+$/.test(field.name);
  return (
    <Fieldset className="agt-card" legend={called} p="sm">
      <Stack gap="sm">
        <Group gap="sm" align="flex-start">
          <TextInput
            flex="2 1 11rem"
            label={words.label}
            value={field.title}
            onChange={({ currentTarget: { value } }) =>
              change({ title: value, ...(follows && shortName(value) ? { name: shortName(value) } : {}) })
            }
          />
          <TextInput
            flex="1 1 8rem"
            label={words.name}
            value={field.name}
            error={nameProblem}
            autoCapitalize="none"
            spellCheck={false}
            onChange={({ currentTarget }) => change({ name: currentTarget.value })}
          />
          <Select
            flex="1 1 8rem"
            label={words.kind}
            value={field.kind}
            allowDeselect={false}
            data={kinds.map((kind) => ({ value: kind, label: words.kinds[kind] }))}
            onChange={(next) => change({ kind: KINDS.find((kind) => kind === next) ?? "text" })}
          />
        </Group>
        {field.kind === "choice" && (
          <TagsInput
            label={words.choices}
            description={words.choicesHelp}
            value={field.choices}
            acceptValueOnBlur
            onChange={(choices) => change({ choices })}
          />
        )}
        <TextInput
          label={words.help}
          value={field.help}
          onChange={({ currentTarget }) => change({ help: currentTarget.value })}
        />
        <Group justify="space-between" gap="sm">
          {field.kind === "yesno" ? (
            <span />
          ) : (
            <Checkbox
              label={requiredLabel}
              checked={field.required}
              onChange={({ currentTarget }) => change({ required: currentTarget.checked })}
            />
          )}
          <Group gap={6}>
            <ActionIcon variant="default" aria-label={words.up(called)} disabled={up === null} onClick={() => up?.()}>
              <IconArrowUp size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon
              variant="default"
              aria-label={words.down(called)}
              disabled={down === null}
              onClick={() => down?.()}
            >
              <IconArrowDown size={16} aria-hidden />
            </ActionIcon>
            <ActionIcon variant="default" aria-label={words.remove(called)} onClick={remove}>
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          </Group>
        </Group>
      </Stack>
    </Fieldset>
  );
}
