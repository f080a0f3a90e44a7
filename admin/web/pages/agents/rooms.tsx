import { ActionIcon, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDoorExit, IconPlus } from "@tabler/icons-react";
import { useMemo } from "react";
import { Link } from "wouter";
import type { AgentRoomView, AgentView } from "../../../api/agents-views.ts";
import { del, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMay } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Name } from "../../parts/name.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { agentPath } from "./definition.ts";
import { InviteToRooms } from "./invite-rooms.tsx";

const words = texts.agents.rooms;

/** Where the agent is, and what it may there. */
export function AgentRooms({ client, agent }: { client: string; agent: AgentView }) {
  const mayPlace = useMay("teams.write");
  const [opened, { open, close }] = useDisclosure(false);
  const pages = usePages<AgentRoomView>(["agents", "teams"], agentPath(client, agent.id, "/rooms"), { limit: 50 });
  const leaving = useSend((room: AgentRoomView) => del(inClient(client, "rooms", room.roomId, "agents", agent.id)), {
    topics: ["agents", "teams"],
    said: (_, room) => words.removed(room.name ?? words.unnamed),
  });
  const { mutate } = leaving;
  const columns = useMemo<Column<AgentRoomView>[]>(() => {
    const take = async (room: AgentRoomView) => {
      const title = words.removeTitle(agent.name, room.name ?? words.unnamed);
      if (await askFirst({ title, text: words.removeText, yes: words.removeYes, danger: true })) mutate(room);
    };
    return [
      {
        id: "room",
        title: words.room,
        cell: ({ roomId, name }) => (
          <Anchor component={Link} href={to.room(client, roomId)}>
            <Name>{name ?? words.unnamed}</Name>
          </Anchor>
        ),
      },
      {
        id: "scope",
        title: words.scope,
        cell: ({ scope, membership }) => (
          <Text size="sm">{membership === "invite" ? words.coming : texts.agents.scope[scope]}</Text>
        ),
      },
      {
        id: "leave",
        title: "",
        align: "right",
        cell: (room) =>
          mayPlace && room.kind !== "space" ? (
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={words.remove(room.name ?? words.unnamed)}
              onClick={() => void take(room)}
            >
              <IconDoorExit size={18} aria-hidden />
            </ActionIcon>
          ) : null,
      },
    ];
  }, [client, agent.name, mayPlace, mutate]);
  const published = agent.version !== null;
  const invite = mayPlace && published && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.invite}
    </Button>
  );
  return (
    <Stack gap="sm">
      {pages.items.length > 0 && <Group justify="flex-end">{invite}</Group>}
      <PagedTable
        label={texts.agents.tabs.rooms}
        columns={columns}
        pages={pages}
        rowKey={({ roomId }) => roomId}
        empty={
          <Empty title={words.none} text={published ? words.noneText : words.noneDraft} action={invite || undefined} />
        }
      />
      {opened && <InviteToRooms client={client} agent={agent} close={close} />}
    </Stack>
  );
}
