import { Anchor, Button, Group, Modal, Select, Stack, Text } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useSearchParams } from "wouter";
import type { CallView } from "../../../api/tools-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Name } from "../../parts/name.tsx";
import { Nothing } from "../../parts/nothing.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { AgentSelect } from "../runs/filters.tsx";
import { useTools } from "./by-group.ts";
import { CallState, CallTexts } from "./call-parts.tsx";

const words = texts.tools.calls;
const FILTERS = ["agent", "tool", "state"] as const;
type Filters = Record<(typeof FILTERS)[number], string>;

/** What agents called, and what was tried here, newest first. */
export function Calls({ client }: { client: string }) {
  const [search, setSearch] = useSearchParams();
  const [shown, setShown] = useState<CallView | null>(null);
  const filters = Object.fromEntries(FILTERS.map((name) => [name, search.get(name) ?? ""])) as Filters;
  const change = (name: keyof Filters, value: string) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        if (value) next.set(name, value);
        else next.delete(name);
        return next;
      },
      { replace: true },
    );
  const pages = usePages<CallView>(["tools", "runs"], inClient(client, "tool-calls"), { ...filters, limit: 25 });
  const columns = useMemo(() => columnsOf(client, setShown), [client]);
  return (
    <Stack gap="md">
      <FilterFields client={client} filters={filters} change={change} />
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Nothing words={words} pages={pages} filtered={Object.values(filters).some(Boolean)} />}
      />
      {shown && <Details client={client} call={shown} close={() => setShown(null)} />}
    </Stack>
  );
}

interface FieldsProps {
  client: string;
  filters: Filters;
  change: (name: keyof Filters, value: string) => void;
}

function FilterFields({ client, filters, change }: FieldsProps) {
  const tools = useTools(client).items.map(({ name, title }) => ({ value: name, label: title }));
  // Of a tool that is gone, or that only a link knows.
  if (filters.tool && !tools.some(({ value }) => value === filters.tool))
    tools.unshift({ value: filters.tool, label: filters.tool });
  const states = Object.entries(texts.tools.call.states).map(([value, label]) => ({ value, label }));
  return (
    <Group gap="sm" align="end" role="search">
      <AgentSelect client={client} value={filters.agent} onChange={(agent) => change("agent", agent)} />
      <Select
        label={words.tool}
        placeholder={words.anyTool}
        data={tools}
        value={filters.tool || null}
        clearable
        searchable
        flex="1 1 11rem"
        onChange={(tool) => change("tool", tool ?? "")}
      />
      <Select
        label={words.state}
        placeholder={words.anyState}
        data={states}
        value={filters.state || null}
        clearable
        flex="1 1 9rem"
        onChange={(state) => change("state", state ?? "")}
      />
    </Group>
  );
}

const Small = ({ children }: { children: ReactNode }) => (
  <Text size="sm" component="span">
    {children}
  </Text>
);

function columnsOf(client: string, show: (call: CallView) => void): Column<CallView>[] {
  return [
    {
      id: "tool",
      title: words.tool,
      cell: (call) => (
        <Text size="sm" fw={600}>
          <Name>{call.tool.title}</Name>
        </Text>
      ),
    },
    { id: "state", title: words.state, cell: ({ state }) => <CallState state={state} /> },
    { id: "agent", title: words.agent, cell: (call) => <Who client={client} call={call} /> },
    {
      id: "for",
      title: words.for,
      cell: ({ person }) => (
        <Small>
          <Name>{person?.name ?? "–"}</Name>
        </Small>
      ),
      wideOnly: true,
    },
    {
      id: "took",
      title: words.took,
      align: "right",
      wideOnly: true,
      cell: ({ durationMs }) => <Small>{durationMs === null ? "–" : texts.tools.call.took(durationMs)}</Small>,
    },
    {
      id: "when",
      title: words.when,
      align: "right",
      cell: ({ createdAt }) => (
        <Small>
          <When at={createdAt} />
        </Small>
      ),
    },
    {
      id: "more",
      title: "",
      align: "right",
      cell: (call) => (
        <Button size="xs" variant="default" aria-label={words.detailsOf(call.tool.title)} onClick={() => show(call)}>
          {words.details}
        </Button>
      ),
    },
  ];
}

function Who({ client, call }: { client: string; call: CallView }) {
  if (!call.agent || !call.run) return <Small>{words.tried}</Small>;
  return (
    <Anchor component={Link} href={to.run(client, call.run)} size="sm">
      <Name>{call.agent.name}</Name>
    </Anchor>
  );
}

function Details({ client, call, close }: { client: string; call: CallView; close: () => void }) {
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={call.tool.title}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack gap="sm">
        <Group gap="xs">
          <CallState state={call.state} />
          <Text size="sm" c="dimmed">
            <When at={call.createdAt} exactly />
          </Text>
        </Group>
        {call.reason && <Text size="sm">{call.reason}</Text>}
        <CallTexts call={call} />
        {call.run && (
          <Anchor component={Link} href={to.run(client, call.run)} size="sm">
            {words.openRun}
          </Anchor>
        )}
      </Stack>
    </Modal>
  );
}
