import { Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { ClientView } from "../../api/clients-views.ts";
import { useGet } from "../api.ts";
import { inClient } from "../api-path.ts";
import { texts } from "../texts.ts";
import { chatAddress } from "./chat-address.ts";

interface Props {
  client: string;
  /** The matrix.to link that the API gives. */
  link: string;
  /** What to look for in one's app where no link can lead there; null: nothing is said, the name stands there already. */
  name: string | null;
  children: (href: string) => ReactNode;
}

/** A way into a room or to a message: a link that works from here, or else the name to look for. */
export function OpenInApp({ client, link, name, children }: Props) {
  const href = useChatAddress(client, link);
  if (href) return children(href);
  if (href === undefined || name === null) return null;
  return (
    <Text size="sm" c="dimmed">
      {texts.home.inYourApp(name)}
    </Text>
  );
}

/** Where such a link is best opened from here; null: nowhere, undefined: not known yet. */
export function useChatAddress(client: string, link: string | null): string | null | undefined {
  const { data, error } = useGet<ClientView>("clients", inClient(client));
  if (link === null) return null;
  if (data) return chatAddress(link, data);
  return error ? link : undefined;
}
