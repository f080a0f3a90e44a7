import { Button, Checkbox, Group, Modal, ScrollArea, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Link } from "wouter";
import type { AgentView } from "../../../api/agents-views.ts";
import type { RoomView } from "../../../api/teams-views.ts";
import { Problem, post, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Empty } from "../../parts/empty.tsx";
import { SearchField } from "../../parts/search-field.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { to } from "../../paths.ts";
import { sentenceOf } from "../../problem.ts";
import { texts } from "../../texts.ts";

const words = texts.agents.rooms;

interface Props {
  client: string;
  agent: AgentView;
  close: () => void;
  onDone?: (rooms: RoomView[]) => void;
}

/** Chooses rooms that the agent is not in, and puts it there. */
export function InviteToRooms({ client, agent, close, onDone }: Props) {
  const root = inClient(client);
  const [asked, setAsked] = useState("");
  const [q] = useDebouncedValue(asked.trim(), 250);
  const [chosen, setChosen] = useState<RoomView[]>([]);
  const pages = usePages<RoomView>("teams", `${root}/rooms`, { q, archived: false, limit: 50 });
  const free = pages.items.filter((room) => room.agents.every(({ id }) => id !== agent.id) && !room.archivedAt);
  const inviting = useSend(
    async (rooms: RoomView[]) => {
      for (const [at, room] of rooms.entries())
        try {
          await post(`${root}/rooms/${encodeURIComponent(room.id)}/agents`, { agent: agent.id });
        } catch (error) {
          setChosen(rooms.slice(at)); // those before are done
          const detail = words.failed(room.name ?? words.unnamed, sentenceOf(error));
          throw new Problem({ status: 0, code: "invite", detail });
        }
      return rooms;
    },
    {
      topics: ["teams", "agents"],
      inline: true,
      said: (rooms) => words.invited(agent.name, rooms.length),
      onDone: (rooms) => {
        onDone?.(rooms);
        close();
      },
    },
  );
  const toggle = (room: RoomView) =>
    setChosen(chosen.some(({ id }) => id === room.id) ? chosen.filter(({ id }) => id !== room.id) : [...chosen, room]);
  return (
    <Modal opened onClose={close} title={words.choose} centered closeButtonProps={{ "aria-label": texts.shell.close }}>
      <Stack>
        {(q !== "" || pages.items.length > 8) && <SearchField label={words.search} value={asked} onChange={setAsked} />}
        <Trouble error={pages.error ?? inviting.error} />
        {pages.loading ? (
          <Waiting height={30} />
        ) : pages.error && free.length === 0 ? null : free.length === 0 && !pages.hasMore ? (
          <Empty
            title={words.noRooms}
            text={words.noRoomsText}
            action={
              <Button component={Link} href={to.teams(client)} variant="default">
                {words.toTeams}
              </Button>
            }
          />
        ) : (
          <ScrollArea.Autosize mah="45vh" viewportProps={{ tabIndex: 0, "aria-label": words.choose }}>
            <Stack gap="sm" p={4}>
              {free.map((room) => (
                <Checkbox
                  key={room.id}
                  label={room.name ?? words.unnamed}
                  description={room.team?.name}
                  checked={chosen.some(({ id }) => id === room.id)}
                  onChange={() => toggle(room)}
                />
              ))}
              {pages.hasMore && (
                <Button variant="subtle" size="xs" onClick={pages.more} loading={pages.loadingMore}>
                  {texts.shell.loadMore}
                </Button>
              )}
            </Stack>
          </ScrollArea.Autosize>
        )}
        {free.length > 0 && (
          <Group justify="flex-end">
            <Button disabled={chosen.length === 0} loading={inviting.isPending} onClick={() => inviting.mutate(chosen)}>
              {chosen.length === 0 ? words.invite : words.chosen(chosen.length)}
            </Button>
          </Group>
        )}
      </Stack>
    </Modal>
  );
}
