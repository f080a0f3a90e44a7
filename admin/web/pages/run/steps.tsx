import { Alert, Anchor, Badge, Group, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import {
  IconAlertTriangle,
  IconBooks,
  IconMessage,
  IconMessageQuestion,
  IconPlayerStop,
  IconShieldQuestion,
  IconSparkles,
  IconThumbUp,
  IconTool,
} from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { RunView } from "../../../api/runs-views.ts";
import { useThisClient } from "../../me.tsx";
import { OpenInApp } from "../../parts/open-in-app.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { Untrusted } from "../tools/call-parts.tsx";
import { Call } from "./call.tsx";
import { Given } from "./given.tsx";
import { inOrder, isUnderWay } from "./order.ts";
import { ToolStep } from "./tool-step.tsx";

const words = texts.runs.run;

/** The run from the question to the feedback, one thing beneath the other. */
export function Steps({ run }: { run: RunView }) {
  const client = useThisClient();
  const under_way = isUnderWay(run);
  return (
    <Stack component="ol" gap={0} p={0} m={0} style={{ listStyle: "none" }}>
      <Step
        icon={<IconMessageQuestion size={18} aria-hidden />}
        title={words.question}
        side={
          <>
            {words.by(run.question.name)} · <When at={run.question.at} exactly />
          </>
        }
      >
        <Said text={run.question.text ?? words.erased} faint={run.question.text === null} />
      </Step>
      <Step icon={<IconBooks size={18} aria-hidden />} title={words.context}>
        {run.context ? (
          <Given context={run.context} />
        ) : (
          <Faint>{under_way ? words.contextLater : words.noContext}</Faint>
        )}
      </Step>
      {run.untrusted && !run.tools.some(({ untrusted }) => untrusted) && (
        <Step icon={<IconShieldQuestion size={18} aria-hidden />} color="yellow" title={words.untrusted}>
          <Untrusted>{texts.tools.call.untrustedFromStart(run.untrusted)}</Untrusted>
        </Step>
      )}
      {inOrder(run).map(({ call, tool }) =>
        call ? (
          <Step key={call.id} icon={<IconSparkles size={18} aria-hidden />} title={words.call(call.model)}>
            <Call run={run} call={call} />
          </Step>
        ) : (
          <Step
            key={tool.id}
            icon={<IconTool size={18} aria-hidden />}
            color={tool.untrusted ? "yellow" : "leaf"}
            title={texts.tools.call.title(tool.title)}
          >
            <ToolStep client={client} run={run} tool={tool} />
          </Step>
        ),
      )}
      {run.error && (
        <Step icon={<IconAlertTriangle size={18} aria-hidden />} color="red" title={words.error}>
          <Alert color="red" p="xs">
            {run.error.sentence}
          </Alert>
        </Step>
      )}
      {run.stop && <Step icon={<IconPlayerStop size={18} aria-hidden />} color="yellow" title={stopTitle(run.stop)} />}
      <Step icon={<IconMessage size={18} aria-hidden />} title={words.answer} last={run.feedback.length === 0}>
        <Answer run={run} under_way={under_way} />
      </Step>
      {run.feedback.length > 0 && (
        <Step icon={<IconThumbUp size={18} aria-hidden />} title={words.feedback} last>
          {run.feedback.map((one) => (
            <Text size="sm" key={`${one.by} ${one.at}`}>
              {one.value > 0 ? "👍" : "👎"} {one.name} {one.value > 0 ? words.up : words.down}
            </Text>
          ))}
        </Step>
      )}
    </Stack>
  );
}

const stopTitle = ({ reason, name }: { reason: string; name: string | null }): string =>
  reason === "superseded" ? words.replaced : words.stopped(name);

function Answer({ run, under_way }: { run: RunView; under_way: boolean }) {
  const client = useThisClient();
  const { text, messages } = run.answer;
  const gone = text === null && messages.length > 0 ? words.erased : words.noAnswer;
  const nothing =
    run.state === "waiting"
      ? words.waitsForPerson
      : under_way
        ? words.stillWriting
        : run.error && text === ""
          ? words.toldOfError
          : gone;
  return (
    <Stack gap={6}>
      <Said text={text || nothing} faint={!text} />
      <Group gap="xs">
        {run.edits > 0 && <Faint>{words.edits(run.edits)}</Faint>}
        {run.attempts > 1 && <Faint>{words.attempts(run.attempts)}</Faint>}
        {messages.map(({ eventId, link }) =>
          link ? (
            <OpenInApp key={eventId} client={client} link={link} name={null}>
              {(href) => (
                <Anchor href={href} target="_blank" rel="noreferrer" size="sm">
                  {words.openMessage}
                </Anchor>
              )}
            </OpenInApp>
          ) : null,
        )}
      </Group>
    </Stack>
  );
}

interface StepProps {
  icon: ReactNode;
  title: string;
  color?: string;
  side?: ReactNode;
  last?: boolean;
  children?: ReactNode;
}

/** A mark on the line that runs down the left, and what happened there. */
function Step({ icon, title, color = "leaf", side, last = false, children }: StepProps) {
  return (
    <Group component="li" gap="sm" align="stretch" wrap="nowrap">
      <Stack gap={0} align="center">
        <ThemeIcon color={color} variant="light" radius="xl" size={34}>
          {icon}
        </ThemeIcon>
        {!last && <div style={{ flex: 1, width: 2, minHeight: 16, background: "var(--agt-line)" }} />}
      </Stack>
      <Stack gap={6} flex={1} miw={0} pb={last ? 0 : "lg"} pt={5}>
        <Group gap="xs" justify="space-between">
          <Title order={2} size="h5">
            {title}
          </Title>
          {side && (
            <Text size="sm" c="dimmed">
              {side}
            </Text>
          )}
        </Group>
        {children}
      </Stack>
    </Group>
  );
}

export const Faint = ({ children }: { children: ReactNode }) => (
  <Text size="sm" c="dimmed">
    {children}
  </Text>
);

/** A text as it was said. */
export const Said = ({ text, faint = false }: { text: string; faint?: boolean }) => (
  <Text
    className="agt-card"
    p="sm"
    size="sm"
    {...(faint ? { c: "dimmed", fs: "italic" } : {})}
    style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}
  >
    {text}
  </Text>
);

export const Fact = ({ children }: { children: ReactNode }) => (
  <Badge variant="default" tt="none" fw={500} radius="sm">
    {children}
  </Badge>
);
