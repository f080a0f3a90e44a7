import { Anchor, Badge, Button, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPencil } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { ClientView } from "../../api/clients-views.ts";
import { useGet } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { Backups } from "./clients/backups.tsx";
import { Controls } from "./clients/controls.tsx";
import { EditClient } from "./clients/edit.tsx";
import { Health } from "./clients/health.tsx";
import { LogViewer } from "./clients/log-viewer.tsx";
import { RemoveClient } from "./clients/remove.tsx";
import { SetupAgain } from "./clients/setup.tsx";
import { HomeserverState } from "./clients/state.tsx";
import { Storage } from "./clients/storage.tsx";

const words = texts.clients;

/** One client's homeserver: how it is, was, and what can be done about it. */
export default function ClientPage() {
  const client = useThisClient();
  const mayControl = useMay("clients.control");
  const { data, error, refetch } = useGet<ClientView>("clients", inClient(client));
  const crumbs = mayControl ? [{ title: words.title, to: to.clients() }] : [];
  if (!data)
    return (
      <Page title={words.server.title} crumbs={crumbs}>
        {error ? <Trouble error={error} again={() => void refetch()} /> : <Waiting height={120} />}
      </Page>
    );
  const ours = data.details?.ours ?? false;
  return (
    <Page
      title={words.openHomeserver(data.title)}
      crumbs={crumbs}
      actions={mayControl && data.details ? <Controls client={data} /> : undefined}
      lead={
        <Stack gap={4}>
          <Group gap="xs">
            <HomeserverState state={data.state} />
            {data.details?.desired === "stopped" && data.state !== "stopped" && (
              <Badge color="gray">{words.server.stopping}</Badge>
            )}
          </Group>
          {data.details?.stateDetail && (
            <Text size="sm" c="dimmed" style={{ whiteSpace: "pre-line" }}>
              {data.details.stateDetail}
            </Text>
          )}
        </Stack>
      }
    >
      {mayControl ? (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="lg">
          <Facts client={data} />
          {ours ? (
            <Section title={words.storage.title}>
              <Storage client={client} />
            </Section>
          ) : (
            <Section title={words.setup.title} text={words.storage.unknown}>
              <SetupAgain client={client} />
            </Section>
          )}
        </SimpleGrid>
      ) : (
        <Facts client={data} />
      )}
      {mayControl && (
        <>
          <Health client={client} />
          <Section title={words.backups.title} text={ours ? words.backups.text : words.backups.unknown}>
            {ours && <Backups client={client} />}
          </Section>
          <Section title={words.log.title} text={ours ? words.log.text : words.log.unknown}>
            {ours && <LogViewer client={client} />}
          </Section>
          <Section title={words.remove.title} text={ours ? words.remove.text : words.remove.textTheirs}>
            <RemoveClient client={data} />
          </Section>
        </>
      )}
    </Page>
  );
}

function Section({ title, text, children }: { title: string; text?: string; children?: ReactNode }) {
  return (
    <Stack component="section" className="agt-card" p="md" gap="sm" aria-label={title} miw={0}>
      <Title order={2}>{title}</Title>
      {text && (
        <Text size="sm" c="dimmed">
          {text}
        </Text>
      )}
      {children}
    </Stack>
  );
}

function Facts({ client }: { client: ClientView }) {
  const { details } = client;
  const mayEdit = useMay("clients.update");
  const [editing, { open, close }] = useDisclosure(false);
  const { server } = words;
  return (
    <Stack className="agt-card" p="md" gap="sm">
      <SimpleGrid component="dl" cols={{ base: 1, xs: 2 }} spacing="sm" m={0}>
        <Fact name={server.serverName}>{client.serverName}</Fact>
        <Fact name={server.address}>{client.homeserverUrl}</Fact>
        {details && <Fact name={server.version}>{details.version ?? server.unknown}</Fact>}
        {details && <Fact name={server.kind}>{server.kinds[details.driver]}</Fact>}
        {details && (
          <Fact name={server.since}>
            <When at={details.createdAt} exactly />
          </Fact>
        )}
        {details && <Fact name={server.retention}>{server.days(details.retentionDays)}</Fact>}
      </SimpleGrid>
      <Group gap="md">
        {client.elementUrl && <Anchor href={client.elementUrl}>{server.element}</Anchor>}
        {mayEdit && details && (
          <Button variant="default" size="xs" leftSection={<IconPencil size={16} aria-hidden />} onClick={open}>
            {server.edit}
          </Button>
        )}
      </Group>
      {mayEdit && details && <EditClient client={client} opened={editing} close={close} />}
    </Stack>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <Text component="dt" size="sm" c="dimmed">
      {name}
    </Text>
    <Text component="dd" m={0}>
      {children}
    </Text>
  </div>
);
