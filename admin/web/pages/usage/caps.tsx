import { Button, Group, NumberInput, Progress, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { CapsView } from "../../../api/usage.ts";
import { put, useGet, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMay } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.usage.caps;
type Name = keyof CapsView["limits"];
const NAMES = Object.keys(words.names) as Name[];
const RANGES: Record<Name, [number, number]> = {
  tokensPerDay: [0, 1_000_000_000_000],
  maxHops: [0, 50],
  agentPairPerHour: [0, 1_000_000],
  personPairPerHour: [1, 1_000_000],
  quickReplies: [1, 1_000_000],
};

const pathOf = (client: string) => inClient(client, "caps");
const useCaps = (client: string) => useGet<CapsView>(["usage", "runs"], pathOf(client));

/** What of the day's tokens is gone. */
export function TokensToday({ client }: { client: string }) {
  const { data, error } = useCaps(client);
  if (!data) return <Trouble error={error} />;
  return (
    <div className="agt-card" style={{ padding: "1rem" }}>
      <Today caps={data} />
    </div>
  );
}

/** The limits, for those who may set them. */
export function Limits({ client }: { client: string }) {
  const mayWrite = useMay("caps.write");
  const { data } = useCaps(client);
  if (!data || !mayWrite) return null;
  return (
    <div className="agt-card" style={{ padding: "1rem" }}>
      {/* A new form when somebody else has set them; while only the day's numbers move, what is typed stays. */}
      <Form key={JSON.stringify(data.limits)} path={pathOf(client)} caps={data} />
    </div>
  );
}

function Today({ caps: { limits, today } }: { caps: CapsView }) {
  const cap = limits.tokensPerDay;
  const percent = (value: number) => (cap === 0 ? 100 : Math.min(100, (100 * value) / cap));
  const gone = percent(today.used);
  const color = gone >= 100 ? "red.7" : gone >= 80 ? "yellow.7" : "leaf.6";
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <Title order={2} size="h4">
          {words.today}
        </Title>
        <Text size="sm">{words.used(today.used, cap)}</Text>
      </Group>
      <Progress.Root size={14} radius="sm">
        <Progress.Section value={gone} color={color} aria-label={words.today} />
        {today.reserved > 0 && gone < 100 && (
          <Progress.Section
            value={Math.min(100 - gone, percent(today.reserved))}
            color="gray.5"
            aria-label={words.held(today.reserved)}
          />
        )}
      </Progress.Root>
      {today.reserved > 0 && (
        <Text size="sm" c="dimmed">
          {words.held(today.reserved)}
        </Text>
      )}
      {today.used >= cap && <Text size="sm">{words.full}</Text>}
    </Stack>
  );
}

function Form({ path, caps }: { path: string; caps: CapsView }) {
  const [typed, setTyped] = useState<Record<Name, number | string>>({ ...caps.limits });
  const save = useSend((limits: Record<Name, number | null>) => put<CapsView>(path, limits), {
    topics: ["usage"],
    said: words.saved,
  });
  const problems = Object.fromEntries(
    NAMES.map((name) => [name, isFine(name, typed[name]) ? null : words.need(...RANGES[name])]),
  ) as Record<Name, string | null>;
  const changed = NAMES.some((name) => typed[name] !== caps.limits[name]);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(
          Object.fromEntries(NAMES.map((name) => [name, typed[name] === "" ? null : Number(typed[name])])) as Record<
            Name,
            number | null
          >,
        );
      }}
    >
      <Stack gap="sm">
        <Title order={2} size="h4">
          {words.title}
        </Title>
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="sm">
          {NAMES.map((name) => (
            <NumberInput
              key={name}
              label={words.names[name]}
              description={words.standard(caps.defaults[name])}
              value={typed[name]}
              error={problems[name]}
              allowDecimal={false}
              allowNegative={false}
              thousandSeparator=" "
              hideControls
              onChange={(value) => setTyped((before) => ({ ...before, [name]: value }))}
            />
          ))}
        </SimpleGrid>
        <Group>
          <Button
            type="submit"
            loading={save.isPending}
            disabled={!changed || NAMES.some((name) => problems[name] !== null)}
          >
            {words.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function isFine(name: Name, value: number | string): boolean {
  if (value === "") return true;
  const [least, most] = RANGES[name];
  const number = Number(value);
  return Number.isSafeInteger(number) && number >= least && number <= most;
}
