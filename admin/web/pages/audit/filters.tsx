import { Button, Group, Select, TextInput } from "@mantine/core";
import { IconFilterOff, IconSearch } from "@tabler/icons-react";
import { useMemo } from "react";
import type { AuditChoicesView } from "../../../api/audit.ts";
import { useGet } from "../../api.ts";
import { texts } from "../../texts.ts";

const words = texts.audit;

export interface AuditFilters {
  q: string;
  actor: string | null;
  action: string | null;
  /** Days in the viewer's zone, as `2026-11-21`; empty: open. */
  from: string;
  to: string;
  target: string | null;
}
export const NO_FILTERS: AuditFilters = { q: "", actor: null, action: null, from: "", to: "", target: null };
export const isFiltered = (filters: AuditFilters): boolean => Object.values(filters).some(Boolean);

/** As the API takes them: days become moments of the viewer's zone, "to" includes its day. */
export function queryOf({ q, actor, action, from, to, target }: AuditFilters): Record<string, string | undefined> {
  return {
    q: q.trim(),
    actor: actor ?? "",
    action: action ?? "",
    target: target ?? "",
    from: day(from, 0),
    to: day(to, 1),
  };
}

function day(text: string, later: number): string | undefined {
  const [year = 0, month = 0, date = 0] = text.split("-").map(Number);
  const at = new Date(year, month - 1, date + later);
  return text && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}

export function Filters({
  path,
  value,
  onChange,
}: {
  /** Of the API: the platform's log or a client's. */
  path: string;
  value: AuditFilters;
  onChange: (filters: AuditFilters) => void;
}) {
  const { data } = useGet<AuditChoicesView>("audit", `${path}/choices`);
  const set = (part: Partial<AuditFilters>) => onChange({ ...value, ...part });
  const actors = useMemo(() => data?.actors.map(({ id, name }) => ({ value: id, label: name })) ?? [], [data]);
  const actions = useMemo(() => actionsOf(data?.actions ?? []), [data]);
  return (
    <Group gap="sm" align="end" role="search">
      <TextInput
        label={words.search}
        leftSection={<IconSearch size={16} aria-hidden />}
        maxLength={200}
        flex="2 1 14rem"
        value={value.q}
        onChange={(event) => set({ q: event.currentTarget.value })}
      />
      <Select
        label={words.actor}
        placeholder={words.anybody}
        data={actors}
        value={value.actor}
        clearable
        searchable
        flex="1 1 10rem"
        onChange={(actor) => set({ actor })}
      />
      <Select
        label={words.action}
        placeholder={words.anything}
        data={actions}
        value={value.action}
        clearable
        searchable
        flex="1 1 10rem"
        onChange={(action) => set({ action })}
      />
      <TextInput
        label={words.from}
        type="date"
        max={value.to || undefined}
        flex="1 1 8.5rem"
        value={value.from}
        onChange={(event) => set({ from: event.currentTarget.value })}
      />
      <TextInput
        label={words.to}
        type="date"
        min={value.from || undefined}
        flex="1 1 8.5rem"
        value={value.to}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
      {isFiltered(value) && (
        <Button
          variant="default"
          leftSection={<IconFilterOff size={16} aria-hidden />}
          onClick={() => onChange(NO_FILTERS)}
        >
          {words.clear}
        </Button>
      )}
    </Group>
  );
}

/** By area; the area itself stands for all its actions. */
function actionsOf(actions: readonly string[]) {
  return actions.map((action) => ({ value: action, label: words.actionName(action) }));
}
