import { Avatar } from "@mantine/core";
import { apiUrl } from "../api.ts";
import { inClient } from "../api-path.ts";

/** An agent's face. It stands beside the name, so a screen reader hears the name only once. */
export function AgentFace({
  client,
  agent,
  size = 36,
  version,
}: {
  client: string;
  agent: string;
  size?: number;
  /** Changes when the face does. */
  version?: string | number | undefined;
}) {
  const path = inClient(client, "agents", agent, "avatar");
  return <Avatar src={apiUrl(path, { version })} alt="" size={size} radius="md" />;
}
