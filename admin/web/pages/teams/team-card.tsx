import { ActionIcon, Alert, Anchor, Button, Group, Menu, Progress, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import {
  IconAlertTriangle,
  IconArchive,
  IconArchiveOff,
  IconDots,
  IconExternalLink,
  IconLogin2,
  IconPencil,
  IconPlus,
  IconSitemap,
  IconUserPlus,
  IconUsers,
} from "@tabler/icons-react";
import { useState } from "react";
import type { TeamView } from "../../../api/teams-views.ts";
import { patch, post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMay, useMe } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { useChatAddress } from "../../parts/open-in-app.tsx";
import { texts } from "../../texts.ts";
import { AddPeople } from "./add-people.tsx";
import { NameDialog } from "./name-dialog.tsx";
import { RoomLine } from "./room-line.tsx";
import classes from "./teams.module.css";

const words = texts.teams;
type Dialog = "rename" | "room" | "people" | null;

/** A team: its name, its rooms with the agents in them, and what can be done with it. */
export function TeamCard({ client, team }: { client: string; team: TeamView }) {
  const [dialog, setDialog] = useState<Dialog>(null);
  const link = useChatAddress(client, team.link) ?? null;
  const [showArchived, setShowArchived] = useState(false);
  const open = team.rooms.filter((room) => team.archivedAt || !room.archivedAt);
  const archived = team.archivedAt ? [] : team.rooms.filter((room) => room.archivedAt);
  return (
    <Stack component="section" className="agt-card" p="md" gap="sm" aria-label={team.name}>
      <Head {...{ client, team, link, setDialog }} />
      {team.progress && <Making client={client} team={team} />}
      {open.length === 0 && !team.making && <Text c="dimmed">{words.noRooms}</Text>}
      <Stack component="ul" gap={0} m={0} p={0} className={classes.rooms} aria-label={words.roomsOf(team.name)}>
        {open.map((room) => (
          <RoomLine client={client} room={room} key={room.id} />
        ))}
        {showArchived && archived.map((room) => <RoomLine client={client} room={room} key={room.id} />)}
      </Stack>
      {archived.length > 0 && (
        <Anchor component="button" type="button" size="sm" ta="left" onClick={() => setShowArchived(!showArchived)}>
          {words.archivedRooms(archived.length)}
        </Anchor>
      )}
      <Dialogs {...{ client, team, dialog }} onClose={() => setDialog(null)} />
    </Stack>
  );
}

const pathOf = (client: string, team: TeamView) => inClient(client, "teams", team.id);

interface HeadProps {
  client: string;
  team: TeamView;
  /** Opens it from here; null where no link can. */
  link: string | null;
  setDialog: (dialog: Dialog) => void;
}

const Head = ({ client, team, link, setDialog }: HeadProps) => (
  <Group justify="space-between" wrap="nowrap" align="flex-start">
    <Group gap="sm" wrap="nowrap">
      <ThemeIcon variant="light" size={40} radius="md" color={team.archivedAt ? "gray" : "leaf"}>
        {team.archivedAt ? <IconArchive size={22} aria-hidden /> : <IconSitemap size={22} aria-hidden />}
      </ThemeIcon>
      <div>
        <Title order={2} fz="lg">
          {team.name}
        </Title>
        <Group gap={6} c="dimmed">
          <IconUsers size={14} aria-hidden />
          <Text size="sm">
            {words.people(team.people)} · {words.rooms(team.rooms.length)}
          </Text>
        </Group>
      </div>
    </Group>
    <Group gap="xs" wrap="nowrap">
      {link && (
        <Button
          component="a"
          href={link}
          rel="noreferrer"
          variant="default"
          size="xs"
          visibleFrom="sm"
          aria-label={words.openNamed(team.name)}
          leftSection={<IconExternalLink size={16} aria-hidden />}
        >
          {words.openInElement}
        </Button>
      )}
      <TeamMenu {...{ client, team, link, setDialog }} />
    </Group>
  </Group>
);

function TeamMenu({ client, team, link, setDialog }: HeadProps) {
  const mayWrite = useMay("teams.write");
  const archive = useSend((archived: boolean) => patch(pathOf(client, team), { archived }), {
    topics: ["teams"],
    said: (_, archived) => (archived ? words.archived : words.unarchived),
  });
  const me = useMe();
  const join = useSend(() => post(`${pathOf(client, team)}/people`, { users: [me.id] }), {
    topics: ["teams"],
    said: () => words.addedMe(team.name),
  });
  if (!mayWrite && !link) return null;
  const askArchive = async () => {
    const question = { title: words.archiveTeam, text: words.archiveTeamAsk(team.name), yes: words.archiveTeam };
    if (await askFirst({ ...question, danger: true })) archive.mutate(true);
  };
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label={words.menu(team.name)}
          hiddenFrom={mayWrite ? undefined : "sm"}
        >
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {link && (
          <Menu.Item
            component="a"
            href={link}
            rel="noreferrer"
            hiddenFrom="sm"
            leftSection={<IconExternalLink size={16} aria-hidden />}
          >
            {words.openInElement}
          </Menu.Item>
        )}
        {mayWrite && !team.archivedAt && (
          <>
            <Menu.Item leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setDialog("room")}>
              {words.addRoom}
            </Menu.Item>
            {me.kind === "person" && !team.mine && !team.making && (
              <Menu.Item leftSection={<IconLogin2 size={16} aria-hidden />} onClick={() => join.mutate(undefined)}>
                {words.addMe}
              </Menu.Item>
            )}
            <Menu.Item leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setDialog("people")}>
              {words.addPeople}
            </Menu.Item>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={() => setDialog("rename")}>
              {words.rename}
            </Menu.Item>
            <Menu.Item leftSection={<IconArchive size={16} aria-hidden />} onClick={() => void askArchive()}>
              {words.archive}
            </Menu.Item>
          </>
        )}
        {mayWrite && team.archivedAt && (
          <Menu.Item leftSection={<IconArchiveOff size={16} aria-hidden />} onClick={() => archive.mutate(false)}>
            {words.unarchiveTeam}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** How far it is, or why it does not go on. */
function Making({ client, team }: { client: string; team: TeamView }) {
  const resume = useSend(() => post(`${pathOf(client, team)}/resume`), { topics: ["teams"] });
  const mayWrite = useMay("teams.write");
  const { done, of, now, problem } = team.progress ?? { done: 0, of: 1, now: "", problem: null };
  if (problem)
    return (
      <Alert color="red" title={words.problem} icon={<IconAlertTriangle aria-hidden />}>
        <Group justify="space-between" gap="sm">
          <Text size="sm">{problem}</Text>
          {mayWrite && (
            <Button size="xs" variant="default" loading={resume.isPending} onClick={() => resume.mutate(undefined)}>
              {words.goOn}
            </Button>
          )}
        </Group>
      </Alert>
    );
  return (
    <Stack gap={4} role="status">
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          {words.making} {now}
        </Text>
        <Text size="sm" c="dimmed">
          {words.progress(done, of)}
        </Text>
      </Group>
      <Progress value={(100 * (done + 1)) / (of + 1)} animated aria-label={words.makingLabel(team.name)} />
    </Stack>
  );
}

function Dialogs({
  client,
  team,
  dialog,
  onClose,
}: {
  client: string;
  team: TeamView;
  dialog: Dialog;
  onClose: () => void;
}) {
  if (dialog === "people")
    return (
      <AddPeople
        client={client}
        name={team.name}
        send={(users) => post(`${pathOf(client, team)}/people`, { users })}
        onClose={onClose}
      />
    );
  if (dialog === "rename")
    return (
      <NameDialog
        title={words.renameTeam}
        name={team.name}
        yes={words.save}
        said={() => words.renamed}
        send={({ name }) => patch(pathOf(client, team), { name })}
        onClose={onClose}
      />
    );
  if (dialog === "room")
    return (
      <NameDialog
        title={words.addRoom}
        name=""
        withTopic
        yes={words.addRoom}
        said={({ name }) => words.roomAdded(name)}
        send={(room) => post(`${pathOf(client, team)}/rooms`, room)}
        onClose={onClose}
      />
    );
  return null;
}
