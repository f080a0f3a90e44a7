import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { IconArrowBackUp, IconGitCompare } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { post, useGet, usePages, useSend } from "../../api.ts";
import { askFirst } from "../../parts/ask.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { type Definition, type Form, formPath } from "./definition.ts";
import type { FormDraft } from "./use-form-draft.ts";

const TextDiff = lazy(() => import("../agents/text-diff.tsx"));
const words = texts.forms.versions;

type Version = Form["versions"][number];

interface Props {
  client: string;
  form: Form;
  draft: FormDraft | null;
  mayWrite: boolean;
}

/** What the form was: who published it, what changed, and the way back. */
export function Versions({ client, form, draft, mayWrite }: Props) {
  const pages = usePages<Version>("tools", formPath(client, form.id, "/versions"), { limit: 20 });
  if (pages.loading) return <Waiting />;
  if (pages.error && pages.items.length === 0) return <Trouble error={pages.error} again={pages.again} />;
  if (pages.items.length === 0) return <Empty title={words.none} text={words.noneText} />;
  return (
    <Stack gap="sm">
      <Stack component="ul" gap="sm" p={0} m={0} style={{ listStyle: "none" }}>
        {pages.items.map((version) => (
          <One key={version.version} client={client} form={form} draft={draft} version={version} mayWrite={mayWrite} />
        ))}
      </Stack>
      {pages.hasMore && (
        <Group justify="center">
          <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
            {texts.shell.loadMore}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

function One({ client, form, draft, version: { version, by, note, at }, mayWrite }: Props & { version: Version }) {
  const [open, setOpen] = useState(false);
  const current = version === form.version;
  const back = useSend(() => post<Form>(formPath(client, form.id, `/versions/${version}/rollback`), {}), {
    topics: ["tools"],
    said: words.done(version),
    // A draft stays as it is; without one the editor begins with what is published now.
    onDone: (now) => now.draft === null && now.definition && draft?.reset(now.definition, now.revision ?? 0),
  });
  const ask = async () => {
    if (await askFirst({ title: words.title(version), text: words.text, yes: words.yes })) back.mutate(undefined);
  };
  return (
    <Stack component="li" className="agt-card" p="md" gap="xs">
      <Group justify="space-between" gap="sm">
        <div>
          <Group gap="xs">
            <Text fw={600}>{texts.forms.version(version)}</Text>
            {current && (
              <Badge variant="light" tt="none" radius="sm">
                {words.now}
              </Badge>
            )}
          </Group>
          <Text size="sm" c="dimmed">
            <When at={at} />
            {by && ` ${words.by} ${by.replace(/^operator:/, "")}`}
          </Text>
          {note && <Text size="sm">{note}</Text>}
        </div>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            aria-expanded={open}
            leftSection={<IconGitCompare size={16} aria-hidden />}
            onClick={() => setOpen(!open)}
          >
            {words.compare}
          </Button>
          {mayWrite && !current && (
            <Button
              size="xs"
              variant="default"
              loading={back.isPending}
              leftSection={<IconArrowBackUp size={16} aria-hidden />}
              onClick={() => void ask()}
            >
              {words.back(version)}
            </Button>
          )}
        </Group>
      </Group>
      {open && <Changes client={client} form={form} version={version} />}
    </Stack>
  );
}

function Changes({ client, form, version }: { client: string; form: Form; version: number }) {
  const older = useVersion(client, form.id, version - 1);
  const newer = useVersion(client, form.id, version);
  if (version === 1) return <Text c="dimmed">{words.first}</Text>;
  if (older.error ?? newer.error) return <Trouble error={older.error ?? newer.error} />;
  if (!older.data || !newer.data) return <Waiting lines={1} />;
  return <Differences from={older.data.definition} to={newer.data.definition} />;
}

const useVersion = (client: string, form: string, version: number) =>
  useGet<{ definition: Definition }>("tools", version < 1 ? null : formPath(client, form, `/versions/${version}`));

/** What differs, field by field. */
export function Differences({ from, to }: { from: Definition; to: Definition }) {
  const names = (Object.keys(words.fields) as (keyof Definition)[]).filter(
    (name) => shown(from[name]) !== shown(to[name]),
  );
  if (names.length === 0) return <Text c="dimmed">{words.same}</Text>;
  return (
    <Suspense fallback={<Waiting lines={1} />}>
      <Stack gap="md">
        {names.map((name) => (
          <div key={name}>
            <Text size="sm" fw={600} mb={4}>
              {words.fields[name]}
            </Text>
            <TextDiff from={shown(from[name])} to={shown(to[name])} />
          </div>
        ))}
      </Stack>
    </Suspense>
  );
}

const shown = (value: unknown): string =>
  typeof value === "string" ? value : value === null ? "" : JSON.stringify(value, null, 2);
