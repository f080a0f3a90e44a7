import { Anchor, Group, Text } from "@mantine/core";
import { IconThumbDown, IconThumbUp } from "@tabler/icons-react";
import { useMemo } from "react";
import { Link } from "wouter";
import type { FeedbackView } from "../../../api/agents-views.ts";
import { usePages } from "../../api.ts";
import { Empty } from "../../parts/empty.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { agentPath } from "./definition.ts";

const words = texts.agents.feedback;

/** 👍 and 👎 that people put on its answers, newest first. */
export function Feedback({ client, agent }: { client: string; agent: string }) {
  const pages = usePages<FeedbackView>(["agents", "runs"], agentPath(client, agent, "/feedback"), { limit: 50 });
  const columns = useMemo<Column<FeedbackView>[]>(
    () => [
      { id: "value", title: words.what, cell: ({ value }) => <Value value={value} /> },
      { id: "who", title: words.who, cell: ({ name, by }) => <Text size="sm">{name ?? by}</Text> },
      { id: "when", title: words.when, cell: ({ at }) => <When at={at} /> },
      {
        id: "run",
        title: words.answer,
        cell: ({ run }) => (
          <Anchor component={Link} href={to.run(client, run)} size="sm">
            {words.open}
          </Anchor>
        ),
      },
    ],
    [client],
  );
  return (
    <PagedTable
      label={texts.agents.tabs.feedback}
      columns={columns}
      pages={pages}
      rowKey={({ id }) => id}
      empty={<Empty title={words.none} text={words.noneText} />}
    />
  );
}

const Value = ({ value }: { value: 1 | -1 }) => (
  <Group gap={6} wrap="nowrap">
    {value === 1 ? <IconThumbUp size={16} aria-hidden /> : <IconThumbDown size={16} aria-hidden />}
    <Text size="sm">{value === 1 ? words.good : words.bad}</Text>
  </Group>
);
