import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** A list without anything in it: what it would hold, what to do, and the button for it. */
export function Empty({
  title,
  text,
  action,
  icon,
}: {
  title: string;
  text: string;
  action?: ReactNode;
  icon?: ReactNode;
}) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" className="agt-card">
      {icon}
      <Text fw={600}>{title}</Text>
      <Text c="dimmed" ta="center" maw={460}>
        {text}
      </Text>
      {action}
    </Stack>
  );
}
