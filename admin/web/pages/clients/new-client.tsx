import { Button, Group, Modal, Radio, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import type { ClientCreated } from "../../../api/clients-views.ts";
import { fieldErrors, post, useSend } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { NewClientProgress } from "./new-client-progress.tsx";

const words = texts.clients.make;

interface Wish {
  id: string;
  title: string;
  driver: "process" | "external";
  serverName: string;
  url: string;
}

const NOTHING: Wish = { id: "", title: "", driver: "process", serverName: "", url: "" };

/** Asks for a new client, then shows how its homeserver comes up. */
export function NewClient({ opened, close }: { opened: boolean; close: () => void }) {
  const [made, setMade] = useState<ClientCreated | null>(null);
  return (
    <Modal
      opened={opened}
      onClose={close}
      // What was made is forgotten when nobody sees it any more.
      onExitTransitionEnd={() => setMade(null)}
      title={words.title}
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      {made ? <NewClientProgress made={made} close={close} /> : <Form onMade={setMade} />}
    </Modal>
  );
}

function Form({ onMade }: { onMade: (made: ClientCreated) => void }) {
  const form = useForm<Wish>({
    initialValues: NOTHING,
    validate: { id: (id) => (id.trim() === "" ? words.idMissing : null) },
  });
  const sending = useSend(
    ({ id, title, driver, serverName, url }: Wish) =>
      post<ClientCreated>("/clients", {
        id: id.trim(),
        driver,
        ...(title.trim() ? { title } : {}),
        ...(serverName.trim() ? { serverName } : {}),
        ...(driver === "external" ? { url } : {}),
      }),
    { topics: ["clients"], inline: true, onDone: onMade },
  );
  const { driver, id } = form.values;
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          label={words.id}
          description={words.idHint}
          required
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
          {...form.getInputProps("id")}
        />
        <TextInput
          label={words.name}
          description={words.nameHint}
          autoComplete="off"
          {...form.getInputProps("title")}
        />
        <Radio.Group label={words.driver} {...form.getInputProps("driver")}>
          <Stack gap="xs" mt="xs">
            {Object.entries(words.drivers).map(([value, label]) => (
              <Radio key={value} value={value} label={label} />
            ))}
          </Stack>
        </Radio.Group>
        {driver === "external" && (
          <TextInput label={words.url} description={words.urlHint} required type="url" {...form.getInputProps("url")} />
        )}
        <TextInput
          label={driver === "external" ? words.theirName : words.serverName}
          description={driver === "external" ? words.theirNameHint : words.serverNameHint(id.trim())}
          required={driver === "external"}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("serverName")}
        />
        {unsaid && <Trouble error={sending.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={sending.isPending}>
            {words.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
