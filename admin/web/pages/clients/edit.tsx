import { Button, Group, Modal, NumberInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ClientView } from "../../../api/clients-views.ts";
import { fieldErrors, patch, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.clients.server;

/** The title, and how long texts are kept. */
export function EditClient({ client, opened, close }: { client: ClientView; opened: boolean; close: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={words.editTitle}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Form client={client} close={close} />
    </Modal>
  );
}

function Form({ client, close }: { client: ClientView; close: () => void }) {
  const form = useForm({
    initialValues: { title: client.title, retentionDays: client.details?.retentionDays ?? 90 },
  });
  const sending = useSend((wish: typeof form.values) => patch(inClient(client.id), wish), {
    topics: ["clients", "session"],
    said: words.saved,
    onDone: close,
    inline: true,
  });
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput label={words.name} required data-autofocus {...form.getInputProps("title")} />
        <NumberInput
          label={words.keep}
          required
          min={1}
          max={3650}
          allowDecimal={false}
          {...form.getInputProps("retentionDays")}
        />
        {unsaid && <Trouble error={sending.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={sending.isPending}>
            {words.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
