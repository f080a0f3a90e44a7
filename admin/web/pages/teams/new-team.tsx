import { Button, Group, List, Modal, Stack, Text, Textarea, TextInput, ThemeIcon, UnstyledButton } from "@mantine/core";
import {
  IconChevronRight,
  IconCode,
  IconCompass,
  IconHash,
  IconHeartHandshake,
  IconLifebuoy,
  IconListCheck,
  IconPin,
  IconPlus,
  IconSitemap,
  IconSpeakerphone,
} from "@tabler/icons-react";
import { type ComponentType, type FormEvent, useState } from "react";
import type { TeamTemplateView, TeamView } from "../../../api/teams-views.ts";
import { fieldErrors, post, useGet, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import classes from "./teams.module.css";

const words = texts.teams;
const { wizard } = words;
type Icon = ComponentType<{ size?: number; "aria-hidden"?: boolean }>;

/** Pictures of the templates, for those who look rather than read. */
const ICONS: Record<string, Icon> = {
  marketing: IconSpeakerphone,
  support: IconLifebuoy,
  sales: IconHeartHandshake,
  project: IconListCheck,
  leadership: IconCompass,
  software: IconCode,
};

/** First what to begin with, then what will be made and its name. */
export function NewTeam({ client, onClose }: { client: string; onClose: () => void }) {
  const [chosen, setChosen] = useState<TeamTemplateView | "blank" | null>(null);
  return (
    <Modal
      opened
      onClose={onClose}
      title={wizard.title}
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      {chosen === null ? (
        <Choose onChoose={setChosen} />
      ) : (
        <Details client={client} chosen={chosen} onBack={() => setChosen(null)} onClose={onClose} />
      )}
    </Modal>
  );
}

function Choose({ onChoose }: { onChoose: (chosen: TeamTemplateView | "blank") => void }) {
  const { data, error, refetch } = useGet<{ items: TeamTemplateView[] }>("templates", "/team-templates");
  return (
    <Stack gap="xs">
      <Text>{wizard.pick}</Text>
      <Trouble error={error} again={() => void refetch()} />
      {!data && !error && <Waiting height={60} />}
      {data?.items.map((template) => (
        <Choice
          key={template.id}
          icon={ICONS[template.id] ?? IconSitemap}
          title={template.title}
          text={template.description}
          onClick={() => onChoose(template)}
        />
      ))}
      <Choice icon={IconPlus} title={wizard.blank} text={wizard.blankText} onClick={() => onChoose("blank")} />
    </Stack>
  );
}

const Choice = ({
  icon: Icon,
  title,
  text,
  onClick,
}: {
  icon: Icon;
  title: string;
  text: string;
  onClick: () => void;
}) => (
  <UnstyledButton className={`agt-card ${classes.choice}`} onClick={onClick}>
    <ThemeIcon component="span" variant="light" size={40} radius="md">
      <Icon size={24} aria-hidden />
    </ThemeIcon>
    <span className={classes.roomWords}>
      <Text span fw={600} display="block">
        {title}
      </Text>
      <Text span size="sm" c="dimmed">
        {text}
      </Text>
    </span>
    <IconChevronRight size={18} aria-hidden />
  </UnstyledButton>
);

interface NewTeamBody {
  name: string;
  template?: string;
  rooms?: { name: string }[];
}

interface DetailsProps {
  client: string;
  chosen: TeamTemplateView | "blank";
  onBack: () => void;
  onClose: () => void;
}

function Details({ client, chosen, onBack, onClose }: DetailsProps) {
  const [name, setName] = useState(chosen === "blank" ? "" : chosen.title);
  const [rooms, setRooms] = useState("general");
  const sending = useSend((body: NewTeamBody) => post<TeamView>(inClient(client, "teams"), body), {
    topics: ["teams"],
    said: (team) => wizard.started(team.name),
    onDone: onClose,
    inline: true,
  });
  const errors = fieldErrors(sending.error);
  const named = rooms.split("\n").flatMap((line) => (line.trim() ? [{ name: line.trim() }] : []));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    sending.mutate({ name: name.trim(), ...(chosen === "blank" ? { rooms: named } : { template: chosen.id }) });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label={wizard.name}
          data-autofocus
          required
          maxLength={100}
          value={name}
          error={errors.name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {chosen === "blank" ? (
          <Textarea
            label={wizard.rooms}
            description={wizard.roomsHint}
            autosize
            minRows={3}
            value={rooms}
            onChange={(event) => setRooms(event.currentTarget.value)}
          />
        ) : (
          <Preview template={chosen} />
        )}
        {!errors.name && <Trouble error={sending.error} />}
        <Group justify="space-between">
          <Button variant="default" onClick={onBack}>
            {wizard.back}
          </Button>
          <Button type="submit" loading={sending.isPending} disabled={!name.trim()}>
            {wizard.make}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

/** What will be made, before it is. */
const Preview = ({ template }: { template: TeamTemplateView }) => (
  <Stack gap="xs">
    <Text fw={600}>{wizard.willMake}</Text>
    <List spacing={6} size="sm" center={false} aria-label={wizard.roomList}>
      {template.rooms.map((room) => (
        <List.Item key={room.name} icon={<IconHash size={16} aria-hidden />}>
          <Text span fw={600} size="sm">
            {room.name}
          </Text>
          <Text size="sm" c="dimmed">
            {room.topic}
          </Text>
        </List.Item>
      ))}
    </List>
    <List spacing={6} size="sm" aria-label={wizard.agentList} listStyleType="none">
      {template.agents.map((agent) => (
        <List.Item key={agent.templateId}>
          <Text span fw={600} size="sm">
            {agent.name}
          </Text>{" "}
          <Text span size="sm" c="dimmed">
            ({agent.title}) {wizard.into(agent.rooms)}
          </Text>
        </List.Item>
      ))}
    </List>
    <Text size="sm" c="dimmed">
      {wizard.shared}
    </Text>
    <Group gap={6} c="dimmed" wrap="nowrap" className={classes.pin}>
      <IconPin size={16} aria-hidden />
      <Text size="sm">{wizard.welcome}</Text>
    </Group>
  </Stack>
);
