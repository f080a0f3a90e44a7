import { ActionIcon, Anchor, Button, Group, Select, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserMinus, IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useMemo } from "react";
import { Link } from "wouter";
import type { MemberView, RoomView } from "../../../api/teams-views.ts";
import { del, patch, post, usePages, useSend } from "../../api.ts";
import { useMay } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Name } from "../../parts/name.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { AddPeople } from "../teams/add-people.tsx";
import { nameOf } from "../teams/peoples-rooms.tsx";

const words = texts.teams.room;

interface Props {
  client: string;
  path: string;
  room: RoomView;
  manages: boolean;
}

/** The people in a room. */
export function RoomPeople({ client, path, room, manages }: Props) {
  const pages = usePages<MemberView>(["teams", "people"], `${path}/people`);
  const [adding, { open, close }] = useDisclosure(false);
  const seesPeople = useMay("people.read");
  const remove = useSend((user: string) => del(`${path}/people/${encodeURIComponent(user)}`), {
    topics: ["teams"],
    said: (_, user) => words.takenOut(user),
  });
  const team = room.team?.name ?? null;
  const { mutate } = remove;
  const columns = useMemo(() => {
    const askRemove = async (name: string, user: string) => {
      const text = words.takeOutPersonAsk(name, team);
      if (await askFirst({ title: words.takeOutNamed(name), text, yes: words.takeOut, danger: true })) mutate(user);
    };
    const changes = manages && room.archivedAt === null;
    return columnsFor({ client, path, seesPeople, changes, remove: manages ? askRemove : null });
  }, [client, path, seesPeople, manages, room.archivedAt, team, mutate]);
  const add = manages && !room.archivedAt && (
    <Button size="xs" variant="default" leftSection={<IconUserPlus size={16} aria-hidden />} onClick={open}>
      {texts.teams.addPeople}
    </Button>
  );
  return (
    <Stack component="section" gap="xs" aria-label={words.peopleTitle}>
      <Group justify="space-between">
        <Title order={2}>{words.peopleTitle}</Title>
        {add}
      </Group>
      <PagedTable
        label={words.peopleList}
        columns={columns}
        pages={pages}
        rowKey={({ userId }) => userId}
        empty={<Empty title={words.noPeople} text={words.noPeopleText} icon={<IconUsers size={36} aria-hidden />} />}
      />
      {adding && (
        <AddPeople client={client} name={nameOf(room)} send={(users) => addAll(path, users)} onClose={close} />
      )}
    </Stack>
  );
}

async function addAll(path: string, users: string[]): Promise<void> {
  for (const user of users) await post(`${path}/people`, { user });
}

function columnsFor({
  client,
  path,
  seesPeople,
  changes,
  remove,
}: {
  client: string;
  path: string;
  seesPeople: boolean;
  /** Their rights can be changed. */
  changes: boolean;
  remove: ((name: string, user: string) => Promise<void>) | null;
}): Column<MemberView>[] {
  const name: Column<MemberView> = {
    id: "person",
    title: words.columns.person,
    cell: ({ userId, name: called }) => (
      <div>
        {seesPeople ? (
          <Anchor component={Link} href={to.person(client, userId)} fw={600}>
            <Name>{called ?? userId}</Name>
          </Anchor>
        ) : (
          <Text fw={600}>
            <Name>{called ?? userId}</Name>
          </Text>
        )}
        {called && (
          <Text size="xs" c="dimmed">
            <Name>{userId}</Name>
          </Text>
        )}
      </div>
    ),
  };
  const rights: Column<MemberView> = {
    id: "rights",
    title: words.columns.rights,
    cell: (member) =>
      changes && member.membership === "join" ? (
        <Rights path={path} member={member} />
      ) : (
        <Group gap={6}>
          <StateBadge tone={member.moderator ? "good" : "quiet"}>
            {member.moderator ? words.moderator : words.member}
          </StateBadge>
          {member.membership === "invite" && <StateBadge tone="busy">{words.invited}</StateBadge>}
        </Group>
      ),
  };
  const buttons: Column<MemberView> = {
    id: "buttons",
    title: words.columns.buttons || words.takeOut,
    align: "right",
    cell: ({ userId, name: called }) => (
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={words.takeOutNamed(called ?? userId)}
        onClick={() => void remove?.(called ?? userId, userId)}
      >
        <IconUserMinus size={18} aria-hidden />
      </ActionIcon>
    ),
  };
  return remove ? [name, rights, buttons] : [name, rights];
}

/** What they may in the room, saved as it is chosen. */
function Rights({ path, member: { userId, name, moderator } }: { path: string; member: MemberView }) {
  const change = useSend(
    (next: boolean) => patch(`${path}/people/${encodeURIComponent(userId)}`, { moderator: next }),
    { topics: ["teams"], said: words.rightsChanged },
  );
  const shown = change.isPending ? change.variables : moderator;
  return (
    <Select
      aria-label={words.rightsOf(name ?? userId)}
      data={Object.entries(words.rights).map(([value, label]) => ({ value, label }))}
      value={shown ? "moderator" : "member"}
      allowDeselect={false}
      disabled={change.isPending}
      onChange={(next) => next && (next === "moderator") !== moderator && change.mutate(next === "moderator")}
      w={{ base: 180, sm: 330 }}
    />
  );
}
