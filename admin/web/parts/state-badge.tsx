import { Badge } from "@mantine/core";

export type Tone = "good" | "busy" | "warn" | "bad" | "quiet";
const COLORS: Record<Tone, string> = { good: "leaf", busy: "blue", warn: "yellow", bad: "red", quiet: "gray" };

/** A state as a word on its colour: `<StateBadge tone="good">{texts.clients.states.running}</StateBadge>`. */
export const StateBadge = ({ tone, children }: { tone: Tone; children: string }) => (
  <Badge color={COLORS[tone]} variant="light" tt="none" fw={600} radius="sm" styles={WHOLE}>
    {children}
  </Badge>
);

/** It is a word or two: columns are as wide as it needs. */
const WHOLE = { root: { maxWidth: "none" }, label: { overflow: "visible" } } as const;
