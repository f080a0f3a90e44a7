import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { Problem, post, useSend } from "../../api.ts";
import { saidTrouble } from "../../parts/said.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { type Form, formPath } from "./definition.ts";
import type { FormDraft } from "./use-form-draft.ts";

const words = texts.forms.publish;
const unsaved = () => new Problem({ status: 0, code: "unsaved", detail: words.notSaved });
const unread = () => new Problem({ status: 0, code: "unread", detail: words.unread });

/** Saves what is unsaved, asks for a word about it, and makes it what people fill in. */
export function PublishForm({ client, form, draft }: { client: string; form: Form; draft: FormDraft }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [note, setNote] = useState("");
  const first = form.version === null;
  const title = draft.definition.title || draft.definition.name;
  const publishing = useSend(
    async () => {
      if (!(await draft.save())) throw unsaved();
      const revision = draft.revisionNow();
      return await post<Form>(formPath(client, form.id, "/publish"), {
        revision,
        ...(note.trim() ? { note: note.trim() } : {}),
      });
    },
    {
      topics: ["tools"],
      inline: true,
      said: words.done(title),
      onDone: ({ revision }) => {
        if (revision !== null) draft.published(revision);
        setNote("");
        close();
      },
    },
  );
  const begin = async () => {
    // What it was refused for before may be mended.
    publishing.reset();
    if (draft.isHeldBack()) saidTrouble(unread());
    else if (await draft.save()) open();
    else saidTrouble(unsaved());
  };
  const refused = publishing.error instanceof Problem ? publishing.error.detail : null;
  const notices = [...form.problems.map(({ message }) => message), ...form.warnings].filter((said) => said !== refused);
  const nothing = !first && form.draft === null && draft.state === "saved";
  return (
    <>
      <Button
        onClick={() => void begin()}
        disabled={nothing || draft.state === "conflict"}
        title={nothing ? words.nothing : undefined}
      >
        {words.button}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={words.title(title)}
        centered
        closeButtonProps={{ "aria-label": texts.shell.close }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            publishing.mutate(undefined);
          }}
        >
          <Stack>
            <Text>{first ? words.first : words.next}</Text>
            {!first && (
              <TextInput
                label={words.note}
                value={note}
                data-autofocus
                onChange={(event) => setNote(event.currentTarget.value)}
              />
            )}
            {notices.map((sentence) => (
              <Text key={sentence} size="sm" c="dimmed">
                {sentence}
              </Text>
            ))}
            <Trouble error={publishing.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {texts.shell.cancel}
              </Button>
              <Button type="submit" loading={publishing.isPending} data-autofocus={first || undefined}>
                {words.yes}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
