import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconTrash } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";
import type { ClientView } from "../../../api/clients-views.ts";
import { del, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { followRemoval } from "./removed.tsx";

const words = texts.clients.remove;

/** Removes a client after its name was typed; what becomes of it is said over the list of clients. */
export function RemoveClient({ client }: { client: ClientView }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [, go] = useLocation();
  const [typed, setTyped] = useState("");
  const [keepBackup, setKeepBackup] = useState(true);
  const removing = useSend(
    () =>
      del<{ backup: string | null }>(inClient(client.id), {
        confirm: typed.trim(),
        keepBackup,
      }),
    {
      topics: ["clients"],
      inline: true,
      onDone: ({ backup }) => {
        close();
        // Its own pages have nothing to show any more.
        go(to.clients());
        followRemoval(client, backup);
      },
    },
  );
  return (
    <>
      <Group>
        <Button variant="outline" color="red" leftSection={<IconTrash size={18} aria-hidden />} onClick={open}>
          {words.open}
        </Button>
      </Group>
      <Modal
        opened={opened}
        onClose={close}
        title={words.question(client.title)}
        closeButtonProps={{ "aria-label": texts.shell.close }}
      >
        <Stack>
          <Text>{client.details?.ours ? words.what : words.external}</Text>
          <Checkbox
            label={words.keep}
            checked={keepBackup}
            onChange={(event) => setKeepBackup(event.currentTarget.checked)}
          />
          <TextInput
            label={texts.shell.typeToConfirm(client.id)}
            value={typed}
            autoComplete="off"
            data-autofocus
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Trouble error={removing.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {texts.shell.cancel}
            </Button>
            <Button
              color="red"
              disabled={typed.trim() !== client.id}
              loading={removing.isPending}
              onClick={() => removing.mutate(undefined)}
            >
              {words.yes}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}
