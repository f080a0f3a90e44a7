import { Modal, Text } from "@mantine/core";
import { useMemo } from "react";
import type { InviteUseView, InviteView } from "../../../api/invites.ts";
import { usePages } from "../../api.ts";
import { inClient } from "../../api-path.ts";
import { type Column, PagedTable } from "../../parts/paged-table.tsx";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { PersonCell } from "../people/parts.tsx";

const words = texts.invites;

/** All who came by one link. */
export function InviteUses({
  client,
  invite,
  close,
}: {
  client: string;
  invite: InviteView | null;
  close: () => void;
}) {
  const base = inClient(client, "invites");
  const pages = usePages<InviteUseView>("invites", invite && `${base}/${encodeURIComponent(invite.id)}/uses`);
  const columns = useMemo<Column<InviteUseView>[]>(
    () => [
      { id: "person", title: texts.people.columns.person, cell: (use) => <PersonCell client={client} person={use} /> },
      { id: "at", title: words.columns.uses, cell: ({ usedAt }) => <When at={usedAt} /> },
    ],
    [client],
  );
  return (
    <Modal
      opened={invite !== null}
      onClose={close}
      title={words.usedBy}
      size="lg"
      closeButtonProps={{ "aria-label": texts.shell.close }}
    >
      <PagedTable
        label={words.usedBy}
        columns={columns}
        pages={pages}
        rowKey={({ id }) => id}
        empty={<Text>{words.nobody}</Text>}
      />
    </Modal>
  );
}
