import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import type { RunItem } from "../../../api/runs-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Empty } from "../../parts/empty.tsx";
import { Name } from "../../parts/name.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { RunState } from "../runs/run-state.tsx";

const words = texts.agents.runs;

const notInRoom = (source: RunItem["source"]) => (source === "task" ? texts.runs.handedOver : words.tried);

/** The newest answers of an agent. */
export function AgentRuns({ client, agent }: { client: string; agent: string }) {
  const pages = usePages<RunItem>("runs", inClient(client, "runs"), { agent, limit: 20 });
  const columns = useMemo<Column<RunItem>[]>(
    () => [
      {
        id: "when",
        title: words.when,
        cell: ({ id, createdAt }) => (
          <Anchor component={Link} href={to.run(client, id)} size="sm">
            <When at={createdAt} />
          </Anchor>
        ),
      },
      {
        id: "state",
        title: words.state,
        cell: ({ state }) => <RunState state={state} />,
      },
      {
        id: "who",
        title: words.who,
        cell: ({ askedBy }) => (
          <Text size="sm">
            <Name>{askedBy.name}</Name>
          </Text>
        ),
      },
      {
        id: "where",
        title: words.where,
        cell: ({ room, source }) => (
          <Text size="sm">
            <Name>{room ? (room.name ?? texts.agents.rooms.unnamed) : notInRoom(source)}</Name>
          </Text>
        ),
      },
      {
        id: "took",
        title: words.took,
        align: "right",
        cell: ({ durationMs }) => <Text size="sm">{durationMs === null ? "" : texts.runs.duration(durationMs)}</Text>,
      },
      {
        id: "tokens",
        title: words.tokens,
        align: "right",
        cell: ({ tokens }) => <Text size="sm">{texts.runs.number(tokens)}</Text>,
      },
    ],
    [client],
  );
  return (
    <Stack gap="sm">
      <PagedTable
        label={texts.agents.tabs.runs}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} />}
      />
      {pages.items.length > 0 && (
        <Group>
          <Button
            component={Link}
            href={`${to.runs(client)}?agent=${encodeURIComponent(agent)}`}
            variant="default"
            size="xs"
          >
            {words.all}
          </Button>
        </Group>
      )}
    </Stack>
  );
}
