import { Button, Checkbox, Divider, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { FoundView, ModelView } from "../../../api/models-views.ts";
import { fieldErrors, type PageOf, post, useGet, useSend } from "../../api.ts";
import { useMay } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { KeyInput } from "./key-input.tsx";

const words = texts.models;
type Provider = ModelView["provider"];

interface Wish {
  provider: Provider;
  baseUrl: string;
  model: string;
  name: string;
  apiKey: string;
  contextWindow: number | "";
  isDefault: boolean;
}

interface Props {
  root: string;
  client: string | null;
  opened: boolean;
  close: () => void;
}

/** Adds a model: one that runs on this machine with one click, or another. */
export function AddModel({ root, client, opened, close }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title={words.form.addTitle}
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack>
        {client === null && <Found close={close} />}
        <Form root={root} client={client} close={close} />
      </Stack>
    </Modal>
  );
}

function Found({ close }: { close: () => void }) {
  const may = useMay("models.write_shared");
  const { data } = useGet<PageOf<FoundView>>("models", may ? "/models/found" : null, { limit: 20 });
  const adding = useSend(
    ({ baseUrl, model }: FoundView) => post<ModelView>("/models", { name: model.slice(0, 100), baseUrl, model }),
    { topics: ["models"], said: ({ name }) => words.form.added(name), onDone: close },
  );
  if (!data || data.items.length === 0) return null;
  return (
    <Stack gap="xs" component="section" aria-label={words.form.found}>
      <Text fw={600}>{words.form.found}</Text>
      {data.items.map((found) => (
        <Group key={`${found.baseUrl} ${found.model}`} justify="space-between" gap="xs" className="agt-card" p="sm">
          <div>
            <Text>{found.model}</Text>
            <Text size="xs" c="dimmed">
              {found.baseUrl}, {words.context(found.abilities.contextWindow)}
            </Text>
          </div>
          <Button
            size="xs"
            loading={adding.isPending && adding.variables.model === found.model}
            disabled={adding.isPending}
            onClick={() => adding.mutate(found)}
            aria-label={words.form.takeOf(found.model)}
          >
            {words.form.take}
          </Button>
        </Group>
      ))}
      <Divider label={words.form.or} mt="xs" />
    </Stack>
  );
}

const NOTHING: Wish = {
  provider: "openai-compatible",
  baseUrl: "",
  model: "",
  name: "",
  apiKey: "",
  contextWindow: "",
  isDefault: false,
};

function Form({ root, client, close }: Omit<Props, "opened">) {
  const form = useForm<Wish>({ initialValues: NOTHING });
  const hosted = form.values.provider !== "openai-compatible";
  const sending = useSend((wish: Wish) => post<ModelView>(root, bodyOf(wish)), {
    topics: ["models"],
    inline: true,
    said: ({ name }) => words.form.added(name),
    onDone: close,
  });
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  const { form: said } = words;
  return (
    <form onSubmit={submit} noValidate autoComplete="off">
      <Stack>
        <Select
          label={said.provider}
          data={Object.entries(words.providers).map(([value, label]) => ({ value, label }))}
          allowDeselect={false}
          {...form.getInputProps("provider")}
        />
        {!hosted && (
          <TextInput
            label={said.baseUrl}
            description={client === null ? said.baseUrlHint : said.baseUrlHintClient}
            required
            type="url"
            {...form.getInputProps("baseUrl")}
          />
        )}
        <TextInput
          label={said.model}
          description={hosted ? said.modelHintHosted : said.modelHint}
          required={hosted}
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps("model")}
        />
        <TextInput label={said.name} description={said.nameHint} required {...form.getInputProps("name")} />
        <KeyInput description={said.keyHint} required={hosted} {...form.getInputProps("apiKey")} />
        <NumberInput
          label={said.context}
          description={said.contextHint}
          min={512}
          max={100_000_000}
          allowDecimal={false}
          thousandSeparator
          {...form.getInputProps("contextWindow")}
        />
        <Checkbox label={said.makeDefault} {...form.getInputProps("isDefault", { type: "checkbox" })} />
        {unsaid && <Trouble error={sending.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={sending.isPending}>
            {said.submit}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What was left empty is left out. */
const bodyOf = ({ provider, name, ...wish }: Wish) => ({
  provider,
  name,
  ...(provider === "openai-compatible" && wish.baseUrl.trim() ? { baseUrl: wish.baseUrl } : {}),
  ...(wish.model.trim() ? { model: wish.model } : {}),
  ...(wish.apiKey.trim() ? { apiKey: wish.apiKey } : {}),
  ...(wish.contextWindow === "" ? {} : { contextWindow: wish.contextWindow }),
  // Not ticked: the platform decides, and the first model of all becomes the default.
  ...(wish.isDefault ? { isDefault: true } : {}),
});
