import { Fieldset, Group, NumberInput, Radio, Select, Stack, Textarea, TextInput } from "@mantine/core";
import type { AgentView } from "../../../api/agents-views.ts";
import type { ModelView } from "../../../api/models-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { texts } from "../../texts.ts";
import type { Definition } from "./definition.ts";
import { FaceField } from "./face-field.tsx";
import { InstructionsField } from "./instructions-field.tsx";
import { InviteField } from "./invite-field.tsx";
import { ToolsField } from "./tools-field.tsx";
import type { Draft } from "./use-draft.ts";
import { VariablesField } from "./variables-field.tsx";

const words = texts.agents;

interface Props {
  client: string;
  agent: AgentView;
  draft: Draft;
  mayWrite: boolean;
}

/** Everything that makes an agent, saved while it is written. */
export function AgentForm({ client, agent, draft, mayWrite }: Props) {
  const { definition, errors, change } = draft;
  return (
    <Fieldset disabled={!mayWrite} variant="unstyled" aria-label={words.tabs.edit}>
      <Stack gap="lg">
        <Group align="flex-start" gap="lg">
          <TextInput
            flex="1 1 14rem"
            label={words.form.name}
            description={words.form.nameHelp}
            value={definition.name}
            required
            withAsterisk={false}
            error={errors.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
          />
          <FaceField
            client={client}
            agent={agent.id}
            revision={draft.revision}
            avatar={definition.avatar}
            onChange={(avatar) => change({ avatar })}
          />
        </Group>
        <Textarea
          label={words.form.purpose}
          description={words.form.purposeHelp}
          value={definition.description}
          autosize
          minRows={1}
          error={errors.description}
          onChange={(event) => change({ description: event.currentTarget.value.replaceAll("\n", " ") })}
        />
        <InstructionsField definition={definition} error={errors.instructions} change={change} />
        <VariablesField
          variables={definition.variables ?? {}}
          instructions={definition.instructions}
          errors={errors}
          onChange={(variables) => change({ variables })}
        />
        <ModelField client={client} definition={definition} error={errors.model} change={change} />
        <InviteField
          client={client}
          value={definition.whoMayInvite}
          error={errors.whoMayInvite}
          onChange={(whoMayInvite) => change({ whoMayInvite })}
        />
        <ScopeField value={definition.scope} onChange={(scope) => change({ scope })} />
        <ToolsField
          client={client}
          tools={definition.tools ?? {}}
          errors={errors}
          onChange={(tools) => change({ tools })}
        />
        <LimitsField definition={definition} errors={errors} change={change} />
      </Stack>
    </Fieldset>
  );
}

interface FieldProps {
  definition: Definition;
  change: (part: Partial<Definition>) => void;
}

const DEFAULT = "";

function ModelField({ client, definition, error, change }: FieldProps & { client: string; error: string | undefined }) {
  const { items } = usePages<ModelView>("models", inClient(client, "models"), {
    limit: 100,
  });
  const names = [...new Set(items.map(({ name }) => name))];
  const { model } = definition;
  const gone = model !== null && items.length > 0 && !names.includes(model);
  return (
    <Select
      label={words.form.model}
      description={words.form.modelHelp}
      value={model ?? DEFAULT}
      allowDeselect={false}
      error={error}
      data={[
        { value: DEFAULT, label: words.form.modelDefault(items.find(({ isDefault }) => isDefault)?.name ?? null) },
        ...(model !== null && !names.includes(model)
          ? [{ value: model, label: gone ? words.form.modelGone(model) : model }]
          : []),
        ...names.map((name) => ({ value: name, label: name })),
      ]}
      onChange={(next) => change({ model: next ? next : null })}
    />
  );
}

function ScopeField({
  value,
  onChange,
}: {
  value: Definition["scope"];
  onChange: (scope: Definition["scope"]) => void;
}) {
  const { scope } = words;
  const choices = [
    { value: "member", label: scope.member, description: scope.memberText },
    { value: "observer", label: scope.observer, description: scope.observerText },
    { value: "moderator", label: scope.moderator, description: scope.moderatorText },
  ] as const;
  return (
    <Radio.Group
      label={scope.label}
      value={value}
      onChange={(next) => onChange(choices.find((choice) => choice.value === next)?.value ?? "member")}
    >
      <Stack gap={8} mt={6}>
        {choices.map((choice) => (
          <Radio key={choice.value} {...choice} />
        ))}
      </Stack>
    </Radio.Group>
  );
}

function LimitsField({ definition, errors, change }: FieldProps & { errors: Record<string, string> }) {
  const { limits = {} } = definition;
  const { limits: text } = words;
  const field = (name: "tokensPerDay" | "maxAnswerTokens", label: string, help: string) => (
    <NumberInput
      flex="1 1 12rem"
      label={label}
      description={help}
      value={limits[name] ?? ""}
      min={1}
      allowDecimal={false}
      allowNegative={false}
      thousandSeparator=" "
      hideControls
      error={errors[`limits.${name}`]}
      onChange={(value) => {
        const { [name]: _before, ...others } = limits;
        change({ limits: value === "" ? others : { ...others, [name]: Number(value) } });
      }}
    />
  );
  return (
    <Group align="flex-start" role="group" aria-label={text.title}>
      {field("tokensPerDay", text.tokensPerDay, text.tokensPerDayHelp)}
      {field("maxAnswerTokens", text.maxAnswerTokens, text.maxAnswerTokensHelp)}
    </Group>
  );
}
