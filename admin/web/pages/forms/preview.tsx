import { Paper, Stack, Text, Title } from "@mantine/core";
import { useState } from "react";
import type { FormRunView } from "../../../api/forms-views.ts";
import { post, useSend } from "../../api.ts";
import { SchemaForm } from "../../parts/schema-form.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Problem } from "../../problem.ts";
import { texts } from "../../texts.ts";
import { type Form, formPath } from "./definition.ts";
import { valueErrors } from "./fill.tsx";
import { Result } from "./result.tsx";
import type { FormDraft } from "./use-form-draft.ts";

const words = texts.forms.preview;

/** What people will see, and what comes of it when it is sent. */
export function Preview({ client, form, draft }: { client: string; form: Form; draft: FormDraft }) {
  const { input } = draft.definition;
  const [run, setRun] = useState<FormRunView | null>(null);
  const trying = useSend(
    async (values: Record<string, unknown>) => {
      if (!(await draft.save()))
        throw new Problem({ status: 0, code: "unsaved", detail: texts.forms.publish.notSaved });
      return await post<FormRunView>(formPath(client, form.id, "/runs"), { values, draft: true });
    },
    { inline: true, onDone: setRun },
  );
  const errors = valueErrors(trying.error);
  return (
    <Paper className="agt-card agt-try" p="md" component="section" aria-label={words.title}>
      <Stack gap="md">
        <div>
          <Title order={2}>{words.title}</Title>
          <Text size="sm" c="dimmed">
            {words.text}
          </Text>
        </div>
        <SchemaForm
          schema={input}
          onSubmit={(values) => trying.mutate(values)}
          errors={errors}
          busy={trying.isPending}
          submitLabel={words.run}
          idPrefix="preview"
        />
        {Object.keys(errors).length === 0 && <Trouble error={trying.error} />}
        {run && <Result client={client} run={run} />}
      </Stack>
    </Paper>
  );
}
