import { Code, Loader, Stack, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import type { ClientView } from "../../../api/clients-views.ts";
import { get, Problem } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { queries } from "../../queries.ts";
import { texts } from "../../texts.ts";

const words = texts.clients.remove;
const LOOK_AGAIN_MS = 1000;

/** Says over whatever page is open how the removal goes on, until the client is gone. */
export function followRemoval(client: { id: string; title: string }, backup: string | null): void {
  modals.open({
    title: words.doneTitle(client.title),
    closeButtonProps: { "aria-label": texts.shell.close },
    children: <Removal id={client.id} backup={backup} />,
  });
}

function Removal({ id, backup }: { id: string; backup: string | null }) {
  const { error } = useQuery({
    queryKey: ["clients", inClient(id), { removal: true }],
    queryFn: () => get<ClientView>(inClient(id)),
    retry: false,
    refetchInterval: ({ state }) => (isGone(state.error) ? false : LOOK_AGAIN_MS),
  });
  const gone = isGone(error);
  useEffect(() => {
    // Nothing of it is shown from memory on the way back.
    if (gone) queries.removeQueries({ type: "inactive", predicate: ({ queryKey: [, path] }) => isOf(path, id) });
  }, [gone, id]);
  return (
    <Stack>
      <Text role="status">{gone ? words.gone : words.goes}</Text>
      {!gone && <Loader size="sm" aria-hidden />}
      <Text>{backup ? (gone ? words.kept : words.willBeKept) : words.notKept}</Text>
      {backup && (
        <>
          <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
            {backup}
          </Code>
          <div>
            <CopyButton text={backup} />
          </div>
        </>
      )}
    </Stack>
  );
}

const isGone = (error: unknown): boolean => error instanceof Problem && error.status === 404;

const isOf = (path: unknown, id: string): boolean =>
  path === inClient(id) || (typeof path === "string" && path.startsWith(`${inClient(id)}/`));
