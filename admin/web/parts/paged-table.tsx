import { Button, Group, Stack, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ColumnDef, tableFeatures, useTable } from "@tanstack/react-table";
import { type ReactNode, useMemo } from "react";
import type { Pages } from "../api.ts";
import { texts } from "../texts.ts";
import { Trouble } from "./trouble.tsx";
import { Waiting } from "./waiting.tsx";

export interface Column<Row> {
  id: string;
  /** Head of the column; beside the value on a phone. Empty for buttons. */
  title: string;
  cell: (row: Row) => ReactNode;
  /** Numbers stand right. */
  align?: "left" | "right";
  /** Left out on a phone. */
  wideOnly?: boolean;
}

interface Props<Row> {
  /** What the table holds, for screen readers. */
  label: string;
  /** The first column names the row: it is the head of its card on a phone. Keep the array the same between draws. */
  columns: readonly Column<Row>[];
  pages: Pages<Row>;
  /** Shown when there is nothing: an `<Empty>`. */
  empty: ReactNode;
  rowKey: (row: Row) => string;
}

const features = tableFeatures({});

/** A list of the API as a table; as cards at phone width. Further pages by a button. */
export function PagedTable<Row extends object>({ label, columns, pages, empty, rowKey }: Props<Row>) {
  const phone = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  const shown = useMemo(() => columns.filter((column) => !(phone && column.wideOnly)), [columns, phone]);
  if (pages.loading) return <Waiting lines={4} height={44} />;
  if (pages.error && pages.items.length === 0) return <Trouble error={pages.error} again={pages.again} />;
  if (pages.items.length === 0) return empty;
  return (
    <Stack gap="sm">
      {phone ? (
        <Cards label={label} columns={shown} rows={pages.items} rowKey={rowKey} />
      ) : (
        <Wide label={label} columns={shown} rows={pages.items} rowKey={rowKey} />
      )}
      <Trouble error={pages.error} again={pages.again} />
      <Group justify="space-between">
        <Text size="sm" c="dimmed" aria-live="polite">
          {texts.shell.shown(pages.items.length)}
        </Text>
        {pages.hasMore && (
          <Button variant="default" onClick={pages.more} loading={pages.loadingMore}>
            {texts.shell.loadMore}
          </Button>
        )}
      </Group>
    </Stack>
  );
}

interface Rows<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: Row[];
  rowKey: (row: Row) => string;
}

function Wide<Row extends object>({ label, columns, rows, rowKey }: Rows<Row>) {
  const defs = useMemo(
    () =>
      columns.map(
        ({ id, title, cell }): ColumnDef<typeof features, Row> => ({
          id,
          header: () => title || <span className="agt-sr">{texts.shell.actions}</span>,
          cell: ({ row }) => cell(row.original),
        }),
      ),
    [columns],
  );
  const table = useTable({ features, columns: defs, data: rows, getRowId: rowKey });
  const align = new Map(columns.map((column) => [column.id, column.align ?? "left"]));
  return (
    <Table.ScrollContainer minWidth={560} type="native" className="agt-card">
      <Table highlightOnHover verticalSpacing="sm" horizontalSpacing="md" aria-label={label} className="agt-rows">
        {table.getHeaderGroups().map((group) => (
          <Table.Thead key={group.id}>
            <Table.Tr>
              {group.headers.map((header) => (
                <Table.Th
                  key={header.id}
                  scope="col"
                  ta={align.get(header.column.id) ?? "left"}
                  style={{ whiteSpace: "nowrap" }}
                >
                  <table.FlexRender header={header} />
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
        ))}
        <Table.Tbody>
          {table.getRowModel().rows.map((row) => (
            <Table.Tr key={row.id}>
              {row.getAllCells().map((cell) => (
                <Table.Td key={cell.id} ta={align.get(cell.column.id) ?? "left"}>
                  <table.FlexRender cell={cell} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Cards<Row extends object>({ label, columns, rows, rowKey }: Rows<Row>) {
  const [head, ...rest] = columns;
  return (
    <Stack component="ul" gap="xs" p={0} m={0} aria-label={label} style={{ listStyle: "none" }}>
      {rows.map((row) => (
        <Stack component="li" key={rowKey(row)} className="agt-card agt-rows" p="sm" gap={6}>
          <div>{head?.cell(row)}</div>
          {rest.map((column) => (
            <Group key={column.id} justify="space-between" gap="xs" wrap="nowrap" align="center">
              {column.title && (
                <Text size="sm" c="dimmed" maw="45%" style={{ flexShrink: 0 }}>
                  {column.title}
                </Text>
              )}
              <div className="agt-value">{column.cell(row)}</div>
            </Group>
          ))}
        </Stack>
      ))}
    </Stack>
  );
}
