/** What people read of arguments that do not fit: fields by what they are called, and what to do. */
import { expect, test } from "vitest";
import { problemsForPeople } from "../../bots/tools/problem-words.ts";
import type { JsonSchema } from "../../migrations/types.ts";

const MAIL: JsonSchema = {
  type: "object",
  properties: {
    to: { title: "Whole", type: "array", items: { type: "string" }, minItems: 1, maxItems: 2 },
    reply_to: { type: "string", format: "email" },
    text: { type: "string", minLength: 1, maxLength: 5 },
    method: { type: "string", enum: ["GET", "PUT"] },
    hours: { type: "number", minimum: 3 },
    page: { type: "string", format: "uri" },
  },
  required: ["to", "text"],
  additionalProperties: false,
};
const GOOD = { to: ["a@x.org"], text: "x" };

test.each([
  ["what fits", GOOD, []],
  ["what is missing, by its title or its label", {}, ["Fill in “Whole”.", "Fill in “What it says”."]],
  ["what is empty", { to: [], text: "" }, ["Fill in “Whole”.", "Fill in “What it says”."]],
  ["what there is no field for", { ...GOOD, other_one: 2 }, ["“Other one”: There is no such field."]],
  ["a list of another kind", { ...GOOD, to: [3] }, ["“Whole”: Write a text."]],
  ["a list that is too long", { ...GOOD, to: ["a", "b", "c"] }, ["“Whole”: Give at most 2."]],
  ["a text that is too long", { ...GOOD, text: "123456" }, ["“What it says”: Write at most 5 characters."]],
  ["a choice", { ...GOOD, method: "GO" }, ["“Method”: Choose one of: GET, PUT."]],
  ["a number that is too small", { ...GOOD, hours: 2 }, ["“Hours”: Write 3 or more."]],
  ["no mail address", { ...GOOD, reply_to: "x" }, ["“Reply to”: Write a mail address, like ann@example.org."]],
  ["no address", { ...GOOD, page: "x" }, ["“Page”: Write an address, like https://example.org."]],
  ["no object at all", [], ["This is not of the kind that is asked for."]],
] as [string, unknown, string[]][])("%s", (_name, value, said) => {
  expect(problemsForPeople({ input: MAIL, labels: { text: "What it says" } }, value)).toEqual(said);
});
