import { Anchor, Button, Stack, Text, Title } from "@mantine/core";
import { useMemo } from "react";
import { useSearchParams } from "wouter";
import type { FormRunView } from "../../../api/forms-views.ts";
import { useGet, usePages } from "../../api.ts";
import { Empty } from "../../parts/empty.tsx";
import { Name } from "../../parts/name.tsx";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { type Form, formPath } from "./definition.ts";
import { FieldList } from "./field-list.tsx";
import { Result } from "./result.tsx";

const words = texts.forms.runs;
const TONES: Record<FormRunView["state"], Tone> = {
  queued: "quiet",
  running: "busy",
  done: "good",
  failed: "bad",
  stopped: "warn",
};

/** What was filled in; one of them opened above the list. */
export function Runs({ client, form }: { client: string; form: Form }) {
  const [search, setSearch] = useSearchParams();
  const opened = search.get("run");
  const pages = usePages<FormRunView>("tools", formPath(client, form.id, "/runs"), { limit: 30 });
  const columns = useMemo(() => columnsFor((id) => setSearch({ tab: "runs", run: id })), [setSearch]);
  return (
    <Stack gap="lg">
      {opened !== null && <One client={client} form={form} id={opened} close={() => setSearch({ tab: "runs" })} />}
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Empty title={words.none} text={words.noneText} />}
      />
    </Stack>
  );
}

const columnsFor = (open: (id: string) => void): Column<FormRunView>[] => [
  {
    id: "when",
    title: words.when,
    cell: ({ id, at }) => (
      <Anchor component="button" type="button" onClick={() => open(id)}>
        <When at={at} />
      </Anchor>
    ),
  },
  {
    id: "who",
    title: words.who,
    cell: ({ by, byName }) => <Name>{byName ?? by.replace(/^operator:/, "").replace(/^@|:.*$/g, "")}</Name>,
  },
  { id: "via", title: words.via, cell: ({ via }) => words.vias[via], wideOnly: true },
  {
    id: "where",
    title: words.where,
    cell: ({ roomId, roomName, via }) => (
      <Name>{roomId === null ? (via === "tool" ? words.back : words.here) : (roomName ?? roomId)}</Name>
    ),
    wideOnly: true,
  },
  {
    id: "state",
    title: words.state,
    cell: ({ state }) => <StateBadge tone={TONES[state]}>{words.states[state]}</StateBadge>,
  },
];

function One({ client, form, id, close }: { client: string; form: Form; id: string; close: () => void }) {
  const { data: run, error } = useGet<FormRunView>(
    "tools",
    formPath(client, form.id, `/runs/${encodeURIComponent(id)}`),
  );
  if (!run) return <Trouble error={error} />;
  return (
    <Stack gap="sm" maw={720}>
      <Title order={2}>{texts.forms.result.filled}</Title>
      {run.values === null ? (
        <Text c="dimmed">{texts.forms.result.erased}</Text>
      ) : (
        <FieldList schema={run.input} values={run.values} />
      )}
      <Result client={client} run={run} />
      <div>
        <Button variant="default" onClick={close}>
          {texts.forms.result.close}
        </Button>
      </div>
    </Stack>
  );
}
