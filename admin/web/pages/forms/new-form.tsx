import { Button, Group, Modal, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { fieldErrors, post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { type Form, shortName } from "./definition.ts";

const words = texts.forms.make;

/** A title and a short name; everything else is written on the form's own page. */
export function NewForm({ client, close }: { client: string; close: () => void }) {
  const [, go] = useLocation();
  const [title, setTitle] = useState("");
  const [typed, setTyped] = useState<string | null>(null);
  const name = typed ?? shortName(title);
  const making = useSend(
    () =>
      post<Form>(inClient(client, "forms"), { definition: { title: title.trim(), name, prompt: words.promptStart } }),
    { topics: ["tools"], inline: true, onDone: (form) => go(to.form(client, form.id)) },
  );
  const errors = fieldErrors(making.error);
  return (
    <Modal opened onClose={close} title={words.title} centered closeButtonProps={{ "aria-label": texts.shell.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          making.mutate(undefined);
        }}
      >
        <Stack>
          <TextInput
            label={words.name}
            description={words.nameHelp}
            value={title}
            required
            data-autofocus
            error={errors["definition.title"]}
            onChange={(event) => setTitle(event.currentTarget.value)}
          />
          <TextInput
            label={words.command}
            description={words.commandHelp(name)}
            leftSection="!"
            value={name}
            required
            autoCapitalize="none"
            spellCheck={false}
            error={errors["definition.name"]}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          {Object.keys(errors).length === 0 && <Trouble error={making.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {texts.shell.cancel}
            </Button>
            <Button type="submit" loading={making.isPending}>
              {words.yes}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
