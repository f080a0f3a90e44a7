import { Group, NumberInput, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { texts } from "../../texts.ts";

const words = texts.schedules.form;
type Kind = keyof typeof words.kinds;

/** What the fields hold, those of all kinds. */
export interface TimeWish {
  kind: Kind;
  /** Days of the week as cron has them, and a clock's time. */
  days: string;
  clock: string;
  count: number;
  /** Minutes. */
  unit: number;
  /** As the field has it, in the viewer's zone. */
  at: string;
  cron: string;
  zone: string;
}

const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ZONES = [...new Set([HERE, "UTC", ...Intl.supportedValuesOf("timeZone")])];

export const BLANK_TIME: TimeWish = {
  kind: "days",
  days: "*",
  clock: "09:00",
  count: 1,
  unit: 60,
  at: "",
  cron: "0 9 1 * *",
  zone: HERE,
};

/** As the API takes it; null while something is missing or cannot be. */
export function timeBody({ kind, days, clock, count, unit, at, cron, zone }: TimeWish): Record<string, unknown> | null {
  switch (kind) {
    case "days": {
      const [hour, minute] = clock.split(":").map(Number);
      return clock ? { cron: `${minute} ${hour} * * ${days}`, zone } : null;
    }
    case "every":
      return { everyMinutes: count * unit };
    case "once":
      return at && !isOver(at) ? { at: new Date(at).toISOString() } : null;
    case "cron":
      return cron.trim() ? { cron, zone } : null;
  }
}

const isOver = (at: string) => at !== "" && new Date(at).getTime() <= Date.now();

interface Props {
  wish: TimeWish;
  change: (part: Partial<TimeWish>) => void;
}

/** When it runs: mostly at a time of day, on days that have a name. */
export function TimeFields({ wish, change }: Props) {
  return (
    <Stack gap="xs" role="group" aria-label={words.how}>
      <Text size="sm" fw={500}>
        {words.how}
      </Text>
      <SegmentedControl
        aria-label={words.how}
        value={wish.kind}
        data={Object.entries(words.kinds).map(([value, label]) => ({ value, label }))}
        onChange={(kind) => change({ kind: kind as Kind })}
      />
      {wish.kind === "days" && <Days wish={wish} change={change} />}
      {wish.kind === "every" && <Every wish={wish} change={change} />}
      {wish.kind === "once" && (
        <TextInput
          type="datetime-local"
          label={words.at}
          value={wish.at}
          error={isOver(wish.at) && words.over}
          onChange={(event) => change({ at: event.currentTarget.value })}
        />
      )}
      {wish.kind === "cron" && (
        <Group align="flex-start" gap="sm">
          <TextInput
            flex="2 1 14rem"
            label={words.cron}
            description={words.cronHelp}
            value={wish.cron}
            ff="monospace"
            onChange={(event) => change({ cron: event.currentTarget.value })}
          />
          <Zone wish={wish} change={change} />
        </Group>
      )}
    </Stack>
  );
}

function Days({ wish, change }: Props) {
  return (
    <Group align="flex-end" gap="sm">
      <Select
        flex="2 1 12rem"
        label={words.days}
        data={words.dayChoices.map(([value, label]) => ({ value, label }))}
        value={wish.days}
        allowDeselect={false}
        maxDropdownHeight={340}
        onChange={(days) => change({ days: String(days ?? "*") })}
      />
      <TextInput
        flex="1 1 7rem"
        type="time"
        label={words.clock}
        value={wish.clock}
        onChange={(event) => change({ clock: event.currentTarget.value })}
      />
      <Zone wish={wish} change={change} />
    </Group>
  );
}

function Zone({ wish, change }: Props) {
  return (
    <Select
      flex="2 1 12rem"
      label={words.zone}
      data={ZONES}
      value={wish.zone}
      limit={50}
      searchable
      allowDeselect={false}
      nothingFoundMessage={words.noZone}
      onChange={(zone) => change({ zone: zone ?? HERE })}
    />
  );
}

function Every({ wish, change }: Props) {
  return (
    <Group align="flex-end" gap="sm">
      <NumberInput
        flex="1 1 6rem"
        label={words.number}
        value={wish.count}
        min={1}
        max={1000}
        allowDecimal={false}
        allowNegative={false}
        onChange={(count) => change({ count: Number(count) || 1 })}
      />
      <Select
        flex="1 1 9rem"
        label={words.unit}
        data={words.units.map(([minutes, one, many]) => ({
          value: String(minutes),
          label: wish.count === 1 ? one : many,
        }))}
        value={String(wish.unit)}
        allowDeselect={false}
        onChange={(unit) => change({ unit: Number(unit) || 1 })}
      />
    </Group>
  );
}
