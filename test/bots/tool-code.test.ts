import { expect, test } from "vitest";
import { BUILT_IN } from "../../bots/tools/built-in.ts";
import { calculate } from "../../bots/tools/builtin/calculate.ts";
import { runJavascript } from "../../bots/tools/builtin/run-javascript.ts";
import { time } from "../../bots/tools/builtin/time.ts";
import type { Tool } from "../../bots/tools/tool.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { callTool, failing } from "./tool-call.ts";

/** They touch nothing but the clock: it is Thursday noon in London. */
const ctx = { clock: { now: () => Date.UTC(2026, 0, 15, 12) } } as unknown as Context;

const text = async (tool: Tool, args: Record<string, unknown>) => (await callTool(ctx, tool, args)).text;
const problem = async (tool: Tool, args: Record<string, unknown>) => {
  const error = await failing(callTool(ctx, tool, args));
  expect(error).toBeInstanceOf(AppError);
  return error.message;
};

test.each([
  ["0.1 + 0.2", "0.3"],
  ["17% * 340", "57.8"],
  ["2^64", "18446744073709551616"],
  ["30!", "265252859812191058636308480000000"],
  ["100!", "9.3326215443944152682e+157"],
  ["1/3", "0.33333333333333333333"],
  ["0.5!", "0.88622692545276"],
  ["gamma(5.5)", "52.342777784554"],
  ["sqrt(-4)", "2i"],
  ["12 inch to cm", "30.48 cm"],
  ["20 celsius to fahrenheit", "68 fahrenheit"],
  ["mean([1, 2, 6])", "3"],
  ["det([1, 2; 3, 4])", "-2"],
  ["a = 3; b = 4; sqrt(a^2 + b^2)", "5"],
  ["a = 3\nb = a * 2", "3\n6"],
  ["f(x) = x^2; f(4)", "16"],
  ["3 > 2", "true"],
])("%s is %s", async (expression, value) => {
  expect(await text(calculate, { expression })).toBe(value);
});

test.each([
  "import({ a: 1 })",
  'createUnit("foo")',
  'evaluate("1")',
  'parse("1")',
  'compile("1")',
  'simplify("1+1")',
  'derivative("x^2", "x")',
  'config({ number: "number" })',
  "c = import; c({})",
  "f(x) = evaluate(x); f(1)",
  '{ a: parse }["a"]("1")',
  "parser()",
  "chain(1)",
  'cos.constructor("return process")()',
  '[].map.constructor("return 1")()',
  '"".constructor',
  "typed",
  "5 +",
  "unknown + 1",
  "(".repeat(9_999),
  "f(x) = f(x + 1); f(1)",
])("%s is not calculated", async (expression) => {
  expect(await problem(calculate, { expression })).toMatch(/^This cannot be calculated: .*\.$/);
});

test("what one expression defines the next does not know", async () => {
  await text(calculate, { expression: "secret = 42; pi = 3; sqrt(x) = 7" });
  expect(await problem(calculate, { expression: "secret" })).toMatch(/Undefined symbol secret/);
  expect(await text(calculate, { expression: "round(pi, 2)" })).toBe("3.14");
  expect(await text(calculate, { expression: "sqrt(16)" })).toBe("4");
});

test("a value of a million parts is cut", async () => {
  const value = await text(calculate, { expression: "1:100000" });
  expect(value.length).toBeLessThan(21_000);
  expect(value).toMatch(/… \(\d+ characters\)$/);
});

test.each([
  ["1 + 1", "Result: 2"],
  ["console.log('hi', { a: [1] }, 3n); ({ b: 2 })", 'Printed:\nhi {"a":[1]} "3"\nResult: {"b":2}'],
  ["console.log(1)", "Printed:\n1"],
  ["const x = await Promise.resolve(4); return x * 2", "Result: 8"],
  ["async function f() { return [7] }\nf()", "Result: [7]"],
  ["undefined", "Result: undefined"],
  ["JSON.stringify = () => 'hacked'; String = () => 'h'; ({ a: 1 })", 'Result: {"a":1}'],
  ["typeof fetch + typeof require + typeof process + typeof setTimeout", `Result: "${"undefined".repeat(4)}"`],
])("the program %s gives %s", async (code, result) => {
  expect(await text(runJavascript, { code })).toBe(result);
});

test.each([
  ["\n\nnull.x", "TypeError: cannot read property 'x' of null (line 3)"],
  ["throw 'oops'", "it threw oops"],
  ["x = ", "SyntaxError"],
  ["await new Promise(() => 0)", "it waits for something that never comes"],
  ["import('node:fs')", "could not load module"],
  ["const o = {}; o.o = o; o", "circular reference"],
  ["'x'.repeat(1e9)", "out of memory"],
])("the program %j fails with a sentence: %s", async (code, why) => {
  expect(await problem(runJavascript, { code })).toContain(`The program failed: `);
  expect(await problem(runJavascript, { code })).toContain(why);
});

test("what one program leaves behind the next does not find, and no more is kept of it than fits", async () => {
  await text(runJavascript, { code: "globalThis.left = 1; Array.prototype.left = 2" });
  expect(await text(runJavascript, { code: "typeof left + typeof [].left" })).toBe('Result: "undefinedundefined"');
  const much = await text(runJavascript, {
    code: "for (let n = 0; n < 1e5; n++) console.log('line', n); 'x'.repeat(1e6)",
  });
  expect(much.length).toBeLessThan(50_000);
});

test.each([
  [{}, "Thursday 2026-01-15 12:00:00 in UTC (UTC+00:00, week 3), that is 2026-01-15T12:00:00Z"],
  [
    { zone: "Europe/Berlin" },
    "Thursday 2026-01-15 13:00:00 in Europe/Berlin (UTC+01:00, week 3), that is 2026-01-15T12:00:00Z",
  ],
  [
    { zone: "Europe/Berlin", at: "2026-07-01T09:30", in_zone: "America/New_York" },
    "Wednesday 2026-07-01 09:30:00 in Europe/Berlin (UTC+02:00, week 27), that is 2026-07-01T07:30:00Z\n" +
      "This is Wednesday 2026-07-01 03:30:00 in America/New_York (UTC-04:00, week 27), that is 2026-07-01T07:30:00Z",
  ],
  [
    { at: "2026-03-01T15:00+05:30" },
    "Sunday 2026-03-01 09:30:00 in UTC (UTC+00:00, week 9), that is 2026-03-01T09:30:00Z",
  ],
  [
    { at: "2026-01-31", add: "P1M" },
    "Saturday 2026-02-28 00:00:00 in UTC (UTC+00:00, week 9), that is 2026-02-28T00:00:00Z",
  ],
  [
    { zone: "Europe/Berlin", at: "2026-03-28T12:00", add: "P1D" },
    "Sunday 2026-03-29 12:00:00 in Europe/Berlin (UTC+02:00, week 13), that is 2026-03-29T10:00:00Z",
  ],
])("the time of %j", async (args, expected) => {
  expect(await text(time, args)).toBe(expected);
});

test("how long it is until a moment is told in words, hours and days, over a change of the clocks too", async () => {
  const until = async (args: Record<string, unknown>) => (await text(time, args)).split("\n").at(-1);
  expect(await until({ until: "2026-12-24T18:30" })).toMatch(
    /: 11 months 9 days 6 hours 30 minutes \(8238\.5 hours, 343 calendar days\)$/,
  );
  expect(await until({ zone: "Europe/Berlin", at: "2026-03-28T12:00", until: "2026-03-29T12:00" })).toMatch(
    /: 1 day \(23 hours, 1 calendar days\)$/,
  );
  expect(await until({ until: "2026-01-14T12:00Z" })).toMatch(/: 1 day ago \(24 hours, 1 calendar days\)$/);
  expect(await until({ until: "2026-01-15T12:00Z" })).toMatch(/: no time at all/);
});

test.each([
  [{ zone: "Mars/Olympus" }, /no time zone “Mars\/Olympus”/],
  [{ at: "tomorrow" }, /“tomorrow” is no moment/],
  [{ at: "2026-02-30" }, /is no moment/],
  [{ at: "2026-01-01T00:00[Mars/Olympus]" }, /is no moment/],
  [{ at: "+275760-09-13", add: "P99999999Y" }, /cannot be added|is no moment/],
  [{ add: "two weeks" }, /“two weeks” cannot be added/],
])("%j is said to be no time", async (args, sentence) => {
  expect(await problem(time, args)).toMatch(sentence);
});

test("what a tool wants to do is one line, however its arguments look", () => {
  const nasty = `a\nb\r\n\u2028\u202e\u0000${"x".repeat(5000)}`;
  const args = { url: nasty, query: nasty, expression: nasty, code: nasty, zone: nasty, body: nasty, secret: nasty };
  for (const tool of BUILT_IN.filter(({ group }) => ["web", "code", "time", "calculate"].includes(group))) {
    const sentence = tool.sentence(args);
    expect(sentence).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u);
    expect(sentence.length).toBeLessThan(700);
    expect(tool.name).toMatch(/^[a-z0-9_]{1,64}$/);
  }
});
