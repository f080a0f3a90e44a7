import { Button, Group, Modal, MultiSelect, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { PersonView } from "../../../api/people-views.ts";
import { useGet, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.teams;

/** People of the client, found by a part of their name. */
export function AddPeople({
  client,
  name,
  send,
  onClose,
}: {
  client: string;
  name: string;
  send: (users: string[]) => Promise<unknown>;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const [chosen, setChosen] = useState<string[]>([]);
  const [names, setNames] = useState<Record<string, string>>({});
  const { data, error } = useGet<{ items: PersonView[] }>("people", inClient(client, "people"), {
    q,
    state: "active",
    limit: 20,
  });
  const sending = useSend((users: string[]) => send(users), {
    topics: ["teams"],
    said: (_, users) => words.peopleAdded(users.length),
    onDone: onClose,
    inline: true,
  });
  const found = (data?.items ?? []).map((person) => ({ value: person.id, label: labelOf(person) }));
  const kept = chosen.filter((id) => !found.some(({ value }) => value === id));
  return (
    <Modal
      opened
      onClose={onClose}
      title={words.addPeopleTo(name)}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack>
        <MultiSelect
          label={words.whom}
          description={words.whomHint}
          data-autofocus
          searchable
          hidePickedOptions
          maxValues={100}
          data={[...found, ...kept.map((id) => ({ value: id, label: names[id] ?? id }))]}
          // The API has looked already: what it found fits.
          filter={({ options }) => options}
          nothingFoundMessage={words.whomNone}
          value={chosen}
          onChange={(next) => {
            setChosen(next);
            setNames({ ...names, ...Object.fromEntries(found.map(({ value, label }) => [value, label])) });
          }}
          searchValue={typed}
          onSearchChange={setTyped}
          comboboxProps={{ withinPortal: true }}
          clearButtonProps={{ "aria-label": texts.shell.close }}
        />
        <Trouble error={error ?? sending.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {texts.shell.cancel}
          </Button>
          <Button loading={sending.isPending} disabled={chosen.length === 0} onClick={() => sending.mutate(chosen)}>
            {words.add}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

const labelOf = ({ id, name }: PersonView) => (name ? `${name} (${id})` : id);
