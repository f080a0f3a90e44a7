/** How the panel shows the arguments of a call: everything that is there, and no two values alike. */
import { expect, test } from "vitest";
import { shapeOf, sizeOf, wordOf } from "../../admin/web/pages/tools/shape.ts";
import { exactJson, partsOf } from "../../admin/web/parts/signs.ts";

/** What is drawn, with marks in brackets. */
const drawn = (text: string) =>
  partsOf(text)
    .map((part) => ("sign" in part ? `<${"code" in part.sign ? part.sign.code : markOf(part.sign)}>` : part.text))
    .join("");
const markOf = (sign: { kind: string; count?: number }) => [sign.kind, sign.count].filter(Boolean).join(" ");

test.each([
  ["prose is left alone", "Dear Ann,\n\nhere it is – café, 東京, “quoted”.", null],
  ["code keeps its columns", "if (a)\n    b();", null],
  ["a direction that is turned", "pay\u202e100", "pay<U+202E>100"],
  ["what has no width", "a\u200bb\ufeffc\u00add", "a<U+200B>b<U+FEFF>c<U+00AD>d"],
  ["a joiner between Latin letters", "pay\u200dpal", "pay<U+200D>pal"],
  ["a joiner that a script needs", "می\u200cخواهم", null],
  ["an emoji of several", "👩\u200d💻 ❤\ufe0f 5\ufe0f\u20e3", null],
  ["a letter that looks like nothing", "a\u3164b\u2800c\u115fd", "a<U+3164>b<U+2800>c<U+115F>d"],
  ["tags of the invisible kind", "a\u{e0041}", "a<U+E0041>"],
  ["half a sign", "a\ud800b", "a<U+D800>b"],
  ["another space than the usual", "a\u00a0b\tc\rd", "a<U+00A0>b<U+0009>c<U+000D>d"],
  ["a space at the end", "Yes ", "Yes<space>"],
  ["spaces at the ends of lines", "a  \nb", "a<space><space>\nb"],
  ["a space at the beginning", " Yes", "<space>Yes"],
  ["two spaces", "a  b", "a<space><space>b"],
  ["a line at the end", "Yes\n", "Yes<line>"],
  ["spaces in masses", `ok\n${" ".repeat(500)}rm -rf`, "ok\n<spaces 500>rm -rf"],
  ["empty lines in masses", `ok${"\n".repeat(300)}rm -rf`, "ok<lines 299>rm -rf"],
])("in texts %s", (_, text, shown) => {
  expect(drawn(text)).toBe(shown ?? text);
  expect(
    partsOf(text)
      .map((part) => part.text)
      .join(""),
  ).toBe(text);
});

test("a text of many joiners is read at once", () => {
  const began = performance.now();
  partsOf("می\u200cخ ".repeat(20_000));
  expect(performance.now() - began).toBeLessThan(1000);
});

test.each([
  [5, "5"],
  [true, "true"],
  [null, "null"],
  [null, "Nothing"],
  [true, "Yes"],
  ["", null],
  ["", "empty text"],
  ["a", "a "],
  [["5"], [5]],
  [["a"], "a"],
  [{ a: 1 }, '{"a":1}'],
  [[], "[]"],
])("%j and %j do not look alike", (one, other) => {
  expect(shapeOf(one, true)).not.toEqual(shapeOf(other, true));
  const plain = [one, other].map((value) => shapeOf(value, true));
  // A text that reads like the other one says that it is a text.
  for (const shape of plain)
    if (shape.as === "text" && plain.some(({ as }) => as === "word" || as === "code"))
      expect(shape.kind).not.toBeNull();
});

test("a text that says it was taken out is one only where nothing was", () => {
  expect(shapeOf("[removed]", false)).toEqual({ as: "removed" });
  expect(shapeOf("[removed]", true)).toEqual({ as: "text", text: "[removed]", code: false, kind: "text" });
});

test("prose, code, lists and nested things have a shape each", () => {
  expect(shapeOf("Dear Ann,\n\nyours", true)).toMatchObject({ as: "text", code: false, kind: null });
  expect(shapeOf("if (a)\n  b();", true)).toMatchObject({ as: "text", code: true });
  expect(shapeOf(["a", 5], true)).toMatchObject({
    as: "list",
    items: [{ as: "text" }, { as: "word", kind: "number" }],
  });
  for (const value of [{ a: 1 }, [{ a: 1 }], [["a"]], []]) expect(shapeOf(value, true)).toEqual({ as: "code", value });
});

test("what is longer than is seen at once says how long it is", () => {
  expect(sizeOf("short\ntext")).toBeNull();
  expect(sizeOf("x".repeat(5000))).toEqual({ signs: 5000, lines: 1 });
  expect(sizeOf("x\n".repeat(50))).toEqual({ signs: 100, lines: 51 });
});

test("JSON reads back as what it was, and shows what cannot be seen", () => {
  const value = { "na\u200bme": "a\u202e\u{e0041}\ud800\u00a0b\nc", n: 5, s: "5" };
  const json = exactJson(value);
  expect(JSON.parse(json)).toEqual(value);
  expect(json).toContain(String.raw`"na\u200bme": "a\u202e\udb40\udc41\ud800\u00a0b\nc"`);
});

test.each([
  ["every_minutes", "Every minutes"],
  ["filePath", "File path"],
  ["to", "To"],
  ["x-y!", "x-y!"],
])("%s is called %s", (name, word) => {
  expect(wordOf(name)).toBe(word);
});
