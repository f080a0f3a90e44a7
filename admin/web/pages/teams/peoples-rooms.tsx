import { Anchor, Stack, Text } from "@mantine/core";
import { IconMessages } from "@tabler/icons-react";
import { useMemo } from "react";
import { Link } from "wouter";
import type { RoomView } from "../../../api/teams-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Empty } from "../../parts/empty.tsx";
import { Name } from "../../parts/name.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { Faces } from "./room-line.tsx";

const words = texts.teams.peoplesRooms;

/** Rooms that belong to people, listed because an agent is in them. */
export function PeoplesRooms({ client }: { client: string }) {
  const pages = usePages<RoomView>("teams", inClient(client, "rooms"), { made: "people" });
  const columns = useMemo(() => columnsFor(client), [client]);
  return (
    <Stack gap="md">
      <Text c="dimmed">{words.lead}</Text>
      <PagedTable
        label={words.list}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} icon={<IconMessages size={36} aria-hidden />} />}
      />
    </Stack>
  );
}

const columnsFor = (client: string): Column<RoomView>[] => [
  {
    id: "room",
    title: words.columns.room,
    cell: (room) => (
      <Anchor component={Link} href={to.room(client, room.id)} fw={600}>
        <Name>{nameOf(room)}</Name>
      </Anchor>
    ),
  },
  { id: "agents", title: words.columns.agents, cell: (room) => <Faces client={client} room={room} /> },
  { id: "people", title: words.columns.people, align: "right", cell: ({ people }) => people },
  { id: "since", title: words.columns.since, cell: ({ createdAt }) => <When at={createdAt} />, wideOnly: true },
];

/** A direct chat has no name: it is called by its agents. */
export const nameOf = ({ name, agents }: RoomView): string => {
  if (name) return name;
  const names = agents.map((agent) => agent.name).join(", ");
  return names ? `${words.direct}: ${names}` : words.unnamed;
};
