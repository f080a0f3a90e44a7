import { Button, Table, Text } from "@mantine/core";
import { useState } from "react";
import type { ImportedPersonView } from "../../../api/invites.ts";
import { StateBadge } from "../../parts/state-badge.tsx";
import { texts } from "../../texts.ts";

const words = texts.people.importer;
const TONES = { invite: "good", exists: "quiet", problem: "bad" } as const;
/** So many are drawn at once; the rest on request. */
const FIRST = 100;

interface Props {
  rows: readonly ImportedPersonView[];
  /** Where those go whose line names no team. */
  team?: string | undefined;
  links?: boolean;
}

/** The lines of a file and what becomes of each; problems first, since they are what one looks for. */
export function ImportTable({ rows, team, links = false }: Props) {
  const [all, setAll] = useState(false);
  const rank = { problem: 0, invite: 1, exists: 2 };
  const sorted = links ? rows : rows.toSorted((a, b) => rank[a.outcome] - rank[b.outcome] || a.line - b.line);
  const shown = all ? sorted : sorted.slice(0, FIRST);
  return (
    <>
      <Table.ScrollContainer
        minWidth={720}
        maxHeight={340}
        className="agt-card"
        scrollAreaProps={{ viewportProps: { tabIndex: 0 } }}
      >
        <Table stickyHeader verticalSpacing="xs" style={{ overflowWrap: "normal" }}>
          <Table.Caption className="agt-sr">{words.rows}</Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{words.head.line}</Table.Th>
              <Table.Th scope="col">{words.head.username}</Table.Th>
              <Table.Th scope="col">{links ? words.head.link : words.head.result}</Table.Th>
              {!links && <Table.Th scope="col">{words.head.name}</Table.Th>}
              <Table.Th scope="col">{words.head.role}</Table.Th>
              {!links && <Table.Th scope="col">{words.head.team}</Table.Th>}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {shown.map((row) => (
              <Table.Tr key={row.line}>
                <Table.Td>{row.line}</Table.Td>
                <Table.Td>{row.username}</Table.Td>
                <Table.Td>
                  {links && row.url ? (
                    <Text size="xs" ff="monospace" style={{ overflowWrap: "anywhere" }}>
                      {row.url}
                    </Text>
                  ) : (
                    <>
                      <StateBadge tone={TONES[row.outcome]}>{words.outcomes[row.outcome]}</StateBadge>{" "}
                      <Text span size="sm">
                        {row.sentence}
                      </Text>
                    </>
                  )}
                </Table.Td>
                {!links && <Table.Td>{row.name}</Table.Td>}
                <Table.Td>{row.role && texts.shell.roles[row.role]}</Table.Td>
                {!links && <Table.Td>{row.team || (row.outcome === "invite" ? team : null)}</Table.Td>}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {shown.length < rows.length && (
        <Button variant="default" onClick={() => setAll(true)}>
          {words.more(rows.length)}
        </Button>
      )}
    </>
  );
}
