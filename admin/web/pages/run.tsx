import { Anchor, Button, Group, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconExternalLink, IconFileText, IconPlayerStop, IconRepeat } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";
import type { RunView } from "../../api/runs-views.ts";
import { post, useGet, useSend } from "../api.ts";
import { inClient } from "../api-path.ts";
import { useMay, useParam, useThisClient } from "../me.tsx";
import { AgentFace } from "../parts/agent-face.tsx";
import { askFirst } from "../parts/ask.tsx";
import { OpenInApp } from "../parts/open-in-app.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { When } from "../parts/when.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { isUnderWay } from "./run/order.ts";
import { Report } from "./run/report.tsx";
import { Steps } from "./run/steps.tsx";
import { TimeBar } from "./run/time-bar.tsx";
import { RunState } from "./runs/run-state.tsx";

const words = texts.runs.run;

/** One run: what was asked, what the model got, what it cost, what became of it. */
export default function RunPage() {
  const client = useThisClient();
  const id = useParam("run");
  const path = inClient(client, "runs", id);
  const { data: run, error, refetch } = useGet<RunView>("runs", path);
  const crumbs = [{ title: texts.runs.title, to: to.runs(client) }];
  if (!run)
    return (
      <Page title={texts.shell.pages.run} crumbs={crumbs}>
        {error ? <Trouble error={error} again={() => void refetch()} /> : <Waiting height={140} />}
      </Page>
    );
  return (
    <Page
      title={words.title(run.agent.name)}
      crumbs={crumbs}
      actions={<Actions client={client} path={path} run={run} />}
      lead={<Lead client={client} run={run} />}
    >
      <TimeBar run={run} />
      <Steps run={run} />
      <Others client={client} run={run} />
    </Page>
  );
}

const Lead = ({ client, run }: { client: string; run: RunView }) => (
  <Group gap="xs">
    <AgentFace client={client} agent={run.agent.id} size={28} />
    <Anchor component={Link} href={to.agent(client, run.agent.id)} size="sm">
      {run.agent.name}
    </Anchor>
    <Text size="sm" c="dimmed">
      {words.version(run.agent.version)}
    </Text>
    <RunState state={run.state} />
    <Text size="sm" c="dimmed" component="span">
      <When at={run.question.at} />
    </Text>
    <Where client={client} run={run} />
  </Group>
);

function Where({ client, run }: { client: string; run: RunView }) {
  if (run.parent)
    return (
      <Anchor component={Link} href={to.run(client, run.parent.id)} size="sm">
        {words.handedOverBy(run.parent.agentName)}
      </Anchor>
    );
  const place = run.room
    ? (run.room.name ?? texts.runs.noRoomName)
    : run.source === "try"
      ? texts.runs.tried
      : words.forForm;
  return (
    <Text size="sm" c="dimmed">
      {place}
    </Text>
  );
}

function Actions({ client, path, run }: { client: string; path: string; run: RunView }) {
  const mayControl = useMay("runs.control");
  const mayRead = useMay("runs.read");
  const [, go] = useLocation();
  const [reading, { open, close }] = useDisclosure(false);
  const stop = useSend(() => post(`${path}/stop`), { topics: ["runs"], said: words.stopping });
  const again = useSend(
    (click: string) => post<{ run: string }>(`${path}/again`, { click }, { idempotencyKey: click }),
    {
      topics: ["runs"],
      said: words.asked,
      onDone: ({ run: made }) => go(to.run(client, made)),
    },
  );
  const under_way = isUnderWay(run);
  const ask = async () => {
    const { title, text, yes } = words.askAgain;
    const room = run.room?.name ?? texts.runs.noRoomName;
    if (await askFirst({ title, text: text(run.agent.name, room), yes })) again.mutate(newClick());
  };
  return (
    <>
      {run.question.link && (
        <OpenInApp client={client} link={run.question.link} name={run.room?.name ?? texts.runs.noRoomName}>
          {(href) => (
            <Button
              component="a"
              href={href}
              target="_blank"
              rel="noreferrer"
              variant="default"
              leftSection={<IconExternalLink size={18} aria-hidden />}
            >
              {words.element}
            </Button>
          )}
        </OpenInApp>
      )}
      {mayRead && (
        <Button variant="default" leftSection={<IconFileText size={18} aria-hidden />} onClick={open}>
          {words.report}
        </Button>
      )}
      {mayControl && under_way && (
        <Button
          color="red"
          leftSection={<IconPlayerStop size={18} aria-hidden />}
          loading={stop.isPending}
          onClick={() => stop.mutate(undefined)}
        >
          {words.stop}
        </Button>
      )}
      {mayControl && !under_way && run.room && (
        <Button leftSection={<IconRepeat size={18} aria-hidden />} loading={again.isPending} onClick={() => void ask()}>
          {words.again}
        </Button>
      )}
      {mayRead && <Report path={path} opened={reading} close={close} />}
    </>
  );
}

/** Names one click, so that a request that is sent twice asks once. */
const newClick = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

function Others({ client, run }: { client: string; run: RunView }) {
  if (run.others.length === 0) return null;
  return (
    <Group gap="xs">
      <Text size="sm" c="dimmed">
        {words.others}:
      </Text>
      {run.others.map((other) => (
        <Group gap={6} key={other.id}>
          <Anchor component={Link} href={to.run(client, other.id)} size="sm">
            {words.other(other.again)}
          </Anchor>
          <RunState state={other.state} />
        </Group>
      ))}
    </Group>
  );
}
