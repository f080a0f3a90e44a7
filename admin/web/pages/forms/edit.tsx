import { Box, Fieldset, Group, Paper, Radio, SimpleGrid, Stack, Textarea, TextInput, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { Problem } from "../../api.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import type { Definition, Form } from "./definition.ts";
import { DoerField } from "./doer-field.tsx";
import { KINDS } from "./fields.ts";
import { FieldsEditor } from "./fields-editor.tsx";
import { Preview } from "./preview.tsx";
import { PromptField } from "./prompt-field.tsx";
import type { FormDraft } from "./use-form-draft.ts";

const words = texts.forms.edit;
const INPUT_KINDS = KINDS.filter((kind) => kind !== "list");

interface Props {
  client: string;
  form: Form;
  draft: FormDraft;
  mayWrite: boolean;
}

/** Everything that makes a form, saved while it is written, beside what people will see. */
export function Edit({ client, form, draft, mayWrite }: Props) {
  const narrow = useMediaQuery("(max-width: 62em)", undefined, { getInitialValueInEffect: false });
  const { definition, errors, change, holdBack } = draft;
  return (
    <Stack gap="md">
      {draft.state === "failed" && <Unsaved draft={draft} />}
      <SimpleGrid cols={narrow ? 1 : 2} spacing="xl">
        <Fieldset disabled={!mayWrite} variant="unstyled" aria-label={texts.forms.tabs.edit} miw={0}>
          <Stack gap="lg">
            <Title order={2}>{words.about}</Title>
            <Group align="flex-start" gap="lg">
              <TextInput
                flex="2 1 12rem"
                label={words.title}
                value={definition.title}
                error={errors.title}
                onChange={({ currentTarget }) => change({ title: currentTarget.value })}
              />
              <TextInput
                flex="1 1 10rem"
                label={words.name}
                leftSection="!"
                value={definition.name}
                error={errors.name}
                autoCapitalize="none"
                spellCheck={false}
                onChange={({ currentTarget }) => change({ name: currentTarget.value })}
              />
            </Group>
            <Textarea
              label={words.description}
              description={words.descriptionHelp}
              value={definition.description}
              error={errors.description}
              autosize
              minRows={2}
              onChange={({ currentTarget }) => change({ description: currentTarget.value })}
            />
            <Title order={2}>{words.fields}</Title>
            <FieldsEditor
              label={words.fields}
              schema={definition.input}
              kinds={INPUT_KINDS}
              requiredLabel={texts.forms.field.required}
              error={errors.input}
              onChange={(input) => change({ input })}
              holdBack={holdBack}
            />
            <Title order={2}>{words.prompt}</Title>
            <PromptField definition={definition} error={errors.prompt} change={change} />
            <DoerField client={client} form={form} definition={definition} errors={errors} change={change} />
            <Output definition={definition} error={errors.output} change={change} holdBack={holdBack} />
          </Stack>
        </Fieldset>
        {mayWrite && (
          <Box miw={0}>
            <Preview client={client} form={form} draft={draft} />
          </Box>
        )}
      </SimpleGrid>
    </Stack>
  );
}

/** Why nothing is saved, in sight wherever in the form somebody is. */
function Unsaved({ draft: { error, errors } }: { draft: FormDraft }) {
  const parts = Object.keys(errors).map((path) => texts.forms.versions.fields[path] ?? path);
  const said = new Problem({ status: 0, code: "unsaved", detail: words.unsaved(parts) });
  return (
    <Paper className="agt-form-unsaved">
      <Trouble error={parts.length > 0 ? said : error} />
    </Paper>
  );
}

interface OutputProps {
  definition: Definition;
  error: string | undefined;
  change: (part: Partial<Definition>) => void;
  holdBack: FormDraft["holdBack"];
}

function Output({ definition, error, change, holdBack }: OutputProps) {
  const { output } = definition;
  const choose = (next: string) =>
    change({
      output:
        next === "text"
          ? null
          : (output ?? {
              type: "object",
              properties: { result: { type: "string", title: "Result" } },
              required: ["result"],
            }),
    });
  return (
    <Stack gap="sm">
      <Title order={2}>{words.output}</Title>
      <Radio.Group aria-label={words.output} value={output === null ? "text" : "fields"} onChange={choose}>
        <Stack gap={8}>
          <Radio value="text" label={words.outputText} />
          <Radio value="fields" label={words.outputFields} description={words.outputHelp} />
        </Stack>
      </Radio.Group>
      {output !== null && (
        <FieldsEditor
          label={words.output}
          schema={output}
          kinds={KINDS}
          requiredLabel={texts.forms.field.requiredOut}
          error={error}
          onChange={(next) => change({ output: next })}
          holdBack={holdBack}
        />
      )}
    </Stack>
  );
}
