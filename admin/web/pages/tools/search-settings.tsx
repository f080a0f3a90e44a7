import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import type { ToolSettingsView } from "../../../api/tool-settings-views.ts";
import { fieldErrors, put, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { KeyInput } from "../models/key-input.tsx";

const words = texts.toolSettings.search;
const { save, remove: removeWord } = texts.toolSettings;

type Search = ToolSettingsView["search"];

const valuesOf = (search: Search) => ({
  search: { kind: search?.kind ?? ("searxng" as const), url: search?.url ?? "", key: "" },
});
type Values = ReturnType<typeof valuesOf>;

/** Where agents search the web. */
export function SearchSettingsForm({ path, search }: { path: string; search: Search }) {
  const form = useForm<Values>({ initialValues: valuesOf(search) });
  const sending = useSend((wish: Values) => put<ToolSettingsView>(path, { search: bodyOf(wish, search) }), {
    topics: ["tools"],
    inline: true,
    said: words.saved,
    onDone: (now) => {
      // Where only the key is another one, nothing that is shown changes and the form is not drawn anew.
      form.setInitialValues(valuesOf(now.search));
      form.reset();
    },
  });
  const submit = form.onSubmit((wish) =>
    sending.mutate(wish, { onError: (error) => form.setErrors(fieldErrors(error)) }),
  );
  const unsaid = sending.error && Object.keys(fieldErrors(sending.error)).length === 0;
  const now = form.values.search;
  const moved = search?.hasKey && (now.kind !== search.kind || now.url.trim() !== (search.url ?? ""));
  return (
    <form onSubmit={submit} noValidate autoComplete="off">
      <Stack>
        <Select
          label={words.kind}
          data={Object.entries(words.kinds).map(([value, label]) => ({ value, label }))}
          allowDeselect={false}
          {...form.getInputProps("search.kind")}
        />
        {now.kind === "searxng" && (
          <TextInput
            label={words.url}
            description={words.urlHint}
            required
            type="url"
            {...form.getInputProps("search.url")}
          />
        )}
        <KeyInput
          label={words.key}
          description={search?.hasKey ? (moved ? words.keyAgain : words.keyStored) : words.keyHint}
          required={now.kind === "brave" && (!search?.hasKey || moved)}
          {...form.getInputProps("search.key")}
        />
        {unsaid && <Trouble error={sending.error} />}
        <Group>
          <Button type="submit" loading={sending.isPending}>
            {save}
          </Button>
          {search && <Remove path={path} />}
        </Group>
      </Stack>
    </form>
  );
}

function bodyOf({ search: { kind, url, key } }: Values, search: Search) {
  const kept = search?.hasKey && key === "";
  return { kind, url: kind === "brave" ? null : url, ...(kept ? {} : { key: key === "" ? null : key }) };
}

function Remove({ path }: { path: string }) {
  const removing = useSend(() => put(path, { search: null }), { topics: ["tools"], said: words.removed });
  const ask = async () => {
    const question = { title: words.removeTitle, text: words.removeText, yes: words.removeYes, danger: true };
    if (await askFirst(question)) removing.mutate(undefined);
  };
  return (
    <Button variant="default" loading={removing.isPending} onClick={() => void ask()} aria-label={words.removeYes}>
      {removeWord}
    </Button>
  );
}
