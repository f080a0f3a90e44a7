/** The audit log as a sheet. */
import type { Context } from "../core/context.ts";
import { type AuditFilter, type AuditLine, listAudit } from "./audit-list.ts";
import { type Cell, csvCell } from "./csv.ts";

/** A sheet of more lines opens in no spreadsheet with ease; who needs them asks in parts. */
const MOST_EXPORTED = 100_000;
const BATCH = 1_000;

const HEADINGS = [
  "time",
  "client",
  "who",
  "who id",
  "on behalf of",
  "action",
  "target kind",
  "target",
  "target id",
  "before",
  "after",
  "outcome",
  "address",
];

/** The lines that a filter finds as CSV, piece by piece, newest first; `most` of them. */
export async function* auditSheet(
  ctx: Context,
  filter: AuditFilter,
  most = MOST_EXPORTED,
): AsyncGenerator<string, void> {
  yield `\ufeff${csvLine(HEADINGS)}`; // without the mark Excel takes it for Latin-1
  let before: number | null = null;
  let written = 0;
  do {
    const { lines, next }: Awaited<ReturnType<typeof listAudit>> = await listAudit(ctx, filter, {
      limit: Math.min(BATCH, most - written),
      before,
    });
    if (lines.length > 0) yield lines.map(lineOf).join("");
    written += lines.length;
    before = next;
  } while (before !== null && written < most);
}

const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;

const lineOf = (line: AuditLine): string =>
  csvLine([
    new Date(line.at).toISOString(),
    line.tenantId,
    line.actorName,
    line.actorId,
    line.onBehalfOf,
    line.action,
    line.targetKind,
    line.targetName,
    line.targetId,
    line.before === null ? null : JSON.stringify(line.before),
    line.after === null ? null : JSON.stringify(line.after),
    line.outcome,
    line.address,
  ]);
