import { Anchor, Button, Code, Group, Modal, Stack, Text, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { NewTokenView, TokenView } from "../../../api/session-views.ts";
import { del, usePages, useSend } from "../../api.ts";
import type { Me } from "../../me.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Empty } from "../../parts/empty.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { NewToken } from "./new-token.tsx";
import { Section } from "./section.tsx";

const words = texts.session.tokens;

/** Tokens for programs that act for who is signed in. */
export function ApiTokens({ me }: { me: Me }) {
  const pages = usePages<TokenView>("session", "/me/tokens");
  const [open, { open: begin, close }] = useDisclosure(false);
  const [made, setMade] = useState<NewTokenView | null>(null);
  const { mutate } = useSend((id: string) => del(`/me/tokens/${encodeURIComponent(id)}`), {
    topics: ["session"],
    said: words.revoked,
  });
  const columns = useMemo(() => columnsOf((token) => void askToRevoke(token, mutate)), [mutate]);
  const end = () => {
    close();
    setMade(null);
  };
  const make = (
    <Button variant="default" leftSection={<IconPlus size={18} aria-hidden />} onClick={begin}>
      {words.make}
    </Button>
  );
  return (
    <Section title={words.title} text={words.text} action={pages.items.length > 0 && make}>
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} action={make} />}
      />
      <Anchor href="/api/docs" size="sm">
        {words.description}
      </Anchor>
      <Modal
        opened={open}
        onClose={end}
        title={made ? words.made : words.making}
        closeOnClickOutside={made === null}
        closeButtonProps={{ "aria-label": texts.shell.close }}
        size="lg"
      >
        {made ? <Made token={made.token} onDone={end} /> : <NewToken me={me} onMade={setMade} />}
      </Modal>
    </Section>
  );
}

async function askToRevoke({ id, name }: TokenView, revoke: (id: string) => void): Promise<void> {
  const question = { title: words.revokeTitle(name), text: words.revokeText, yes: words.revoke, danger: true };
  if (await askFirst(question)) revoke(id);
}

/** Shown this once. */
function Made({ token, onDone }: { token: string; onDone: () => void }) {
  return (
    <Stack>
      <Text size="sm">{words.madeText}</Text>
      <Group gap="xs">
        <Code fz="sm" aria-label={words.token}>
          {token}
        </Code>
        <CopyButton text={token} />
      </Group>
      <Button onClick={onDone}>{words.done}</Button>
    </Stack>
  );
}

const TONES = { active: "good", expired: "quiet", revoked: "quiet" } as const;

const columnsOf = (revoke: (token: TokenView) => void): Column<TokenView>[] => [
  {
    id: "name",
    title: words.name,
    cell: ({ name, state }) => (
      <Group gap="xs">
        <Text fw={600} size="sm">
          {name}
        </Text>
        <StateBadge tone={TONES[state]}>{words.states[state]}</StateBadge>
      </Group>
    ),
  },
  {
    id: "may",
    title: words.may,
    cell: ({ scopes }) => (
      <Tooltip label={scopes.join(", ")} multiline maw={400}>
        <span>{words.mayCount(scopes.length)}</span>
      </Tooltip>
    ),
  },
  { id: "used", title: words.used, cell: ({ lastUsedAt }) => <When at={lastUsedAt} /> },
  { id: "ends", title: words.ends, cell: ({ expiresAt }) => <When at={expiresAt} /> },
  {
    id: "do",
    title: "",
    align: "right",
    cell: (token) =>
      token.state === "active" && (
        <Button variant="default" size="xs" aria-label={words.revokeOne(token.name)} onClick={() => revoke(token)}>
          {words.revoke}
        </Button>
      ),
  },
];
