import { expect, test } from "vitest";
import { tokensOf } from "../../admin/web/pages/agents/markdown-tokens.ts";

test.each([
  ["quotes", ">".repeat(20_000)],
  ["quotes further down", `Hello\n\n${"> ".repeat(5000)}x`],
  ["lists", `${"- ".repeat(5000)}x`],
  ["numbered lists", `${"1. ".repeat(5000)}x`],
  ["quotes and lists", `${"> - ".repeat(5000)}x`],
])("thousands of %s within one another are a text", (_, text) => {
  const began = performance.now();
  expect(tokensOf(text)).toBeNull();
  expect(performance.now() - began).toBeLessThan(500);
});

test("what people and models write is Markdown", () => {
  for (const text of [
    "> a\n>> b\n\n- one\n  - two\n    1. three",
    "---",
    "1. 2. 3.",
    "-".repeat(200),
    "* * * * *",
    "a > b",
  ])
    expect([text, tokensOf(text) !== null]).toEqual([text, true]);
});
