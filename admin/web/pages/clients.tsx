import { Anchor, Button, Group, Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import type { ClientRow } from "../../api/clients-views.ts";
import { usePages } from "../api.ts";
import { useMay } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { SearchField } from "../parts/search-field.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { useMaking } from "../parts/use-making.ts";
import { When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { NewClient } from "./clients/new-client.tsx";
import { HomeserverState } from "./clients/state.tsx";

const words = texts.clients;
const { columns: heads, number } = words;

const COLUMNS: readonly Column<ClientRow>[] = [
  {
    id: "client",
    title: heads.client,
    cell: (row) => (
      <Stack gap={0}>
        <Anchor component={Link} href={to.home(row.id)} fw={600}>
          {row.title}
        </Anchor>
        <Text size="xs" c="dimmed">
          {row.serverName}
        </Text>
      </Stack>
    ),
  },
  { id: "state", title: heads.state, cell: (row) => <State row={row} /> },
  { id: "people", title: heads.people, align: "right", cell: ({ people }) => number(people) },
  { id: "agents", title: heads.agents, align: "right", cell: ({ agents }) => number(agents) },
  { id: "runs", title: heads.runs, align: "right", cell: ({ runsToday }) => number(runsToday) },
  { id: "tokens", title: heads.tokens, align: "right", cell: ({ tokensToday }) => number(tokensToday) },
  { id: "backup", title: heads.backup, cell: ({ lastBackupAt }) => <When at={lastBackupAt} />, wideOnly: true },
];

/** The word, and for those that need a look why. It leads to the homeserver's page. */
function State({ row }: { row: ClientRow }) {
  return (
    <Stack gap={4} align="flex-start">
      <Group gap={6}>
        <Anchor component={Link} href={to.homeserver(row.id)}>
          <span className="agt-sr">{words.openHomeserver(row.title)}: </span>
          <HomeserverState state={row.state} />
        </Anchor>
        {row.needsLook && <StateBadge tone="warn">{words.needsLook}</StateBadge>}
        {!row.needsLook && row.version && (
          <Text size="xs" c="dimmed">
            {words.synapse(row.version)}
          </Text>
        )}
      </Group>
      {row.needsLook && row.stateDetail && (
        <Text size="xs" c="dimmed" lineClamp={2} maw={360}>
          {row.stateDetail}
        </Text>
      )}
    </Stack>
  );
}

/** All clients: who needs a look, and what happened at each today. */
export default function ClientsPage() {
  const mayCreate = useMay("clients.create");
  const [asked, setAsked] = useState("");
  const [state, setState] = useState("");
  const [q] = useDebouncedValue(asked.trim(), 250);
  const [making, { open, close }] = useMaking();
  const pages = usePages<ClientRow>("clients", "/clients", { q, state, limit: 50 });
  const filtered = q !== "" || state !== "";
  const create = mayCreate && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={create}>
      <Group>
        <SearchField label={words.search} value={asked} onChange={setAsked} />
        <Select
          aria-label={words.filter}
          value={state}
          onChange={(value) => setState(value ?? "")}
          data={[
            { value: "", label: words.allStates },
            ...Object.entries(words.states).map(([value, label]) => ({ value, label })),
          ]}
          allowDeselect={false}
          w={200}
        />
      </Group>
      <PagedTable
        label={words.list}
        columns={COLUMNS}
        pages={pages}
        rowKey={({ id }) => id}
        empty={
          filtered ? (
            <Empty title={words.noneFits} text={words.noneFitsText} />
          ) : (
            <Empty title={words.none} text={words.noneText} action={create} />
          )
        }
      />
      {mayCreate && <NewClient opened={making} close={close} />}
    </Page>
  );
}
