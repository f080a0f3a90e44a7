import { ActionIcon, Button, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { texts } from "../../texts.ts";
import { isBuiltIn, isVariableName, variablesIn } from "./definition.ts";

const words = texts.agents.variables;

interface Line {
  key: number;
  name: string;
  value: string;
}

interface Props {
  variables: Record<string, string>;
  instructions: string;
  errors: Record<string, string>;
  onChange: (variables: Record<string, string>) => void;
}

let keys = 0;
const linesOf = (variables: Record<string, string>): Line[] =>
  Object.entries(variables).map(([name, value]) => ({ key: ++keys, name, value }));
/** Lines without a name yet are no variables. */
const ofLines = (lines: Line[]) =>
  Object.fromEntries(lines.filter(({ name }) => isVariableName(name)).map(({ name, value }) => [name, value]));

/** Names and values for `{{name}}`. */
export function VariablesField({ variables, instructions, errors, onChange }: Props) {
  const [lines, setLines] = useState(() => linesOf(variables));
  const told = useRef(variables);
  useEffect(() => {
    // Changed from outside: another draft, or a name added from the warning.
    if (JSON.stringify(told.current) !== JSON.stringify(variables)) setLines(linesOf(variables));
    told.current = variables;
  }, [variables]);
  const change = (next: Line[]) => {
    setLines(next);
    told.current = ofLines(next);
    onChange(told.current);
  };
  const used = variablesIn(instructions);
  return (
    <Stack gap="xs" role="group" aria-label={words.title}>
      <div>
        <Text size="sm" fw={600}>
          {words.title}
        </Text>
        <Text size="xs" c="dimmed">
          {words.help}
        </Text>
      </div>
      {lines.map((line, at) => {
        const edit = (part: Partial<Line>) => change(lines.with(at, { ...line, ...part }));
        const unused = isVariableName(line.name) && !used.includes(line.name);
        return (
          <Group key={line.key} gap="xs" wrap="nowrap" align="flex-start">
            <TextInput
              w="38%"
              label={at === 0 ? words.name : undefined}
              aria-label={words.name}
              value={line.name}
              error={nameProblem(line, lines)}
              description={unused ? words.unused : undefined}
              inputWrapperOrder={["label", "input", "error", "description"]}
              onChange={(event) => edit({ name: event.currentTarget.value.trim().toLowerCase() })}
            />
            <TextInput
              flex={1}
              label={at === 0 ? words.value : undefined}
              aria-label={words.value}
              value={line.value}
              error={errors[`variables.${line.name}`]}
              onChange={(event) => edit({ value: event.currentTarget.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              mt={at === 0 ? 25 : 0}
              aria-label={words.remove(line.name)}
              onClick={() => change(lines.toSpliced(at, 1))}
            >
              <IconTrash size={18} aria-hidden />
            </ActionIcon>
          </Group>
        );
      })}
      <div>
        <Button
          variant="subtle"
          size="xs"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => setLines([...lines, { key: ++keys, name: "", value: "" }])}
        >
          {words.add}
        </Button>
      </div>
    </Stack>
  );
}

function nameProblem({ key, name }: Line, lines: Line[]): string | null {
  if (name === "") return null;
  if (!isVariableName(name)) return words.badName;
  if (isBuiltIn(name)) return words.reserved;
  return lines.some((other) => other.name === name && other.key < key) ? words.taken : null;
}
