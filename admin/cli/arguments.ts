/** What the commands' files share: reading arguments, and the examples under a help text. */
import { InvalidArgumentError } from "commander";
import type { Io } from "./io.ts";

/** What commands are given: the terminal, and a way to end with 1 after having printed what there was. */
export interface CliIo extends Io {
  fail(): void;
}

/** Examples below a command's help, as they are typed. */
export const examples = (lines: string[]): string =>
  `\nExamples:\n${lines.map((line) => `  npm run -s agentopia -- ${line}`).join("\n")}`;

export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number from 1 on.");
}

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** `90s`, `30m`, `12h`, `7d`, `2w` → milliseconds. */
export function duration(text: string): number {
  const [, number, unit] = /^(\d{1,6})\s*([smhdw])$/.exec(text.trim()) ?? [];
  const ms = Number(number) * (UNITS[unit ?? ""] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("It must be a number with a unit, such as 30m, 12h or 7d.");
}
