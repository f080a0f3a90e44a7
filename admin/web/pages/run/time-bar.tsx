import { Group, Progress, Stack, Text, Title } from "@mantine/core";
import type { RunView } from "../../../api/runs-views.ts";
import { texts } from "../../texts.ts";

const words = texts.runs.run;
type PartName = keyof typeof words.parts;
const COLORS: Record<PartName, string> = { waiting: "gray.6", thinking: "blue.7", writing: "leaf.6", end: "violet.7" };

/** The time between the moments that are known. A part that was too short to matter is left out. */
function partsOf({ moments }: RunView): { name: PartName; ms: number }[] {
  const at = (what: string) => moments.find((moment) => moment.what === what)?.sinceMs;
  const [started, firstText, finished] = [at("started"), at("first_text"), at("finished")];
  const parts: { name: PartName; ms: number }[] = [];
  if (started !== undefined) parts.push({ name: "waiting", ms: started });
  if (started !== undefined && firstText !== undefined) parts.push({ name: "thinking", ms: firstText - started });
  if (finished !== undefined && firstText !== undefined) parts.push({ name: "writing", ms: finished - firstText });
  else if (finished !== undefined && started !== undefined) parts.push({ name: "end", ms: finished - started });
  return parts.filter(({ ms }) => ms >= 1);
}

/** One bar from the question to the end, with its parts named and measured beneath it. */
export function TimeBar({ run }: { run: RunView }) {
  const parts = partsOf(run);
  const total = parts.reduce((all, { ms }) => all + ms, 0);
  if (total <= 0 || !run.moments.some(({ what }) => what === "finished")) return null;
  const spoken = parts.map(({ name, ms }) => words.part(words.parts[name], ms)).join(", ");
  return (
    <Stack gap="xs" className="agt-card" p="md">
      <Group justify="space-between" gap="xs">
        <Title order={2} size="h4">
          {words.time}
        </Title>
        <Text size="sm" c="dimmed">
          {words.total(total)}
        </Text>
      </Group>
      <div role="img" aria-label={words.timeLabel(spoken)}>
        <Progress.Root size={18} radius="sm" aria-hidden>
          {parts.map(({ name, ms }) => (
            <Progress.Section key={name} value={(100 * ms) / total} color={COLORS[name]} withAria={false} />
          ))}
        </Progress.Root>
      </div>
      <Group gap="md" aria-hidden>
        {parts.map(({ name, ms }) => (
          <Group gap={6} key={name}>
            <Swatch color={COLORS[name]} />
            <Text size="sm">{words.part(words.parts[name], ms)}</Text>
          </Group>
        ))}
      </Group>
    </Stack>
  );
}

const Swatch = ({ color }: { color: string }) => (
  <span
    style={{
      width: 12,
      height: 12,
      borderRadius: 3,
      background: `var(--mantine-color-${color.replace(".", "-")})`,
    }}
  />
);
