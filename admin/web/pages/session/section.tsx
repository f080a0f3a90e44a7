import { Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

/** One part of the account page. */
export function Section({
  title,
  text,
  action,
  children,
}: {
  title: string;
  text?: string;
  action?: ReactNode;
  children?: ReactNode;
}) {
  const id = useId();
  return (
    <Stack component="section" aria-labelledby={id} className="agt-card" p={{ base: "md", sm: "lg" }} gap="md">
      <Group justify="space-between" gap="sm">
        <Stack gap={2} flex="1 1 14rem">
          <Title order={2} id={id}>
            {title}
          </Title>
          {text && (
            <Text size="sm" c="dimmed">
              {text}
            </Text>
          )}
        </Stack>
        {action}
      </Group>
      {children}
    </Stack>
  );
}
