import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { CopyButton } from "../../parts/copy-button.tsx";
import { texts } from "../../texts.ts";
import { Compare } from "./compare.tsx";
import { type Definition, whoOf } from "./definition.ts";
import type { Draft } from "./use-draft.ts";

const words = texts.agents.conflict;

/** Two people saved the same agent: who comes second chooses, and loses nothing. */
export function ConflictDialog({ draft }: { draft: Draft }) {
  const [given, setGiven] = useState<Definition | null>(null);
  const { theirs } = draft;
  if (given) return <GivenUp mine={given} close={() => setGiven(null)} />;
  if (!theirs) return null;
  return (
    <Modal opened onClose={() => undefined} withCloseButton={false} closeOnEscape={false} title={words.title} size="xl">
      <Stack>
        <Text>{words.who(whoOf(theirs.by) ?? words.somebody)}</Text>
        <Text size="sm" c="dimmed">
          {words.differences}
        </Text>
        <Compare from={theirs.definition} to={draft.definition} />
        <Group justify="flex-end">
          <Button
            variant="default"
            onClick={() => {
              setGiven(draft.definition);
              draft.takeTheirs();
            }}
          >
            {words.take}
          </Button>
          <Button onClick={draft.keepMine}>{words.keep}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function GivenUp({ mine, close }: { mine: Definition; close: () => void }) {
  const text = [mine.name, mine.description, mine.instructions].filter((part) => part !== "").join("\n\n");
  return (
    <Modal opened onClose={close} title={words.yours} size="xl" closeButtonProps={{ "aria-label": texts.shell.close }}>
      <Stack>
        <Text
          className="agt-diff"
          p="sm"
          style={{ whiteSpace: "pre-wrap", maxHeight: "50vh", overflow: "auto" }}
          tabIndex={0}
        >
          {text}
        </Text>
        <Group justify="flex-end">
          <CopyButton text={text} size="sm" />
          <Button onClick={close}>{words.close}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
