import { Button, SimpleGrid, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconBuilding, IconRobot } from "@tabler/icons-react";
import { Link } from "wouter";
import { making } from "../../parts/use-making.ts";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import classes from "./home.module.css";

const words = texts.home;

interface Card {
  icon: typeof IconRobot;
  words: { title: string; text: string; go: string };
  href: string;
}

/** What an operator does first on a platform where nothing has happened yet. */
export function Begin({ demo }: { demo: string | null }) {
  const client: Card = { icon: IconBuilding, words: words.begin.client, href: making(to.clients()) };
  const cards =
    demo === null ? [client] : [{ icon: IconRobot, words: words.begin.demo, href: making(to.agents(demo)) }, client];
  return (
    <Stack gap="xs" component="section">
      <Title order={2}>{words.beginTitle}</Title>
      <SimpleGrid component="ul" cols={{ base: 1, sm: 2 }} spacing="sm" m={0} p={0} className={classes.list}>
        {cards.map(({ icon: Icon, words: { title, text, go }, href }, index) => (
          <Stack component="li" className="agt-card" p="md" gap="xs" align="flex-start" key={href}>
            <ThemeIcon variant="light" color="leaf" size={44} radius="xl">
              <Icon size={24} aria-hidden />
            </ThemeIcon>
            <Text fw={600}>{title}</Text>
            <Text size="sm" c="dimmed">
              {text}
            </Text>
            <Button component={Link} href={href} variant={index === 0 ? "filled" : "default"} mt="auto">
              {go}
            </Button>
          </Stack>
        ))}
      </SimpleGrid>
    </Stack>
  );
}
