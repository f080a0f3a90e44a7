import { Alert, Button, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { TemplateUpdateView } from "../../../api/templates-views.ts";
import { post, useGet, useSend } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import { Differences } from "./compare.tsx";
import { agentPath } from "./definition.ts";
import { fieldTitle, readable } from "./differences.ts";

const words = texts.agents.update;

interface Props {
  client: string;
  agent: { id: string; name: string };
}

const useUpdate = (client: string, agent: string) =>
  useGet<{ update: TemplateUpdateView | null }>(["agents", "templates"], agentPath(client, agent, "/template-update"));

/** Above an agent's form, when its template says something new. `save` is called first: what is typed goes into it. */
export function UpdateNotice({ client, agent, save }: Props & { save: () => Promise<boolean> }) {
  const { data } = useUpdate(client, agent.id);
  const [opened, { open, close }] = useDisclosure(false);
  if (!data?.update && !opened) return null;
  return (
    <Alert color="blue">
      <Group justify="space-between" gap="sm">
        <Text size="sm">{words.title}.</Text>
        <Button size="xs" variant="default" onClick={() => void save().then((saved) => saved && open())}>
          {words.look}
        </Button>
      </Group>
      <UpdateDialog client={client} agent={agent} opened={opened} close={close} />
    </Alert>
  );
}

/** What is new, what is kept, and the button that takes it. */
export function UpdateDialog({ client, agent, opened, close }: Props & { opened: boolean; close: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      size="xl"
      title={words.title}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Update client={client} agent={agent} close={close} />
    </Modal>
  );
}

function Update({ client, agent, close }: Props & { close: () => void }) {
  const { data, error } = useUpdate(client, agent.id);
  const taking = useSend((revision: number) => post(agentPath(client, agent.id, "/template-update"), { revision }), {
    topics: ["agents", "templates"],
    inline: true,
    said: words.taken(agent.name),
    onDone: close,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <Waiting />;
  const { update } = data;
  if (!update) return <Text>{texts.templates.updatesNone}</Text>;
  const changes = update.changes.map(({ field, from, to }) => ({
    field,
    from: readable(field, from),
    to: readable(field, to),
  }));
  return (
    <Stack>
      <Text size="sm">{words.intro}</Text>
      <Title order={3} size="h5">
        {words.changes}
      </Title>
      {changes.length > 0 ? <Differences list={changes} /> : <Text c="dimmed">{words.onlyConflicts}</Text>}
      {update.conflicts.length > 0 && (
        <>
          <Title order={3} size="h5">
            {words.conflicts}
          </Title>
          {update.conflicts.map(({ field, yours, template }) => (
            <Conflict key={`${field} ${String(template)}`} field={field} yours={yours} template={template} />
          ))}
        </>
      )}
      <Trouble error={taking.error} />
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {words.later}
        </Button>
        <Button loading={taking.isPending} onClick={() => taking.mutate(update.revision)}>
          {words.take}
        </Button>
      </Group>
    </Stack>
  );
}

function Conflict({ field, yours, template }: { field: string; yours: unknown; template: unknown }) {
  const side = (title: string, value: unknown) => (
    <div>
      <Text size="xs" c="dimmed">
        {title}
      </Text>
      <Text size="sm" className="agt-diff" p="xs" style={{ whiteSpace: "pre-wrap" }}>
        {readable(field, value).trim() || texts.agents.diff.nothing}
      </Text>
    </div>
  );
  return (
    <Stack gap={6}>
      <Text size="sm" fw={600}>
        {fieldTitle(field)}
      </Text>
      {side(words.yours, yours)}
      {side(words.theirs, template)}
    </Stack>
  );
}
