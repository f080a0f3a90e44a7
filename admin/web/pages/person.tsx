import { Alert, Anchor, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { PersonDetailsView } from "../../api/people-views.ts";
import { useGet } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useParam, useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { nameOf, PersonFace, PersonState } from "./people/parts.tsx";
import { AccountCard } from "./person/account.tsx";
import { DetailsCard } from "./person/details.tsx";
import { DevicesCard } from "./person/devices.tsx";

const words = texts.people;

/** One person of a client. */
export default function PersonPage() {
  const client = useThisClient();
  const id = useParam("user");
  const path = inClient(client, "people", id);
  const { data: person, error, refetch } = useGet<PersonDetailsView>("people", path);
  const crumbs = [{ title: words.title, to: to.people(client) }];
  return (
    <Page
      title={person ? nameOf(person) : id}
      crumbs={crumbs}
      lead={
        person && (
          <Group gap="xs">
            <PersonFace person={person} size={28} />
            <Text c="dimmed">{person.id}</Text>
            <PersonState state={person.state} />
            {person.self && <StateBadge tone="busy">{words.you}</StateBadge>}
          </Group>
        )
      }
    >
      {!person && <Trouble error={error} again={() => void refetch()} />}
      {person && <Facts client={client} path={path} person={person} />}
    </Page>
  );
}

export interface PersonProps {
  client: string;
  /** Of the API. */
  path: string;
  person: PersonDetailsView;
}

/** A part of the page with its heading. */
export const Card = ({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) => (
  <Stack component="section" className="agt-card" p="md" gap="sm" aria-label={title}>
    <Group justify="space-between">
      <Title order={2}>{title}</Title>
      {actions}
    </Group>
    {children}
  </Stack>
);

function Facts({ client, path, person }: PersonProps) {
  const mayWrite = useMay("people.write") && person.blocked === null;
  const notes = [
    person.state === "deactivated" && words.deactivatedNote,
    person.erased && words.erasedNote,
    person.locked && words.lockedNote,
    person.state === "suspended" && !person.locked && words.suspendedNote,
  ].filter((note) => note !== false && note !== null);
  return (
    <>
      {person.stale && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
          {person.stale}
        </Alert>
      )}
      {notes.length > 0 && (
        <Alert color={person.state === "deactivated" ? "gray" : "yellow"} icon={<IconInfoCircle aria-hidden />}>
          {notes.join(" ")}
        </Alert>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" verticalSpacing="md">
        <DetailsCard client={client} path={path} person={person} />
        <DevicesCard client={client} path={path} person={person} />
        <RoomsCard client={client} person={person} />
        {mayWrite && person.state !== "deactivated" && <AccountCard client={client} path={path} person={person} />}
      </SimpleGrid>
    </>
  );
}

function RoomsCard({ client, person }: Pick<PersonProps, "client" | "person">) {
  return (
    <Card title={words.rooms}>
      {person.rooms.length === 0 && <Text c="dimmed">{words.noRooms}</Text>}
      <Stack component="ul" gap={6} m={0} p={0} style={{ listStyle: "none" }}>
        {person.rooms.map((room) => (
          <Group component="li" key={room.id} justify="space-between" gap="xs" wrap="nowrap">
            <Anchor component={Link} href={room.kind === "space" ? to.teams(client) : to.room(client, room.id)}>
              {room.name ?? words.unnamedRoom}
            </Anchor>
            <Text size="sm" c="dimmed">
              {room.kind === "space" ? words.roomKinds.space : (room.team ?? words.roomKinds[room.kind])}
            </Text>
          </Group>
        ))}
      </Stack>
    </Card>
  );
}
