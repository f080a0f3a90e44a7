import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ToolSecretView } from "../../../api/tool-settings-views.ts";
import { fieldErrors, put, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { KeyInput } from "../models/key-input.tsx";

const words = texts.toolSettings.secrets;

/** Adds a secret (`secret` null), or changes where one goes. It can be replaced, never read. */
export function SecretForm({
  client,
  secret,
  close,
}: {
  client: string;
  secret: ToolSecretView | null;
  close: () => void;
}) {
  const form = useForm({
    initialValues: {
      name: secret?.name ?? "",
      header: secret?.header ?? "Authorization",
      hosts: secret?.hosts.join("\n") ?? "",
      secret: "",
    },
    validate: { name: (name) => (name.trim() === "" ? words.nameHint : null) },
  });
  const sending = useSend(
    ({ name, header, hosts, secret: value }: typeof form.values) =>
      put<ToolSecretView>(inClient(client, "tool-secrets", name.trim()), {
        header,
        hosts: hosts.split(/[\s,]+/).filter(Boolean),
        ...(value === "" ? {} : { secret: value }),
      }),
    { topics: ["tools"], inline: true, said: ({ name }) => words.saved(name), onDone: close },
  );
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  return (
    <Modal
      opened
      onClose={close}
      title={secret ? words.editTitle(secret.name) : words.add}
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <form onSubmit={submit} noValidate autoComplete="off">
        <Stack>
          {!secret && (
            <TextInput
              label={words.name}
              description={words.nameHint}
              required
              data-autofocus
              autoCapitalize="none"
              spellCheck={false}
              {...form.getInputProps("name")}
            />
          )}
          <TextInput
            label={words.header}
            description={words.headerHint}
            required
            autoCapitalize="none"
            spellCheck={false}
            {...form.getInputProps("header")}
          />
          <Textarea
            label={words.hosts}
            description={words.hostsHint}
            required
            autosize
            minRows={2}
            autoCapitalize="none"
            spellCheck={false}
            {...form.getInputProps("hosts")}
          />
          <KeyInput
            label={words.secret}
            description={secret ? words.secretStored : words.secretHint}
            required={!secret}
            maxLength={4000}
            {...form.getInputProps("secret")}
          />
          {unsaid && <Trouble error={sending.error} />}
          <Group justify="flex-end">
            <Button type="submit" loading={sending.isPending}>
              {texts.toolSettings.save}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
