/** What the panel's pages of signing in and audit work out by themselves. */
import { describe, expect, test } from "vitest";
import { changesBetween } from "../../admin/web/pages/audit/changes.ts";
import { browserName } from "../../admin/web/pages/session/browser-name.ts";
import { strengthOf } from "../../admin/web/pages/session/strength.ts";

describe("how strong a password looks", () => {
  test.each([
    ["", 0],
    ["horse", 0],
    ["aaaaaaaaaaaaaaaa", 1],
    ["annaannaanna", 1],
    ["4711474747", 1],
    ["correct-horse-battery-staple", 4],
    ["Zx8#qL0v!wTn2", 4],
  ])("%j: %i of 4", (password, level) => {
    expect(strengthOf(password, "anna", 10).level).toBe(level);
  });

  test("longer is never weaker", () => {
    const phrase = "seven green owls drink tea";
    const levels = Array.from(
      { length: phrase.length },
      (_, n) => strengthOf(phrase.slice(0, n + 1), "anna", 10).level,
    );
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
  });

  test("a name in it counts against it only while it is most of it", () => {
    expect(strengthOf("anna-123456", "anna", 10).noName).toBe(false);
    expect(strengthOf("anna likes seven green owls", "anna", 10).noName).toBe(true);
    expect(strengthOf("seven green owls", "", 10).noName).toBe(true);
  });
});

describe("what changed", () => {
  test("field by field, with what came and what went", () => {
    const before = { name: "Writer", limits: { tokensPerDay: 10 }, tags: ["a"], gone: true };
    const after = { name: "Writer", limits: { tokensPerDay: 20 }, tags: ["a", "b"], came: "" };
    expect(changesBetween(before, after)).toEqual([
      { field: "limits.tokensPerDay", before: "10", after: "20" },
      { field: "tags", before: "a", after: "a, b" },
      { field: "gone", before: "true", after: undefined },
      { field: "came", before: undefined, after: "" },
    ]);
  });

  test.each([
    [null, null, []],
    [{ a: 1 }, { a: 1 }, []],
    [null, { a: null }, [{ field: "a", before: undefined, after: "null" }]],
    ["x", "y", [{ field: "", before: "x", after: "y" }]],
    [{ list: [{ a: 1 }] }, { list: [] }, [{ field: "list", before: '[\n  {\n    "a": 1\n  }\n]', after: "" }]],
  ])("%j → %j", (before, after, changes) => {
    expect(changesBetween(before, after)).toEqual(changes);
  });
});

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
    "Edge on Windows",
  ],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1",
    "Safari on iPhone",
  ],
  ["curl/8.5.0", "curl/8.5.0"],
  [null, "Unknown program"],
])("%j is %s", (userAgent, name) => {
  expect(browserName(userAgent)).toBe(name);
});
