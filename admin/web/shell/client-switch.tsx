import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { useLocation } from "wouter";
import { type PageOf, useGet } from "../api.ts";
import { useClient, useClientTitle } from "../me.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";

/** Goes to another client: a list that the server searches, for there may be hundreds. */
export function ClientSwitch({ onGo }: { onGo: () => void }) {
  const client = useClient();
  const title = useClientTitle();
  const [, go] = useLocation();
  const [typed, setTyped] = useState("");
  const [opened, setOpened] = useState(false);
  const [q] = useDebouncedValue(typed === title ? "" : typed, 250);
  const found = useGet<PageOf<{ id: string; title: string }>>("clients", opened ? "/clients" : null, { q, limit: 20 });
  const data = (found.data?.items ?? []).map(({ id, title }) => ({ value: id, label: title }));
  if (client !== null && !data.some(({ value }) => value === client))
    data.unshift({ value: client, label: title ?? client });
  return (
    <Select
      label={texts.shell.switchClient}
      placeholder={texts.shell.searchClient}
      searchable
      data={data}
      // The server has searched already.
      filter={({ options }) => options}
      value={client}
      searchValue={opened ? typed : client === null ? "" : (title ?? client)}
      onSearchChange={setTyped}
      onDropdownOpen={() => {
        setTyped("");
        setOpened(true);
      }}
      onDropdownClose={() => setOpened(false)}
      nothingFoundMessage={found.isFetching ? texts.shell.loading : texts.shell.noClientFound}
      onChange={(chosen) => {
        if (chosen === null) return;
        go(to.home(chosen));
        onGo();
      }}
    />
  );
}
