import { Anchor, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconUserPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import type { InviteView } from "../../api/invites.ts";
import { del, usePages, useSend } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useThisClient } from "../me.tsx";
import { askFirst } from "../parts/ask.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { useMaking } from "../parts/use-making.ts";
import { When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { CreateInvite } from "./invites/create.tsx";
import { InviteUses } from "./invites/uses.tsx";
import { nameOf } from "./people/parts.tsx";

const words = texts.invites;

/** Invite links of a client, and who came by them. */
export default function InvitesPage() {
  const client = useThisClient();
  const mayWrite = useMay("invites.write");
  const [state, setState] = useState("all");
  const [making, { open, close }] = useMaking();
  const [shown, setShown] = useState<InviteView | null>(null);
  const path = inClient(client, "invites");
  const pages = usePages<InviteView>("invites", path, { state: state === "all" ? "" : state });
  const revoke = useSend((id: string) => del(`${path}/${encodeURIComponent(id)}`), {
    topics: ["invites"],
    said: words.revoked,
  });
  const columns = useMemo(() => {
    const ask = async (id: string) => {
      if (await askFirst({ ...words.revokeQuestion, danger: true })) revoke.mutate(id);
    };
    return columnsOf(client, setShown, mayWrite ? (invite) => void ask(invite.id) : null);
  }, [client, mayWrite, revoke.mutate]);
  const create = mayWrite && (
    <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={open}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} actions={create}>
      <Group>
        <SegmentedControl
          aria-label={words.filter}
          value={state}
          onChange={setState}
          data={Object.entries(words.filters).map(([value, label]) => ({ value, label }))}
        />
      </Group>
      <PagedTable
        label={words.title}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={
          state === "all" ? (
            <Empty title={words.none} text={words.noneText} action={create} />
          ) : (
            <Empty title={words.noneFits} text={words.noneFitsText} />
          )
        }
      />
      {mayWrite && <CreateInvite client={client} opened={making} close={close} />}
      <InviteUses client={client} invite={shown} close={() => setShown(null)} />
    </Page>
  );
}

const TONES = { open: "good", spent: "quiet", expired: "quiet", revoked: "quiet" } as const;

const titleOf = ({ username, team }: Pick<InviteView, "username" | "team">): string =>
  username ? words.forName(username) : words.forAnyone(team?.name ?? null);

function columnsOf(
  client: string,
  show: (invite: InviteView) => void,
  revoke: ((invite: InviteView) => void) | null,
): Column<InviteView>[] {
  return [
    {
      id: "link",
      title: words.columns.link,
      cell: (invite) => (
        <div>
          <Text fw={600}>{titleOf(invite)}</Text>
          {invite.username && invite.team && (
            <Text size="sm" c="dimmed">
              {words.team(invite.team.name)}
            </Text>
          )}
        </div>
      ),
    },
    {
      id: "state",
      title: words.columns.state,
      cell: ({ state }) => <StateBadge tone={TONES[state]}>{words.states[state]}</StateBadge>,
    },
    { id: "uses", title: words.columns.uses, cell: (invite) => <Uses client={client} invite={invite} show={show} /> },
    { id: "role", title: words.columns.role, cell: ({ role }) => <Text span>{texts.shell.roles[role]}</Text> },
    {
      id: "by",
      title: words.columns.by,
      cell: ({ createdBy, createdAt }) => (
        <Text span size="sm">
          <When at={createdAt} /> {createdBy && words.by(createdBy)}
        </Text>
      ),
    },
    {
      id: "until",
      title: words.columns.until,
      cell: ({ expiresAt, state }) => (state === "open" ? <When at={expiresAt} /> : "–"),
    },
    {
      id: "actions",
      title: words.columns.actions,
      cell: (invite) =>
        revoke !== null && invite.state === "open" ? (
          <Button
            variant="default"
            size="xs"
            onClick={() => revoke(invite)}
            aria-label={words.revokeOne(titleOf(invite))}
          >
            {words.revoke}
          </Button>
        ) : null,
    },
  ];
}

/** How often it was used, and by whom; all of them on request. */
function Uses({ client, invite, show }: { client: string; invite: InviteView; show: (invite: InviteView) => void }) {
  const { uses, maxUses, usedBy } = invite;
  return (
    <Stack gap={0}>
      <Text span>{words.uses(uses, maxUses)}</Text>
      {usedBy.slice(0, 3).map((person) => (
        <Anchor key={person.id} component={Link} href={to.person(client, person.id)} size="sm">
          {nameOf(person)}
        </Anchor>
      ))}
      {uses > 3 && (
        <Anchor
          component="button"
          type="button"
          size="sm"
          ta="left"
          onClick={() => show(invite)}
          aria-label={words.showAll(titleOf(invite))}
        >
          {words.andMore(uses - 3)}
        </Anchor>
      )}
    </Stack>
  );
}
