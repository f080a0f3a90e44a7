import { Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import type { ToolSettingsView } from "../../../api/tool-settings-views.ts";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useMay } from "../../me.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Waiting } from "../../parts/waiting.tsx";
import { texts } from "../../texts.ts";
import { ApprovalTime } from "./approval-time.tsx";
import { MailSettingsForm } from "./mail-settings.tsx";
import { SearchSettingsForm } from "./search-settings.tsx";
import { ToolSecrets } from "./secrets.tsx";

const words = texts.toolSettings;

/** What tools need: how long their questions wait, the mail server, the search, and secrets for requests. */
export function ToolSettings({ client }: { client: string }) {
  const may = useMay("tools.write");
  const path = inClient(client, "tool-settings");
  const { data, error, refetch } = useGet<ToolSettingsView>("tools", path);
  if (error && !data) return <Trouble error={error} again={() => void refetch()} />;
  if (!data) return <Waiting lines={4} height={44} />;
  return (
    <Stack gap="xl">
      <Part title={words.approvals.title} lead={words.approvals.lead}>
        <ApprovalTime path={path} minutes={data.approvalMinutes} may={may} />
      </Part>
      <Part title={words.mail.title} lead={words.mail.lead}>
        {may ? (
          // Drawn anew when somebody saved: what is stored is what a form begins with.
          <MailSettingsForm key={JSON.stringify(data.mail)} path={path} mail={data.mail} />
        ) : (
          <Text>{data.mail ? `${data.mail.host}:${data.mail.port}, ${data.mail.from}` : words.mail.notSet}</Text>
        )}
      </Part>
      <Part title={words.search.title} lead={words.search.lead}>
        {may ? (
          <SearchSettingsForm key={JSON.stringify(data.search)} path={path} search={data.search} />
        ) : (
          <Text>{data.search ? (data.search.url ?? words.search.kinds[data.search.kind]) : words.search.notSet}</Text>
        )}
      </Part>
      <Part title={words.secrets.title} lead={words.secrets.lead}>
        <ToolSecrets client={client} may={may} />
      </Part>
    </Stack>
  );
}

const Part = ({ title, lead, children }: { title: string; lead: string; children: ReactNode }) => (
  <Stack component="section" gap="sm" aria-label={title}>
    <Title order={2}>{title}</Title>
    <Text c="dimmed">{lead}</Text>
    {children}
  </Stack>
);
