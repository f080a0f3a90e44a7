import { Button, Group, Text } from "@mantine/core";
import { useMemo } from "react";
import type { SessionView } from "../../../api/session-views.ts";
import { del, post, usePages, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { browserName } from "./browser-name.ts";
import { Section } from "./section.tsx";

const words = texts.session.sessions;

/** Browsers in which one is signed in. */
export function Sessions() {
  const pages = usePages<SessionView>("session", "/me/sessions");
  const end = useSend((id: string) => del(`/me/sessions/${encodeURIComponent(id)}`), {
    topics: ["session"],
    said: words.ended,
  });
  const endOthers = useSend(() => post<{ ended: number }>("/me/sessions/end-others", {}), {
    topics: ["session"],
    said: ({ ended }) => words.endedOthers(ended),
  });
  const { mutate } = end;
  const columns = useMemo(() => columnsOf(mutate), [mutate]);
  const others = pages.items.some(({ current }) => !current);
  const askOthers = async () => {
    const question = { title: words.endOthersTitle, text: words.endOthersText, yes: words.endOthers };
    if (await askFirst(question)) endOthers.mutate(undefined);
  };
  return (
    <Section
      title={words.title}
      action={
        others && (
          <Button variant="default" loading={endOthers.isPending} onClick={() => void askOthers()}>
            {words.endOthers}
          </Button>
        )
      }
    >
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} />}
      />
    </Section>
  );
}

const columnsOf = (end: (id: string) => void): Column<SessionView>[] => [
  {
    id: "browser",
    title: words.browser,
    cell: ({ userAgent, current }) => (
      <Group gap="xs">
        <Text fw={600} size="sm">
          {browserName(userAgent)}
        </Text>
        {current && <StateBadge tone="good">{words.here}</StateBadge>}
      </Group>
    ),
  },
  { id: "seen", title: words.seen, cell: ({ lastSeenAt }) => <When at={lastSeenAt} /> },
  { id: "began", title: words.began, cell: ({ createdAt }) => <When at={createdAt} /> },
  { id: "address", title: words.address, cell: ({ address }) => address ?? "–" },
  {
    id: "do",
    title: "",
    align: "right",
    cell: ({ id, current, userAgent }) =>
      !current && (
        <Button variant="default" size="xs" aria-label={words.endOne(browserName(userAgent))} onClick={() => end(id)}>
          {words.end}
        </Button>
      ),
  },
];
