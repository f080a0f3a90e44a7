/** One measured figure; `limit` is what was promised. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  limit: number | null;
  /** The limit is a least, not a most. */
  atLeast: boolean;
  ok: boolean;
}

/** The figures as a table for people. */
export function table(figures: Figure[], machine: string): string {
  const rows = figures.map(({ name, value, unit, limit, atLeast, ok }) => [
    name,
    `${shown(value)}${unit && ` ${unit}`}`,
    limit === null ? "" : `${atLeast ? "≥" : "≤"} ${shown(limit)}`,
    limit === null ? "" : ok ? "holds" : "MISSED",
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        column === 1 || column === 2 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [machine, "", ...rows.map(line)].join("\n");
}

const shown = (value: number) =>
  Math.abs(value) < 100 && !Number.isInteger(value) ? value.toFixed(2) : String(Math.round(value));
