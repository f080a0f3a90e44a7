import { Radio, Select, Stack, Title } from "@mantine/core";
import { useState } from "react";
import type { AgentItem } from "../../../api/agents-views.ts";
import type { ModelView } from "../../../api/models-views.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { texts } from "../../texts.ts";
import type { Definition, Form } from "./definition.ts";

const words = texts.forms.edit;
const DEFAULT = "";

interface Props {
  client: string;
  form: Form;
  definition: Definition;
  errors: Record<string, string>;
  change: (part: Partial<Definition>) => void;
}

/** An agent, or a model alone. */
export function DoerField({ client, form, definition, errors, change }: Props) {
  const { agent, model } = definition;
  // Chosen before one is: nothing is saved until there is an agent.
  const [byAgent, setByAgent] = useState(agent !== null);
  const who = agent !== null || byAgent ? "agent" : "model";
  const choose = (next: string) => {
    setByAgent(next === "agent");
    if (next === "model") change({ agent: null });
  };
  return (
    <Stack gap="sm">
      <Title order={2}>{words.doer}</Title>
      <Radio.Group aria-label={words.doer} value={who} onChange={choose}>
        <Stack gap={8}>
          <Radio value="model" label={words.model} />
          <Radio value="agent" label={words.agent} />
        </Stack>
      </Radio.Group>
      {who === "agent" ? (
        <AgentSelect
          client={client}
          value={agent}
          name={form.agentName}
          error={errors.agent}
          onChange={(next) => change({ agent: next, model: null })}
        />
      ) : (
        <ModelSelect
          client={client}
          value={model}
          error={errors.model}
          onChange={(next) => change({ model: next, agent: null })}
        />
      )}
    </Stack>
  );
}

interface SelectProps {
  client: string;
  value: string | null;
  error: string | undefined;
  onChange: (value: string | null) => void;
}

function AgentSelect({ client, value, name, error, onChange }: SelectProps & { name: string | null }) {
  const { items } = usePages<AgentItem>("agents", inClient(client, "agents"), { limit: 100 });
  const usable = items.filter(({ state }) => state === "active" || state === "paused");
  const known = usable.some(({ id }) => id === value);
  return (
    <Select
      label={words.chooseAgent}
      value={value}
      error={error}
      allowDeselect={false}
      searchable
      data={[
        ...(value !== null && !known
          ? [{ value, label: items.length > 0 ? words.gone(name ?? value) : (name ?? value) }]
          : []),
        ...usable.map((agent) => ({ value: agent.id, label: agent.name })),
      ]}
      onChange={(next) => next && onChange(next)}
    />
  );
}

function ModelSelect({ client, value, error, onChange }: SelectProps) {
  const { items } = usePages<ModelView>("models", inClient(client, "models"), { limit: 100 });
  const names = [...new Set(items.map(({ name }) => name))];
  return (
    <Select
      label={words.chooseModel}
      value={value ?? DEFAULT}
      error={error}
      allowDeselect={false}
      data={[
        { value: DEFAULT, label: words.modelDefault(items.find(({ isDefault }) => isDefault)?.name ?? null) },
        ...(value !== null && !names.includes(value)
          ? [{ value, label: items.length > 0 ? words.gone(value) : value }]
          : []),
        ...names.map((name) => ({ value: name, label: name })),
      ]}
      onChange={(next) => onChange(next || null)}
    />
  );
}
