import { inClient } from "../api-path.ts";
import "./agents/agents.css";
import { Anchor, Button, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import type { AgentToUpdate, TemplateDetails, TemplateView } from "../../api/templates-views.ts";
import { useGet, usePages } from "../api.ts";
import { useMay, useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { useMaking } from "./agents/new-agent.tsx";
import { TemplatesList, UseTemplate } from "./agents/templates-list.tsx";
import { UpdateDialog } from "./agents/update.tsx";

const words = texts.templates;

/** Agents to begin with, and what is new in them for those that were made from them. */
export default function TemplatesPage() {
  const client = useThisClient();
  const mayWrite = useMay("agents.write");
  const mayRead = useMay("agents.read_definition");
  const making = useMaking(client);
  const [looked, setLooked] = useState<TemplateView | null>(null);
  const busy = making.isPending ? making.variables.key : null;
  return (
    <Page title={words.title} lead={words.intro}>
      {mayRead && <Updates client={client} mayWrite={mayWrite} />}
      <Trouble error={making.error} />
      <TemplatesList
        order={2}
        actions={(template) => (
          <>
            {mayWrite && (
              <UseTemplate template={template} busy={busy} use={({ id }) => making.mutate({ key: id, template: id })} />
            )}
            <Button
              variant="default"
              size="sm"
              aria-label={`${words.look}: ${template.title}`}
              onClick={() => setLooked(template)}
            >
              {words.look}
            </Button>
          </>
        )}
      />
      <Modal
        opened={looked !== null}
        onClose={() => setLooked(null)}
        title={looked?.title}
        size="xl"
        closeButtonProps={{ "aria-label": words.close }}
      >
        {looked && <Details id={looked.id} />}
      </Modal>
    </Page>
  );
}

function Updates({ client, mayWrite }: { client: string; mayWrite: boolean }) {
  const path = inClient(client, "template-updates");
  const pages = usePages<AgentToUpdate>(["agents", "templates"], path);
  const [looked, setLooked] = useState<AgentToUpdate | null>(null);
  if (pages.error) return <Trouble error={pages.error} again={pages.again} />;
  if (pages.items.length === 0 && !looked) return null;
  return (
    <Stack component="section" className="agt-card" p="md" gap="sm" aria-label={words.updates}>
      <Title order={2} size="h4">
        {words.updates}
      </Title>
      {pages.items.map((agent) => (
        <Group key={agent.id} justify="space-between" gap="sm">
          <Text>
            <Anchor component={Link} href={to.agent(client, agent.id)}>
              {agent.name}
            </Anchor>{" "}
            <Text span c="dimmed" size="sm">
              {words.from(agent.title)}
            </Text>
          </Text>
          {mayWrite && (
            <Button size="xs" variant="default" aria-label={words.see(agent.name)} onClick={() => setLooked(agent)}>
              {texts.agents.update.look}
            </Button>
          )}
        </Group>
      ))}
      {pages.hasMore && (
        <Button variant="subtle" size="xs" onClick={pages.more} loading={pages.loadingMore}>
          {texts.shell.loadMore}
        </Button>
      )}
      {looked && <UpdateDialog client={client} agent={looked} opened close={() => setLooked(null)} />}
    </Stack>
  );
}

function Details({ id }: { id: string }) {
  const { data, error } = useGet<TemplateDetails>("templates", `/templates/${encodeURIComponent(id)}`);
  if (error) return <Trouble error={error} />;
  if (!data) return <Waiting />;
  const variables = Object.entries(data.variables);
  return (
    <Stack>
      {variables.length > 0 && (
        <div>
          <Title order={3} size="h5">
            {words.variables}
          </Title>
          {variables.map(([name, value]) => (
            <Text key={name} size="sm">
              <Text span ff="monospace" size="sm">{`{{${name}}}`}</Text> {value}
            </Text>
          ))}
        </div>
      )}
      <Title order={3} size="h5">
        {words.instructions}
      </Title>
      <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
        {data.instructions}
      </Text>
    </Stack>
  );
}
