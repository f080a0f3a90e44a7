import { Center, Paper, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import { texts } from "../../texts.ts";

/** A page for who is not signed in: one card in the middle. */
export function PublicPage({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${texts.shell.product}`;
  }, [title]);
  return (
    <Center mih="100dvh" p="md" component="main">
      <Paper className="agt-card" p={{ base: "lg", xs: "xl" }} w="100%" maw={460}>
        <Stack>
          <Text fw={700} c="leaf">
            {texts.shell.product}
          </Text>
          <Title order={1}>{title}</Title>
          {children}
        </Stack>
      </Paper>
    </Center>
  );
}
