import { Group, Stack, Text, Textarea, UnstyledButton } from "@mantine/core";
import { useRef } from "react";
import { texts } from "../../texts.ts";
import type { Definition } from "./definition.ts";
import { fieldsOf } from "./fields.ts";

const words = texts.forms.edit;

interface Props {
  definition: Definition;
  error: string | undefined;
  change: (part: Partial<Definition>) => void;
}

/** The prompt, with the form's fields to click in where the cursor stands. */
export function PromptField({ definition, error, change }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  // A browser says 0 for a caret that was never there.
  const entered = useRef(false);
  const fields = fieldsOf(definition.input);
  const putIn = (name: string) => {
    const place = `{{${name}}}`;
    const { prompt } = definition;
    const caret = entered.current ? area.current : null;
    const from = caret?.selectionStart ?? prompt.length;
    const until = caret?.selectionEnd ?? from;
    change({ prompt: prompt.slice(0, from) + place + prompt.slice(until) });
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(from + place.length, from + place.length);
    });
  };
  return (
    <Stack gap={6}>
      <Textarea
        ref={area}
        label={words.promptLabel}
        description={words.promptHelp}
        value={definition.prompt}
        error={error}
        autosize
        minRows={5}
        maxRows={24}
        onFocus={() => {
          entered.current = true;
        }}
        onChange={({ currentTarget }) => change({ prompt: currentTarget.value })}
      />
      {fields.length > 0 && (
        <Group gap={6} role="group" aria-label={words.places}>
          {fields.map(({ key, name, title }) => (
            <UnstyledButton key={key} className="agt-variable" title={words.place(title)} onClick={() => putIn(name)}>
              <Text span inherit>{`{{${name}}}`}</Text>
            </UnstyledButton>
          ))}
        </Group>
      )}
    </Stack>
  );
}
