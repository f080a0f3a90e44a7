/** Tables as files for spreadsheets (RFC 4180). */

export type Cell = string | number | null | undefined;

/** Rows as CSV, with a byte order mark, without which Excel takes it for Latin-1. The first row is the header. */
export const csvOf = (rows: readonly (readonly Cell[])[]): string =>
  `\ufeff${rows.map((row) => `${row.map(csvCell).join(",")}\r\n`).join("")}`;

/** A text that a spreadsheet would take for a formula gets a ' before it: names come from strangers. */
export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const safe = /^(\s*[=+\-@]|[\t\r])/.test(value) ? `'${value}` : value;
  return /[",\r\n;]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}
