import { Button, Group, Stack, Text } from "@mantine/core";
import { IconRuler2 } from "@tabler/icons-react";
import type { StorageView } from "../../../api/clients-views.ts";
import { post, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { bytesText } from "./bytes.ts";

const words = texts.clients.storage;
const DAY = 86_400_000;
const total = ({ databaseBytes, mediaBytes }: StorageView) => databaseBytes + mediaBytes;

/** What a homeserver takes on the disk, and how that grew. */
export function Storage({ client }: { client: string }) {
  const path = inClient(client, "storage");
  const pages = usePages<StorageView>("clients", path, { limit: 31 });
  const measuring = useSend(() => post<StorageView>(path), { topics: ["clients"], said: words.done });
  const [latest] = pages.items;
  return (
    <Stack gap="sm" align="flex-start">
      <Trouble error={pages.error} again={pages.again} />
      {latest ? (
        <Stack component="dl" gap={6} m={0} w="100%">
          <Line name={words.database} value={bytesText(latest.databaseBytes)} />
          <Line name={words.media} value={bytesText(latest.mediaBytes)} />
          <Line name={words.total} value={bytesText(total(latest))} strong />
        </Stack>
      ) : (
        !pages.loading && (
          <div>
            <Text fw={600}>{words.none}</Text>
            <Text size="sm">{words.noneText}</Text>
          </div>
        )
      )}
      {latest && (
        <Text size="sm" c="dimmed">
          {words.measured} <When at={latest.measuredAt} />
          {growth(pages.items)}
        </Text>
      )}
      <Button
        variant="default"
        size="xs"
        leftSection={<IconRuler2 size={16} aria-hidden />}
        loading={measuring.isPending}
        onClick={() => measuring.mutate(undefined)}
      >
        {words.measure}
      </Button>
    </Stack>
  );
}

/** Against the oldest of the month. Empty while there is one day only. */
function growth(days: readonly StorageView[]): string {
  const latest = days[0];
  const oldest = days.at(-1);
  if (!latest || !oldest || latest.day === oldest.day) return "";
  const more = total(latest) - total(oldest);
  const between = Math.round((Date.parse(latest.day) - Date.parse(oldest.day)) / DAY);
  return `; ${more < 0 ? words.shrunk(bytesText(more), between) : words.growth(bytesText(more), between)}`;
}

const Line = ({ name, value, strong = false }: { name: string; value: string; strong?: boolean }) => (
  <Group justify="space-between">
    <Text component="dt">{name}</Text>
    <Text component="dd" m={0} fw={strong ? 650 : 400}>
      {value}
    </Text>
  </Group>
);
