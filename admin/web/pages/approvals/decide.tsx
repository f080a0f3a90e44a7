import { Button, Group, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { IconCheck, IconInfinity, IconSend, IconX } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import type { ApprovalView } from "../../../api/approvals-views.ts";
import { post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { askFirst } from "../../parts/ask.tsx";
import { saidDone } from "../../parts/said.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";

const words = texts.approvals;

export interface Decidable {
  id: string;
  kind: ApprovalView["kind"];
  /** What "always" lets the agent do; null where it is not offered. */
  always: string | null;
  agent: string;
  tool: string;
}

type Verdict = "approved" | "declined" | "always" | "answered";

/** The buttons that decide an approval, or the field that answers a question. */
export function Decide({ client, asked }: { client: string; asked: Decidable }) {
  const [refusing, setRefusing] = useState(false);
  const sending = useSend(
    ({ verdict, answer }: { verdict: Verdict; answer?: string }) =>
      post(inClient(client, "approvals", asked.id, "decide"), { verdict, ...(answer ? { answer } : {}) }),
    { topics: ["approvals", "runs"], inline: true, onDone: (_, { verdict }) => saidDone(words.done[verdict]) },
  );
  const { isPending, variables, error, mutate } = sending;
  const lets = asked.always;
  const under_way = (verdict: Verdict) => isPending && variables?.verdict === verdict;
  const always = async (lets: string) => {
    const { alwaysTitle, alwaysText, alwaysYes } = words;
    const question = {
      title: alwaysTitle(asked.agent, asked.tool),
      text: alwaysText(asked.agent, lets),
      yes: alwaysYes,
    };
    if (await askFirst(question)) mutate({ verdict: "always" });
  };
  return (
    <Stack gap="xs">
      {asked.kind === "input" ? (
        <Answer busy={isPending} send={(answer) => mutate({ verdict: "answered", answer })} />
      ) : refusing ? (
        <Refuse
          busy={under_way("declined")}
          send={(answer) => mutate({ verdict: "declined", answer })}
          back={() => setRefusing(false)}
        />
      ) : (
        <Group gap="xs">
          <Button
            size="sm"
            leftSection={<IconCheck size={18} aria-hidden />}
            loading={under_way("approved")}
            disabled={isPending}
            onClick={() => mutate({ verdict: "approved" })}
          >
            {words.allow}
          </Button>
          <Button
            size="sm"
            color="red"
            variant="light"
            leftSection={<IconX size={18} aria-hidden />}
            disabled={isPending}
            onClick={() => setRefusing(true)}
          >
            {words.refuse}
          </Button>
          {lets !== null && (
            <Button
              size="sm"
              variant="default"
              leftSection={<IconInfinity size={18} aria-hidden />}
              loading={under_way("always")}
              disabled={isPending}
              onClick={() => void always(lets)}
            >
              {words.always}
            </Button>
          )}
        </Group>
      )}
      {lets !== null && !refusing && (
        <Text size="sm" c="dimmed">
          {words.alwaysHelp(asked.agent, lets)}
        </Text>
      )}
      <Trouble error={error} />
    </Stack>
  );
}

function Refuse({ busy, send, back }: { busy: boolean; send: (reason: string) => void; back: () => void }) {
  const [reason, setReason] = useState("");
  return (
    <Stack component="form" gap="xs" onSubmit={(event) => submit(event, () => send(reason.trim()))}>
      <TextInput
        data-autofocus
        label={words.reason}
        description={words.reasonHelp}
        value={reason}
        maxLength={4000}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Group gap="xs">
        <Button type="submit" size="sm" color="red" loading={busy}>
          {words.refuse}
        </Button>
        <Button size="sm" variant="default" disabled={busy} onClick={back}>
          {words.back}
        </Button>
      </Group>
    </Stack>
  );
}

function Answer({ busy, send }: { busy: boolean; send: (answer: string) => void }) {
  const [answer, setAnswer] = useState("");
  return (
    <Stack component="form" gap="xs" onSubmit={(event) => submit(event, () => answer.trim() && send(answer.trim()))}>
      <Textarea
        label={words.yourAnswer}
        value={answer}
        autosize
        minRows={1}
        maxRows={8}
        maxLength={4000}
        onChange={(event) => setAnswer(event.currentTarget.value)}
      />
      <Group>
        <Button
          type="submit"
          size="sm"
          leftSection={<IconSend size={18} aria-hidden />}
          disabled={answer.trim() === ""}
          loading={busy}
        >
          {words.send}
        </Button>
      </Group>
    </Stack>
  );
}

function submit(event: FormEvent, send: () => unknown): void {
  event.preventDefault();
  send();
}
