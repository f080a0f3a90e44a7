import { Alert, Anchor, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useRouter } from "wouter";
import type { ToolSettingsView } from "../../../api/tool-settings-views.ts";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { boundsOf, type Tools } from "./tools/bounds.ts";

const words = texts.agents.publish;

/** What an agent may use and the client has not set up yet: said before it is published, and no hindrance. */
export function UnsetServices({ client, tools }: { client: string; tools: Tools | undefined }) {
  const { base } = useRouter();
  const may = (tool: string, group: string) =>
    (boundsOf(tools ?? {}, tool).policy ?? boundsOf(tools ?? {}, group).policy ?? "never") !== "never";
  const uses = { mail: may("mail_send", "mail"), search: may("web_search", "web") };
  const path = uses.mail || uses.search ? inClient(client, "tool-settings") : null;
  const { data } = useGet<ToolSettingsView>("tools", path);
  const unset = (["mail", "search"] as const).filter((service) => uses[service] && data && data[service] === null);
  if (unset.length === 0) return null;
  return (
    <Alert color="yellow" icon={<IconPlugConnectedX aria-hidden />}>
      {unset.map((service) => (
        <Text key={service} size="sm">
          {words.unset[service]}
        </Text>
      ))}
      {/* Beside this page: what is about to be published stays as it is. */}
      <Anchor href={`${base}${to.tools(client)}?tab=settings`} target="_blank" size="sm">
        {words.toSettings}
      </Anchor>
    </Alert>
  );
}
