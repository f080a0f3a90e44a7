import {
  Alert,
  Button,
  Group,
  Loader,
  Paper,
  ScrollArea,
  Stack,
  Text,
  Textarea,
  Title,
  UnstyledButton,
} from "@mantine/core";
import { IconPlayerStop, IconRefresh, IconSend } from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import type { TryApproval } from "../../../../bots/try.ts";
import type { TemplateDetails } from "../../../api/templates-views.ts";
import { useGet } from "../../api.ts";
import { Exact } from "../../parts/exact.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { Decide } from "../approvals/decide.tsx";
import { Arguments } from "../tools/arguments.tsx";
import type { Definition } from "./definition.ts";
import { type TryAnswer, useTry } from "./use-try.ts";

const Markdown = lazy(() => import("./markdown.tsx"));
const words = texts.agents.try;

interface Props {
  client: string;
  agent: string;
  templateId: string | null;
  definition: Definition;
}

/** A chat beside the form: the agent answers with what the form says now. */
export function TryIt({ client, agent, templateId, definition }: Props) {
  const chat = useTry(client, agent);
  const [text, setText] = useState("");
  const { data: template } = useGet<TemplateDetails>(
    "templates",
    templateId ? `/templates/${encodeURIComponent(templateId)}` : null,
  );
  const ask = async (question: string) => {
    if (question.trim() === "" || chat.busy) return;
    if (await chat.ask(question, definition)) setText("");
  };
  return (
    <Stack className="agt-card agt-try" p="md" gap="sm" component="section" aria-label={words.title}>
      <Group justify="space-between">
        <Title order={2} size="h4">
          {words.title}
        </Title>
        {chat.answers.length > 0 && (
          <Button
            variant="subtle"
            size="xs"
            leftSection={<IconRefresh size={16} aria-hidden />}
            onClick={chat.startOver}
          >
            {words.over}
          </Button>
        )}
      </Group>
      <Answers client={client} name={definition.name} answers={chat.answers} />
      {chat.answers.length === 0 && template && template.questions.length > 0 && (
        <Examples questions={template.questions} busy={chat.busy} ask={(question) => void ask(question)} />
      )}
      {chat.lost && <Alert color="yellow">{words.lost}</Alert>}
      <Trouble error={chat.error} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void ask(text);
        }}
      >
        <Group gap="xs" align="flex-end" wrap="nowrap">
          <Textarea
            flex={1}
            aria-label={words.ask}
            placeholder={words.placeholder(definition.name)}
            value={text}
            autosize
            minRows={1}
            maxRows={8}
            onChange={(event) => {
              setText(event.currentTarget.value);
              chat.forget();
            }}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
              event.preventDefault();
              void ask(text);
            }}
          />
          {chat.busy ? (
            <Button variant="default" leftSection={<IconPlayerStop size={18} aria-hidden />} onClick={chat.stop}>
              {words.stop}
            </Button>
          ) : (
            <Button type="submit" leftSection={<IconSend size={18} aria-hidden />} disabled={text.trim() === ""}>
              {words.send}
            </Button>
          )}
        </Group>
      </form>
    </Stack>
  );
}

function Examples({ questions, busy, ask }: { questions: string[]; busy: boolean; ask: (question: string) => void }) {
  return (
    <Stack gap={6} role="group" aria-label={words.examples}>
      <Text size="sm" c="dimmed">
        {words.examples}
      </Text>
      {questions.map((question) => (
        <UnstyledButton key={question} className="agt-example" disabled={busy} onClick={() => ask(question)}>
          {question}
        </UnstyledButton>
      ))}
    </Stack>
  );
}

function Answers({ client, name, answers }: { client: string; name: string; answers: TryAnswer[] }) {
  const view = useRef<HTMLDivElement>(null);
  const last = answers.at(-1);
  const grown = `${answers.length} ${last?.text.length ?? 0} ${last?.approvals.length ?? 0}`;
  useEffect(() => {
    if (grown) view.current?.scrollTo({ top: view.current.scrollHeight });
  }, [grown]);
  if (answers.length === 0)
    return (
      <Text size="sm" c="dimmed">
        {words.intro}
      </Text>
    );
  return (
    <ScrollArea.Autosize
      viewportRef={view}
      mah="min(60vh, 560px)"
      type="auto"
      scrollbars="y"
      viewportProps={{ tabIndex: 0, "aria-label": words.title, role: "log" }}
    >
      <Stack gap="md" pr="sm">
        {answers.map((answer) => (
          <Stack key={answer.run} gap="xs">
            <Paper className="agt-question" p="xs" ml="xl">
              <Text size="xs" c="dimmed">
                {words.you}
              </Text>
              <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
                {answer.question}
              </Text>
            </Paper>
            <Answer client={client} name={name} answer={answer} />
          </Stack>
        ))}
      </Stack>
    </ScrollArea.Autosize>
  );
}

function Answer({ client, name, answer }: { client: string; name: string; answer: TryAnswer }) {
  const { text, state, error, done, ms, tokens } = answer;
  return (
    <div aria-busy={!done}>
      <Group gap={6} mb={4}>
        <Text size="xs" fw={600}>
          {name}
        </Text>
        {!done && (
          <>
            <Text size="xs" c="dimmed">
              {state === "waiting" && answer.approvals.length > 0
                ? words.asking
                : text === ""
                  ? words.waiting
                  : words.writing}
            </Text>
            {state !== "waiting" && <Loader size={12} type="dots" aria-hidden />}
          </>
        )}
        {done && ms !== null && (
          <Text size="xs" c="dimmed">
            {words.took((ms / 1000).toFixed(1), tokens)}
          </Text>
        )}
      </Group>
      {text !== "" && (
        <Suspense fallback={<Text size="sm">{text}</Text>}>
          <Markdown text={text} />
        </Suspense>
      )}
      {answer.approvals.map((approval) => (
        <Asked key={approval.id} client={client} agent={name} approval={approval} />
      ))}
      {state === "stopped" && (
        <Text size="sm" c="dimmed">
          {words.stopped}
        </Text>
      )}
      {state === "failed" && (
        <Alert color="red" mt={4} p="xs">
          {error ?? words.failed}
        </Alert>
      )}
    </div>
  );
}

/** What it would do, exactly, and the buttons: who tries it decides. */
function Asked({ client, agent, approval }: { client: string; agent: string; approval: TryApproval }) {
  const { id, kind, tool, sentence, why, mayDecide } = approval;
  const asks = texts.approvals;
  return (
    <Stack className="agt-card" p="sm" gap="xs" mt={6}>
      <Text size="sm" fw={600} style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        <Exact text={kind === "input" ? (sentence ?? asks.erased) : asks.wants(agent, sentence ?? tool)} />
      </Text>
      {kind === "tool" && why && (
        <Text size="xs" c="dimmed">
          {why}
        </Text>
      )}
      {kind === "tool" && approval.arguments && (
        <Arguments value={approval.arguments} labels={approval.labels} label={asks.exactly} exact />
      )}
      {mayDecide && <Decide client={client} asked={{ id, kind, always: null, agent, tool }} />}
    </Stack>
  );
}
