import { Badge, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { IconArrowBackUp, IconGitCompare } from "@tabler/icons-react";
import { useState } from "react";
import type { AgentView, VersionDetails, VersionView } from "../../../api/agents-views.ts";
import { post, useGet, usePages, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { Compare } from "./compare.tsx";
import { agentPath, whoOf } from "./definition.ts";

const words = texts.agents.versions;

interface Props {
  client: string;
  agent: AgentView;
  mayWrite: boolean;
}

/** What the agent was: who published it, what changed, and the way back. */
export function Versions({ client, agent, mayWrite }: Props) {
  const pages = usePages<VersionView>("agents", agentPath(client, agent.id, "/versions"), { limit: 20 });
  if (pages.loading) return <Waiting />;
  if (pages.error && pages.items.length === 0) return <Trouble error={pages.error} again={pages.again} />;
  if (pages.items.length === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <Stack gap="sm">
      <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: "none" }}>
        {pages.items.map((version) => (
          <Version key={version.version} client={client} agent={agent} version={version} mayWrite={mayWrite} />
        ))}
      </Stack>
      {pages.hasMore && (
        <Group justify="center">
          <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
            {texts.shell.loadMore}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function Version({ client, agent, version, mayWrite }: Props & { version: VersionView }) {
  const [open, setOpen] = useState(false);
  const current = version.version === agent.version;
  const back = useSend(() => post(agentPath(client, agent.id, `/versions/${version.version}/rollback`), {}), {
    topics: ["agents"],
    said: words.done(version.version),
  });
  const ask = async () => {
    const question = { title: words.title(version.version), text: words.text(agent.name), yes: words.yes };
    if (await askFirst(question)) back.mutate(undefined);
  };
  const by = whoOf(version.by);
  return (
    <Stack component="li" className="agt-card" p="md" gap="xs">
      <Group justify="space-between" gap="sm">
        <div>
          <Group gap="xs">
            <Text fw={600}>{texts.agents.version(version.version)}</Text>
            {current && (
              <Badge variant="light" tt="none" radius="sm">
                {words.now}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed">
            <When at={version.at} />
            {by && ` ${words.by} ${by}`}
          </Text>
          {version.note && <Text size="sm">{version.note}</Text>}
        </div>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            aria-expanded={open}
            leftSection={<IconGitCompare size={16} aria-hidden />}
            onClick={() => setOpen(!open)}
          >
            {words.compare}
          </Button>
          {mayWrite && !current && (
            <Button
              size="xs"
              variant="default"
              loading={back.isPending}
              leftSection={<IconArrowBackUp size={16} aria-hidden />}
              onClick={() => void ask()}
            >
              {words.back(version.version)}
            </Button>
          )}
        </Group>
      </Group>
      {open && <Changes client={client} agent={agent} version={version.version} />}
    </Stack>
  );
}

function Changes({ client, agent, version }: { client: string; agent: AgentView; version: number }) {
  const current = agent.version ?? version;
  const [against, setAgainst] = useState<"before" | "current">("before");
  const other = against === "current" ? current : version - 1;
  const [from, to] = other < version ? [other, version] : [version, other];
  const older = useVersion(client, agent.id, from);
  const newer = useVersion(client, agent.id, to);
  return (
    <Stack gap="sm">
      {version !== current && (
        <Group gap="xs">
          <Text size="sm">{words.against}</Text>
          <SegmentedControl
            size="xs"
            aria-label={words.against}
            value={against}
            onChange={(next) => setAgainst(next === "current" ? "current" : "before")}
            data={[
              { value: "before", label: words.before },
              { value: "current", label: words.current },
            ]}
          />
        </Group>
      )}
      <Trouble error={older.error ?? newer.error} />
      {from < 1 ? (
        <Text c="dimmed">{words.first}</Text>
      ) : older.data && newer.data ? (
        <Compare from={older.data.definition} to={newer.data.definition} />
      ) : (
        !older.error && !newer.error && <Waiting lines={1} />
      )}
    </Stack>
  );
}

const useVersion = (client: string, agent: string, version: number) =>
  useGet<VersionDetails>("agents", version < 1 ? null : agentPath(client, agent, `/versions/${version}`));
