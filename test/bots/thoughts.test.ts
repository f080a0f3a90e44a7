import { expect, test } from "vitest";
import { createThoughtFilter } from "../../bots/thoughts.ts";

const CASES: { name: string; said: string; shown: string; openedInPrompt?: boolean }[] = [
  { name: "no thoughts", said: "Hello", shown: "Hello" },
  { name: "thoughts first", said: "<think>hm</think>Hello", shown: "Hello" },
  { name: "blank lines around", said: "\n<think>\nhm\n</think>\n\nHello\n", shown: "Hello\n" },
  { name: "empty thoughts", said: "<think>\n\n</think>\n\nHello", shown: "Hello" },
  { name: "another word for it", said: "<thinking>hm</thinking>Hello", shown: "Hello" },
  { name: "thoughts about tags", said: "<think>is it <b> or </b>?</think>Use <b>", shown: "Use <b>" },
  { name: "an answer about the tag", said: "Write <think>x</think> so", shown: "Write <think>x</think> so" },
  { name: "an answer that begins with another tag", said: "<table>", shown: "<table>" },
  { name: "an answer that ends within what could be the tag", said: "<thi", shown: "<thi" },
  { name: "nothing but thoughts", said: "<think>hm", shown: "" },
  { name: "nothing", said: "", shown: "" },
  { name: "an end without a beginning, from any model", said: "a</think>b", shown: "a</think>b" },
  {
    name: "an end without a beginning, from such a model",
    said: "hm</think>\nHello",
    shown: "Hello",
    openedInPrompt: true,
  },
  { name: "a second end", said: "hm</think>a</think>b", shown: "a</think>b", openedInPrompt: true },
];

test.each(CASES)("$name, however it is cut into pieces", ({ said, shown, openedInPrompt }) => {
  for (const size of [1, 2, 3, 7, 1000]) {
    const filter = createThoughtFilter({ openedInPrompt: openedInPrompt ?? false });
    let last = "";
    for (let at = 0; at < said.length; at += size) {
      const changed = filter.push(said.slice(at, at + size));
      expect(changed || filter.text === last).toBe(true);
      if (!openedInPrompt) expect(shown.startsWith(filter.text)).toBe(true);
      last = filter.text;
    }
    filter.end();
    expect(filter.text).toBe(shown);
  }
});

test("thoughts are counted", () => {
  const filter = createThoughtFilter();
  filter.push("<think>12345");
  filter.push("678</think>Hello");
  expect(filter.thought).toBe(8);
});
