import { Button, Group, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { ToolSecretView } from "../../../api/tool-settings-views.ts";
import { del, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { SecretForm } from "./secret-form.tsx";

const words = texts.toolSettings.secrets;

/** Secrets that requests of agents may carry: where they go, not what they are. */
export function ToolSecrets({ client, may }: { client: string; may: boolean }) {
  const pages = usePages<ToolSecretView>("tools", inClient(client, "tool-secrets"));
  const [editing, edit] = useState<ToolSecretView | "new" | null>(null);
  const { mutate: remove } = useSend((name: string) => del(inClient(client, "tool-secrets", name)), {
    topics: ["tools"],
    said: (_, name) => words.removed(name),
  });
  const columns = useMemo(() => {
    const ask = async ({ name }: ToolSecretView) => {
      const question = { title: words.removeTitle(name), text: words.removeText, yes: words.removeYes };
      if (await askFirst({ ...question, danger: true })) remove(name);
    };
    return columnsOf(may ? { edit, remove: (secret) => void ask(secret) } : null);
  }, [may, remove]);
  const add = may && (
    <Button variant="default" leftSection={<IconPlus size={18} aria-hidden />} onClick={() => edit("new")}>
      {words.add}
    </Button>
  );
  return (
    <>
      {pages.items.length > 0 && <Group>{add}</Group>}
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ name }) => name}
        empty={<Empty title={words.none} text={words.noneText} action={add} />}
      />
      {editing && <SecretForm client={client} secret={editing === "new" ? null : editing} close={() => edit(null)} />}
    </>
  );
}

interface Acts {
  edit(secret: ToolSecretView): void;
  remove(secret: ToolSecretView): void;
}

const columnsOf = (acts: Acts | null): Column<ToolSecretView>[] => [
  {
    id: "name",
    title: words.name,
    cell: ({ name }) => (
      <Text fw={600} size="sm">
        {name}
      </Text>
    ),
  },
  { id: "header", title: words.header, cell: ({ header }) => <Text size="sm">{header}</Text> },
  {
    id: "hosts",
    title: words.hosts,
    cell: ({ hosts }) => (
      <Text size="sm" style={{ overflowWrap: "anywhere" }}>
        {hosts.join(", ")}
      </Text>
    ),
  },
  { id: "created", title: words.createdBy, wideOnly: true, cell: ({ createdAt }) => <When at={createdAt} /> },
  {
    id: "do",
    title: "",
    align: "right",
    cell: (secret) =>
      acts && (
        <Group gap="xs" justify="flex-end" wrap="nowrap">
          <Button size="xs" variant="default" aria-label={words.editOf(secret.name)} onClick={() => acts.edit(secret)}>
            {words.edit}
          </Button>
          <Button
            size="xs"
            variant="default"
            aria-label={words.removeOf(secret.name)}
            onClick={() => acts.remove(secret)}
          >
            {texts.toolSettings.remove}
          </Button>
        </Group>
      ),
  },
];
