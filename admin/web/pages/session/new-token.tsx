import { Button, Checkbox, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { NewTokenView } from "../../../api/session-views.ts";
import { fieldErrors, post, useSend } from "../../api.ts";
import type { Me } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.session.tokens;
const DAY_MS = 86_400_000;

/** Name, end and rights of a new token; only rights that one has are offered. */
export function NewToken({ me, onMade }: { me: Me; onMade: (token: NewTokenView) => void }) {
  const [name, setName] = useState("");
  const [days, setDays] = useState("30");
  const [scopes, setScopes] = useState<string[]>([]);
  const [tried, setTried] = useState(false);
  const send = useSend(
    () => {
      const expiresAt = new Date(Date.now() + Number(days) * DAY_MS).toISOString();
      return post<NewTokenView>("/me/tokens", { name, scopes, expiresAt });
    },
    { topics: ["session"], inline: true, onDone: onMade },
  );
  const noName = name.trim() === "" ? words.noName : null;
  const noScopes = scopes.length === 0 ? words.noScopes : null;
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (!noName && !noScopes && !send.isPending) send.mutate(undefined);
      }}
    >
      <Stack>
        <TextInput
          label={words.name}
          description={words.nameHint}
          maxLength={64}
          data-autofocus
          value={name}
          error={(tried && noName) || fieldErrors(send.error).name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label={words.lives}
          data={Object.entries(words.lifetimes).map(([value, label]) => ({ value, label }))}
          value={days}
          allowDeselect={false}
          onChange={(value) => setDays(value ?? "30")}
        />
        <Checkbox.Group
          label={words.choose}
          description={words.chooseHint}
          value={scopes}
          error={tried && noScopes}
          onChange={setScopes}
        >
          <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" my="xs">
            {me.rights.map((right) => (
              <Checkbox key={right} value={right} label={texts.session.rights[right]} />
            ))}
          </SimpleGrid>
        </Checkbox.Group>
        <Trouble error={send.error} />
        <Button type="submit" loading={send.isPending}>
          {words.make}
        </Button>
      </Stack>
    </form>
  );
}
