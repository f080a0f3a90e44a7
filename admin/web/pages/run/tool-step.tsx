import { Anchor, Button, Collapse, Group, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { useId } from "react";
import { Link } from "wouter";
import type { RunView } from "../../../api/runs-views.ts";
import { useMay } from "../../me.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { Decide } from "../approvals/decide.tsx";
import { RunState } from "../runs/run-state.tsx";
import { CallState, CallTexts, Untrusted } from "../tools/call-parts.tsx";

const words = texts.tools.call;
type Tool = RunView["tools"][number];

/** One call of a tool: how it ended, why, who decided, what it was given and what came back. */
export function ToolStep({ client, run, tool }: { client: string; run: RunView; tool: Tool }) {
  const facts = [
    tool.durationMs === null ? null : words.took(tool.durationMs),
    tool.tokens > 0 ? words.tokens(tool.tokens) : null,
  ].filter((fact) => fact !== null);
  const mayDecide = useMay("approvals.decide_all");
  const first = run.tools.find(({ untrusted }) => untrusted);
  return (
    <Stack gap={6} className="agt-card" p="sm">
      <Group gap="xs">
        <CallState state={tool.state} />
        {facts.length > 0 && <Text size="sm">{facts.join(" · ")}</Text>}
      </Group>
      {tool.reason && (
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {tool.reason}
        </Text>
      )}
      {tool.approval && <Approval approval={tool.approval} />}
      {tool.approval?.state === "open" && tool.approval.kind === "tool" && mayDecide && (
        <Decide
          client={client}
          asked={{ id: tool.approval.id, kind: "tool", always: null, agent: run.agent.name, tool: tool.title }}
        />
      )}
      {tool.runs.map(({ id, agentName, state }) => (
        <Group key={id} gap="xs">
          <Anchor component={Link} href={to.run(client, id)} size="sm">
            {words.began(agentName)}
          </Anchor>
          <RunState state={state} />
        </Group>
      ))}
      <Texts tool={tool} />
      {tool.untrusted && first?.id === tool.id && <Untrusted>{words.untrustedFromHere(tool.untrusted)}</Untrusted>}
    </Stack>
  );
}

function Approval({ approval }: { approval: NonNullable<Tool["approval"]> }) {
  const { state, name, via, at, onlyPerson, level, answer, kind, sentence } = approval;
  const who = name ?? words.somebody;
  const said = words.decided[state];
  const outcome = typeof said === "function" ? [said(who), via && words.via[via]].filter(Boolean).join(" ") : said;
  return (
    <Stack gap={2}>
      {kind === "input" && sentence && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          {sentence}
        </Text>
      )}
      <Text size="sm" component="span">
        {words.asked(onlyPerson, level)} <b>{outcome}</b> {at && <When at={at} />}
      </Text>
      {answer && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          “{answer}”
        </Text>
      )}
    </Stack>
  );
}

function Texts({ tool }: { tool: Tool }) {
  const [shown, { toggle }] = useDisclosure(false);
  const id = useId();
  if (tool.erased)
    return (
      <Text size="sm" c="dimmed" fs="italic">
        {words.erased}
      </Text>
    );
  return (
    <>
      <div>
        <Button
          variant="default"
          size="xs"
          aria-expanded={shown}
          aria-controls={id}
          leftSection={shown ? <IconChevronUp size={16} aria-hidden /> : <IconChevronDown size={16} aria-hidden />}
          onClick={toggle}
        >
          {shown ? words.hide : words.show}
        </Button>
      </div>
      <Collapse expanded={shown} id={id}>
        <CallTexts call={tool} />
      </Collapse>
    </>
  );
}
