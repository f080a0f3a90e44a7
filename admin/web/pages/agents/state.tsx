import { Group } from "@mantine/core";
import type { AgentItem } from "../../../api/agents-views.ts";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";

const TONES: Record<AgentItem["state"], Tone> = {
  draft: "quiet",
  creating: "busy",
  active: "good",
  paused: "warn",
  removing: "busy",
  removed: "quiet",
};

/** What an agent is doing, and whether something of it is unpublished. */
export const AgentState = ({ state, hasDraft }: { state: AgentItem["state"]; hasDraft: boolean | null }) => (
  <Group gap={6}>
    <StateBadge tone={TONES[state]}>{texts.agents.states[state]}</StateBadge>
    {hasDraft && state !== "draft" && <StateBadge tone="busy">{texts.agents.unpublished}</StateBadge>}
  </Group>
);
