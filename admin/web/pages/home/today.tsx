import { Group, Progress, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconCoins, IconMessageCircle, IconUserPlus, IconUsers } from "@tabler/icons-react";
import type { ComponentType, ReactNode } from "react";
import type { TodayView } from "../../../api/home.ts";
import { texts } from "../../texts.ts";
import classes from "./home.module.css";

const words = texts.home;

/** Four figures since midnight. */
export function Today({ today }: { today: TodayView }) {
  const { answers, tokens, tokensCap, peopleActive, newPeople } = today;
  return (
    <Stack gap="xs" component="section">
      <Title order={2}>{words.today}</Title>
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="sm">
        <Figure icon={IconMessageCircle} title={words.answers} value={answers} />
        <Figure icon={IconCoins} title={words.tokens} value={tokens}>
          {tokensCap !== null && (
            <>
              <Text size="xs" c="dimmed">
                {words.tokensOf(tokensCap)}
              </Text>
              <Progress
                value={Math.min(100, (100 * tokens) / Math.max(1, tokensCap))}
                color={tokens >= 0.9 * tokensCap ? "red" : "leaf"}
                size="sm"
                aria-label={words.tokens}
              />
            </>
          )}
        </Figure>
        <Figure icon={IconUsers} title={words.peopleActive} value={peopleActive} />
        <Figure icon={IconUserPlus} title={words.newPeople} value={newPeople} />
      </SimpleGrid>
      <Text size="xs" c="dimmed">
        {words.todayHint}
      </Text>
    </Stack>
  );
}

function Figure({
  icon: Icon,
  title,
  value,
  children,
}: {
  icon: ComponentType<{ size?: number; "aria-hidden"?: boolean }>;
  title: string;
  value: number;
  children?: ReactNode;
}) {
  return (
    <Stack className={`agt-card ${classes.figure}`} p="md" gap={4}>
      <Group gap={6} c="dimmed" wrap="nowrap">
        <Icon size={18} aria-hidden />
        <Text size="sm">{title}</Text>
      </Group>
      <Text fz={26} fw={700} lh={1.2}>
        {words.number(value)}
      </Text>
      {children}
    </Stack>
  );
}
