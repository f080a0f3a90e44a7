import { expect, test } from "vitest";
import { tokensOf } from "../../admin/web/pages/agents/markdown-tokens.ts";
import { renderMarkdown } from "../../bots/markdown.ts";

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

test.each([
  [">", 60_000],
  ["> ", 60_000],
  ["- ", 60_000],
  ["1. ", 60_000],
  ["_a", 60_000],
  ["*a", 60_000],
  ["api_key=", 60_000],
  ["a.", 60_000],
])("%j again and again neither fails nor takes long", (sign, length) => {
  for (const end of ["", "@", "\n\nEnd."]) {
    const text = sign.repeat(length / sign.length) + end;
    const began = performance.now();
    expect(renderMarkdown(text).body).toBe(text);
    expect(performance.now() - began).toBeLessThan(500);
  }
});

test("a rule of many hyphens, a long table and a page of code are rendered all the same", () => {
  const row = `| some_name | ${"word ".repeat(20)}|\n`;
  const texts = [
    "-".repeat(300),
    `| a | b |\n|---|---|\n${row.repeat(100)}`,
    `\`\`\`\n${"const a_b = c_d;\n".repeat(900)}\`\`\``,
  ];
  for (const text of texts) expect(renderMarkdown(text).html).toMatch(/^<(hr|table|pre)/);
});
