import { Group } from "@mantine/core";
import type { FormItem } from "../../../api/forms-views.ts";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";

const TONES: Record<FormItem["state"], Tone> = { draft: "quiet", active: "good", paused: "warn" };

/** Whether it can be filled in, and whether something of it is unpublished. */
export const FormState = ({ state, hasDraft }: Pick<FormItem, "state" | "hasDraft">) => (
  <Group gap={6}>
    <StateBadge tone={TONES[state]}>{texts.forms.states[state]}</StateBadge>
    {hasDraft && state !== "draft" && <StateBadge tone="busy">{texts.forms.unpublished}</StateBadge>}
  </Group>
);
