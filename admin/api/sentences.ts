/** What zod finds wrong, as sentences for people. Schemas that say it better give their own. */
import { z } from "@hono/zod-openapi";

type Issue = Parameters<NonNullable<NonNullable<Parameters<typeof z.config>[0]>["localeError"]>>[0];

/** One sentence for a kind of issue. */
function sentenceOfIssue(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? "This is missing."
        : `This must be ${KINDS[issue.expected] ?? `of the kind ${issue.expected}`}.`;
    case "too_big":
      return `This is too ${large(issue.origin)}: ${bound(issue.origin, issue.maximum)} ${issue.inclusive === false ? "is already too much" : "at most"}.`;
    case "too_small":
      if (issue.origin === "string" && Number(issue.minimum) === 1) return "This cannot be empty.";
      return `This is too ${small(issue.origin)}: it must be ${issue.inclusive === false ? "more than" : "at least"} ${bound(issue.origin, issue.minimum)}.`;
    case "invalid_value":
      return `This must be one of: ${issue.values.map(String).join(", ")}.`;
    case "invalid_format":
      return `This is not ${FORMATS[issue.format] ?? "written as it has to be"}.`;
    case "unrecognized_keys":
      return `There is no field ${issue.keys.join(", ")} here.`;
    case "not_multiple_of":
      return `This must be a multiple of ${issue.divisor}.`;
    default:
      return "This cannot be used here.";
  }
}

const KINDS: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  date: "a date",
};
const FORMATS: Record<string, string> = {
  datetime: "a moment like 2026-11-21T09:00:00.000Z",
  date: "a day like 2026-11-21",
  url: "an address like https://example.org",
  email: "an e-mail address",
  uuid: "an id",
};
const large = (origin: string) => (origin === "string" || origin === "array" ? "long" : "large");
const small = (origin: string) => (origin === "string" || origin === "array" ? "short" : "small");
const bound = (origin: string, value: number | bigint) =>
  origin === "string"
    ? `${value} characters`
    : origin === "array" || origin === "set"
      ? `${value} items`
      : String(value);

z.config({ localeError: sentenceOfIssue });
