import { Alert, Anchor, Button, Group, Loader, Paper, Stack, Text, Title } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import { Link } from "wouter";
import type { FormRunView } from "../../../api/forms-views.ts";
import { post, useGet, useSend } from "../../api.ts";
import { useMay, useMe } from "../../me.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { formPath } from "./definition.ts";
import { FieldList } from "./field-list.tsx";

const Markdown = lazy(() => import("../agents/markdown.tsx"));
const words = texts.forms.result;

/** What came of a form, as soon as it is there. */
export function Result({ client, run: first }: { client: string; run: FormRunView }) {
  const { data } = useGet<FormRunView>(
    "tools",
    formPath(client, first.formId, `/runs/${encodeURIComponent(first.id)}`),
  );
  const run = data ?? first;
  const maySeeRuns = useMay("runs.read");
  const waits = run.state === "queued" || run.state === "running";
  return (
    <Paper className="agt-card" p="md" component="section" aria-label={words.title} aria-busy={waits}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={2} size="h3">
            {words.title}
          </Title>
          {run.result !== null && <CopyButton text={run.result} size="xs" />}
          {waits && <Stop client={client} run={run} />}
        </Group>
        <div role="status">{waits && <Working />}</div>
        {run.state === "failed" && <Alert color="red">{run.error ?? words.failed}</Alert>}
        {run.state === "stopped" && <Alert color="yellow">{run.error ?? words.stopped}</Alert>}
        {run.state === "done" && (
          <Text component="div">{run.result === null ? words.erased : <Shown run={run} result={run.result} />}</Text>
        )}
        {run.untrusted && (
          <Text size="sm" c="dimmed">
            {words.untrusted(run.untrusted)}
          </Text>
        )}
        {run.runId && maySeeRuns && (
          <Anchor component={Link} href={to.run(client, run.runId)} size="sm">
            {words.run}
          </Anchor>
        )}
      </Stack>
    </Paper>
  );
}

/** For who filled it in, and for those who may stop all runs. */
function Stop({ client, run }: { client: string; run: FormRunView }) {
  const me = useMe();
  const mayStop = useMay("runs.control") || me.id === run.by;
  const path = formPath(client, run.formId, `/runs/${encodeURIComponent(run.id)}/stop`);
  const stop = useSend(() => post(path), { topics: ["tools"], said: words.stopping });
  if (!mayStop) return null;
  return (
    <Button
      size="xs"
      color="red"
      variant="light"
      leftSection={<IconPlayerStop size={16} aria-hidden />}
      loading={stop.isPending}
      onClick={() => stop.mutate(undefined)}
    >
      {words.stop}
    </Button>
  );
}

const Working = () => (
  <Group gap="xs" wrap="nowrap">
    <Loader size={16} aria-hidden />
    <Text size="sm">
      {words.waiting} {words.waitingText}
    </Text>
  </Group>
);

function Shown({ run, result }: { run: FormRunView; result: string }) {
  const fields = run.output === null ? null : readFields(result);
  if (run.output !== null && fields) return <FieldList schema={run.output} values={fields} />;
  return (
    <Suspense fallback={<Waiting lines={2} />}>
      <Markdown text={result} />
    </Suspense>
  );
}

function readFields(result: string): Record<string, unknown> | null {
  try {
    return JSON.parse(result) as Record<string, unknown>;
  } catch (error) {
    console.info(error); // Shown as the text that it is.
    return null;
  }
}
