import { Avatar } from "@mantine/core";
import { apiUrl } from "../../api.ts";
import { agentPath } from "./definition.ts";

/** An agent's face beside its name. `draft`: the one that is not published yet. */
export function Face(props: { client: string; agent: string; size?: number; version: string; draft?: boolean }) {
  const { client, agent, size = 44, version, draft = false } = props;
  const src = apiUrl(agentPath(client, agent, "/avatar"), { v: version, ...(draft ? { of: "draft" } : {}) });
  return <Avatar src={src} alt="" size={size} radius="md" />;
}
