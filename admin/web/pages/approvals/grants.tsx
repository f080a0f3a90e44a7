import { Anchor, Button, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import type { GrantView } from "../../../api/approvals-views.ts";
import { del, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMay, useMe } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Name } from "../../parts/name.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";

const words = texts.approvals.grants;

/** "Always in this room for this tool": what holds, and the way back. */
export function Grants({ client }: { client: string }) {
  const all = useMay("approvals.decide_all");
  const { id: me } = useMe();
  const pages = usePages<GrantView>("approvals", inClient(client, "grants"), { limit: 50 });
  const { mutate: revoke } = useSend((grant: string) => del(inClient(client, "grants", grant)), {
    topics: ["approvals"],
    said: words.revoked,
  });
  const columns = useMemo(() => {
    const ask = async ({ id, agent, tool }: GrantView) => {
      const question = { title: words.revokeTitle(agent.name, tool.title), text: words.revokeText };
      if (await askFirst({ ...question, yes: words.revokeYes })) revoke(id);
    };
    return columnsOf(client, (grant) => (all || grant.grantedBy.id === me ? () => void ask(grant) : null));
  }, [client, all, me, revoke]);
  return (
    <Stack gap="md">
      <Text size="sm" c="dimmed">
        {words.lead}
      </Text>
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} />}
      />
    </Stack>
  );
}

const roomOf = ({ room }: GrantView) => room.name ?? texts.approvals.unnamed;

const Small = ({ name }: { name: string }) => (
  <Text size="sm">
    <Name>{name}</Name>
  </Text>
);

function columnsOf(client: string, revokeOf: (grant: GrantView) => (() => void) | null): Column<GrantView>[] {
  return [
    {
      id: "agent",
      title: words.agent,
      cell: ({ agent }) => (
        <Anchor component={Link} href={to.agent(client, agent.id)} size="sm" fw={600}>
          <Name>{agent.name}</Name>
        </Anchor>
      ),
    },
    {
      id: "tool",
      title: words.tool,
      cell: ({ tool, lets }) => (
        <Stack gap={0}>
          <Small name={tool.title} />
          <Text size="xs" c="dimmed" maw={360}>
            {words.means(lets)}
          </Text>
        </Stack>
      ),
    },
    { id: "room", title: words.room, cell: (grant) => <Small name={roomOf(grant)} /> },
    { id: "by", title: words.by, cell: ({ grantedBy }) => <Small name={grantedBy.name} /> },
    {
      id: "when",
      title: words.when,
      cell: ({ createdAt }) => (
        <Text size="sm" component="span">
          <When at={createdAt} />
        </Text>
      ),
    },
    {
      id: "revoke",
      title: "",
      align: "right",
      cell: (grant) => {
        const revoke = revokeOf(grant);
        if (!revoke) return null;
        return (
          <Button
            size="xs"
            variant="default"
            aria-label={words.revokeOf(grant.tool.title, roomOf(grant))}
            onClick={revoke}
          >
            {words.revoke}
          </Button>
        );
      },
    },
  ];
}
