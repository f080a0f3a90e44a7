import { createInterface } from "node:readline/promises";

/** Where a command writes and whom it asks; tests put their own in place. */
export interface Io {
  out(line: string): void;
  /** Progress, warnings and errors: kept apart, so that `--json` output stays JSON. */
  err(line: string): void;
  /** The line that a person answers; "" when there is nobody (end of input). */
  ask(question: string): Promise<string>;
}

/** A reader that has had enough (`… | head`) is no error of ours. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(0);
    });
}

export const terminal: Io = {
  out: (line) => void process.stdout.write(`${line}\n`),
  err: (line) => void process.stderr.write(`${line}\n`),
  async ask(question) {
    const reader = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const ended = new Promise<string>((resolve) => reader.once("close", () => resolve("")));
      return await Promise.race([reader.question(question), ended]);
    } finally {
      reader.close();
    }
  },
};

export const printJson = (io: Io, value: unknown): void => io.out(JSON.stringify(value, undefined, 2));

/** Rows under headings, columns as wide as they need; a sentence in place of an empty table. */
export function printTable(io: Io, headings: string[], rows: (string | number | null | undefined)[][], empty: string) {
  if (rows.length === 0) return io.out(empty);
  const cells = [headings, ...rows.map((row) => row.map((cell) => clean(cell)))];
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells)
    io.out(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

/** One line, without what could move a terminal's cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that must not reach a terminal
const clean = (cell: string | number | null | undefined) => String(cell ?? "–").replace(/[\u0000-\u001f\u007f]+/g, " ");
