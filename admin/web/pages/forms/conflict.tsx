import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { texts } from "../../texts.ts";
import type { FormDraft } from "./use-form-draft.ts";
import { Differences } from "./versions.tsx";

const words = texts.forms.conflict;

/** Two people saved the same form: who comes second chooses. */
export function FormConflict({ draft }: { draft: FormDraft }) {
  const { theirs } = draft;
  if (!theirs) return null;
  return (
    <Modal opened onClose={() => undefined} withCloseButton={false} closeOnEscape={false} title={words.title} size="xl">
      <Stack>
        <Text>{words.who(theirs.by?.replace(/^operator:/, "") ?? words.somebody)}</Text>
        <Differences from={theirs.definition} to={draft.definition} />
        <Group justify="flex-end">
          <Button variant="default" onClick={draft.takeTheirs}>
            {words.take}
          </Button>
          <Button onClick={draft.keepMine}>{words.keep}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
