import { Button, SimpleGrid, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconCheck, IconRobot, IconSitemap, IconUserPlus } from "@tabler/icons-react";
import { Link } from "wouter";
import type { ClientHomeView } from "../../../api/home.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { making } from "../../parts/use-making.ts";
import { texts } from "../../texts.ts";
import classes from "./home.module.css";

const words = texts.home;
type Step = NonNullable<ClientHomeView["steps"]>[number];
const ICONS = { team: IconSitemap, agent: IconRobot, people: IconUserPlus };
const TONES = { done: "good", next: "busy", later: "quiet" } as const;

/** What comes next while a client has little yet. */
export const Steps = ({ steps }: { steps: readonly Step[] }) => (
  <Stack gap="xs" component="section">
    <Title order={2}>{words.stepsTitle}</Title>
    <SimpleGrid component="ol" cols={{ base: 1, sm: 3 }} spacing="sm" m={0} p={0} className={classes.list}>
      {steps.map((step) => (
        <StepCard step={step} key={step.kind} />
      ))}
    </SimpleGrid>
  </Stack>
);

function StepCard({ step: { kind, state, link } }: { step: Step }) {
  const { title, text, go } = words.steps[kind];
  const Icon = state === "done" ? IconCheck : ICONS[kind];
  return (
    <Stack component="li" className="agt-card" p="md" gap="xs" align="flex-start">
      <ThemeIcon
        variant={state === "next" ? "filled" : "light"}
        color={state === "later" ? "gray" : "leaf"}
        size={44}
        radius="xl"
      >
        <Icon size={24} aria-hidden />
      </ThemeIcon>
      <StateBadge tone={TONES[state]}>{words.stepStates[state]}</StateBadge>
      <Text fw={600}>{title}</Text>
      <Text size="sm" c="dimmed">
        {text}
      </Text>
      {state !== "done" && (
        <Button component={Link} href={making(link)} variant={state === "next" ? "filled" : "default"} mt="auto">
          {go}
        </Button>
      )}
    </Stack>
  );
}
