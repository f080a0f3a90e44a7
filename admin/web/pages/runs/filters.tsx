import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconFilterOff, IconX } from "@tabler/icons-react";
import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import type { AgentItem } from "../../../api/agents-views.ts";
import type { RunItem } from "../../../api/runs-views.ts";
import { useGet, usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { texts } from "../../texts.ts";

const words = texts.runs;
const NAMES = ["agent", "room", "person", "state", "source", "from", "to"] as const;
/** As the address bar holds them; empty: not chosen. Days are of the viewer's zone. */
export type RunFilters = Record<(typeof NAMES)[number], string>;

/** Filters of the page, kept in its address. */
export function useFilters(): [RunFilters, (part: Partial<RunFilters>) => void] {
  const [search, setSearch] = useSearchParams();
  const text = search.toString();
  const filters = useMemo(() => {
    const given = new URLSearchParams(text);
    return Object.fromEntries(NAMES.map((name) => [name, given.get(name) ?? ""])) as RunFilters;
  }, [text]);
  const change = useCallback(
    (part: Partial<RunFilters>) =>
      setSearch(
        (before) => {
          const next = new URLSearchParams(before);
          for (const [name, value] of Object.entries(part))
            if (value) next.set(name, value);
            else next.delete(name);
          return next;
        },
        { replace: true },
      ),
    [setSearch],
  );
  return [filters, change];
}

/** As the API takes them: days become moments, "to" includes its day. */
export const queryOf = ({ from, to, ...rest }: RunFilters): Record<string, string> => ({
  ...rest,
  from: dayStart(from, 0),
  to: dayStart(to, 1),
});

function dayStart(day: string, later: number): string {
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number);
  const at = new Date(year, month - 1, date + later);
  return day && !Number.isNaN(at.getTime()) ? at.toISOString() : "";
}

interface Props {
  /** Null: of all clients, where there are no filters by agent, room and person. */
  client: string | null;
  value: RunFilters;
  onChange: (part: Partial<RunFilters>) => void;
  /** What is shown: names of the room and the person that were chosen. */
  runs: readonly RunItem[];
}

export function Filters({ client, value, onChange, runs }: Props) {
  const states = Object.entries(words.states).map(([state, label]) => ({ value: state, label }));
  const sources = Object.entries(words.sources).map(([source, label]) => ({ value: source, label }));
  return (
    <Stack gap="xs">
      <Group gap="sm" align="end" role="search">
        {client !== null && (
          <AgentSelect client={client} value={value.agent} onChange={(agent) => onChange({ agent })} />
        )}
        <Select
          label={words.state}
          placeholder={words.anyState}
          data={states}
          value={value.state || null}
          clearable
          flex="1 1 9rem"
          onChange={(state) => onChange({ state: state ?? "" })}
        />
        <Select
          label={words.source}
          placeholder={words.anySource}
          data={sources}
          value={value.source || null}
          clearable
          flex="1 1 9rem"
          onChange={(source) => onChange({ source: source ?? "" })}
        />
        {(["from", "to"] as const).map((name) => (
          <TextInput
            key={name}
            label={words[name]}
            type="date"
            flex="1 1 8.5rem"
            value={value[name]}
            onChange={(event) => onChange({ [name]: event.currentTarget.value })}
          />
        ))}
      </Group>
      <Chosen value={value} onChange={onChange} runs={runs} />
    </Stack>
  );
}

/** The person and the room that were clicked on, and the way back to all. */
function Chosen({ value, onChange, runs }: Omit<Props, "client">) {
  const person =
    runs.find(({ askedBy }) => askedBy.id === value.person)?.askedBy.name ?? (value.person || words.thisPerson);
  const room = runs.find((run) => run.room?.id === value.room)?.room?.name ?? words.thisRoom;
  const chips = [
    ...(value.person ? [["person", words.onlyPerson(person)] as const] : []),
    ...(value.room ? [["room", words.onlyRoom(room)] as const] : []),
  ];
  if (!Object.values(value).some(Boolean)) return null;
  return (
    <Group gap="xs">
      {chips.map(([name, label]) => (
        <Button
          key={name}
          size="xs"
          variant="light"
          rightSection={<IconX size={14} aria-hidden />}
          aria-label={words.removeFilter(label)}
          onClick={() => onChange({ [name]: "" })}
        >
          {label}
        </Button>
      ))}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconFilterOff size={14} aria-hidden />}
        onClick={() => onChange(Object.fromEntries(NAMES.map((name) => [name, ""])))}
      >
        {words.clear}
      </Button>
    </Group>
  );
}

/** Of thousands of agents the ones that fit what is typed. */
export function AgentSelect({
  client,
  value,
  onChange,
}: {
  client: string;
  value: string;
  onChange: (agent: string) => void;
}) {
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const { items } = usePages<AgentItem>("agents", inClient(client, "agents"), { q, limit: 50 });
  const data = items.map(({ id, name }) => ({ value: id, label: name }));
  // What was chosen stays a choice, whatever is typed; from a link it comes without its name.
  const listed = data.some((one) => one.value === value);
  const path = inClient(client, "agents", value);
  const { data: chosen } = useGet<{ name: string }>("agents", value && !listed ? path : null);
  if (value && !listed) data.unshift({ value, label: chosen?.name ?? value });
  return (
    <Select
      label={words.agent}
      placeholder={words.anyAgent}
      data={data}
      value={value || null}
      clearable
      searchable
      flex="1 1 11rem"
      onSearchChange={setTyped}
      onChange={(agent) => onChange(agent ?? "")}
    />
  );
}
