import { Anchor, Group, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import type { RunItem } from "../../api/runs-views.ts";
import { usePages } from "../api.ts";
import { ofClientOrAll } from "../api-path.ts";
import { useClient, useMay } from "../me.tsx";
import { AgentFace } from "../parts/agent-face.tsx";
import { Name } from "../parts/name.tsx";
import { Nothing } from "../parts/nothing.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { Filters, queryOf, type RunFilters, useFilters } from "./runs/filters.tsx";
import { RunState } from "./runs/run-state.tsx";

const words = texts.runs;

/** Runs of a client, or of all; live, since the list is asked for anew when runs change. */
export default function RunsPage() {
  const client = useClient();
  const all = useMay("runs.read");
  const [filters, setFilters] = useFilters();
  const path = ofClientOrAll(client, "runs");
  const pages = usePages<RunItem>("runs", path, { ...queryOf(filters), limit: 50 });
  const columns = useMemo(() => columnsOf(client, all, setFilters), [client, all, setFilters]);
  return (
    <Page title={words.title} lead={all ? words.lead : words.leadOwn}>
      <Filters client={client} value={filters} onChange={setFilters} runs={pages.items} />
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Nothing words={words} pages={pages} filtered={Object.values(filters).some(Boolean)} />}
      />
    </Page>
  );
}

type SetFilters = (part: Partial<RunFilters>) => void;

function columnsOf(client: string | null, all: boolean, set: SetFilters): Column<RunItem>[] {
  return [
    { id: "agent", title: words.agent, cell: (run) => <AgentCell run={run} /> },
    { id: "state", title: words.state, cell: (run) => <StateCell run={run} /> },
    ...(client === null
      ? [
          {
            id: "client",
            title: words.client,
            cell: (run: RunItem) => (
              <Anchor component={Link} href={to.runs(run.client.id)} size="sm">
                {run.client.title}
              </Anchor>
            ),
          },
        ]
      : []),
    ...(all
      ? [
          {
            id: "who",
            title: words.who,
            cell: ({ askedBy }: RunItem) => (
              <Narrow on={client !== null} name={askedBy.name} onClick={() => set({ person: askedBy.id })} />
            ),
          },
        ]
      : []),
    { id: "room", title: words.room, cell: (run) => <RoomCell run={run} inClient={client !== null} set={set} /> },
    { id: "took", title: words.took, align: "right", cell: ({ durationMs }) => <Figure>{took(durationMs)}</Figure> },
    {
      id: "tokens",
      title: words.tokens,
      align: "right",
      cell: ({ tokens }) => <Figure>{words.number(tokens)}</Figure>,
    },
    {
      id: "when",
      title: words.when,
      align: "right",
      cell: ({ createdAt }) => (
        <Text size="sm" component="span">
          <When at={createdAt} />
        </Text>
      ),
    },
  ];
}

const took = (ms: number | null) => (ms === null ? "–" : words.duration(ms));
const Figure = ({ children }: { children: string }) => (
  <Text size="sm" style={{ whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" }}>
    {children}
  </Text>
);

const AgentCell = ({ run }: { run: RunItem }) => (
  <Group gap="xs" wrap="nowrap">
    <AgentFace client={run.client.id} agent={run.agent.id} size={28} />
    <Anchor component={Link} href={to.run(run.client.id, run.id)} size="sm" fw={600}>
      <Name>{run.agent.name}</Name>
    </Anchor>
  </Group>
);

const StateCell = ({ run }: { run: RunItem }) => (
  <Stack gap={2} align="flex-start">
    <RunState state={run.state} />
    {run.error && (
      <Text size="xs" c="dimmed" lineClamp={2} maw={260}>
        {run.error}
      </Text>
    )}
  </Stack>
);

/** A name on which one can click to see only its runs. */
function Narrow({ name, on, onClick }: { name: string; on: boolean; onClick: () => void }) {
  if (!on)
    return (
      <Text size="sm">
        <Name>{name}</Name>
      </Text>
    );
  return (
    <Anchor component="button" type="button" size="sm" ta="left" title={words.filterBy(name)} onClick={onClick}>
      <Name>{name}</Name>
    </Anchor>
  );
}

function RoomCell({ run, inClient, set }: { run: RunItem; inClient: boolean; set: SetFilters }) {
  const { room } = run;
  if (!room)
    return (
      <Text size="sm" c="dimmed">
        {run.source === "task" ? words.handedOver : words.tried}
      </Text>
    );
  return <Narrow on={inClient} name={room.name ?? words.noRoomName} onClick={() => set({ room: room.id })} />;
}
