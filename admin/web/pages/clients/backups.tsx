import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { IconDeviceFloppy, IconDownload, IconTrash } from "@tabler/icons-react";
import { useMemo } from "react";
import type { BackupView } from "../../../api/clients-views.ts";
import { apiUrl, del, post, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { exactTime, When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { bytesText } from "./bytes.ts";

const words = texts.clients.backups;
const TONES: Record<BackupView["state"], Tone> = { waiting: "busy", running: "busy", done: "good", failed: "bad" };

/** Backups of one homeserver: made, followed, given out, deleted. */
export function Backups({ client }: { client: string }) {
  const root = inClient(client, "backups");
  const pages = usePages<BackupView>("clients", root, { limit: 20 });
  const making = useSend(() => post<BackupView>(root), { topics: ["clients"], said: words.asked });
  const { mutate: remove } = useSend((id: string) => del(`${root}/${encodeURIComponent(id)}`), {
    topics: ["clients"],
    said: words.removed,
  });
  const columns = useMemo(() => columnsOf(root, remove), [root, remove]);
  const open = pages.items.some(({ state }) => state === "waiting" || state === "running");
  const make = (
    <Button
      variant="default"
      leftSection={<IconDeviceFloppy size={18} aria-hidden />}
      loading={making.isPending}
      disabled={open}
      onClick={() => making.mutate(undefined)}
    >
      {words.make}
    </Button>
  );
  return (
    <Stack gap="sm">
      {pages.items.length > 0 && <Group>{make}</Group>}
      <PagedTable
        label={words.list}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} action={make} />}
      />
    </Stack>
  );
}

const columnsOf = (root: string, remove: (id: string) => void): readonly Column<BackupView>[] => [
  { id: "at", title: words.columns.at, cell: ({ createdAt }) => <When at={createdAt} exactly /> },
  { id: "state", title: words.columns.state, cell: (row) => <State row={row} /> },
  {
    id: "size",
    title: words.columns.size,
    align: "right",
    cell: ({ state, bytes }) => (state === "done" && bytes !== null ? bytesText(bytes) : ""),
  },
  { id: "by", title: words.columns.by, cell: ({ requestedBy }) => requestedBy, wideOnly: true },
  {
    id: "actions",
    title: words.columns.actions,
    align: "right",
    cell: (row) => <Actions row={row} root={root} remove={remove} />,
  },
];

function State({ row }: { row: BackupView }) {
  return (
    <Stack gap={4} align="flex-start">
      <Group gap={6}>
        <StateBadge tone={TONES[row.state]}>{words.states[row.state]}</StateBadge>
        {row.state === "running" && <Loader size={14} aria-hidden />}
        {row.state === "running" && row.bytes !== null && <Text size="sm">{words.soFar(bytesText(row.bytes))}</Text>}
      </Group>
      {row.error && <Text size="sm">{row.error}</Text>}
    </Stack>
  );
}

function Actions({ row, root, remove }: { row: BackupView; root: string; remove: (id: string) => void }) {
  const at = exactTime(row.createdAt);
  const ask = async () => {
    const question = { title: words.removeTitle, text: words.removeText, yes: words.removeYes, danger: true };
    if (await askFirst(question)) remove(row.id);
  };
  return (
    <Group gap="xs" justify="flex-end">
      {row.state === "done" && (
        <Button
          component="a"
          href={apiUrl(`${root}/${encodeURIComponent(row.id)}/file`)}
          download={row.file ?? true}
          variant="default"
          size="xs"
          leftSection={<IconDownload size={16} aria-hidden />}
          aria-label={words.downloadOf(at)}
        >
          {words.download}
        </Button>
      )}
      {row.state !== "running" && (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconTrash size={16} aria-hidden />}
          aria-label={words.removeOf(at)}
          onClick={() => void ask()}
        >
          {words.remove}
        </Button>
      )}
    </Group>
  );
}
