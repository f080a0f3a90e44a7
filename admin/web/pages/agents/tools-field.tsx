import { ActionIcon, Button, Collapse, Group, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustments, IconTrash } from "@tabler/icons-react";
import { type ReactNode, useId } from "react";
import type { ToolView } from "../../../api/tools-views.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { texts } from "../../texts.ts";
import { byGroup, type ToolGroup, useTools } from "../tools/by-group.ts";
import { ModelText } from "../tools/model-text.tsx";
import {
  type Bounds,
  boundsOf,
  isBounded,
  POLICIES,
  type Policy,
  type Tools,
  withBounds,
  withGroupPolicy,
  withToolPolicy,
} from "./tools/bounds.ts";
import { BoundsFields } from "./tools/bounds-fields.tsx";

const words = texts.tools.field;
const { policies } = words;

interface Props {
  client: string;
  tools: Tools;
  errors: Record<string, string>;
  onChange: (tools: Tools) => void;
}

/** What the agent may use: a policy for each group, boundaries behind a button, single tools that differ. */
export function ToolsField({ client, tools, errors, onChange }: Props) {
  const pages = useTools(client);
  const groups = byGroup(pages.items);
  const known = new Set(groups.flatMap((group) => [group.name, ...group.tools.map(({ name }) => name)]));
  const gone = pages.loading || pages.error ? [] : Object.keys(tools).filter((name) => !known.has(name));
  return (
    <Stack gap="sm" role="group" aria-label={words.title}>
      <div>
        <Text size="sm" fw={600}>
          {words.title}
        </Text>
        <Text size="xs" c="dimmed">
          {words.help}
        </Text>
      </div>
      <Trouble error={pages.error} again={pages.again} />
      {pages.loading && <Text size="sm">{words.loading}</Text>}
      {errors.tools && <Text c="var(--mantine-color-error)">{errors.tools}</Text>}
      {groups.map((group) => (
        <OneGroup key={group.name} group={group} tools={tools} errors={errors} onChange={onChange} />
      ))}
      {gone.map((name) => (
        <Gone key={name} name={name} onForget={() => onChange(withBounds(tools, name, {}))} />
      ))}
    </Stack>
  );
}

interface PartProps extends Omit<Props, "client"> {
  group: ToolGroup;
}

function OneGroup({ group, tools, errors, onChange }: PartProps) {
  const { title, text, patterns } = texts.tools.groupOf(group.name);
  const bounds = boundsOf(tools, group.name);
  const policy = bounds.policy ?? "never";
  // A group of one tool by its own name has nothing single about it.
  const single = group.tools.filter(({ name }) => name !== group.name);
  const set = isBounded(bounds) || single.some(({ name }) => Object.hasOwn(tools, name));
  return (
    <Stack className="agt-card" p="sm" gap="xs" role="group" aria-label={title}>
      <Head
        title={title}
        text={text}
        field={
          <Select
            aria-label={words.policyOf(title)}
            data={POLICIES.map((value) => ({ value, label: policies[value].title }))}
            value={policy}
            allowDeselect={false}
            error={errors[`tools.${group.name}.policy`]}
            onChange={(next) => onChange(withGroupPolicy(tools, group.name, next as Policy))}
          />
        }
      />
      {policy !== "never" && (
        <Text size="xs" c="dimmed">
          {policy === "allowed" ? allowedText(group) : policies[policy].text}
        </Text>
      )}
      {(policy !== "never" || set || single.length > 1) && (
        <More title={title} set={set}>
          <Fields name={group.name} tools={tools} patterns={patterns} errors={errors} onChange={onChange} />
          {single.length > 0 && (
            <Stack gap="xs">
              <Text size="sm" fw={600}>
                {words.single}
              </Text>
              {single.map((tool) => (
                <SingleTool key={tool.name} tool={tool} group={policy} {...{ tools, patterns, errors, onChange }} />
              ))}
            </Stack>
          )}
        </More>
      )}
    </Stack>
  );
}

/** Groups with tools that write into rooms; some of those other companies see. */
const IN_ROOMS = ["room", "files", "schedule"];

function allowedText({ name, tools }: ToolGroup): string {
  if (tools.some(({ sends }) => sends === "outside" || sends === "address")) return words.allowedBut.outside;
  return IN_ROOMS.includes(name) ? words.allowedBut.rooms : policies.allowed.text;
}

const AS_GROUP = "group";

interface SingleProps extends Omit<Props, "client"> {
  tool: ToolView;
  group: Policy;
  patterns: string | null;
}

function SingleTool({ tool, group, patterns, tools, errors, onChange }: SingleProps) {
  const bounds = boundsOf(tools, tool.name);
  return (
    <Stack className="agt-single-tool" gap={6} role="group" aria-label={tool.title}>
      <Head
        title={tool.title}
        text={`${[tool.summary.replace(/\.$/, ""), texts.tools.reads[tool.reads], texts.tools.sends[tool.sends]].filter(Boolean).join(". ")}.`}
        field={
          <Select
            aria-label={words.policyOf(tool.title)}
            data={[
              { value: AS_GROUP, label: words.asGroup(policies[group].title) },
              ...POLICIES.map((value) => ({ value, label: policies[value].title })),
            ]}
            value={bounds.policy ?? AS_GROUP}
            allowDeselect={false}
            error={errors[`tools.${tool.name}.policy`]}
            onChange={(next) => onChange(withToolPolicy(tools, tool.name, next === AS_GROUP ? null : (next as Policy)))}
          />
        }
      />
      <More title={tool.title} set={isBounded(bounds)}>
        <ModelText tool={tool} />
        <Fields name={tool.name} tools={tools} patterns={patterns} errors={errors} onChange={onChange} />
      </More>
    </Stack>
  );
}

interface FieldsProps extends Omit<Props, "client"> {
  name: string;
  patterns: string | null;
}

const Fields = ({ name, tools, patterns, errors, onChange }: FieldsProps) => (
  <BoundsFields
    bounds={boundsOf(tools, name)}
    patterns={patterns}
    errors={Object.fromEntries(
      Object.entries(errors).flatMap(([path, sentence]) =>
        path.startsWith(`tools.${name}.`) ? [[path.slice(`tools.${name}.`.length).split(".")[0] ?? "", sentence]] : [],
      ),
    )}
    onChange={(part) => onChange(withBounds(tools, name, { ...boundsOf(tools, name), ...part } as Bounds))}
  />
);

const Head = ({ title, text, field }: { title: string; text: string; field: ReactNode }) => (
  <Group justify="space-between" gap="xs" align="flex-start">
    <Stack gap={0} flex="1 1 12rem" miw={0}>
      <Text size="sm" fw={600}>
        {title}
      </Text>
      <Text size="xs" c="dimmed">
        {text}
      </Text>
    </Stack>
    <div style={{ flex: "0 1 15rem", minWidth: "11rem" }}>{field}</div>
  </Group>
);

/** What is behind the button is drawn when it is opened. */
function More({ title, set, children }: { title: string; set: boolean; children: ReactNode }) {
  const [shown, { toggle }] = useDisclosure(false);
  const id = useId();
  return (
    <>
      <Group gap="xs">
        <Button
          size="compact-xs"
          variant="subtle"
          aria-expanded={shown}
          aria-controls={id}
          aria-label={shown ? undefined : words.moreOf(title)}
          leftSection={<IconAdjustments size={14} aria-hidden />}
          onClick={toggle}
        >
          {shown ? words.less : words.more}
        </Button>
        {set && !shown && (
          <Text size="xs" c="dimmed">
            {words.set}
          </Text>
        )}
      </Group>
      <Collapse expanded={shown} id={id}>
        {shown && <Stack gap="md">{children}</Stack>}
      </Collapse>
    </>
  );
}

function Gone({ name, onForget }: { name: string; onForget: () => void }) {
  return (
    <Group className="agt-card" p="sm" justify="space-between" wrap="nowrap">
      <div>
        <Text size="sm" ff="monospace">
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          {words.gone}
        </Text>
      </div>
      <ActionIcon variant="subtle" color="gray" size={36} aria-label={words.forget(name)} onClick={onForget}>
        <IconTrash size={18} aria-hidden />
      </ActionIcon>
    </Group>
  );
}
