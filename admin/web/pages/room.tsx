import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconActivity, IconArchive, IconExternalLink, IconInfoCircle, IconLock } from "@tabler/icons-react";
import { Link } from "wouter";
import type { RoomView } from "../../api/teams-views.ts";
import { useGet } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useParam, useThisClient } from "../me.tsx";
import { OpenInApp } from "../parts/open-in-app.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { RoomAgents } from "./room/agents.tsx";
import { RoomPeople } from "./room/people.tsx";
import { RoomSettings } from "./room/settings.tsx";
import { nameOf } from "./teams/peoples-rooms.tsx";

const words = texts.teams;

/** One room: who is in it, what agents may there, what it is for. */
export default function RoomPage() {
  const client = useThisClient();
  const id = useParam("room");
  const path = inClient(client, "rooms", id);
  const { data: room, error, refetch } = useGet<RoomView>("teams", path);
  const mayWrite = useMay("teams.write");
  const crumbs = [{ title: words.title, to: to.teams(client) }];
  if (!room)
    return (
      <Page title={texts.shell.pages.room} crumbs={crumbs}>
        <Trouble error={error} again={() => void refetch()} />
        {!error && <Waiting lines={1} height={240} />}
      </Page>
    );
  const manages = mayWrite && room.whyNotManaged === null;
  const lead = [room.team?.name, room.topic].filter(Boolean).join(" · ");
  return (
    <Page title={nameOf(room)} crumbs={crumbs} lead={lead} actions={<Links client={client} room={room} />}>
      <Notices room={room} />
      <RoomAgents {...{ client, path, room, manages }} mayRemove={mayWrite} />
      <RoomPeople {...{ client, path, room, manages }} />
      {manages && <RoomSettings path={path} room={room} />}
    </Page>
  );
}

const Links = ({ client, room }: { client: string; room: RoomView }) => (
  <>
    <Button
      component={Link}
      href={`${to.runs(client)}?room=${encodeURIComponent(room.id)}`}
      variant="default"
      leftSection={<IconActivity size={18} aria-hidden />}
    >
      {words.room.runs}
    </Button>
    <OpenInApp client={client} link={room.link} name={nameOf(room)}>
      {(href) => (
        <Button
          component="a"
          href={href}
          rel="noreferrer"
          variant="default"
          leftSection={<IconExternalLink size={18} aria-hidden />}
        >
          {words.openInElement}
        </Button>
      )}
    </OpenInApp>
  </>
);

function Notices({ room }: { room: RoomView }) {
  const { archivedTitle, archivedText, archivedWithTeam, notManaged, encrypted } = words.room;
  if (!room.archivedAt && !room.whyNotManaged && !room.encrypted) return null;
  return (
    <Stack gap="xs">
      {room.archivedAt && (
        <Alert color="gray" icon={<IconArchive aria-hidden />} title={archivedTitle}>
          <Text size="sm">{archivedText}</Text>
          {room.team?.archived && <Text size="sm">{archivedWithTeam(room.team.name)}</Text>}
        </Alert>
      )}
      {room.whyNotManaged && (
        <Alert color="blue" icon={<IconInfoCircle aria-hidden />} title={notManaged}>
          <Text size="sm">{room.whyNotManaged}</Text>
        </Alert>
      )}
      {room.encrypted && (
        <Group className="agt-card" p="sm" gap="xs" wrap="nowrap">
          <IconLock size={18} aria-hidden />
          <Text size="sm">{encrypted}</Text>
        </Group>
      )}
    </Stack>
  );
}
