import { Button, Group, Loader, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconBolt, IconKey, IconPencil, IconStar, IconTrash } from "@tabler/icons-react";
import type { CheckView, ModelView } from "../../../api/models-views.ts";
import { del, post, put, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { StateBadge } from "../../parts/state-badge.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { ChangeModel } from "./change-model.tsx";

const words = texts.models;

/** One model: what it is, whether it answers, and what can be done with it. */
export function ModelCard({ model, root, may }: { model: ModelView; root: string; may: boolean }) {
  const path = `${root}/${encodeURIComponent(model.id)}`;
  const test = useSend(() => post<CheckView>(`${path}/test`), { topics: ["models"] });
  return (
    <Stack component="li" className="agt-card" p="md" gap="xs">
      <Group gap="xs">
        {/* In a client they stand under headings of their own. */}
        <Text fw={650} component={root === "/models" ? "h2" : "h3"} m={0}>
          {model.name}
        </Text>
        {model.isDefault && <StateBadge tone="good">{words.default}</StateBadge>}
        {model.source !== "added" && <StateBadge tone="quiet">{words.sources[model.source]}</StateBadge>}
      </Group>
      <Facts model={model} />
      <Check check={test.data ?? model.lastCheck} busy={test.isPending} />
      {may && <Actions model={model} root={root} path={path} test={test} />}
      {model.source !== "added" && may && (
        <Text size="sm" c="dimmed">
          {words.sourceHints[model.source]}
        </Text>
      )}
    </Stack>
  );
}

function Facts({ model }: { model: ModelView }) {
  const { abilities, provider, baseUrl } = model;
  const able = [
    words.context(abilities.contextWindow),
    words.output(abilities.maxOutput),
    ...(abilities.images ? [words.images] : []),
    ...(abilities.files ? [words.files] : []),
    ...(abilities.images || abilities.files ? [] : [words.textOnly]),
  ];
  return (
    <Stack gap={2}>
      <Text size="sm">
        {words.shortProviders[provider]} · {model.model}
        {baseUrl && ` · ${baseUrl}`}
      </Text>
      <Text size="sm" c="dimmed">
        {able.join(", ")}
      </Text>
      <Group gap="md">
        <Group gap={4}>
          {model.hasKey && <IconKey size={14} aria-hidden />}
          <Text size="sm" c="dimmed">
            {model.hasKey ? words.hasKey : words.noKey}
          </Text>
        </Group>
        <Text size="sm" c="dimmed">
          {words.usedBy(model.agents)}
        </Text>
      </Group>
    </Stack>
  );
}

/** What came of the last test. */
function Check({ check, busy }: { check: CheckView | null; busy: boolean }) {
  if (busy)
    return (
      <Group gap="xs" role="status">
        <Loader size={16} aria-hidden />
        <Text size="sm">{words.testing}</Text>
      </Group>
    );
  if (!check)
    return (
      <Text size="sm" c="dimmed">
        {words.notTested}
      </Text>
    );
  const speed =
    check.firstTokenMs === null || check.durationMs === null
      ? null
      : words.speed(words.ms(check.firstTokenMs), words.ms(check.durationMs));
  return (
    <Stack gap={2} role="status">
      <Text size="sm" {...(check.ok ? {} : { c: "var(--mantine-color-error)" })}>
        {check.ok ? words.answered(check.text) : check.text}
      </Text>
      <Text size="sm" c="dimmed">
        {words.tested} <When at={check.at} />
        {speed && `; ${speed}`}
      </Text>
    </Stack>
  );
}

interface ActionsProps {
  model: ModelView;
  root: string;
  path: string;
  test: { isPending: boolean; mutate: (input: undefined) => void };
}

function Actions({ model, root, path, test }: ActionsProps) {
  const [changing, { open, close }] = useDisclosure(false);
  const choose = useSend(() => put(`${root}/default`, { model: model.id }), {
    topics: ["models"],
    said: words.madeDefault(model.name),
  });
  const remove = useSend(() => del(path), { topics: ["models"], said: words.removed(model.name) });
  const ask = async () => {
    const title = words.removeTitle(model.name);
    const text = words.removeText(model.agents, model.isDefault);
    if (await askFirst({ title, text, yes: words.removeYes, danger: true })) remove.mutate(undefined);
  };
  // What was found on this machine is the operator's default by itself, where nothing else is.
  const choosable = !model.isDefault && !(root === "/models" && model.source === "found");
  return (
    <Group gap="xs">
      <Button
        variant="default"
        size="xs"
        leftSection={<IconBolt size={16} aria-hidden />}
        loading={test.isPending}
        onClick={() => test.mutate(undefined)}
        aria-label={words.testOf(model.name)}
      >
        {words.test}
      </Button>
      {choosable && (
        <Button
          variant="default"
          size="xs"
          leftSection={<IconStar size={16} aria-hidden />}
          loading={choose.isPending}
          onClick={() => choose.mutate(undefined)}
          aria-label={words.makeDefaultOf(model.name)}
        >
          {words.makeDefault}
        </Button>
      )}
      {model.editable && (
        <>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconPencil size={16} aria-hidden />}
            onClick={open}
            aria-label={words.editOf(model.name)}
          >
            {words.edit}
          </Button>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconTrash size={16} aria-hidden />}
            loading={remove.isPending}
            onClick={() => void ask()}
            aria-label={words.removeOf(model.name)}
          >
            {words.remove}
          </Button>
          <ChangeModel model={model} path={path} opened={changing} close={close} />
        </>
      )}
    </Group>
  );
}
