import { ActionIcon, Button, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconDots, IconEraser, IconLink, IconPlayerPause, IconPlayerPlay, IconTrash } from "@tabler/icons-react";
import { useLocation } from "wouter";
import { del, post, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { type Form, formPath } from "./definition.ts";
import { PostLink } from "./post-link.tsx";
import type { FormDraft } from "./use-form-draft.ts";

const words = texts.forms.actions;

/** Link, pause, discard, remove. */
export function FormActions({ client, form, draft }: { client: string; form: Form; draft: FormDraft | null }) {
  const does = useActions(client, form, draft);
  const [posting, { open, close }] = useDisclosure(false);
  return (
    <>
      {form.state === "active" && (
        <Button variant="default" leftSection={<IconLink size={16} aria-hidden />} onClick={open}>
          {words.link}
        </Button>
      )}
      <Menu position="bottom-end" withinPortal>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={words.menu(form.title)}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {form.state === "active" && (
            <Menu.Item leftSection={<IconPlayerPause size={16} />} onClick={() => does.pause.mutate(undefined)}>
              {words.pause}
            </Menu.Item>
          )}
          {form.state === "paused" && (
            <Menu.Item leftSection={<IconPlayerPlay size={16} />} onClick={() => does.resume.mutate(undefined)}>
              {words.resume}
            </Menu.Item>
          )}
          {form.draft !== null && form.version !== null && (
            <Menu.Item leftSection={<IconEraser size={16} />} onClick={() => void does.discard()}>
              {words.discard}
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item
            c="var(--mantine-color-error)"
            leftSection={<IconTrash size={16} />}
            onClick={() => void does.remove()}
          >
            {words.remove}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {posting && <PostLink client={client} form={form} close={close} />}
    </>
  );
}

function useActions(client: string, form: Form, draft: FormDraft | null) {
  const [, go] = useLocation();
  const path = (rest = "") => formPath(client, form.id, rest);
  const tools = { topics: ["tools"] as const };
  const pause = useSend(() => post(path("/pause"), {}), { ...tools, said: words.paused(form.title) });
  const resume = useSend(() => post(path("/resume"), {}), { ...tools, said: words.resumed(form.title) });
  const removing = useSend(
    async () => {
      await del(path());
      go(to.forms(client)); // before this page asks for a form that is gone
    },
    { ...tools, said: words.removed(form.title) },
  );
  const discarding = useSend(() => del<Form>(path(`/draft?revision=${draft?.revisionNow() ?? 0}`)), {
    ...tools,
    said: words.discarded,
    onDone: (now) => now.definition && draft?.reset(now.definition, now.revision ?? 0),
  });
  return {
    pause,
    resume,
    async remove() {
      const question = {
        title: words.removeTitle(form.title),
        text: words.removeText,
        yes: words.removeYes,
        danger: true,
      };
      if (await askFirst(question)) removing.mutate(undefined);
    },
    async discard() {
      const question = { title: words.discardTitle, text: words.discardText, yes: words.discardYes, danger: true };
      if (await askFirst(question)) discarding.mutate(undefined);
    },
  };
}
