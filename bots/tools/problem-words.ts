/** What a value is not, in people's words: the validator's own are for models. Pure. */
import type { OutputUnit } from "@cfworker/json-schema";
import { validationErrors } from "./check-arguments.ts";
import { labelsOf } from "./labels.ts";
import type { Tool } from "./tool.ts";

export const MISSING = "Fill this in.";

/** The field that an error is about, null for the whole, and a sentence that stands beside it. */
export function problemWords({ keyword, error, instanceLocation }: OutputUnit): [string | null, string] {
  const field = instanceLocation.split("/")[1] ?? null;
  // Of these the error stands at the whole and names the field.
  const named = field ?? /property "(.*)"/i.exec(error)?.[1] ?? null;
  if (keyword === "required" && field === null) return [named, MISSING];
  if (keyword === "additionalProperties" && field === null) return [named, "There is no such field."];
  return [field, SENTENCES[keyword]?.(error) ?? "This is not what is asked for here."];
}

type Of = Pick<Tool, "input" | "labels">;

/** Each field that is wrong, by what people call it (“” for the whole), with a sentence that stands beside it. */
export function wrongFields(tool: Of, value: unknown): Map<string, string> {
  const labels = labelsOf(tool);
  const wrong = new Map<string, string>();
  for (const error of validationErrors(tool.input, value)) {
    const [field, words] = problemWords(error);
    const name = field === null ? "" : called(field, labels[field]);
    if (!wrong.has(name)) wrong.set(name, words);
  }
  return wrong;
}

/** To whoever filled it in: a sentence for each field that is wrong, at most five; none when it fits. */
export function problemsForPeople(tool: Of, value: unknown): string[] {
  return [...wrongFields(tool, value)]
    .slice(0, 5)
    .map(([name, words]) => (name === "" ? words : words === MISSING ? `Fill in “${name}”.` : `“${name}”: ${words}`));
}

/** As in the panel's form: a label stays as somebody wrote it, a mere name is made words. */
function called(field: string, label = field): string {
  if (label !== field) return label;
  const words = field.replaceAll(/[_-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const numberIn = (error: string) => /-?\d+(?:\.\d+)?(?=\D*$)/.exec(error)?.[0] ?? "";
const KINDS: Record<string, string> = {
  number: "Write a number, like 12 or 3.5.",
  integer: "Write a whole number, like 12.",
  string: "Write a text.",
  boolean: "Say yes or no.",
};
const FORMATS: Record<string, string> = {
  date: "Write a date like 2026-03-14.",
  email: "Write a mail address, like ann@example.org.",
  uri: "Write an address, like https://example.org.",
};
const SENTENCES: Record<string, (error: string) => string> = {
  type: (error) => KINDS[/Expected "(\w+)"/.exec(error)?.[1] ?? ""] ?? "This is not of the kind that is asked for.",
  enum: (error) => {
    const choices = JSON.parse(/\[.*\]/s.exec(error)?.[0] ?? "[]") as string[];
    return `Choose one of: ${choices.slice(0, 20).join(", ")}${choices.length > 20 ? ", …" : ""}.`;
  },
  format: (error) => FORMATS[/format "([\w-]+)"/.exec(error)?.[1] ?? ""] ?? "This is not written as it is asked for.",
  minimum: (error) => `Write ${numberIn(error)} or more.`,
  maximum: (error) => `Write ${numberIn(error)} or less.`,
  minLength: (error) => (numberIn(error) === "1" ? MISSING : `Write at least ${numberIn(error)} characters.`),
  minItems: (error) => (numberIn(error) === "1" ? MISSING : `Give at least ${numberIn(error)}.`),
  maxItems: (error) => `Give at most ${numberIn(error)}.`,
  maxLength: (error) => `Write at most ${numberIn(error)} characters.`,
};
