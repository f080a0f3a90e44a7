import { Anchor, Button, Collapse, Progress, Stack, Table, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useId } from "react";
import { Link } from "wouter";
import type { UsageView } from "../../../api/usage.ts";
import { Name as Broken } from "../../parts/name.tsx";
import { to } from "../../paths.ts";
import { texts } from "../../texts.ts";
import { nameOf, shortDay } from "./names.ts";

const words = texts.usage;
type RowView = UsageView["rows"][number];
const NUMBERS = ["calls", "failed", "input", "output", "time"] as const;

const FIGURE = { whiteSpace: "nowrap", fontVariantNumeric: "tabular-nums" } as const;
/** What is wider than the window can be moved by keyboard too. */
const scrollable = (label: string) => ({ viewportProps: { tabIndex: 0, role: "region", "aria-label": label } });

/** Sums, the most first. */
export function UsageTable({ usage, everywhere }: { usage: UsageView; everywhere: boolean }) {
  const { by, rows, total, more } = usage;
  const all = Math.max(1, total.inputTokens + total.outputTokens);
  return (
    <Stack gap="xs">
      <Table.ScrollContainer
        minWidth={640}
        className="agt-card"
        scrollAreaProps={scrollable(words.table(words.dimensions[by]))}
      >
        <Table verticalSpacing="xs" horizontalSpacing="md" highlightOnHover>
          <Table.Caption className="agt-sr">{words.table(words.dimensions[by])}</Table.Caption>
          <Table.Thead>
            <Table.Tr>
              <Table.Th scope="col">{words.dimensions[by]}</Table.Th>
              {NUMBERS.map((name) => (
                <Table.Th scope="col" key={name} ta="right">
                  {words.columns[name]}
                </Table.Th>
              ))}
              <Table.Th scope="col">{words.columns.share}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row) => (
              <Table.Tr key={row.key}>
                <Table.Th scope="row" fw={500}>
                  <Name by={by} row={row} everywhere={everywhere} />
                </Table.Th>
                <Sums sums={row} />
                <Table.Td miw={90}>
                  <Progress value={(100 * (row.inputTokens + row.outputTokens)) / all} size="sm" aria-hidden />
                  <Text span className="agt-sr">
                    {Math.round((100 * (row.inputTokens + row.outputTokens)) / all)} %
                  </Text>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
          <Table.Tfoot>
            <Table.Tr>
              <Table.Th scope="row">{words.total}</Table.Th>
              <Sums sums={total} />
              <Table.Td />
            </Table.Tr>
          </Table.Tfoot>
        </Table>
      </Table.ScrollContainer>
      {more > 0 && (
        <Text size="sm" c="dimmed">
          {words.more(more)}
        </Text>
      )}
    </Stack>
  );
}

/** Leads to what it stands for, where that has a page. */
function Name({ by, row, everywhere }: { by: UsageView["by"]; row: RowView; everywhere: boolean }): ReactNode {
  const name = nameOf(by, row);
  const there = by === "client" ? to.usage(row.key) : by === "agent" && row.key ? to.agent(row.client, row.key) : null;
  if (there === null || (by === "client" && !everywhere)) return <Broken>{name}</Broken>;
  return (
    <Anchor component={Link} href={there} size="sm">
      <Broken>{name}</Broken>
    </Anchor>
  );
}

const Sums = ({ sums }: { sums: UsageView["total"] }) => (
  <>
    {[sums.calls, sums.failed, sums.inputTokens, sums.outputTokens].map((value, index) => (
      <Table.Td key={NUMBERS[index]} ta="right" style={FIGURE}>
        {words.number(value)}
      </Table.Td>
    ))}
    <Table.Td ta="right" style={FIGURE}>
      {texts.runs.duration(sums.durationMs)}
    </Table.Td>
  </>
);

/** What the chart draws, for those who would rather read it. */
export function ChartNumbers({ usage }: { usage: UsageView }) {
  const [shown, { toggle }] = useDisclosure(false);
  const id = useId();
  const { by, series, days } = usage;
  return (
    <div>
      <Button variant="subtle" size="xs" aria-expanded={shown} aria-controls={id} onClick={toggle}>
        {words.numbers}
      </Button>
      <Collapse expanded={shown} id={id}>
        {shown && (
          <Table.ScrollContainer
            minWidth={400}
            maxHeight={360}
            className="agt-card"
            scrollAreaProps={scrollable(words.numbersLabel)}
          >
            <Table stickyHeader verticalSpacing={4}>
              <Table.Caption className="agt-sr">{words.numbersLabel}</Table.Caption>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th scope="col">{words.columns.day}</Table.Th>
                  {series.map((part) => (
                    <Table.Th scope="col" ta="right" key={part.key ?? "rest"}>
                      <Broken>{nameOf(by, part)}</Broken>
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {days.map((day, at) => (
                  <Table.Tr key={day}>
                    <Table.Th scope="row" fw={500}>
                      {shortDay(day)}
                    </Table.Th>
                    {series.map((part) => (
                      <Table.Td ta="right" style={FIGURE} key={part.key ?? "rest"}>
                        {words.number(part.tokens[at] ?? 0)}
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Collapse>
    </div>
  );
}
