import { Button, Group, Modal, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { fieldErrors, useSend } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.teams;

export interface Named {
  name: string;
  topic?: string;
}

interface Props {
  title: string;
  name: string;
  /** Asks also what a room is for. */
  withTopic?: boolean;
  yes: string;
  said: (named: Named) => string;
  send: (named: Named) => Promise<unknown>;
  onClose: () => void;
}

/** One name, and for a room what it is for. */
export function NameDialog({ title, name: before, withTopic = false, yes, said, send, onClose }: Props) {
  const [name, setName] = useState(before);
  const [topic, setTopic] = useState("");
  const sending = useSend((named: Named) => send(named), {
    topics: ["teams"],
    said: (_, named) => said(named),
    onDone: onClose,
    inline: true,
  });
  const errors = fieldErrors(sending.error);
  const named = { name: name.trim(), ...(withTopic && topic.trim() ? { topic: topic.trim() } : {}) };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": texts.shell.close }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (named.name) sending.mutate(named);
        }}
      >
        <Stack>
          <TextInput
            label={words.name}
            data-autofocus
            required
            maxLength={100}
            value={name}
            error={errors.name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          {withTopic && (
            <Textarea
              label={words.topic}
              description={words.topicHint}
              maxLength={1000}
              autosize
              value={topic}
              error={errors.topic}
              onChange={(event) => setTopic(event.currentTarget.value)}
            />
          )}
          {!errors.name && !errors.topic && <Trouble error={sending.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {texts.shell.cancel}
            </Button>
            <Button type="submit" loading={sending.isPending} disabled={!named.name}>
              {yes}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
