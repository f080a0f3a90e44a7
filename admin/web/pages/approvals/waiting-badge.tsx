import { Badge } from "@mantine/core";
import { useGet } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { useClient } from "../../me.tsx";
import { texts } from "../../texts.ts";

const words = texts.approvals;

/** How many approvals wait for whoever looks; nothing when there are none. */
export function WaitingBadge() {
  const client = useClient();
  const path = client === null ? null : inClient(client, "approvals", "count");
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
