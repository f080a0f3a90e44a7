import { inClient } from "../../api-path.ts";
import "./clients.css";
import { Button, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { SetupView } from "../../../api/clients-views.ts";
import { useGet } from "../../api.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.clients.setup;

/** What to add to a homeserver that others run: steps, and files to copy. */
export function SetupFiles({ setup }: { setup: SetupView }) {
  return (
    <Stack gap="sm">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className="agt-log" aria-label={words.steps} tabIndex={0}>
        {setup.text}
      </section>
      <Group gap="xs">
        {setup.files.map(({ name, text }) => (
          <CopyButton key={name} text={text} label={words.copy(name)} />
        ))}
      </Group>
      <Text size="sm" c="dimmed">
        {words.text}
      </Text>
    </Stack>
  );
}

/** The same again, later, on the homeserver's page. */
export function SetupAgain({ client }: { client: string }) {
  const [shown, { toggle }] = useDisclosure(false);
  const { data, error } = useGet<{ setup: SetupView | null }>("clients", shown ? inClient(client, "setup") : null);
  return (
    <Stack gap="sm" align="flex-start">
      <Button variant="default" onClick={toggle} aria-expanded={shown}>
        {shown ? words.hide : words.show}
      </Button>
      {shown && <Trouble error={error} />}
      {shown && data?.setup && <SetupFiles setup={data.setup} />}
    </Stack>
  );
}
