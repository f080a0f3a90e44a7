import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import { useState } from "react";
import type { FormRunView } from "../../../api/forms-views.ts";
import { fieldErrors, post, useGet, useSend } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { SchemaForm } from "../../parts/schema-form.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { type Form, formPath } from "./definition.ts";
import { exampleOf, fieldsOf } from "./fields.ts";
import { Result } from "./result.tsx";

const words = texts.forms.fill;

/** What the platform says about single fields of what was filled in. */
export const valueErrors = (error: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fieldErrors(error))
      .filter(([path]) => path.startsWith("values."))
      .map(([path, sentence]) => [path.slice("values.".length), sentence]),
  );

/** The form as people fill it in. `room`: where the result goes, from the link that brought them here. */
export function Fill({ client, form, room }: { client: string; form: Form; room: string | null }) {
  const [run, setRun] = useState<FormRunView | null>(null);
  const filling = useSend(
    (values: Record<string, unknown>) =>
      post<FormRunView>(formPath(client, form.id, "/runs"), { values, ...(room ? { room } : {}) }),
    { topics: ["tools"], inline: true, onDone: setRun },
  );
  if (form.input === null) return <Alert color="yellow">{words.notPublished}</Alert>;
  if (form.state === "paused") return <Alert color="yellow">{words.paused}</Alert>;
  if (run)
    return (
      <Stack gap="md" maw={720}>
        <Result client={client} run={run} />
        <div>
          <Button variant="default" onClick={() => setRun(null)}>
            {words.again}
          </Button>
        </div>
      </Stack>
    );
  const errors = valueErrors(filling.error);
  return (
    <Stack gap="md" maw={720}>
      {form.description && <Text>{form.description}</Text>}
      <SchemaForm
        schema={form.input}
        onSubmit={(values) => filling.mutate(values)}
        errors={errors}
        busy={filling.isPending}
        submitLabel={words.send}
      />
      {Object.keys(errors).length === 0 && <Trouble error={filling.error} />}
      {room ? <ToRoom client={client} room={room} /> : <Beside form={form} />}
    </Stack>
  );
}

function ToRoom({ client, room }: { client: string; room: string }) {
  const { data } = useGet<{ name: string | null }>("teams", inClient(client, "rooms", room));
  return (
    <Text size="sm" c="dimmed">
      {words.toRoom(data?.name ? `“${data.name}”` : words.thisRoom)}
    </Text>
  );
}

function Beside({ form }: { form: Form }) {
  const required = fieldsOf(form.input ?? {}).filter(({ required }) => required);
  const example = [`!${form.name}`, ...required.map(exampleOf)].join(" ");
  return (
    <Group gap={6}>
      <Text size="sm" c="dimmed">
        {words.here} {words.inRooms}
      </Text>
      <Code>{example}</Code>
    </Group>
  );
}
