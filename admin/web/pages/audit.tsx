/** The audit log: of the platform, or of one client. */

import { Anchor, Badge, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconDownload, IconX } from "@tabler/icons-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { AuditView } from "../../api/audit.ts";
import { apiUrl, type Pages, usePages } from "../api.ts";
import { ofClientOrAll } from "../api-path.ts";
import { useClient } from "../me.tsx";
import { Nothing } from "../parts/nothing.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { When } from "../parts/when.tsx";
import { texts } from "../texts.ts";
import { Details } from "./audit/details.tsx";
import { type AuditFilters, Filters, isFiltered, NO_FILTERS, queryOf } from "./audit/filters.tsx";

const words = texts.audit;

export default function AuditPage() {
  const client = useClient();
  const path = ofClientOrAll(client, "audit");
  const [filters, setFilters] = useState<AuditFilters>(NO_FILTERS);
  const [asked] = useDebouncedValue(filters, 300);
  const query = queryOf(asked);
  const pages = usePages<AuditView>("audit", path, query);
  useLookFurther(pages, JSON.stringify(query));
  const [open, setOpen] = useState<AuditView | null>(null);
  const columns = useMemo(() => columnsOf(client === null, setOpen), [client]);
  const download = (
    <Button
      component="a"
      href={apiUrl(`${path}.csv`, query)}
      download
      variant="default"
      leftSection={<IconDownload size={18} aria-hidden />}
      title={words.exportHint}
    >
      {words.export}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={download}>
      <Stack gap="xs">
        <Filters path={path} value={filters} onChange={setFilters} />
        {filters.target !== null && (
          <Group gap="xs">
            <Badge variant="light" tt="none" size="lg" radius="sm">
              {words.target(filters.target)}
            </Badge>
            <Button
              variant="subtle"
              size="xs"
              leftSection={<IconX size={14} aria-hidden />}
              onClick={() => setFilters({ ...filters, target: null })}
            >
              {words.showAll}
            </Button>
          </Group>
        )}
      </Stack>
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => String(id)}
        empty={<Nothing words={words} pages={pages} filtered={isFiltered(asked)} />}
      />
      <Modal
        opened={open !== null}
        onClose={() => setOpen(null)}
        size="lg"
        title={open ? words.actionName(open.action) : ""}
        closeButtonProps={{ "aria-label": texts.shell.close }}
      >
        {open && (
          <Details
            line={open}
            onlyThis={() => {
              setFilters({ ...NO_FILTERS, target: open.target.id });
              setOpen(null);
            }}
          />
        )}
      </Modal>
    </Page>
  );
}

const FURTHER = 20;

/** A search looks through some lines at a time: while nothing is found it goes on by itself, so many times. */
function useLookFurther({ items, hasMore, loadingMore, more }: Pages<AuditView>, query: string): void {
  const looked = useRef({ query, times: 0 });
  useEffect(() => {
    if (looked.current.query !== query) looked.current = { query, times: 0 };
    if (items.length > 0 || !hasMore || loadingMore || looked.current.times >= FURTHER) return;
    looked.current.times++;
    more();
  });
}

/** On one line: a column of times is read down. */
const Time = ({ at }: { at: string }) => (
  <Text size="sm" style={{ whiteSpace: "nowrap" }}>
    <When at={at} />
  </Text>
);

const columnsOf = (everywhere: boolean, open: (line: AuditView) => void): Column<AuditView>[] => [
  {
    id: "what",
    title: words.what,
    cell: (line) => (
      <>
        <Group gap="xs">
          <Anchor component="button" type="button" size="sm" fw={600} ta="left" onClick={() => open(line)}>
            {words.actionName(line.action)}
          </Anchor>
          {(line.outcome === "open" || line.outcome === "failed") && (
            <StateBadge tone={line.outcome === "failed" ? "bad" : "warn"}>{words.outcomes[line.outcome]}</StateBadge>
          )}
        </Group>
        {line.outcome === "refused" && (
          <Text size="sm" c="dimmed">
            {words.refusal(line)}
          </Text>
        )}
      </>
    ),
  },
  {
    id: "about",
    title: words.about,
    cell: ({ target }) => (
      <Text size="sm" lineClamp={2}>
        {target.name ?? (target.id === "-" ? "–" : target.id)}
      </Text>
    ),
  },
  {
    id: "who",
    title: words.who,
    cell: ({ actor }) => (
      <Text size="sm">
        {actor.name}
        {actor.onBehalfOf && (
          <Text span c="dimmed">
            {" "}
            {words.onBehalf(actor.onBehalfOf)}
          </Text>
        )}
      </Text>
    ),
  },
  ...(everywhere
    ? [{ id: "client", title: words.client, wideOnly: true, cell: (line: AuditView) => line.client ?? "–" }]
    : []),
  { id: "when", title: words.when, cell: ({ at }) => <Time at={at} /> },
];
