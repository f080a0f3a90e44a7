import { Radio, Stack, TagsInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import type { PersonView } from "../../../api/people-views.ts";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { texts } from "../../texts.ts";
import type { Definition } from "./definition.ts";

const words = texts.agents.invite;

interface Props {
  client: string;
  value: Definition["whoMayInvite"];
  error: string | undefined;
  onChange: (value: Definition["whoMayInvite"]) => void;
}

/** Everybody, nobody, or chosen people. */
export function InviteField({ client, value, error, onChange }: Props) {
  const chosen = typeof value === "object";
  return (
    <Stack gap="xs">
      <Radio.Group
        label={words.label}
        value={chosen ? "chosen" : value}
        onChange={(next) => onChange(next === "chosen" ? { users: [] } : next === "nobody" ? "nobody" : "anyone")}
      >
        <Stack gap={6} mt={6}>
          <Radio value="anyone" label={words.anyone} />
          <Radio value="nobody" label={words.nobody} />
          <Radio value="chosen" label={words.chosen} />
        </Stack>
      </Radio.Group>
      {chosen && <Chosen client={client} users={value.users} error={error} onChange={(users) => onChange({ users })} />}
    </Stack>
  );
}

interface ChosenProps {
  client: string;
  users: string[];
  error: string | undefined;
  onChange: (users: string[]) => void;
}

function Chosen({ client, users, error, onChange }: ChosenProps) {
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const { data } = useGet<{ items: PersonView[] }>("people", inClient(client, "people"), {
    q,
    limit: 20,
  });
  return (
    <TagsInput
      label={words.people}
      description={words.peopleHelp}
      value={users}
      error={error ?? (users.length === 0 ? words.none : undefined)}
      searchValue={typed}
      onSearchChange={setTyped}
      onChange={(next) => onChange(next.map((one) => one.trim()).filter((one) => one !== ""))}
      data={(data?.items ?? []).map(({ id }) => id)}
      filter={({ options }) => options}
      maxTags={500}
      clearable
      clearButtonProps={{ "aria-label": words.clear }}
    />
  );
}
