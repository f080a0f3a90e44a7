import { Anchor, Group, Stack, Text } from "@mantine/core";
import { IconThumbDown, IconThumbUp } from "@tabler/icons-react";
import { Link } from "wouter";
import type { AgentItem } from "../../../api/agents-views.ts";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { Face } from "./face.tsx";
import { AgentState } from "./state.tsx";

const { agents: words } = texts;

/** One agent in the gallery; the whole card leads to it. */
export function AgentCard({ client, agent }: { client: string; agent: AgentItem }) {
  return (
    <Stack component="li" className="agt-card agt-link-card" p="md" gap="sm" style={{ position: "relative" }}>
      <Group wrap="nowrap" gap="sm" align="flex-start">
        <Face client={client} agent={agent.id} size={52} version={agent.face} draft={agent.state === "draft"} />
        <Stack gap={4} miw={0}>
          <Anchor component={Link} href={to.agent(client, agent.id)} fw={650} className="agt-card-link">
            {agent.name}
          </Anchor>
          <AgentState state={agent.state} hasDraft={agent.hasDraft} />
        </Stack>
      </Group>
      <Text size="sm" c={agent.description ? undefined : "dimmed"} lineClamp={3} flex={1}>
        {agent.description || words.noPurpose}
      </Text>
      {agent.runs !== null && agent.state !== "draft" && (
        <Group gap="sm" c="dimmed">
          <Text size="xs">{words.figures(agent.runs)}</Text>
          {(agent.up ?? 0) + (agent.down ?? 0) > 0 && <Votes up={agent.up ?? 0} down={agent.down ?? 0} />}
        </Group>
      )}
    </Stack>
  );
}

function Votes({ up, down }: { up: number; down: number }) {
  return (
    <Group gap={6} role="img" aria-label={words.liked(up, down)} title={words.liked(up, down)}>
      <IconThumbUp size={14} aria-hidden />
      <Text size="xs" aria-hidden>
        {up}
      </Text>
      <IconThumbDown size={14} aria-hidden />
      <Text size="xs" aria-hidden>
        {down}
      </Text>
    </Group>
  );
}
