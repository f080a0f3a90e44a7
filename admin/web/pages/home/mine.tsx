import { Anchor, Button, Group, List, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconExternalLink, IconMessages } from "@tabler/icons-react";
import { Link } from "wouter";
import type { ClientHomeView, QuestionView } from "../../../api/home.ts";
import type { RoomView } from "../../../api/teams-views.ts";
import { useMay } from "../../me.tsx";
import { AgentFace } from "../../parts/agent-face.tsx";
import { Empty } from "../../parts/empty.tsx";
import { OpenInApp } from "../../parts/open-in-app.tsx";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import classes from "./home.module.css";

const words = texts.home;
const TONES: Record<string, Tone> = { done: "good", running: "busy", queued: "busy", failed: "bad" };

/** A person's own: rooms with the agents in them, how to ask, what was asked. */
export function Mine({ home, mine }: { home: ClientHomeView; mine: NonNullable<ClientHomeView["mine"]> }) {
  const { client, elementUrl } = home;
  return (
    <>
      <Stack gap="xs" component="section">
        <Title order={2}>{words.roomsTitle}</Title>
        {mine.rooms.length === 0 ? (
          <NoRooms client={client.id} />
        ) : (
          <SimpleGrid component="ul" cols={{ base: 1, sm: 2, lg: 3 }} spacing="sm" m={0} p={0} className={classes.list}>
            {mine.rooms.map((room) => (
              <RoomCard room={room} client={client.id} key={room.id} />
            ))}
          </SimpleGrid>
        )}
      </Stack>
      <Stack gap="xs" component="section" className="agt-card" p="md" align="flex-start">
        <Title order={2}>{words.howTitle}</Title>
        <List spacing={4} size="sm">
          {words.how.map((line) => (
            <List.Item key={line}>{line}</List.Item>
          ))}
        </List>
        {elementUrl ? (
          <Button component="a" href={elementUrl} leftSection={<IconExternalLink size={18} aria-hidden />}>
            {words.element}
          </Button>
        ) : (
          <Text size="sm" c="dimmed">
            {words.elementOther(client.homeserverUrl)}
          </Text>
        )}
      </Stack>
      <Stack gap="xs" component="section">
        <Title order={2}>{words.questionsTitle}</Title>
        {mine.questions.length === 0 ? (
          <Empty title={words.noQuestions} text={words.noQuestionsText} />
        ) : (
          <Stack component="ul" gap="xs" m={0} p={0} className={classes.list}>
            {mine.questions.map((question) => (
              <QuestionLine question={question} client={client.id} key={question.run} />
            ))}
          </Stack>
        )}
      </Stack>
    </>
  );
}

/** Who may make teams needs nobody to be put into one. */
function NoRooms({ client }: { client: string }) {
  const makesTeams = useMay("teams.write");
  const icon = <IconMessages size={36} aria-hidden />;
  if (!makesTeams) return <Empty title={words.noRooms} text={words.noRoomsText} icon={icon} />;
  const go = (
    <Button component={Link} href={to.teams(client)} variant="default">
      {words.toTeams}
    </Button>
  );
  return <Empty title={words.noTeam} text={words.noTeamText} icon={icon} action={go} />;
}

function RoomCard({ room, client }: { room: RoomView; client: string }) {
  const name = room.name ?? room.agents.map((agent) => agent.name).join(", ");
  return (
    <Stack component="li" className="agt-card" p="md" gap="xs">
      <div>
        <Anchor component={Link} href={to.room(client, room.id)} fw={600}>
          {name || words.unnamed}
        </Anchor>
        <Text size="sm" c="dimmed" lineClamp={2}>
          {[room.team?.name, room.topic].filter(Boolean).join(" · ") || words.people(room.people)}
        </Text>
      </div>
      {room.agents.length > 0 ? (
        <Group gap="xs">
          {room.agents.slice(0, 6).map((agent) => (
            <Group gap={6} key={agent.id} wrap="nowrap">
              <AgentFace client={client} agent={agent.id} size={26} />
              <Text size="sm">{agent.name}</Text>
            </Group>
          ))}
        </Group>
      ) : (
        <Text size="sm" c="dimmed">
          {words.noAgentsHere}
        </Text>
      )}
      <OpenInApp client={client} link={room.link} name={name || words.unnamed}>
        {(href) => (
          <Button
            component="a"
            href={href}
            rel="noreferrer"
            variant="default"
            mt="auto"
            aria-label={words.openRoomNamed(name || words.unnamed)}
            leftSection={<IconExternalLink size={16} aria-hidden />}
          >
            {words.openRoom}
          </Button>
        )}
      </OpenInApp>
    </Stack>
  );
}

const QuestionLine = ({ question, client }: { question: QuestionView; client: string }) => (
  <Group component="li" className="agt-card" p="sm" gap="sm" wrap="nowrap">
    <AgentFace client={client} agent={question.agent.id} />
    <div className={classes.words}>
      <Anchor component={Link} href={to.run(client, question.run)} lineClamp={2}>
        {question.text ?? words.erased}
      </Anchor>
      <Group gap="xs">
        <Text size="xs" c="dimmed">
          {words.asked(question.agent.name, question.room.name ?? words.unnamed)} · <When at={question.at} />
        </Text>
        <StateBadge tone={TONES[question.state] ?? "quiet"}>
          {words.runStates[question.state] ?? question.state}
        </StateBadge>
      </Group>
    </div>
    <OpenInApp client={client} link={question.link} name={null}>
      {(href) => (
        <Anchor href={href} rel="noreferrer" size="sm" aria-label={words.openQuestion}>
          <IconExternalLink size={18} aria-hidden />
        </Anchor>
      )}
    </OpenInApp>
  </Group>
);
