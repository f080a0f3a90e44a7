import { Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { RoomView } from "../../../api/teams-views.ts";
import { post, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { type Form, formPath } from "./definition.ts";

const words = texts.forms.link;

/** Chooses a room and says the link there. */
export function PostLink({ client, form, close }: { client: string; form: Form; close: () => void }) {
  const [room, setRoom] = useState<string | null>(null);
  const [asked, setAsked] = useState("");
  const [q] = useDebouncedValue(asked.trim(), 250);
  const { items } = usePages<RoomView>("teams", inClient(client, "rooms"), {
    q: room === null ? q : "",
    archived: false,
    limit: 50,
  });
  const posting = useSend((id: string) => post(formPath(client, form.id, "/link"), { room: id }), {
    inline: true,
    said: words.done,
    onDone: close,
  });
  return (
    <Modal opened onClose={close} title={words.title} centered closeButtonProps={{ "aria-label": texts.shell.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (room !== null) posting.mutate(room);
        }}
      >
        <Stack>
          <Text size="sm">{words.text}</Text>
          <Select
            label={words.room}
            value={room}
            searchable
            data-autofocus
            nothingFoundMessage={words.none}
            data={items.map(({ id, name }) => ({ value: id, label: name ?? words.unnamed }))}
            onSearchChange={setAsked}
            onChange={setRoom}
          />
          <Trouble error={posting.error} />
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {texts.shell.cancel}
            </Button>
            <Button type="submit" disabled={room === null} loading={posting.isPending}>
              {words.yes}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
