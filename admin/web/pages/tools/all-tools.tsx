import { Badge, Button, Group, Stack, Text, Title } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useState } from "react";
import type { ToolView } from "../../../api/tools-views.ts";
import { useMay } from "../../me.tsx";
import { Empty } from "../../parts/empty.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import { byGroup, useTools } from "./by-group.ts";
import { ModelText } from "./model-text.tsx";
import { TryTool } from "./try-tool.tsx";

const words = texts.tools;
const RISKS = { low: "good", medium: "warn", high: "bad" } as const;

/** Every tool in its group: what it does, what it reads and sends, and a way to try it. */
export function AllTools({ client }: { client: string }) {
  const pages = useTools(client);
  const [trying, setTrying] = useState<ToolView | null>(null);
  if (pages.loading) return <Waiting lines={4} height={60} />;
  if (pages.error && pages.items.length === 0) return <Trouble error={pages.error} again={pages.again} />;
  if (pages.items.length === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <Stack gap="xl">
      {byGroup(pages.items).map(({ name, tools }) => (
        <Stack key={name} gap="sm" component="section" aria-label={words.groupOf(name).title}>
          <div>
            <Title order={2} size="h4">
              {words.groupOf(name).title}
            </Title>
            <Text size="sm" c="dimmed">
              {words.groupOf(name).text}
            </Text>
          </div>
          <Stack component="ul" gap="xs" p={0} m={0} style={{ listStyle: "none" }}>
            {tools.map((tool) => (
              <OneTool key={tool.name} tool={tool} onTry={() => setTrying(tool)} />
            ))}
          </Stack>
        </Stack>
      ))}
      {trying && <TryTool key={trying.name} client={client} tool={trying} close={() => setTrying(null)} />}
    </Stack>
  );
}

function OneTool({ tool, onTry }: { tool: ToolView; onTry: () => void }) {
  const mayTry = useMay("tools.write");
  const facts = [words.reads[tool.reads], words.sends[tool.sends]].filter((fact) => fact !== null);
  return (
    <Group component="li" className="agt-card" p="md" gap="sm" justify="space-between" align="flex-start">
      <Stack gap={6} flex="1 1 18rem" miw={0}>
        <Group gap="xs">
          <Text fw={600}>{tool.title}</Text>
          <Text size="xs" c="dimmed" ff="monospace">
            {tool.name}
          </Text>
        </Group>
        <Text size="sm">{tool.summary}</Text>
        <Group gap={6}>
          <StateBadge tone={RISKS[tool.risk]}>{words.risks[tool.risk]}</StateBadge>
          {facts.map((fact) => (
            <Badge key={fact} variant="default" tt="none" fw={500} radius="sm" h="auto" styles={WRAPPED}>
              {fact}
            </Badge>
          ))}
        </Group>
        <ModelText tool={tool} />
      </Stack>
      {mayTry &&
        (tool.tryable ? (
          <Button
            size="xs"
            variant="default"
            aria-label={words.try.buttonOf(tool.title)}
            leftSection={<IconPlayerPlay size={16} aria-hidden />}
            onClick={onTry}
          >
            {words.try.button}
          </Button>
        ) : (
          <Text size="xs" c="dimmed">
            {words.roomOnly}
          </Text>
        ))}
    </Group>
  );
}

/** On a phone a fact may need two lines. */
const WRAPPED = { label: { whiteSpace: "normal" as const } };
