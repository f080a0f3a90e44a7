import type { AppError } from "../../core/errors.ts";

/** Which command helps on, by what is missing. The sentences themselves are read in the panel too, where there are no commands. */
const HINTS: readonly [code: AppError["code"], about: RegExp, hint: string][] = [
  ["not_found", /^There is no client /, "`tenant list` shows those that there are."],
  ["not_found", /^There is no agent /, "`agent list <client>` shows those that there are."],
  ["not_found", /^There is no invite link /, "`invite list <client>` shows them."],
  ["no_model", /^There is no model /, "`model add --help` says how to add one."],
];

/** The sentence, and the command that helps on where there is one. */
export function withHint(error: AppError): string {
  const hint = HINTS.find(([code, about]) => code === error.code && about.test(error.sentence))?.[2];
  return hint ? `${error.sentence} ${hint}` : error.sentence;
}
