import { Button, Group, Select, Skeleton, Stack } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { useSearchParams } from "wouter";
import type { UsageView } from "../../api/usage.ts";
import { apiUrl, useGet } from "../api.ts";
import { ofClientOrAll } from "../api-path.ts";
import { useClient } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { texts } from "../texts.ts";
import { Limits, TokensToday } from "./usage/caps.tsx";
import { ChartNumbers, UsageTable } from "./usage/tables.tsx";

const words = texts.usage;
type By = UsageView["by"];
const Chart = lazy(() => import("./usage/chart.tsx"));

const DIMENSIONS = Object.keys(words.dimensions) as By[];
const PERIODS = Object.keys(words.periods);

/** Tokens, calls and time: one chart, one table, a file; and the client's limits. */
export default function UsagePage() {
  const client = useClient();
  const [search, setSearch] = useSearchParams();
  const dimensions = DIMENSIONS.filter((one) => client === null || one !== "client");
  const by = dimensions.find((one) => one === search.get("by")) ?? (client === null ? "client" : "agent");
  const days = PERIODS.find((one) => one === search.get("days")) ?? "30";
  const set = (name: string, value: string | null) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        return next;
      },
      { replace: true },
    );
  const path = ofClientOrAll(client, "usage");
  // Of all clients there is always something new: those sums are asked for when somebody comes back to them.
  const query = { by, from: firstDay(Number(days)) };
  const { data, error, refetch } = useGet<UsageView>(client === null ? "usage" : ["usage", "runs"], path, query);
  const download = (
    <Button
      component="a"
      href={apiUrl(`${path}.csv`, query)}
      download
      variant="default"
      leftSection={<IconDownload size={18} aria-hidden />}
    >
      {words.csv}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={download}>
      {client !== null && <TokensToday client={client} />}
      <Group gap="sm" align="end" role="search">
        <Select
          label={words.by}
          data={dimensions.map((value) => ({ value, label: words.dimensions[value] }))}
          value={by}
          allowDeselect={false}
          flex="1 1 9rem"
          maw={220}
          onChange={(value) => set("by", value)}
        />
        <Select
          label={words.period}
          data={PERIODS.map((value) => ({ value, label: words.periods[value as keyof typeof words.periods] }))}
          value={days}
          allowDeselect={false}
          flex="1 1 9rem"
          maw={220}
          onChange={(value) => set("days", value)}
        />
      </Group>
      <Trouble error={error} again={() => void refetch()} />
      {data ? <Figures usage={data} everywhere={client === null} /> : !error && <Skeleton height={320} radius="md" />}
      {client !== null && <Limits client={client} />}
    </Page>
  );
}

/** The first UTC day of the last so many. */
const firstDay = (days: number): string => new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10);

function Figures({ usage, everywhere }: { usage: UsageView; everywhere: boolean }) {
  if (usage.total.calls === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <Stack>
      <Suspense fallback={<Skeleton height={300} radius="md" />}>
        <Chart usage={usage} />
      </Suspense>
      <ChartNumbers usage={usage} />
      <UsageTable usage={usage} everywhere={everywhere} />
    </Stack>
  );
}
