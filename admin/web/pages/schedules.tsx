import { Anchor, Button, Group, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "wouter";
import type { ScheduleView } from "../../api/schedules.ts";
import { del, patch, usePages, useSend } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useThisClient } from "../me.tsx";
import { AgentFace } from "../parts/agent-face.tsx";
import { askFirst } from "../parts/ask.tsx";
import { Empty } from "../parts/empty.tsx";
import { Name } from "../parts/name.tsx";
import { Page } from "../parts/page.tsx";
import { type Column, PagedTable } from "../parts/paged-table.tsx";
import { StateBadge } from "../parts/state-badge.tsx";
import { exactTime, When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { NewSchedule } from "./schedules/new-schedule.tsx";

const words = texts.schedules;
const TONES = { active: "good", paused: "warn", done: "quiet", removed: "quiet" } as const;

/** What agents do by themselves. */
export default function SchedulesPage() {
  const client = useThisClient();
  const all = useMay("tools.read");
  const may = useMay("schedules.write");
  const [state, setState] = useState<string | null>(null);
  const [making, { open, close }] = useDisclosure(false);
  const pages = usePages<ScheduleView>("schedules", inClient(client, "schedules"), { state, limit: 50 });
  const does = useActions(client);
  const columns = useMemo(() => columnsOf(client, all, does), [client, all, does]);
  const make = may && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={open}>
      {words.make}
    </Button>
  );
  return (
    <Page title={words.title} lead={all ? words.lead : words.leadOwn} actions={make}>
      <Group role="search">
        <Select
          label={words.state}
          placeholder={words.anyState}
          data={(["active", "paused", "done"] as const).map((value) => ({ value, label: words.states[value] }))}
          value={state}
          clearable
          onChange={setState}
        />
      </Group>
      <PagedTable
        label={words.label}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={
          state ? (
            <Empty title={words.noneFits} text={words.noneFitsText} />
          ) : (
            <Empty title={words.none} text={words.noneText} />
          )
        }
      />
      {making && <NewSchedule client={client} close={close} />}
    </Page>
  );
}

interface Actions {
  set(schedule: ScheduleView, state: "active" | "paused"): void;
  remove(schedule: ScheduleView): void;
}

function useActions(client: string): Actions {
  const { mutate: change } = useSend(
    ({ id, state }: { id: string; state: "active" | "paused" }) => patch(inClient(client, "schedules", id), { state }),
    { topics: ["schedules"], said: (_, { state }) => (state === "paused" ? words.paused : words.resumed) },
  );
  const { mutate: remove } = useSend((id: string) => del(inClient(client, "schedules", id)), {
    topics: ["schedules"],
    said: words.removed,
  });
  return useMemo(() => {
    const ask = async (id: string) => {
      const question = { title: words.removeTitle, text: words.removeText, yes: words.remove, danger: true };
      if (await askFirst(question)) remove(id);
    };
    return { set: ({ id }, state) => change({ id, state }), remove: ({ id }) => void ask(id) };
  }, [change, remove]);
}

const Small = ({ children }: { children: ReactNode }) => (
  <Text size="sm" component="span">
    {children}
  </Text>
);

function columnsOf(client: string, all: boolean, does: Actions): Column<ScheduleView>[] {
  return [
    { id: "task", title: words.task, cell: (schedule) => <Task client={client} schedule={schedule} /> },
    {
      id: "state",
      title: words.state,
      cell: ({ state, time }) => (
        <StateBadge tone={TONES[state]}>{(time.kind === "once" ? words.onceStates : words.states)[state]}</StateBadge>
      ),
    },
    { id: "time", title: words.time, cell: (schedule) => <Small>{timeOf(schedule)}</Small> },
    ...(all
      ? [
          {
            id: "for",
            title: words.for,
            cell: (one: ScheduleView) => (
              <Small>
                <Name>{one.createdBy.name}</Name>
              </Small>
            ),
          },
        ]
      : []),
    { id: "next", title: words.next, cell: ({ nextAt }) => <Small>{nextAt ? <When at={nextAt} /> : "–"}</Small> },
    { id: "last", title: words.last, cell: (schedule) => <Last client={client} schedule={schedule} /> },
    { id: "do", title: "", align: "right", cell: (schedule) => <Buttons schedule={schedule} does={does} /> },
  ];
}

/** In words, as rooms are told it; a single time in the viewer's zone. */
const timeOf = ({ time, timeWords }: ScheduleView): string =>
  time.kind === "once" ? words.once(exactTime(time.at)) : timeWords.charAt(0).toUpperCase() + timeWords.slice(1);

function Task({ client, schedule }: { client: string; schedule: ScheduleView }) {
  const { agent, room, task, problem, untrusted } = schedule;
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start" maw={420}>
      <AgentFace client={client} agent={agent.id} size={28} />
      <Stack gap={2} miw={0}>
        <Text size="sm" fw={600} lineClamp={3} title={task}>
          <Name>{task}</Name>
        </Text>
        <Text size="xs" c="dimmed">
          <Name>{`${agent.name} ${texts.approvals.inRoom(room.name ?? words.unnamed)}`}</Name>
        </Text>
        {problem && <Text size="xs">{problem}</Text>}
        {untrusted && (
          <Text size="xs" c="dimmed">
            {words.untrusted(untrusted)}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

function Last({ client, schedule }: { client: string; schedule: ScheduleView }) {
  const { lastRun, lastAt, times } = schedule;
  if (!lastRun || !lastAt) return <Small>{words.times(times)}</Small>;
  return (
    <Anchor component={Link} href={to.run(client, lastRun)} size="sm" title={words.times(times)}>
      <When at={lastAt} />
    </Anchor>
  );
}

function Buttons({ schedule, does }: { schedule: ScheduleView; does: Actions }) {
  const { state, task, mayChange } = schedule;
  if (!mayChange) return null;
  const verb = state === "paused" ? "resume" : "pause";
  return (
    <Group gap={6} justify="flex-end">
      {state !== "done" && (
        <Button
          size="xs"
          variant="default"
          aria-label={words.nameOf(words[verb], task)}
          onClick={() => does.set(schedule, state === "paused" ? "active" : "paused")}
        >
          {words[verb]}
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        aria-label={words.nameOf(words.remove, task)}
        onClick={() => does.remove(schedule)}
      >
        {words.remove}
      </Button>
    </Group>
  );
}
