import "./agents/agents.css";
import "./forms/forms.css";
import { Code, Group, Tabs, Text } from "@mantine/core";
import { useSearchParams } from "wouter";
import { useGet } from "../api.ts";
import { useMay, useParam, useThisClient } from "../me.tsx";
import { Page } from "../parts/page.tsx";
import { Trouble } from "../parts/trouble.tsx";
import { Waiting } from "../parts/waiting.tsx";
import { to } from "../paths.ts";
import { texts } from "../texts.ts";
import { useLeaving } from "./agents/leave.ts";
import { SaveState } from "./agents/publish.tsx";
import { FormActions } from "./forms/actions.tsx";
import { FormConflict } from "./forms/conflict.tsx";
import { type Form, formPath } from "./forms/definition.ts";
import { Edit } from "./forms/edit.tsx";
import { Fill } from "./forms/fill.tsx";
import { PublishForm } from "./forms/publish-form.tsx";
import { Runs } from "./forms/runs.tsx";
import { FormState } from "./forms/state.tsx";
import { type FormDraft, useFormDraft } from "./forms/use-form-draft.ts";
import { Versions } from "./forms/versions.tsx";

const words = texts.forms;

/** One form: for managers what makes it, for everybody to fill in, with what came of it. */
export default function FormPage() {
  const client = useThisClient();
  const id = useParam("form");
  // Another form is another page: nothing of the one before stays.
  return <OneForm key={`${client} ${id}`} client={client} id={id} />;
}

function OneForm({ client, id }: { client: string; id: string }) {
  const { data: form, error, refetch } = useGet<Form>("tools", formPath(client, id));
  if (!form)
    return (
      <Page title={texts.shell.pages.form} crumbs={[{ title: words.title, to: to.forms(client) }]}>
        {error ? <Trouble error={error} again={() => void refetch()} /> : <Waiting height={120} />}
      </Page>
    );
  return <Loaded client={client} form={form} />;
}

function Loaded({ client, form }: { client: string; form: Form }) {
  const mayWrite = useMay("forms.write");
  const draft = useFormDraft(client, form, mayWrite);
  useLeaving(draft);
  return (
    <Page
      title={draft?.definition.title || form.title}
      crumbs={[{ title: words.title, to: to.forms(client) }]}
      lead={<Lead form={form} />}
      actions={
        mayWrite && (
          <>
            {draft && <SaveState draft={draft} hasDraft={form.draft !== null} />}
            {draft && <PublishForm client={client} form={form} draft={draft} />}
            <FormActions client={client} form={form} draft={draft} />
          </>
        )
      }
    >
      <FormTabs client={client} form={form} draft={draft} mayWrite={mayWrite} />
      {draft && <FormConflict draft={draft} />}
    </Page>
  );
}

function Lead({ form }: { form: Form }) {
  const mayRead = useMay("tools.read");
  return (
    <Group gap="xs">
      {mayRead && <FormState state={form.state} hasDraft={form.draft !== null} />}
      {mayRead && (
        <Text size="sm" c="dimmed">
          {form.version === null ? words.never : words.version(form.version)}
        </Text>
      )}
      <Code>{`!${form.name}`}</Code>
    </Group>
  );
}

const ALL = ["edit", "fill", "runs", "versions"] as const;
const MEMBER = ["fill", "runs"] as const;

interface TabsProps {
  client: string;
  form: Form;
  draft: FormDraft | null;
  mayWrite: boolean;
}

function FormTabs({ client, form, draft, mayWrite }: TabsProps) {
  const [search, setSearch] = useSearchParams();
  const mayRead = useMay("tools.read");
  const room = search.get("room");
  const tabs: readonly (typeof ALL)[number][] = mayRead ? ALL : MEMBER;
  // Whoever comes by a link from a room wants to fill it in.
  const first = room === null ? (tabs[0] ?? "fill") : "fill";
  const tab = tabs.find((name) => name === search.get("tab")) ?? first;
  const choose = (next: string | null) =>
    setSearch({ ...(next && next !== first ? { tab: next } : {}), ...(room ? { room } : {}) }, { replace: true });
  return (
    <Tabs value={tab} onChange={choose} keepMounted={false}>
      <Tabs.List mb="lg">
        {tabs.map((name) => (
          <Tabs.Tab key={name} value={name} px={{ base: 8, sm: "md" }}>
            {words.tabs[name]}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {mayRead && (
        // What is typed stays while somebody looks at another tab.
        <Tabs.Panel value="edit" keepMounted>
          {draft ? <Edit client={client} form={form} draft={draft} mayWrite={mayWrite} /> : <Waiting height={120} />}
        </Tabs.Panel>
      )}
      <Tabs.Panel value="fill">
        <Fill client={client} form={form} room={room} />
      </Tabs.Panel>
      <Tabs.Panel value="runs">
        <Runs client={client} form={form} />
      </Tabs.Panel>
      {mayRead && (
        <Tabs.Panel value="versions">
          <Versions client={client} form={form} draft={draft} mayWrite={mayWrite} />
        </Tabs.Panel>
      )}
    </Tabs>
  );
}
