import { Button, Stack, Tabs, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconArchive, IconPlus, IconSitemap, IconUsers } from "@tabler/icons-react";
import { useState } from "react";
import { useMay, useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { SearchField } from "../parts/search-field.tsx";
import { useMaking } from "../parts/use-making.ts";
import { texts } from "../texts.ts";
import { NewTeam } from "./teams/new-team.tsx";
import { PeoplesRooms } from "./teams/peoples-rooms.tsx";
import { TeamTree } from "./teams/tree.tsx";

const words = texts.teams;

/** The tree of teams and rooms, rooms that people made, and what is archived. */
export default function TeamsPage() {
  const client = useThisClient();
  const mayWrite = useMay("teams.write");
  const seesAll = useMay("people.read");
  const [tab, setTab] = useState<string | null>("teams");
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const [making, { open, close }] = useMaking();
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={mayWrite && create}>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="teams" leftSection={<IconSitemap size={16} aria-hidden />}>
            {words.tabs.teams}
          </Tabs.Tab>
          {seesAll && (
            <Tabs.Tab value="people" leftSection={<IconUsers size={16} aria-hidden />}>
              {words.tabs.people}
            </Tabs.Tab>
          )}
          <Tabs.Tab value="archived" leftSection={<IconArchive size={16} aria-hidden />}>
            {words.tabs.archived}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="teams">
          <Stack gap="md">
            <SearchField label={words.search} value={typed} onChange={setTyped} />
            <TeamTree client={client} archived={false} q={q} create={mayWrite ? create : null} />
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="people">
          <PeoplesRooms client={client} />
        </Tabs.Panel>
        <Tabs.Panel value="archived">
          <Stack gap="md">
            <Text c="dimmed">{words.archivedLead}</Text>
            <TeamTree client={client} archived q="" create={null} />
          </Stack>
        </Tabs.Panel>
      </Tabs>
      {making && mayWrite && <NewTeam client={client} onClose={close} />}
    </Page>
  );
}
