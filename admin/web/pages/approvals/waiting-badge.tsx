import { Badge } from "@mantine/core";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useClient, useMe } from "../../me.tsx";
import { texts } from "../../texts.ts";

const words = texts.approvals;

/** How many approvals wait for whoever looks; nothing when there are none. */
export function WaitingBadge() {
  const client = useClient();
  const own = useMe().client;
  // An address that names another client than a person's own leads nowhere, and nothing is asked of it.
  const elsewhere = own !== null && own.id !== client;
  const path = client === null || elsewhere ? null : inClient(client, "approvals", "count");
  const { data } = useGet<{ waiting: number }>("approvals", path);
  const waiting = data?.waiting ?? 0;
  if (waiting === 0) return null;
  return (
    <Badge size="sm" circle={waiting < 10} variant="filled">
      <span aria-hidden>{words.waiting(waiting)}</span>
      <span className="agt-sr">{words.waitingLabel(waiting)}</span>
    </Badge>
  );
}
