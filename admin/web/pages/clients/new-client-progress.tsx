import { Alert, Button, Group, Loader, Stack, Text, TextInput, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconCircle } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { ClientCreated, ClientView } from "../../../api/clients-views.ts";
import type { NewInviteView } from "../../../api/invites.ts";
import { post, useGet, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { QrCode } from "../../parts/qr-code.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { SetupFiles } from "./setup.tsx";

const words = texts.clients.make;

/** A new client's homeserver on its way, then its first invite link. */
export function NewClientProgress({ made, close }: { made: ClientCreated; close: () => void }) {
  const { data = made, error } = useGet<ClientView>("clients", inClient(made.id));
  const { state } = data;
  const detail = data.details?.stateDetail ?? null;
  const bad = state === "failed" || state === "crash_loop" || (detail !== null && !made.setup);
  return (
    <Stack>
      <Stack gap="xs" aria-live="polite">
        <Step state="done" text={words.steps.noted} />
        <Step state={state === "running" ? "done" : bad ? "bad" : "busy"} text={words.steps.starts} />
        <Step state={state === "running" ? "done" : "waiting"} text={words.steps.runs} />
      </Stack>
      {state !== "running" && !bad && !made.setup && <Waited />}
      {detail && (
        <Alert color={bad ? "red" : "blue"} role="status">
          {detail}
        </Alert>
      )}
      <Trouble error={error} />
      {made.setup && state !== "running" && (
        <Stack gap="xs">
          <Text size="sm">{words.external}</Text>
          <SetupFiles setup={made.setup} />
        </Stack>
      )}
      {state === "running" ? (
        <Running client={data} close={close} />
      ) : (
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {words.later}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Step({ state, text }: { state: "done" | "busy" | "bad" | "waiting"; text: string }) {
  const icon = {
    done: <IconCheck size={16} aria-hidden />,
    busy: <Loader size={16} color="white" aria-hidden />,
    bad: <IconAlertTriangle size={16} aria-hidden />,
    waiting: <IconCircle size={16} aria-hidden />,
  };
  const color = { done: "leaf", busy: "blue", bad: "red", waiting: "gray" };
  return (
    <Group gap="sm" wrap="nowrap">
      <ThemeIcon radius="xl" size={26} color={color[state]}>
        {icon[state]}
      </ThemeIcon>
      <Text {...(state === "waiting" ? { c: "dimmed" } : {})}>{text}</Text>
    </Group>
  );
}

function Waited() {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((now) => now + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <Text size="sm" c="dimmed">
      {words.waits(seconds)}
    </Text>
  );
}

/** The next step: somebody of the client comes in. */
function Running({ client, close }: { client: ClientView; close: () => void }) {
  const inviting = useSend(() => post<NewInviteView>(inClient(client.id, "invites"), { role: "owner", maxUses: 1 }), {
    topics: ["invites"],
    inline: true,
  });
  return (
    <Stack gap="sm">
      <Text fw={600}>{words.doneTitle(client.title)}</Text>
      <Text size="sm">{inviting.data ? words.ownerText : words.doneText}</Text>
      <Trouble error={inviting.error} />
      {inviting.data && (
        <>
          <Group align="flex-end" gap="xs">
            <TextInput label={words.link} value={inviting.data.url} readOnly flex="1 1 14rem" />
            <CopyButton text={inviting.data.url} size="sm" />
          </Group>
          <QrCode svg={inviting.data.qr} alt={texts.invites.ready.qr} />
        </>
      )}
      <Group justify="flex-end">
        <Button component={Link} href={to.home(client.id)} variant="default" onClick={close}>
          {words.open}
        </Button>
        {!inviting.data && (
          <Button loading={inviting.isPending} onClick={() => inviting.mutate(undefined)}>
            {words.owner}
          </Button>
        )}
      </Group>
    </Stack>
  );
}
