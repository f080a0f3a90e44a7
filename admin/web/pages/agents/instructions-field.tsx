import { Alert, Button, Group, Text, Textarea, UnstyledButton } from "@mantine/core";
import { useRef } from "react";
import { texts } from "../../texts.ts";
import { BUILT_IN, type Definition, isVariableName, MOST, unknownVariables } from "./definition.ts";

const { form, variables: words } = texts.agents;

interface Props {
  definition: Definition;
  error: string | undefined;
  change: (part: Partial<Definition>) => void;
}

/** The instructions, with the variables at hand and a word about those that have no value. */
export function InstructionsField({ definition, error, change }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const { instructions, variables = {} } = definition;
  const unknown = unknownVariables(definition);
  const addable = unknown.filter(isVariableName);
  const insert = (name: string) => {
    const field = area.current;
    const [from, till] = [field?.selectionStart ?? instructions.length, field?.selectionEnd ?? instructions.length];
    change({ instructions: `${instructions.slice(0, from)}{{${name}}}${instructions.slice(till)}` });
    field?.focus();
  };
  return (
    <div>
      <Textarea
        ref={area}
        label={form.instructions}
        description={form.instructionsHelp}
        value={instructions}
        autosize
        minRows={10}
        maxRows={26}
        error={error}
        onChange={(event) => change({ instructions: event.currentTarget.value })}
      />
      <Group justify="space-between" gap="xs" mt={6} align="flex-start">
        <Group gap={6}>
          <Text size="xs" c="dimmed">
            {words.builtIn}
          </Text>
          {[...BUILT_IN, ...Object.keys(variables)].map((name) => (
            <UnstyledButton
              key={name}
              className="agt-variable"
              aria-label={words.insert(name)}
              title={
                name in words.builtInHelp ? words.builtInHelp[name as keyof typeof words.builtInHelp] : variables[name]
              }
              onClick={() => insert(name)}
            >
              {`{{${name}}}`}
            </UnstyledButton>
          ))}
        </Group>
        <Text size="xs" c="dimmed">
          {form.characters(instructions.length, MOST.instructions)}
        </Text>
      </Group>
      {unknown.length > 0 && (
        <Alert color="yellow" mt="xs" p="xs" role="status">
          <Group justify="space-between" gap="xs">
            <Text size="sm" flex="1 1 14rem">
              {words.unknown(unknown)}
            </Text>
            {addable.length > 0 && (
              <Button
                size="xs"
                variant="default"
                onClick={() =>
                  change({ variables: { ...variables, ...Object.fromEntries(addable.map((name) => [name, ""])) } })
                }
              >
                {words.addThem(addable.length)}
              </Button>
            )}
          </Group>
        </Alert>
      )}
    </div>
  );
}
