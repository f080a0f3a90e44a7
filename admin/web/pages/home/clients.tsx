import { Anchor, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { Link } from "wouter";
import type { OperatorHomeView } from "../../../api/home.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { HomeserverState } from "../clients/state.tsx";
import classes from "./home.module.css";

const words = texts.home;

/** The first few clients, each a way in; those that need a look come first. */
export const Clients = ({ clients }: { clients: OperatorHomeView["clients"] }) => (
  <Stack gap="xs" component="section">
    <Group justify="space-between">
      <Title order={2}>{words.clientsTitle}</Title>
      <Anchor component={Link} href={to.clients()} size="sm">
        {words.allClients}
      </Anchor>
    </Group>
    <SimpleGrid component="ul" cols={{ base: 1, sm: 2, lg: 3 }} spacing="sm" m={0} p={0} className={classes.list}>
      {clients.map((client) => (
        <Stack component="li" className="agt-card" p="md" gap={4} key={client.id}>
          <Group gap={6} justify="space-between">
            <Anchor component={Link} href={to.home(client.id)} fw={600}>
              {client.title}
            </Anchor>
            <Group gap={6}>
              <HomeserverState state={client.state} />
              {client.needsLook && <StateBadge tone="warn">{words.clientNeedsLook}</StateBadge>}
            </Group>
          </Group>
          <Text size="sm" c="dimmed">
            {client.serverName}
          </Text>
          <Text size="sm" c="dimmed">
            {words.clientCounts(client.people, client.agents)}
          </Text>
        </Stack>
      ))}
    </SimpleGrid>
  </Stack>
);
