import { Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { MemberView } from "../../../api/teams-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { texts } from "../../texts.ts";

const words = texts.schedules.form;
/** Of a long list: whoever is not among them is found by a part of the name. */
const SHOWN = 50;

interface Props {
  client: string;
  /** Empty until one is chosen. */
  room: string;
  /** A Matrix user id, or empty. */
  value: string;
  error: string | undefined;
  onChange: (person: string) => void;
}

/** Somebody who is in the room, by name: for nobody else can an agent act there. */
export function PersonField({ client, room, value, error, onChange }: Props) {
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState("");
  // What stands in the field once somebody is chosen is no search.
  const [q] = useDebouncedValue(typed === chosen ? "" : typed.trim(), 250);
  const path = room ? inClient(client, "rooms", room, "people") : null;
  const { items } = usePages<MemberView>(["teams", "people"], path, { q, limit: SHOWN });
  const there = items.filter(({ membership }) => membership === "join");
  const data = there.map(({ userId, name }) => ({ value: userId, label: labelOf(userId, name, there) }));
  if (value && !data.some((one) => one.value === value)) data.unshift({ value, label: chosen });
  return (
    <Select
      label={words.person}
      description={words.personHelp}
      placeholder={room ? words.personPlaceholder : words.roomFirst}
      data={data}
      value={value || null}
      disabled={!room}
      searchable
      error={error}
      // The API has looked already: what it found fits.
      filter={({ options }) => options}
      nothingFoundMessage={words.noPerson}
      onSearchChange={setTyped}
      onChange={(next, option) => {
        setChosen(option?.label ?? "");
        onChange(next ?? "");
      }}
      renderOption={({ option }) => (
        <Stack gap={0}>
          <Text size="sm">{option.label}</Text>
          <Text size="xs" c="dimmed">
            {option.value}
          </Text>
        </Stack>
      )}
    />
  );
}

/** Two of one name are told apart by their ids. */
function labelOf(userId: string, name: string | null, all: MemberView[]): string {
  const own = name ?? userId.slice(1).split(":", 1)[0] ?? userId;
  return all.some((other) => other.userId !== userId && other.name === own) ? `${own} (${userId})` : own;
}
