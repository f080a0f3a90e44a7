import {
  Button,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type FormEvent, useState } from "react";
import type { ScheduleView } from "../../../api/schedules.ts";
import type { RoomView } from "../../../api/teams-views.ts";
import { fieldErrors, post, useGet, usePages, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMe } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { nameOf } from "../teams/peoples-rooms.tsx";
import { PersonField } from "./person-field.tsx";

const words = texts.schedules.form;
type Kind = keyof typeof words.kinds;

interface Wish {
  room: string;
  agent: string;
  person: string;
  task: string;
  kind: Kind;
  count: number;
  /** Minutes. */
  unit: number;
  /** As the field has it, in the viewer's zone. */
  at: string;
  cron: string;
  zone: string;
}

const BLANK: Wish = {
  room: "",
  agent: "",
  person: "",
  task: "",
  kind: "every",
  count: 1,
  unit: 1440,
  at: "",
  cron: "0 9 * * 1",
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
};

/** A task for an agent in a room, once or again and again. */
export function NewSchedule({ client, close }: { client: string; close: () => void }) {
  const [wish, setWish] = useState(BLANK);
  const operator = useMe().kind === "operator";
  const change = (part: Partial<Wish>) => setWish((before) => ({ ...before, ...part }));
  const making = useSend(() => post<ScheduleView>(inClient(client, "schedules"), bodyOf(wish, operator)), {
    topics: ["schedules"],
    inline: true,
    said: words.made,
    onDone: close,
  });
  const errors = fieldErrors(making.error);
  const whole =
    wish.room && wish.agent && wish.task.trim() && (!operator || wish.person) && (wish.kind !== "once" || wish.at);
  return (
    <Modal opened onClose={close} title={words.title} size="lg" closeButtonProps={{ "aria-label": texts.shell.close }}>
      <Stack
        component="form"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          if (whole) making.mutate(undefined);
        }}
      >
        <Place client={client} wish={wish} change={change} />
        {operator && (
          <PersonField
            key={wish.room}
            client={client}
            room={wish.room}
            value={wish.person}
            error={errors.person}
            onChange={(person) => change({ person })}
          />
        )}
        <Textarea
          label={words.task}
          placeholder={words.taskPlaceholder}
          value={wish.task}
          autosize
          minRows={2}
          maxLength={4000}
          error={errors.task}
          onChange={(event) => change({ task: event.currentTarget.value })}
        />
        <Time wish={wish} change={change} />
        {Object.keys(errors).length === 0 && <Trouble error={making.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {texts.shell.cancel}
          </Button>
          <Button type="submit" disabled={!whole} loading={making.isPending}>
            {words.make}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function bodyOf({ room, agent, person, task, ...when }: Wish, operator: boolean) {
  const time =
    when.kind === "once"
      ? { at: new Date(when.at).toISOString() }
      : when.kind === "every"
        ? { everyMinutes: when.count * when.unit }
        : { cron: when.cron, zone: when.zone };
  return { room, agent, task, time, ...(operator ? { person } : {}) };
}

interface PartProps {
  wish: Wish;
  change: (part: Partial<Wish>) => void;
}

/** The room, then an agent that is in it. */
function Place({ client, wish, change }: PartProps & { client: string }) {
  const operator = useMe().kind === "operator";
  const [typed, setTyped] = useState("");
  const [q] = useDebouncedValue(typed.trim(), 250);
  const rooms = usePages<RoomView>("teams", inClient(client, "rooms"), { q, archived: false, limit: 50 });
  const { data: room } = useGet<RoomView>("teams", wish.room ? inClient(client, "rooms", wish.room) : null);
  const choices = rooms.items.map((one) => ({ value: one.id, label: nameOf(one) }));
  if (room && !choices.some(({ value }) => value === room.id)) choices.unshift({ value: room.id, label: nameOf(room) });
  return (
    <Group align="flex-start" gap="sm">
      <Select
        flex="1 1 14rem"
        label={words.room}
        description={operator ? words.roomHelpOperator : words.roomHelp}
        data={choices}
        value={wish.room || null}
        searchable
        nothingFoundMessage={words.noRooms}
        onSearchChange={setTyped}
        onChange={(next) => change({ room: next ?? "", agent: "", person: "" })}
      />
      <Select
        flex="1 1 14rem"
        label={words.agent}
        description={words.agentHelp}
        data={(room?.agents ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        value={wish.agent || null}
        disabled={!room}
        onChange={(agent) => change({ agent: agent ?? "" })}
      />
    </Group>
  );
}

function Time({ wish, change }: PartProps) {
  return (
    <Stack gap="xs" role="group" aria-label={words.how}>
      <Text size="sm" fw={500}>
        {words.how}
      </Text>
      <SegmentedControl
        aria-label={words.how}
        value={wish.kind}
        data={Object.entries(words.kinds).map(([value, label]) => ({ value, label }))}
        onChange={(kind) => change({ kind: kind as Kind })}
      />
      {wish.kind === "every" && <Every wish={wish} change={change} />}
      {wish.kind === "once" && (
        <TextInput
          type="datetime-local"
          label={words.at}
          value={wish.at}
          onChange={(event) => change({ at: event.currentTarget.value })}
        />
      )}
      {wish.kind === "cron" && (
        <Group align="flex-start" gap="sm">
          <TextInput
            flex="2 1 14rem"
            label={words.cron}
            description={words.cronHelp}
            value={wish.cron}
            ff="monospace"
            onChange={(event) => change({ cron: event.currentTarget.value })}
          />
          <TextInput
            flex="1 1 9rem"
            label={words.zone}
            value={wish.zone}
            onChange={(event) => change({ zone: event.currentTarget.value })}
          />
        </Group>
      )}
    </Stack>
  );
}

function Every({ wish, change }: PartProps) {
  return (
    <Group align="flex-end" gap="sm">
      <NumberInput
        flex="1 1 6rem"
        label={words.number}
        value={wish.count}
        min={1}
        max={1000}
        allowDecimal={false}
        allowNegative={false}
        onChange={(count) => change({ count: Number(count) || 1 })}
      />
      <Select
        flex="1 1 9rem"
        label={words.unit}
        data={Object.entries(words.units).map(([value, label]) => ({ value, label }))}
        value={String(wish.unit)}
        allowDeselect={false}
        onChange={(unit) => change({ unit: Number(unit) || 1 })}
      />
    </Group>
  );
}
