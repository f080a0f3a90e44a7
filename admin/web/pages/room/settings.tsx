import { Button, Group, Radio, Stack, Text, Textarea, TextInput, Title } from "@mantine/core";
import { IconArchive, IconArchiveOff } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import type { RoomView } from "../../../api/teams-views.ts";
import { fieldErrors, patch, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.teams.room;
const HISTORIES = ["shared", "invited", "joined"] as const;

interface Change {
  name?: string;
  topic?: string;
  historyVisibility?: string;
}

/** Name, purpose, who reads history; and the end of it. */
export function RoomSettings({ path, room }: { path: string; room: RoomView }) {
  return (
    <Stack component="section" gap="xs" aria-label={words.settings}>
      <Title order={2}>{words.settings}</Title>
      {!room.archivedAt && <Facts path={path} room={room} />}
      <Archive path={path} room={room} />
    </Stack>
  );
}

function Facts({ path, room }: { path: string; room: RoomView }) {
  // Only what was typed here: a field that somebody else changes meanwhile shows theirs.
  const [typed, setTyped] = useState<Change>({});
  const name = typed.name ?? room.name ?? "";
  const topic = typed.topic ?? room.topic ?? "";
  const history = typed.historyVisibility ?? room.historyVisibility;
  const save = useSend((change: Change) => patch(path, change), {
    topics: ["teams"],
    said: words.saved,
    inline: true,
    onDone: () => setTyped({}),
  });
  const errors = fieldErrors(save.error);
  const change: Change = {
    ...(name.trim() === (room.name ?? "") ? {} : { name: name.trim() }),
    ...(topic.trim() === (room.topic ?? "") ? {} : { topic: topic.trim() }),
    ...(history === room.historyVisibility ? {} : { historyVisibility: history }),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(change);
  };
  return (
    <form onSubmit={submit}>
      <Stack className="agt-card" p="md">
        <TextInput
          label={texts.teams.name}
          description={words.nameHint}
          required
          value={name}
          error={errors.name}
          onChange={(event) => setTyped({ ...typed, name: event.currentTarget.value })}
        />
        <Textarea
          label={texts.teams.topic}
          description={texts.teams.topicHint}
          autosize
          value={topic}
          error={errors.topic}
          onChange={(event) => setTyped({ ...typed, topic: event.currentTarget.value })}
        />
        <Radio.Group
          label={words.history}
          description={words.historyHint}
          value={history}
          onChange={(next) => setTyped({ ...typed, historyVisibility: next })}
        >
          <Stack gap="xs" mt="xs">
            {HISTORIES.map((value) => (
              <Radio key={value} value={value} {...optionOf(value)} />
            ))}
          </Stack>
        </Radio.Group>
        {Object.keys(errors).length === 0 && <Trouble error={save.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={Object.keys(change).length === 0 || !name.trim()}>
            {texts.teams.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

const optionOf = (value: (typeof HISTORIES)[number]) => {
  const { label, text } = words.histories[value];
  return { label, description: text };
};

function Archive({ path, room }: { path: string; room: RoomView }) {
  const archive = useSend((archived: boolean) => patch(path, { archived }), {
    topics: ["teams"],
    said: (_, archived) => (archived ? texts.teams.archived : texts.teams.unarchived),
  });
  const ask = async () => {
    const question = { title: words.archiveTitle, text: words.archiveAsk(room.name ?? ""), yes: words.archiveYes };
    if (await askFirst({ ...question, danger: true })) archive.mutate(true);
  };
  if (room.archivedAt)
    return room.team?.archived ? null : (
      <Group>
        <Button
          loading={archive.isPending}
          leftSection={<IconArchiveOff size={18} aria-hidden />}
          onClick={() => archive.mutate(false)}
        >
          {texts.teams.unarchive}
        </Button>
      </Group>
    );
  return (
    <Group className="agt-card" p="md" justify="space-between" gap="sm">
      <Text size="sm" c="dimmed" maw={560}>
        {words.archiveText}
      </Text>
      <Button
        variant="default"
        loading={archive.isPending}
        leftSection={<IconArchive size={18} aria-hidden />}
        onClick={() => void ask()}
      >
        {words.archiveTitle}
      </Button>
    </Group>
  );
}
