import { Anchor, Group, Text, Tooltip } from "@mantine/core";
import { IconArchive, IconHash } from "@tabler/icons-react";
import { Link } from "wouter";
import type { RoomView } from "../../../api/teams-views.ts";
import { AgentFace } from "../../parts/agent-face.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import classes from "./teams.module.css";

const words = texts.teams;
const SHOWN = 5;

/** A room within its team: what it is for, who is in it. */
export const RoomLine = ({ client, room }: { client: string; room: RoomView }) => (
  <li className={classes.room}>
    <div className={classes.roomWords}>
      <Group gap={6} wrap="nowrap">
        {room.archivedAt ? <IconArchive size={18} aria-hidden /> : <IconHash size={18} aria-hidden />}
        <Anchor component={Link} href={to.room(client, room.id)} fw={600}>
          {room.name ?? words.room.unnamed}
        </Anchor>
      </Group>
      {room.topic && (
        <Text size="sm" c="dimmed" lineClamp={1}>
          {room.topic}
        </Text>
      )}
    </div>
    <Group gap="md" wrap="nowrap">
      <Faces client={client} room={room} />
      <Text size="sm" c="dimmed">
        {words.people(room.people)}
      </Text>
    </Group>
  </li>
);

/** Faces with their names beside the pointer; a screen reader hears names and scopes. */
export function Faces({ client, room: { agents, agentCount } }: { client: string; room: RoomView }) {
  if (agents.length === 0) return null;
  const names = agents.map(({ name, scope }) => `${name} (${scope})`).join(", ");
  return (
    <Tooltip label={names} withinPortal>
      <Group gap={4} wrap="nowrap">
        {agents.slice(0, SHOWN).map(({ id }) => (
          <AgentFace client={client} agent={id} size={26} key={id} />
        ))}
        {agentCount > SHOWN && <Text size="xs">+{agentCount - Math.min(SHOWN, agents.length)}</Text>}
        <span className="agt-sr">{names}</span>
      </Group>
    </Tooltip>
  );
}
