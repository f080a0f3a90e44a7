import { ActionIcon, Anchor, Button, Group, Modal, Select, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus, IconRobot, IconUserMinus } from "@tabler/icons-react";
import { useState } from "react";
import { Link } from "wouter";
import type { RoomAgentView, RoomView } from "../../../api/teams-views.ts";
import { del, patch, post, useGet, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { AgentFace } from "../../parts/agent-face.tsx";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import classes from "../teams/teams.module.css";

const words = texts.teams.room;
type Scope = RoomAgentView["scope"];
const SCOPES = (["observer", "member", "moderator"] as const).map((value) => ({ value, label: words.scopes[value] }));

interface Props {
  client: string;
  path: string;
  room: RoomView;
  manages: boolean;
  /** An agent may be taken out of any room, also of those that people made. */
  mayRemove: boolean;
}

/** The agents in a room and what each may there. */
export function RoomAgents({ client, path, room, manages, mayRemove }: Props) {
  const [adding, { open, close }] = useDisclosure(false);
  const add = manages && !room.archivedAt && (
    <Button size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>
      {words.addAgent}
    </Button>
  );
  return (
    <Stack component="section" gap="xs" aria-label={words.agents}>
      <Group justify="space-between">
        <Title order={2}>{words.agents}</Title>
        {room.agents.length > 0 && add}
      </Group>
      {room.agents.length === 0 ? (
        <Empty
          title={words.noAgents}
          text={words.noAgentsText}
          action={add}
          icon={<IconRobot size={36} aria-hidden />}
        />
      ) : (
        <Stack component="ul" gap={0} m={0} px="md" py={4} className={`agt-card ${classes.rooms} ${classes.lines}`}>
          {room.agents.map((agent) => (
            <AgentLine {...{ client, path, agent, manages, mayRemove }} key={agent.id} />
          ))}
        </Stack>
      )}
      {adding && <AddAgent {...{ client, path, room }} onClose={close} />}
    </Stack>
  );
}

function AgentLine({ client, path, agent, manages, mayRemove }: Omit<Props, "room"> & { agent: RoomAgentView }) {
  const { id, name, scope, usualScope } = agent;
  const where = `${path}/agents/${encodeURIComponent(id)}`;
  const change = useSend((next: Scope) => patch(where, { scope: next }), {
    topics: ["teams"],
    said: words.scopeChanged(name),
  });
  const remove = useSend(() => del(where), { topics: ["teams"], said: words.takenOut(name) });
  const askRemove = async () => {
    const question = { title: words.takeOutNamed(name), text: words.takeOutAgentAsk(name), yes: words.takeOut };
    if (await askFirst({ ...question, danger: true })) remove.mutate(undefined);
  };
  return (
    <li className={classes.room}>
      <Group gap="sm" wrap="nowrap" className={classes.roomWords}>
        <AgentFace client={client} agent={id} />
        <div>
          <Group gap={6}>
            <Anchor component={Link} href={to.agent(client, id)} fw={600}>
              {name}
            </Anchor>
            {agent.membership === "invite" && <StateBadge tone="busy">{words.comes}</StateBadge>}
            {agent.state === "paused" && <StateBadge tone="warn">{words.paused}</StateBadge>}
          </Group>
          <Text size="sm" c="dimmed" lineClamp={2}>
            {agent.description}
          </Text>
        </div>
      </Group>
      <Group gap="xs" wrap="nowrap">
        {manages ? (
          <Select
            aria-label={words.scopeOf(name)}
            data={SCOPES.map(({ value, label }) => ({
              value,
              label: value === usualScope ? `${label} (${words.usual})` : label,
            }))}
            value={change.isPending ? change.variables : scope}
            allowDeselect={false}
            disabled={change.isPending}
            onChange={(next) => next && next !== scope && change.mutate(next as Scope)}
            w={{ base: 260, sm: 330 }}
          />
        ) : (
          <Text size="sm">{words.scopes[scope]}</Text>
        )}
        {mayRemove && (
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={words.takeOutNamed(name)}
            loading={remove.isPending}
            onClick={() => void askRemove()}
          >
            <IconUserMinus size={18} aria-hidden />
          </ActionIcon>
        )}
      </Group>
    </li>
  );
}

interface AgentChoice {
  id: string;
  name: string;
  state: string;
  description: string;
}

function AddAgent({ client, path, room, onClose }: Pick<Props, "client" | "path" | "room"> & { onClose: () => void }) {
  const [agent, setAgent] = useState<string | null>(null);
  const [scope, setScope] = useState<Scope>("member");
  const { data, error } = useGet<{ items: AgentChoice[] }>("agents", inClient(client, "agents"), {
    limit: 100,
  });
  const here = room.agents.map(({ id }) => id);
  const free = data?.items.filter(({ id, state }) => (state === "active" || state === "paused") && !here.includes(id));
  const nameOf = (id: string) => free?.find((one) => one.id === id)?.name ?? "";
  const add = useSend((body: { agent: string; scope: Scope }) => post(`${path}/agents`, body), {
    topics: ["teams", "agents"],
    said: (_, body) => words.agentAdded(nameOf(body.agent)),
    onDone: onClose,
    inline: true,
  });
  return (
    <Modal opened onClose={onClose} title={words.addAgent} closeButtonProps={{ "aria-label": texts.shell.close }}>
      <Stack>
        {free?.length === 0 ? (
          <Text>{words.noAgentLeft}</Text>
        ) : (
          <Select
            label={words.agent}
            description={words.agentHint}
            data-autofocus
            searchable
            data={(free ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            value={agent}
            onChange={setAgent}
          />
        )}
        <Select
          label={words.scope}
          data={SCOPES}
          value={scope}
          allowDeselect={false}
          onChange={(next) => next && setScope(next as Scope)}
        />
        <Trouble error={error ?? add.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {texts.shell.cancel}
          </Button>
          <Button disabled={!agent} loading={add.isPending} onClick={() => agent && add.mutate({ agent, scope })}>
            {texts.teams.add}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
