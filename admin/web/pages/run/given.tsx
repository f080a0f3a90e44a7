import { Button, Collapse, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useId } from "react";
import type { RunView } from "../../../api/runs-views.ts";
import { texts } from "../../texts.ts";
import { Fact, Faint, Said } from "./steps.tsx";

const words = texts.runs.run;

/** What went to the model: counted at once, shown when asked for. */
export function Given({ context }: { context: NonNullable<RunView["context"]> }) {
  const [shown, { toggle }] = useDisclosure(false);
  const id = useId();
  if (context.hidden) return <Faint>{words.hidden}</Faint>;
  return (
    <Stack gap="xs" align="stretch">
      <Group gap={6}>
        <Fact>{words.messages(context.messages.length)}</Fact>
        {context.omitted > 0 && <Fact>{words.omitted(context.omitted)}</Fact>}
        {context.files.map((file) => (
          <Fact key={file}>{file}</Fact>
        ))}
        <Fact>{words.window(context.contextWindow)}</Fact>
      </Group>
      <div>
        <Button
          variant="default"
          size="xs"
          aria-expanded={shown}
          aria-controls={id}
          leftSection={shown ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
          onClick={toggle}
        >
          {shown ? words.hideContext : words.showContext}
        </Button>
      </div>
      <Collapse expanded={shown} id={id}>
        <Stack gap="xs">
          {context.instructions !== null && (
            <Stack gap={2}>
              <Text size="sm" fw={600}>
                {words.instructions}
              </Text>
              <Said text={context.instructions} />
            </Stack>
          )}
          {context.messages.map((message, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes its order, and erased messages have no id
            <Stack gap={2} key={index}>
              <Text size="sm" fw={600}>
                {message.own ? words.ofAgent : message.name}
              </Text>
              <Said text={message.text ?? words.erased} faint={message.text === null} />
            </Stack>
          ))}
        </Stack>
      </Collapse>
    </Stack>
  );
}
