import { Button, Checkbox, Group, Modal, NumberInput, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ModelView } from "../../../api/models-views.ts";
import { fieldErrors, patch, useSend } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { KeyInput } from "./key-input.tsx";

const words = texts.models.form;

interface Props {
  model: ModelView;
  path: string;
  opened: boolean;
  close: () => void;
}

/** Changes a model that was added. Its key can be replaced or taken away, never read. */
export function ChangeModel({ model, path, opened, close }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={words.editTitle(model.name)}
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Form model={model} path={path} close={close} />
    </Modal>
  );
}

function Form({ model, path, close }: Omit<Props, "opened">) {
  const form = useForm({
    initialValues: {
      name: model.name,
      baseUrl: model.baseUrl ?? "",
      model: model.model,
      apiKey: "",
      dropKey: false,
      contextWindow: model.abilities.contextWindow as number | "",
    },
  });
  const { values } = form;
  const sending = useSend((wish: typeof values) => patch<ModelView>(path, changesOf(model, wish)), {
    topics: ["models"],
    inline: true,
    said: ({ name }) => words.saved(name),
    onDone: close,
  });
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const moved = model.hasKey && values.baseUrl.trim() !== (model.baseUrl ?? "");
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  return (
    <form onSubmit={submit} noValidate autoComplete="off">
      <Stack>
        <TextInput
          label={words.name}
          description={words.nameHint}
          required
          data-autofocus
          {...form.getInputProps("name")}
        />
        {(model.baseUrl !== null || model.provider === "openai-compatible") && (
          <TextInput label={words.baseUrl} required type="url" {...form.getInputProps("baseUrl")} />
        )}
        <TextInput
          label={words.model}
          required
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("model")}
        />
        <KeyInput
          description={model.hasKey ? (moved ? words.keyAgain : words.keyStored) : words.keyHint}
          disabled={values.dropKey}
          {...form.getInputProps("apiKey")}
        />
        {model.hasKey && <Checkbox label={words.dropKey} {...form.getInputProps("dropKey", { type: "checkbox" })} />}
        <NumberInput
          label={words.context}
          min={512}
          max={100_000_000}
          allowDecimal={false}
          thousandSeparator
          {...form.getInputProps("contextWindow")}
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

/** Only what changed is sent: the rest may have been changed by somebody else. */
function changesOf(
  model: ModelView,
  wish: {
    name: string;
    baseUrl: string;
    model: string;
    apiKey: string;
    dropKey: boolean;
    contextWindow: number | "";
  },
) {
  const { name, baseUrl, apiKey, dropKey, contextWindow } = wish;
  return {
    ...(name.trim() !== model.name ? { name } : {}),
    ...(baseUrl.trim() !== (model.baseUrl ?? "") ? { baseUrl } : {}),
    ...(wish.model.trim() !== model.model ? { model: wish.model } : {}),
    ...(dropKey ? { apiKey: null } : apiKey.trim() ? { apiKey } : {}),
    ...(contextWindow !== "" && contextWindow !== model.abilities.contextWindow ? { contextWindow } : {}),
  };
}
