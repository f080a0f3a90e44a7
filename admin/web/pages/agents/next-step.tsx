import { Anchor, Button, CloseButton, Group, Paper, Stack, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { Link } from "wouter";
import type { AgentView } from "../../../api/agents-views.ts";
import type { RoomView } from "../../../api/teams-views.ts";
import { useMay } from "../../me.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { OpenInApp } from "../../parts/open-in-app.tsx";
import { making } from "../../parts/use-making.ts";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { InviteToRooms } from "./invite-rooms.tsx";

const words = texts.agents.next;
const { may } = texts.tools;

/** After an agent was published for the first time: how people get their first answer. */
export function NextStep({ client, agent, close }: { client: string; agent: AgentView; close: () => void }) {
  const mayPlace = useMay("teams.write");
  const mayInvite = useMay("invites.write");
  const [opened, dialog] = useDisclosure(false);
  const [rooms, setRooms] = useState<RoomView[]>([]);
  return (
    <Paper className="agt-card agt-next" p="md" component="section" aria-label={words.title(agent.name)}>
      <Stack gap="sm">
        <Group justify="space-between" wrap="nowrap" align="flex-start">
          <Title order={2} size="h4">
            {words.title(agent.name)}
          </Title>
          <CloseButton aria-label={words.close} onClick={close} />
        </Group>
        <Group gap="sm">
          {mayPlace && (
            <Button onClick={dialog.open} variant={rooms.length > 0 ? "default" : "filled"}>
              {words.rooms}
            </Button>
          )}
          {rooms.map((room) => (
            <OpenInApp key={room.id} client={client} link={room.link} name={room.name ?? texts.agents.rooms.unnamed}>
              {(href) => (
                <Anchor href={href} target="_blank" rel="noreferrer">
                  {words.openRoom(room.name ?? texts.agents.rooms.unnamed)}
                </Anchor>
              )}
            </OpenInApp>
          ))}
          {mayInvite && rooms.length > 0 && (
            <Button component={Link} href={making(to.invites(client))}>
              {words.people}
            </Button>
          )}
        </Group>
        <Ways agent={agent} />
      </Stack>
      {opened && <InviteToRooms client={client} agent={agent} close={dialog.close} onDone={setRooms} />}
    </Paper>
  );
}

/** For those who may not look into it: what it is for, and how to ask it. */
export function HowToAsk({ agent }: { agent: AgentView }) {
  return (
    <Stack className="agt-card" p="md" gap="sm" component="section" aria-label={words.how}>
      {agent.description && <Text>{agent.description}</Text>}
      <Title order={2} size="h4">
        {words.how}
      </Title>
      <Ways agent={agent} />
      <MayDo agent={agent} />
    </Stack>
  );
}

/** Each with whether somebody is asked first. */
function MayDo({ agent }: { agent: AgentView }) {
  return (
    <>
      <Title order={2} size="h4">
        {may.title}
      </Title>
      {agent.mayUse.length === 0 && <Text>{may.nothing}</Text>}
      <Stack component="ul" gap={4} m={0} pl="md">
        {agent.mayUse.map(({ name, title, summary, policy }) => (
          <li key={name}>
            <Text size="sm">
              {title} <span style={{ color: "var(--mantine-color-dimmed)" }}>({may.policies[policy]})</span>
            </Text>
            <Text size="xs" c="dimmed">
              {summary}
            </Text>
          </li>
        ))}
      </Stack>
    </>
  );
}

function Ways({ agent }: { agent: AgentView }) {
  return (
    <>
      <Text>{words.ask(agent.name)}</Text>
      {agent.userId && (
        <Group gap="xs">
          <Text>{words.direct}</Text>
          <Text ff="monospace" size="sm">
            {agent.userId}
          </Text>
          <CopyButton text={agent.userId} />
        </Group>
      )}
    </>
  );
}
