import { Anchor, Group, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import type { ApprovalView } from "../../../api/approvals-views.ts";
import { AgentFace } from "../../parts/agent-face.tsx";
import { Exact } from "../../parts/exact.tsx";
import { OpenInApp } from "../../parts/open-in-app.tsx";
import { StateBadge, type Tone } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { Arguments } from "../tools/arguments.tsx";
import { CallState } from "../tools/call-parts.tsx";
import { Decide } from "./decide.tsx";

const words = texts.approvals;
const TONES: Record<ApprovalView["state"], Tone> = {
  open: "warn",
  approved: "good",
  answered: "good",
  declined: "bad",
  expired: "quiet",
  withdrawn: "quiet",
};

/** What an agent asks, with exactly what it would do, and the buttons for who may decide. */
export function ApprovalCard({ client, approval }: { client: string; approval: ApprovalView }) {
  const open = approval.state === "open";
  return (
    <Stack className="agt-card" p="md" gap="sm">
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <AgentFace client={client} agent={approval.agent.id} size={32} />
        <Stack gap={2} miw={0} flex={1}>
          <Text fw={600} style={{ overflowWrap: "anywhere" }}>
            <Exact text={headOf(approval)} />
          </Text>
          <Facts client={client} approval={approval} />
        </Stack>
      </Group>
      {approval.kind === "input" && (
        <Text style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          <Exact text={approval.sentence ?? words.erased} />
        </Text>
      )}
      {approval.why && approval.kind === "tool" && (
        <Text size="sm" c="dimmed">
          {approval.why}
        </Text>
      )}
      {approval.kind === "tool" && approval.arguments && (
        <Stack gap={4}>
          <Text size="sm" fw={600}>
            {approval.exact ? words.exactly : texts.tools.call.arguments}
          </Text>
          <Arguments
            value={approval.arguments}
            labels={approval.labels}
            label={texts.tools.call.arguments}
            exact={approval.exact}
          />
        </Stack>
      )}
      {open ? <Open client={client} approval={approval} /> : <Outcome approval={approval} />}
    </Stack>
  );
}

function headOf({ agent, kind, state, sentence, tool }: ApprovalView): string {
  if (kind === "input") return words.asks(agent.name);
  const what = sentence ?? `${tool.title}. ${words.erased}`;
  return state === "open" ? words.wants(agent.name, what) : words.wanted(agent.name, what);
}

function Facts({ client, approval }: { client: string; approval: ApprovalView }) {
  const { room, run, createdAt } = approval;
  const name = room?.name ?? words.unnamed;
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed" component="span">
        <When at={createdAt} /> {room ? words.inRoom(name) : words.noRoom}
      </Text>
      {room && (
        <OpenInApp client={client} link={room.link} name={name}>
          {(href) => (
            <Anchor href={href} target="_blank" rel="noreferrer" size="sm">
              {words.openRoom}
            </Anchor>
          )}
        </OpenInApp>
      )}
      {run !== null && (
        <Anchor component={Link} href={to.run(client, run)} size="sm">
          {words.run}
        </Anchor>
      )}
    </Group>
  );
}

function Open({ client, approval }: { client: string; approval: ApprovalView }) {
  const { id, kind, grantable, lets, agent, tool, mayDecide, whyNot, expiresAt } = approval;
  const asked = { id, kind, always: grantable ? lets : null, agent: agent.name, tool: tool.title };
  const left = Date.parse(expiresAt) - Date.now();
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed">
        {words.leftMinutes(left)}. {mayDecide ? whoOf(approval) : whyNot}
      </Text>
      {mayDecide && <Decide client={client} asked={asked} />}
    </Stack>
  );
}

function whoOf({ kind, onlyPerson, level }: ApprovalView): string {
  if (onlyPerson) return kind === "input" ? words.who.answerer(onlyPerson.name) : words.who.person(onlyPerson.name);
  return words.who.level(level ?? 50);
}

/** What was allowed may have failed all the same. */
function Became({ call: { state, trouble } }: Pick<ApprovalView, "call">) {
  return (
    <Group gap="xs" role="group" aria-label={words.became}>
      <CallState state={state} />
      {trouble && (
        <Text size="sm" component="span" style={{ overflowWrap: "anywhere" }}>
          {words.trouble(trouble)}
        </Text>
      )}
    </Group>
  );
}

function Outcome({ approval }: { approval: ApprovalView }) {
  const { state, decidedBy, decidedVia, decidedAt, answer, always, lets } = approval;
  return (
    <Stack gap={4}>
      <Group gap="xs">
        <StateBadge tone={TONES[state]}>{words.states[state]}</StateBadge>
        <Text size="sm" component="span">
          {decidedBy && words.by(decidedBy.name)} {decidedVia && texts.tools.call.via[decidedVia]}{" "}
          {always && words.alwaysMark(lets)}
        </Text>
        {decidedAt && (
          <Text size="sm" c="dimmed" component="span">
            <When at={decidedAt} />
          </Text>
        )}
      </Group>
      {state === "approved" && <Became call={approval.call} />}
      {answer && (
        <Text size="sm" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
          “{answer}”
        </Text>
      )}
    </Stack>
  );
}
