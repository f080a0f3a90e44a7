import { Group, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import {
  IconAlertTriangle,
  IconBuilding,
  IconChevronRight,
  IconCircleCheck,
  IconCpu,
  IconDatabase,
  IconGauge,
  IconHandStop,
  IconMail,
  IconPencil,
  IconPlayerPause,
  IconRobot,
  IconServerOff,
  IconShieldLock,
  IconSitemap,
  IconTool,
  IconUserOff,
} from "@tabler/icons-react";
import type { ComponentType } from "react";
import { Link } from "wouter";
import type { AttentionView } from "../../../api/home.ts";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import classes from "./home.module.css";

const words = texts.home;
type Icon = ComponentType<{ size?: number; "aria-hidden"?: boolean }>;

/** A picture and how urgent it is, for those who look rather than read. */
const LOOKS: Record<AttentionView["kind"], [Icon, string]> = {
  client_down: [IconServerOff, "red"],
  approvals_waiting: [IconHandStop, "blue"],
  no_model: [IconCpu, "red"],
  failed_runs: [IconAlertTriangle, "red"],
  calls_unknown: [IconTool, "red"],
  calls_failed: [IconTool, "red"],
  token_cap: [IconGauge, "orange"],
  team_problem: [IconSitemap, "orange"],
  backup_failed: [IconDatabase, "red"],
  backup_old: [IconDatabase, "yellow"],
  backup_none: [IconDatabase, "yellow"],
  no_second_factor: [IconShieldLock, "yellow"],
  agents_draft: [IconPencil, "blue"],
  agents_paused: [IconPlayerPause, "gray"],
  agents_roomless: [IconRobot, "blue"],
  invites_expiring: [IconMail, "yellow"],
  invites_unused: [IconMail, "gray"],
  people_suspended: [IconUserOff, "gray"],
};

/** What needs a look; each line leads to where it is mended. */
export function AttentionList({ items, allGood }: { items: readonly AttentionView[]; allGood: string }) {
  return (
    <Stack gap="xs" component="section">
      <Title order={2}>{words.attentionTitle}</Title>
      {items.length === 0 ? <AllGood text={allGood} /> : <Lines items={items} />}
    </Stack>
  );
}

const Lines = ({ items }: { items: readonly AttentionView[] }) => (
  <Stack component="ul" gap="xs" m={0} p={0} aria-label={words.attentionList} className={classes.list}>
    {items.map((item) => (
      <li key={`${item.kind} ${item.client?.id ?? ""} ${item.names.join()}`}>
        <Line item={item} />
      </li>
    ))}
  </Stack>
);

function Line({ item }: { item: AttentionView }) {
  const [Icon, color] = LOOKS[item.kind];
  const { title, text } = words.attention[item.kind](item);
  const inside = (
    <>
      <ThemeIcon variant="light" color={color} size={40} radius="md">
        <Icon size={22} aria-hidden />
      </ThemeIcon>
      <div className={classes.words}>
        {item.client && (
          <Group gap={4} c="dimmed">
            <IconBuilding size={14} aria-hidden />
            <Text size="xs" fw={600}>
              {item.client.title}
            </Text>
          </Group>
        )}
        <Text fw={600}>{title}</Text>
        <Text size="sm" c="dimmed" lineClamp={3}>
          {text} {item.at && <When at={item.at} />}
        </Text>
      </div>
      {item.link !== null && <IconChevronRight size={18} aria-hidden />}
    </>
  );
  const look = `agt-card ${classes.line}`;
  if (item.link === null) return <div className={look}>{inside}</div>;
  return (
    <Link href={item.link} className={look}>
      {inside}
    </Link>
  );
}

const AllGood = ({ text }: { text: string }) => (
  <Group className="agt-card" p="md" wrap="nowrap">
    <ThemeIcon variant="light" color="leaf" size={40} radius="xl">
      <IconCircleCheck size={24} aria-hidden />
    </ThemeIcon>
    <div>
      <Text fw={600}>{words.allGood}</Text>
      <Text size="sm" c="dimmed">
        {text}
      </Text>
    </div>
  </Group>
);
