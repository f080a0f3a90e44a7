import { ActionIcon, Menu } from "@mantine/core";
import {
  IconCopy,
  IconDots,
  IconDownload,
  IconEraser,
  IconPlayerPause,
  IconPlayerPlay,
  IconTrash,
} from "@tabler/icons-react";
import { useLocation } from "wouter";
import type { AgentView } from "../../../api/agents-views.ts";
import { apiUrl, del, post, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { agentPath } from "./definition.ts";
import type { Draft } from "./use-draft.ts";

const { actions: words, discard } = texts.agents;

interface Props {
  client: string;
  agent: AgentView;
  draft: Draft | null;
  mayWrite: boolean;
}

/** Pause, duplicate, export, remove. */
export function AgentActions({ client, agent, draft, mayWrite }: Props) {
  const does = useActions(client, agent, draft);
  const { state, name } = agent;
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label={words.menu(name)}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {mayWrite && state === "active" && (
          <Menu.Item leftSection={<IconPlayerPause size={16} />} onClick={() => does.pause.mutate(undefined)}>
            {words.pause}
          </Menu.Item>
        )}
        {mayWrite && state === "paused" && (
          <Menu.Item leftSection={<IconPlayerPlay size={16} />} onClick={() => does.resume.mutate(undefined)}>
            {words.resume}
          </Menu.Item>
        )}
        {mayWrite && (
          <Menu.Item leftSection={<IconCopy size={16} />} onClick={() => does.duplicate.mutate(undefined)}>
            {words.duplicate}
          </Menu.Item>
        )}
        <Menu.Item
          component="a"
          href={apiUrl(agentPath(client, agent.id, "/export"))}
          download
          leftSection={<IconDownload size={16} />}
        >
          {words.export}
        </Menu.Item>
        {mayWrite && agent.draft !== null && agent.version !== null && (
          <Menu.Item leftSection={<IconEraser size={16} />} onClick={() => void does.discard()}>
            {discard.button}
          </Menu.Item>
        )}
        {mayWrite && (
          <>
            <Menu.Divider />
            <Menu.Item
              c="var(--mantine-color-error)"
              leftSection={<IconTrash size={16} />}
              onClick={() => void does.remove()}
            >
              {words.remove}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function useActions(client: string, agent: AgentView, draft: Draft | null) {
  const [, go] = useLocation();
  const path = (rest = "") => agentPath(client, agent.id, rest);
  const agents = { topics: ["agents"] as const };
  const pause = useSend(() => post(path("/pause"), {}), { ...agents, said: words.paused(agent.name) });
  const resume = useSend(() => post(path("/resume"), {}), { ...agents, said: words.resumed(agent.name) });
  const duplicate = useSend(() => post<AgentView>(path("/duplicate"), {}), {
    ...agents,
    said: (made) => words.duplicated(made.name),
    onDone: (made) => go(to.agent(client, made.id)),
  });
  const removing = useSend(
    async () => {
      await del(path());
      go(to.agents(client)); // before this page asks for an agent that is gone
    },
    { ...agents, said: words.removed(agent.name) },
  );
  const discarding = useSend(() => del<AgentView>(path(`/draft?revision=${draft?.revisionNow() ?? 0}`)), {
    ...agents,
    said: discard.done,
    onDone: (now) => now.definition && draft?.reset(now.definition, now.revision ?? 0),
  });
  return {
    pause,
    resume,
    duplicate,
    async remove() {
      const text = agent.version === null ? words.removeDraft : words.removeText;
      const question = { title: words.removeTitle(agent.name), text, yes: words.removeYes, danger: true };
      if (await askFirst(question)) removing.mutate(undefined);
    },
    async discard() {
      const { title, text, yes } = discard;
      if (await askFirst({ title, text, yes, danger: true })) discarding.mutate(undefined);
    },
  };
}
