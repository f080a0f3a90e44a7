import "./agents/agents.css";
import { Group, Stack, Tabs, Text } from "@mantine/core";
import { useState } from "react";
import { useSearchParams } from "wouter";
import type { AgentView } from "../../api/agents-views.ts";
import { useGet } from "../api.ts";
import { useMay, useParam, useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { AgentActions } from "./agents/actions.tsx";
import { ConflictDialog } from "./agents/conflict.tsx";
import { agentPath } from "./agents/definition.ts";
import { Edit } from "./agents/edit.tsx";
import { Face } from "./agents/face.tsx";
import { Feedback } from "./agents/feedback.tsx";
import { useLeaving } from "./agents/leave.ts";
import { HowToAsk, NextStep } from "./agents/next-step.tsx";
import { PublishButton, SaveState } from "./agents/publish.tsx";
import { AgentRooms } from "./agents/rooms.tsx";
import { AgentRuns } from "./agents/runs.tsx";
import { AgentState } from "./agents/state.tsx";
import { useDraft } from "./agents/use-draft.ts";
import { Versions } from "./agents/versions.tsx";

const words = texts.agents;

/** One agent: its form and a chat to try it, its past, where it is and what it did. */
export default function AgentPage() {
  const client = useThisClient();
  const id = useParam("agent");
  // Another agent is another form: nothing of the one before stays.
  return <OneAgent key={`${client} ${id}`} client={client} id={id} />;
}

function OneAgent({ client, id }: { client: string; id: string }) {
  const { data: agent, error, refetch } = useGet<AgentView>("agents", agentPath(client, id));
  const crumbs = [{ title: words.title, to: to.agents(client) }];
  if (!agent)
    return (
      <Page title={texts.shell.pages.agent} crumbs={crumbs}>
        {error ? <Trouble error={error} again={() => void refetch()} /> : <Waiting height={120} />}
      </Page>
    );
  return <Loaded client={client} agent={agent} crumbs={crumbs} />;
}

interface LoadedProps {
  client: string;
  agent: AgentView;
  crumbs: { title: string; to: string }[];
}

function Loaded({ client, agent, crumbs }: LoadedProps) {
  const mayWrite = useMay("agents.write");
  const mayRead = useMay("agents.read_definition");
  const draft = useDraft(client, agent, mayWrite);
  useLeaving(draft);
  const [first, setFirst] = useState(false);
  const name = draft?.definition.name || agent.name;
  return (
    <Page
      title={name}
      crumbs={crumbs}
      lead={<Lead client={client} agent={agent} />}
      actions={
        <>
          {mayWrite && draft && <SaveState draft={draft} hasDraft={agent.draft !== null} />}
          {mayWrite && draft && (
            <PublishButton client={client} agent={agent} draft={draft} onFirst={() => setFirst(true)} />
          )}
          {agent.definition !== null || agent.draft !== null ? (
            <AgentActions client={client} agent={agent} draft={draft} mayWrite={mayWrite} />
          ) : null}
        </>
      }
    >
      {first && agent.version !== null && <NextStep client={client} agent={agent} close={() => setFirst(false)} />}
      {mayRead ? (
        <AgentTabs client={client} agent={agent} draft={draft} mayWrite={mayWrite} />
      ) : (
        <HowToAsk agent={agent} />
      )}
      {draft && <ConflictDialog draft={draft} />}
    </Page>
  );
}

function Lead({ client, agent }: { client: string; agent: AgentView }) {
  return (
    <Group gap="sm" wrap="nowrap" mt={4}>
      <Face client={client} agent={agent.id} size={44} version={agent.face} draft={agent.version === null} />
      <Stack gap={2}>
        <Group gap="xs">
          <AgentState state={agent.state} hasDraft={agent.draft !== null} />
          {/* Who may not read what it says is not told its version either. */}
          {(agent.version !== null || agent.state === "draft") && (
            <Text size="sm" c="dimmed">
              {agent.version === null ? words.never : words.version(agent.version)}
            </Text>
          )}
        </Group>
        {agent.userId && (
          <Text size="xs" c="dimmed" ff="monospace">
            {agent.userId}
          </Text>
        )}
      </Stack>
    </Group>
  );
}

interface TabsProps {
  client: string;
  agent: AgentView;
  draft: ReturnType<typeof useDraft>;
  mayWrite: boolean;
}

const TABS = ["edit", "versions", "rooms", "runs", "feedback"] as const;

function AgentTabs({ client, agent, draft, mayWrite }: TabsProps) {
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((name) => name === search.get("tab")) ?? TABS[0];
  return (
    <Tabs
      value={tab}
      onChange={(next) => setSearch(next && next !== TABS[0] ? { tab: next } : {}, { replace: true })}
      keepMounted={false}
    >
      <Tabs.List mb="lg">
        {TABS.map((name) => (
          <Tabs.Tab key={name} value={name} px={{ base: 8, sm: "md" }}>
            {words.tabs[name]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {/* What is typed and tried stays while somebody looks at another tab. */}
      <Tabs.Panel value="edit" keepMounted>
        {draft ? <Edit client={client} agent={agent} draft={draft} /> : <Waiting height={120} />}
      </Tabs.Panel>
      <Tabs.Panel value="versions">
        <Versions client={client} agent={agent} mayWrite={mayWrite} />
      </Tabs.Panel>
      <Tabs.Panel value="rooms">
        <AgentRooms client={client} agent={agent} />
      </Tabs.Panel>
      <Tabs.Panel value="runs">
        <AgentRuns client={client} agent={agent.id} />
      </Tabs.Panel>
      <Tabs.Panel value="feedback">
        <Feedback client={client} agent={agent.id} />
      </Tabs.Panel>
    </Tabs>
  );
}
