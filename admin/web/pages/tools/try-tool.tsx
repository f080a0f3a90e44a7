import { Group, Modal, Stack, Text, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import type { JsonSchema } from "../../../../migrations/types.ts";
import type { ToolView, TriedView } from "../../../api/tools-views.ts";
import { post, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { askFirst } from "../../parts/ask.tsx";
import { SchemaForm } from "../../parts/schema-form.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { CallState, Result, Untrusted } from "./call-parts.tsx";
import { ModelText } from "./model-text.tsx";
import { wordOf } from "./shape.ts";

const words = texts.tools;

/** A form made of the tool's schema; what comes back stands beneath it. */
export function TryTool({ client, tool, close }: { client: string; tool: ToolView; close: () => void }) {
  const [value, setValue] = useState<Record<string, unknown>>({});
  const schema = useMemo(() => forPeople(tool), [tool]);
  const trying = useSend(
    (args: Record<string, unknown>) =>
      post<TriedView>(inClient(client, "tools", tool.name, "try"), { arguments: args }),
    { topics: ["tools"], inline: true },
  );
  const submit = async (args: Record<string, unknown>) => {
    const { askTitle, askText, askYes } = words.try;
    const sure =
      tool.risk !== "high" ||
      (await askFirst({ title: askTitle(tool.title), text: askText, yes: askYes, danger: true }));
    if (sure) trying.mutate(args);
  };
  const { data } = trying;
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={words.try.title(tool.title)}
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <Stack>
        <div>
          <Text size="sm">{tool.summary}</Text>
          <ModelText tool={tool} />
        </div>
        {words.try.leads[tool.sends] !== null && (
          <Text size="sm" c="dimmed">
            {words.try.leads[tool.sends]}
          </Text>
        )}
        <SchemaForm
          schema={schema}
          value={value}
          onChange={setValue}
          onSubmit={(args) => void submit(args)}
          submitLabel={words.try.run}
          busy={trying.isPending}
          idPrefix={`try-${tool.name}`}
        />
        <Trouble error={trying.error} />
        {data && (
          <Stack gap="xs" aria-live="polite">
            <Group gap="xs">
              <Title order={3} size="h5">
                {words.try.result}
              </Title>
              <CallState state={data.state} />
              <Text size="sm" c="dimmed">
                {words.call.took(data.durationMs)}
              </Text>
            </Group>
            {data.untrusted && <Untrusted>{words.call.untrusted(data.untrusted)}</Untrusted>}
            <Result text={data.result} />
          </Stack>
        )}
      </Stack>
    </Modal>
  );
}

/** Fields are called as they are where a call is shown; what a model is told of a yes/no is said as a switch needs it. */
function forPeople({ input, labels }: ToolView): JsonSchema {
  const schema = input as JsonSchema;
  const fields = Object.entries(schema.properties ?? {}).map(([name, field]): [string, JsonSchema] => {
    const description = field.description?.replace(/^True: (.)/, (_, first: string) => first.toUpperCase());
    return [name, { ...field, title: titleOf(name, labels[name]), ...(description ? { description } : {}) }];
  });
  return { ...schema, properties: Object.fromEntries(fields) };
}

/** A label stays as somebody wrote it; a mere name is made a word. */
const titleOf = (name: string, label = name) => (label === name ? wordOf(name) : label);
