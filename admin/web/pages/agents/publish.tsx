import { Button, Group, Loader, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { useState } from "react";
import type { AgentView, DraftView } from "../../../api/agents-views.ts";
import { Problem, post, useSend } from "../../api.ts";
import { saidTrouble } from "../../parts/said.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { agentPath } from "./definition.ts";
import { UnsetServices } from "./unset-services.tsx";
import type { Draft } from "./use-draft.ts";

const { publish: words, state: saving } = texts.agents;

/** Whether what was typed is kept. */
export function SaveState({ draft, hasDraft }: { draft: Pick<Draft, "state" | "save">; hasDraft: boolean }) {
  const { state } = draft;
  return (
    <Group gap={6} role="status" wrap="nowrap">
      {state === "saving" && <Loader size={14} aria-hidden />}
      {state === "saved" && <IconCheck size={16} aria-hidden />}
      {(state === "failed" || state === "conflict") && (
        <IconAlertTriangle size={16} color="var(--mantine-color-error)" aria-hidden />
      )}
      <Text size="sm" c={state === "failed" || state === "conflict" ? "var(--mantine-color-error)" : "dimmed"}>
        {state === "saved" ? (hasDraft ? saving.savedAs : saving.saved) : sentence(state)}
      </Text>
      {state === "failed" && (
        <Button size="compact-xs" variant="default" onClick={() => void draft.save()}>
          {saving.retry}
        </Button>
      )}
    </Group>
  );
}

const sentence = (state: Exclude<Draft["state"], "saved">): string =>
  state === "saving" ? saving.saving : state === "unsaved" ? saving.unsaved : saving.failed;

interface Props {
  client: string;
  agent: AgentView;
  draft: Draft;
  /** After the first time. */
  onFirst: () => void;
}

/** Saves what is unsaved, asks for a word about it, and makes it what people get. */
export function PublishButton({ client, agent, draft, onFirst }: Props) {
  const [opened, { open, close }] = useDisclosure(false);
  const [note, setNote] = useState("");
  const first = agent.version === null;
  const publishing = useSend(
    // Whether it was the first time is asked before: by the end the page may know of the new version already.
    async (before: { first: boolean }) => {
      if (!(await draft.save())) throw draftProblem(draft);
      // The save may have made a newer revision than the one that was drawn.
      const { revision } = await post<{ revision: number | null }>(agentPath(client, agent.id, "/publish"), {
        revision: draft.revisionNow(),
        ...(note.trim() && !before.first ? { note: note.trim() } : {}),
      });
      return revision;
    },
    {
      topics: ["agents"],
      inline: true,
      said: words.done(draft.definition.name),
      onDone: (revision, before) => {
        if (revision !== null) draft.published(revision);
        setNote("");
        close();
        if (before.first) onFirst();
      },
    },
  );
  const [looking, setLooking] = useState(false);
  const begin = async () => {
    if (draft.state === "saved") return open();
    setLooking(true);
    const saved = await draft.save();
    setLooking(false);
    if (saved) return open();
    // After the sentences are drawn.
    setTimeout(
      () => focusProblem() || saidTrouble(new Problem({ status: 0, code: "unsaved", detail: words.notSaved })),
    );
  };
  const nothing = !first && agent.draft === null && draft.state === "saved";
  return (
    <>
      <Button
        loading={looking}
        onClick={() => void begin()}
        disabled={nothing || draft.state === "conflict"}
        title={nothing ? words.nothing : undefined}
      >
        {words.button}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={words.title(draft.definition.name)}
        centered
        closeButtonProps={{ "aria-label": texts.shell.close }}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            publishing.mutate({ first });
          }}
        >
          <Stack>
            <Text>{first ? words.first : words.next}</Text>
            {!first && (
              <TextInput
                label={words.note}
                placeholder={words.notePlaceholder}
                value={note}
                data-autofocus
                onChange={(event) => setNote(event.currentTarget.value)}
              />
            )}
            {agent.warnings.map((warning) => (
              <Text key={warning} size="sm" c="dimmed">
                {warning}
              </Text>
            ))}
            <UnsetServices client={client} tools={draft.definition.tools} />
            <Trouble error={publishing.error} />
            <Group justify="flex-end">
              <Button variant="default" onClick={close}>
                {words.cancel}
              </Button>
              <Button type="submit" loading={publishing.isPending} data-autofocus={first || undefined}>
                {words.yes}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}

/** Puts the keyboard into the first field with a sentence about it; false when none is to be seen. */
function focusProblem(): boolean {
  const fields = document.querySelectorAll<HTMLElement>('main [aria-invalid="true"]');
  const field = [...fields].find((one) => one.offsetParent !== null);
  field?.focus();
  return field !== undefined;
}

/** Why it could not be saved, as far as it is known. */
function draftProblem({ error, theirs }: Draft & { theirs: DraftView | null }): unknown {
  if (error) return error;
  const detail = theirs ? texts.agents.conflict.title : texts.agents.form.problems;
  return new Problem({ status: 0, code: "unsaved", detail });
}
