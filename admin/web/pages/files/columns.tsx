import { ActionIcon, Anchor, Group, Text, Tooltip } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import type { FileView } from "../../../api/files.ts";
import { apiUrl } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Name } from "../../parts/name.tsx";
import type { Column } from "../../parts/paged-table.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";

const words = texts.files;

/** `remove` null: they may only look. */
export function fileColumns(client: string, remove: ((path: string) => void) | null): Column<FileView>[] {
  return [
    {
      id: "path",
      title: words.path,
      cell: ({ path, untrusted }) => (
        <Group gap="xs">
          <Anchor
            href={apiUrl(inClient(client, "files", path))}
            download
            size="sm"
            fw={600}
            aria-label={words.download(path)}
          >
            <Name>{path}</Name>
          </Anchor>
          {untrusted && (
            <Tooltip
              label={words.from(untrusted)}
              multiline
              maw={360}
              events={{ hover: true, focus: true, touch: true }}
            >
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: its explanation is for the keyboard too */}
              <span tabIndex={0}>
                <StateBadge tone="warn">{words.untrusted}</StateBadge>
              </span>
            </Tooltip>
          )}
        </Group>
      ),
    },
    { id: "size", title: words.size, align: "right", cell: ({ size }) => <Text size="sm">{words.bytes(size)}</Text> },
    {
      id: "changed",
      title: words.changed,
      cell: ({ changedAt, writtenBy }) => (
        <Text span size="sm">
          <When at={changedAt} /> <Name>{words.by(writtenBy)}</Name>
        </Text>
      ),
    },
    {
      id: "do",
      title: "",
      align: "right",
      cell: ({ path }) =>
        remove && (
          <ActionIcon variant="default" size="lg" aria-label={words.remove(path)} onClick={() => remove(path)}>
            <IconTrash size={18} aria-hidden />
          </ActionIcon>
        ),
    },
  ];
}
