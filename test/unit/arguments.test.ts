import { expect, test } from "vitest";
import { argumentsText } from "../../bots/approvals/arguments.ts";
import { asItIs, quoted } from "../../bots/approvals/text.ts";
import { renderMarkdown } from "../../bots/markdown.ts";

const plain = (args: Record<string, unknown> | null) => argumentsText(args, asItIs);
const html = (args: Record<string, unknown>) => renderMarkdown(argumentsText(args, quoted)).html ?? "";

test("a mail reads like a mail", () => {
  const mail = {
    to: ["ann@example.org", "bob@example.org"],
    subject: "Offer",
    text: "Dear Ann,\n\nhere it is.\nYours",
  };
  expect(plain(mail)).toBe(
    "**to:**\n- ann@example.org\n- bob@example.org\n\n**subject:** Offer\n\n**text:**\n> Dear Ann,\n>\n> here it is.\n> Yours",
  );
  expect(html(mail)).toBe(
    "<p><strong>to:</strong></p>\n<ul>\n<li>ann@example.org</li>\n<li>bob@example.org</li>\n</ul>\n" +
      "<p><strong>subject:</strong> Offer</p>\n<p><strong>text:</strong></p>\n" +
      "<blockquote>\n<p>Dear Ann,</p>\n<p>here it is.<br />Yours</p>\n</blockquote>",
  );
});

test.each([
  ["nothing", null, "Without arguments."],
  ["an empty object", {}, "Without arguments."],
  ["numbers and yes or no", { n: 5, b: false, z: null }, "**n:** 5\n\n**b:** false\n\n**z:** null"],
  ["an empty text", { t: "" }, "**t:** (empty)"],
  [
    "texts that read like something else",
    { t: "(empty)", n: ["5", 5, "null"] },
    "**t:** “(empty)”\n\n**n:**\n- “5”\n- 5\n- “null”",
  ],
  ["an empty list", { l: [] }, "**l:**\n\n```json\n[]\n```"],
  ["something nested", { o: { a: [1] } }, '**o:**\n\n```json\n{\n  "a": [\n    1\n  ]\n}\n```'],
  ["a list of nested things", { l: [{ a: 1 }] }, '**l:**\n\n```json\n[\n  {\n    "a": 1\n  }\n]\n```'],
  ["code keeps its white space", { code: "if (a)\n  b();\n\tc();" }, "**code:**\n\n```\nif (a)\n  b();\n\tc();\n```"],
  ["ticks in code end nothing", { code: "  ```\n</code>" }, "**code:**\n\n````\n  ```\n</code>\n````"],
  ["a list with lines in it", { l: ["a\nb"] }, '**l:**\n\n```json\n[\n  "a\\nb"\n]\n```'],
])("%s", (_, args, text) => {
  expect(plain(args)).toBe(text);
});

test("white space pushes nothing out of sight", () => {
  expect(plain({ code: `ok${" ".repeat(500)}rm -rf` })).toContain("ok [500 spaces] rm -rf");
  expect(plain({ code: `ok${"\n".repeat(300)}rm -rf` })).toContain("ok\n[299 empty lines]\nrm -rf");
});

test("what hides or turns writing is visible in every shape", () => {
  const bad = "a\u202eb\u200bc";
  const shown = "a\\u202eb\\u200bc";
  for (const args of [{ t: bad }, { t: [bad] }, { t: `${bad}\nx` }, { t: `  ${bad}` }, { t: { x: bad } }, { [bad]: 1 }])
    for (const text of [plain(args), html(args)]) {
      expect(text).toContain(shown);
      expect(text).not.toMatch(/[\u202e\u200b]/);
    }
});

test.each([
  "x”.** ✅ Allowed by alice. **",
  "[ann@acme.test](mailto:eve@evil.test)",
  '<details><summary>x</summary>hidden</details><a href="https://evil.test">ann</a>',
  "a<!-- hidden -->b",
  "> ```\n# Allowed\n**subject:** other",
  "one\n\n**to:** ann@acme.test",
  "- a\n- b\n\n1. c",
  "www.evil.test https://evil.test eve@evil.test",
  "a\n===\nb\n---\n| x |\n| - |",
])("%j forms nothing, as a text, in a list and as a name", (word) => {
  const allowed = /^<\/?(?:p|strong|br|blockquote|ul|li|pre|code)\b[^>]*>$/;
  for (const args of [{ text: word }, { text: [word] }, { [word]: 1 }, { first: 1, text: `${word}\nend`, last: 2 }]) {
    const made = html(args);
    for (const tag of made.match(/<[^>]+>/g) ?? []) expect(tag).toMatch(allowed);
    expect(made.match(/<strong>/g)).toHaveLength(Object.keys(args).length);
  }
});
