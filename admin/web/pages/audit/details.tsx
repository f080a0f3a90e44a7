import { Alert, Button, Group, Stack, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { AuditView } from "../../../api/audit.ts";
import { When } from "../../parts/when.tsx";
import { texts } from "../../texts.ts";
import { changesBetween, type FieldChange } from "./changes.ts";

const words = texts.audit;

/** One line of the log with all that is known. */
export function Details({ line, onlyThis }: { line: AuditView; onlyThis: () => void }) {
  const { actor, target, outcome } = line;
  const changes = outcome === "refused" ? null : changesBetween(line.before, line.after);
  const facts: [string, ReactNode][] = [
    [words.exact, <When key="at" at={line.at} exactly />],
    [words.who, `${actor.name} (${words.actors[actor.kind]})`],
    ...(actor.onBehalfOf ? [[words.behalf, actor.onBehalfOf] as [string, ReactNode]] : []),
    // A refused sign-in may be about nobody.
    ...(target.id === "-"
      ? []
      : ([
          [words.about, `${words.kindName(target.kind)} ${target.name ?? ""}`],
          [words.id, target.id],
        ] as [string, ReactNode][])),
    ...(line.client ? [[words.client, line.client] as [string, ReactNode]] : []),
    [words.address, line.address ?? "–"],
    ...(outcome === "refused" ? [[words.lastTry, lastTry(line)] as [string, ReactNode]] : []),
    [words.outcome, words.outcomes[outcome]],
  ];
  return (
    <Stack>
      {outcome === "refused" && <Text>{words.refusal(line)}</Text>}
      {(outcome === "open" || outcome === "failed") && (
        <Alert color={outcome === "failed" ? "red" : "yellow"}>{words.outcomeText[outcome]}</Alert>
      )}
      <Table withRowBorders={false} verticalSpacing={4} layout="fixed">
        <Table.Tbody>
          {facts.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w={120} fw={500} c="dimmed">
                {name}
              </Table.Th>
              <Table.Td>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {changes && (
        <>
          <Text component="h2" fw={600}>
            {words.changes}
          </Text>
          {changes.length === 0 && <Text size="sm">{words.nothing}</Text>}
          {changes.map((change) => (
            <OneChange key={change.field} change={change} />
          ))}
        </>
      )}
      {target.id !== "-" && (
        <Group>
          <Button variant="default" onClick={onlyThis}>
            {words.onlyThis}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

/** A line of refusals begins with the first; when the last was stands in it. */
function lastTry({ at, after }: AuditView): ReactNode {
  const { last = at } = (after ?? {}) as { last?: string };
  return <When key="last" at={last} exactly />;
}

/** Before above, after below: long texts need the width. Words say which is which, colours only help. */
function OneChange({ change: { field, before, after } }: { change: FieldChange }) {
  return (
    <Stack gap={4} className="agt-card" p="sm">
      {field && (
        <Text size="sm" fw={600}>
          {field}
        </Text>
      )}
      {before !== undefined && <Side title={words.before} text={before} color="red" />}
      {after !== undefined && <Side title={words.after} text={after} color="leaf" />}
    </Stack>
  );
}

function Side({ title, text, color }: { title: string; text: string; color: "red" | "leaf" }) {
  return (
    <Group gap="sm" wrap="nowrap" align="start">
      <Text size="sm" c="dimmed" w={56} style={{ flexShrink: 0 }}>
        {title}
      </Text>
      <Text
        size="sm"
        component={color === "red" ? "del" : "ins"}
        px={6}
        flex={1}
        c={`var(--mantine-color-${color}-light-color)`}
        bg={`var(--mantine-color-${color}-light)`}
        style={{ whiteSpace: "pre-wrap", textDecoration: "none", borderRadius: 6, maxHeight: 320, overflowY: "auto" }}
      >
        {text === "" ? words.empty : text === "null" ? words.absent : text}
      </Text>
    </Group>
  );
}
