import { inClient } from "../../api-path.ts";
import "./clients.css";
import { Button, Group, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import type { HealthView } from "../../../api/clients-views.ts";
import { usePages } from "../../api.ts";
import { Empty } from "../../parts/empty.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { exactTime, When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { HomeserverState, TONES } from "./state.tsx";
import { type Stretch, shareRunning, stretchesOf } from "./timeline.ts";

const words = texts.clients.health;
const DAY = 86_400_000;
const SPANS = { day: DAY, week: 7 * DAY, month: 30 * DAY };
type Span = keyof typeof SPANS;
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });

const COLUMNS: readonly Column<HealthView>[] = [
  { id: "at", title: words.columns.at, cell: ({ at }) => <When at={at} exactly /> },
  { id: "state", title: words.columns.state, cell: ({ state }) => <HomeserverState state={state} /> },
  {
    id: "detail",
    title: words.columns.detail,
    cell: ({ detail }) => (
      <Text size="sm" style={{ whiteSpace: "pre-line" }} lineClamp={4}>
        {detail}
      </Text>
    ),
  },
];

/** A homeserver's past: a bar over time, and each change. */
export function Health({ client }: { client: string }) {
  const [span, setSpan] = useState<Span>("day");
  const [listed, { toggle }] = useDisclosure(false);
  const pages = usePages<HealthView>("clients", inClient(client, "health"), { limit: 100 });
  const stretches = stretchesOf(pages.items, SPANS[span], Date.now());
  const share = shareRunning(stretches);
  return (
    <Stack component="section" className="agt-card" p="md" gap="sm" aria-label={words.title}>
      <Group justify="space-between">
        <Title order={2}>{words.title}</Title>
        <SegmentedControl
          size="xs"
          aria-label={words.span}
          value={span}
          onChange={(value) => setSpan(value as Span)}
          data={Object.entries(words.spans).map(([value, label]) => ({ value, label }))}
        />
      </Group>
      <Trouble error={pages.error} again={pages.again} />
      <Bar stretches={stretches} span={span} share={share} />
      <Group justify="space-between">
        <Text size="sm">{summary(stretches, share, span)}</Text>
        <Button variant="default" size="xs" onClick={toggle} aria-expanded={listed}>
          {listed ? words.hide : words.show}
        </Button>
      </Group>
      {listed && (
        <PagedTable
          label={words.list}
          columns={COLUMNS}
          pages={pages}
          rowKey={({ id }) => String(id)}
          empty={<Empty title={words.none} text={words.noneText} />}
        />
      )}
    </Stack>
  );
}

function summary(stretches: readonly Stretch[], share: number | null, span: Span): string {
  if (share === null) return words.nothing;
  const [first, second] = stretches;
  const whole = first?.state !== null;
  return whole || !second
    ? words.ran(percent.format(share), words.spans[span])
    : words.ranSince(percent.format(share), exactTime(second.from));
}

function Bar({ stretches, span, share }: { stretches: readonly Stretch[]; span: Span; share: number | null }) {
  const known = stretches.filter(({ state }) => state !== null);
  const said = share === null ? words.nothing : words.bar(percent.format(share), words.spans[span], known.length);
  return (
    <div className="agt-bar" role="img" aria-label={said}>
      {stretches.map(({ state, from, until }) => (
        <div
          key={from}
          className={`agt-bar-${state === null ? "unknown" : TONES[state]}`}
          style={{ flexGrow: until - from, flexBasis: 0 }}
          title={
            state === null
              ? words.nothing
              : words.segment(texts.clients.states[state], exactTime(from), exactTime(until))
          }
        />
      ))}
    </div>
  );
}
