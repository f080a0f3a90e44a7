import { Button, Group, Modal, Select, Stack, Textarea } from "@mantine/core";
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
import { BLANK_TIME, TimeFields, type TimeWish, timeBody } from "./time-fields.tsx";

const words = texts.schedules.form;

interface Wish extends TimeWish {
  room: string;
  agent: string;
  person: string;
  task: string;
}

const BLANK: Wish = { room: "", agent: "", person: "", task: "", ...BLANK_TIME };

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
  const whole = wish.room && wish.agent && wish.task.trim() && (!operator || wish.person) && timeBody(wish);
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
        <TimeFields wish={wish} change={change} />
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

const bodyOf = (wish: Wish, operator: boolean) => ({
  room: wish.room,
  agent: wish.agent,
  task: wish.task,
  time: timeBody(wish),
  ...(operator ? { person: wish.person } : {}),
});

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
