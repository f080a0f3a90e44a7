import { Anchor, Button, Code, Group, Text } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import type { FormItem } from "../../api/forms-views.ts";
import { usePages } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useThisClient } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { SearchField } from "../parts/search-field.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { NewForm } from "./forms/new-form.tsx";
import { FormState } from "./forms/state.tsx";

const words = texts.forms;

/** A client's forms: for managers all of them, for everybody else what they can fill in. */
export default function FormsPage() {
  const client = useThisClient();
  const mayWrite = useMay("forms.write");
  const mayRead = useMay("tools.read");
  const [asked, setAsked] = useState("");
  const [q] = useDebouncedValue(asked.trim(), 250);
  const [making, { open, close }] = useDisclosure(false);
  const pages = usePages<FormItem>("tools", inClient(client, "forms"), { q, limit: 50 });
  const columns = useMemo(() => columnsFor(client, mayRead), [client, mayRead]);
  const create = mayWrite && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.create}
    </Button>
  );
  const bare = q === "" && !pages.loading && !pages.error && pages.items.length === 0;
  const empty =
    q !== "" ? (
      <Empty title={words.noneFits} text={words.noneFitsText} />
    ) : (
      <Empty title={words.none} text={mayWrite ? words.noneText : words.noneToRead} action={create} />
    );
  return (
    <Page title={words.title} lead={mayRead ? words.lead : words.leadMember} actions={bare ? undefined : create}>
      {!bare && <SearchField label={words.search} value={asked} onChange={setAsked} />}
      <PagedTable label={words.title} columns={columns} pages={pages} rowKey={({ id }) => id} empty={empty} />
      {making && <NewForm client={client} close={close} />}
    </Page>
  );
}

function columnsFor(client: string, all: boolean): Column<FormItem>[] {
  const columns: Column<FormItem>[] = [
    {
      id: "title",
      title: words.columns.title,
      cell: ({ id, title, description }) => (
        <div>
          <Anchor component={Link} href={to.form(client, id)} fw={600}>
            <Name>{title}</Name>
          </Anchor>
          {description && (
            <Text size="sm" c="dimmed" lineClamp={2}>
              {description}
            </Text>
          )}
        </div>
      ),
    },
    {
      id: "how",
      title: words.columns.how,
      cell: ({ name }) => (
        <Code>
          <Name>{`!${name}`}</Name>
        </Code>
      ),
    },
    {
      id: "doer",
      title: words.columns.doer,
      cell: ({ agentId, agentName, model }) => (
        <Name>{agentId === null ? words.byModel(model) : words.byAgent(agentName)}</Name>
      ),
      wideOnly: true,
    },
  ];
  if (!all) return columns;
  return [
    ...columns,
    {
      id: "state",
      title: words.columns.state,
      cell: ({ state, hasDraft }) => (
        <Group gap={6}>
          <FormState state={state} hasDraft={hasDraft} />
        </Group>
      ),
    },
    {
      id: "version",
      title: words.columns.version,
      cell: ({ version }) => version ?? "–",
      align: "right",
      wideOnly: true,
    },
  ];
}
