import { Alert, Button, Group, NativeSelect, Text, TextInput } from "@mantine/core";
import { useDebouncedValue, useDisclosure } from "@mantine/hooks";
import { IconAlertTriangle, IconFileImport, IconSearch, IconUserPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import type { PersonView } from "../../api/people-views.ts";
import { usePages } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useThisClient } from "../me.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { ImportPeople } from "./people/import.tsx";
import { PersonCell, PersonState } from "./people/parts.tsx";

const words = texts.people;

/** The people of a client. */
export default function PeoplePage() {
  const client = useThisClient();
  const mayInvite = useMay("invites.write");
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const [state, setState] = useState("");
  const [role, setRole] = useState("");
  const [importing, { open, close }] = useDisclosure(false);
  const pages = usePages<PersonView, { stale: string | null }>("people", inClient(client, "people"), {
    q,
    state,
    role,
  });
  const columns = useMemo(() => columnsOf(client), [client]);
  const filtered = q !== "" || state !== "" || role !== "";
  const stale = pages.first?.stale;
  const invite = mayInvite && (
    <Button component={Link} href={to.invites(client)} leftSection={<IconUserPlus size={18} aria-hidden />}>
      {words.invite}
    </Button>
  );
  const actions = mayInvite && (
    <>
      <Button variant="default" leftSection={<IconFileImport size={18} aria-hidden />} onClick={open}>
        {words.import}
      </Button>
      {invite}
    </>
  );
  return (
    <Page title={words.title} actions={actions}>
      <Group align="end">
        <TextInput
          label={words.search}
          placeholder={words.searchHelp}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          maxLength={100}
          flex="1 1 14rem"
          maw={420}
        />
        <NativeSelect
          label={words.filterState}
          value={state}
          onChange={(event) => setState(event.currentTarget.value)}
          data={[{ value: "", label: words.anyState }, ...optionsOf(words.states)]}
        />
        <NativeSelect
          label={words.filterRole}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value)}
          data={[{ value: "", label: words.anyRole }, ...optionsOf(ROLES)]}
        />
      </Group>
      {stale && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
          {stale}
        </Alert>
      )}
      <PagedTable
        label={words.title}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={
          filtered ? (
            <Empty title={words.noneFits} text={words.noneFitsText} />
          ) : (
            <Empty title={words.none} text={words.noneText} action={invite} />
          )
        }
      />
      {mayInvite && <ImportPeople client={client} opened={importing} close={close} />}
    </Page>
  );
}

const { operator: _, ...ROLES } = texts.shell.roles;
const optionsOf = (options: Record<string, string>) =>
  Object.entries(options).map(([value, label]) => ({ value, label }));

const columnsOf = (client: string): Column<PersonView>[] => [
  { id: "person", title: words.columns.person, cell: (person) => <PersonCell client={client} person={person} /> },
  { id: "role", title: words.columns.role, cell: ({ role }) => <Text span>{texts.shell.roles[role]}</Text> },
  {
    id: "teams",
    title: words.columns.teams,
    cell: ({ teams }) => (
      <Text span>
        <Name>{teams.map(({ name }) => name).join(", ") || words.noTeam}</Name>
      </Text>
    ),
  },
  { id: "seen", title: words.columns.seen, cell: ({ lastSeenAt }) => <When at={lastSeenAt} /> },
  { id: "state", title: words.columns.state, cell: ({ state }) => <PersonState state={state} /> },
];
