import { Button, Collapse, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useId } from "react";
import { texts } from "../../texts.ts";

const words = texts.tools.model;

/** What stands in a tool's description is written for models: people see it when they ask for it. */
export function ModelText({ tool }: { tool: { title: string; description: string } }) {
  const [shown, { toggle }] = useDisclosure(false);
  const id = useId();
  return (
    <div>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        fw={400}
        ml={-8}
        aria-expanded={shown}
        aria-controls={id}
        aria-label={words.titleOf(tool.title)}
        rightSection={shown ? <IconChevronUp size={14} aria-hidden /> : <IconChevronDown size={14} aria-hidden />}
        onClick={toggle}
      >
        {words.title}
      </Button>
      <Collapse expanded={shown} id={id}>
        {shown && (
          <Text size="sm" c="dimmed" className="agt-quote" mt={4}>
            {tool.description}
          </Text>
        )}
      </Collapse>
    </div>
  );
}
