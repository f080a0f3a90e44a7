import { expect, test } from "vitest";
import { httpCall } from "../../bots/tools/builtin/http-call.ts";
import { isSecretKey, showableArguments, showableResult, showableSentence } from "../../bots/tools/showable.ts";
import type { Tool } from "../../bots/tools/tool.ts";
import type { JsonSchema } from "../../migrations/types.ts";

test.each([
  ["password", true],
  ["Passwort", false],
  ["newPassword", true],
  ["DB_PASSWORD", true],
  ["pass", true],
  ["passenger", false],
  ["token", true],
  ["accessToken", true],
  ["access-token", true],
  ["tokens", false],
  ["maxTokens", false],
  ["tokensPerDay", false],
  ["secret", true],
  ["clientSecret", true],
  ["client_id", false],
  ["secretary", false],
  ["Authorization", true],
  ["Proxy-Authorization", true],
  ["author", false],
  ["Cookie", true],
  ["set-cookie", true],
  ["api key", true],
  ["apiKey", true],
  ["X-Api-Key", true],
  ["apikey", true],
  ["key", false],
  ["private_key", true],
  ["publicKey", false],
  ["sessionId", true],
  ["pin", true],
  ["pinned", false],
  ["", false],
])("the key %s: %s", (key, secret) => {
  expect(isSecretKey(key)).toBe(secret);
});

const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    door: { type: "string", format: "password" },
    vault: { type: "object", "x-secret": true },
    keep: { type: "string" },
    list: { type: "array", items: { $ref: "#/$defs/one" } },
    either: { anyOf: [{ type: "number" }, { type: "string", writeOnly: true }] },
  },
  additionalProperties: { type: "string", "x-secret": true },
  $defs: { one: { type: "object", properties: { code: { type: "string", format: "password" } } } },
} as JsonSchema;

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

test.each([
  ["a key in a key", { headers: { Authorization: "x" } }, { headers: { Authorization: "[removed]" } }],
  ["what is below a secret key", { auth: { user: "ann", pass: "b" } }, { auth: "[removed]" }],
  ["a number", { pin: 1234 }, { pin: "[removed]" }],
  ["nothing", { password: null }, { password: null }],
  [
    "a header as a pair",
    {
      headers: [
        { name: "Cookie", value: "a=b" },
        { name: "Accept", value: "text/html" },
      ],
    },
    {
      headers: [
        { name: "Cookie", value: "[removed]" },
        { name: "Accept", value: "text/html" },
      ],
    },
  ],
  ["a bearer token in a text", { text: "use Bearer abcdefgh12345" }, { text: "use Bearer [removed]" }],
  ["basic credentials in a text", { text: "Basic YW5uOnBhc3N3b3Jk" }, { text: "Basic [removed]" }],
  ["an API key in a text", { text: "it is sk-abc123def456ghi" }, { text: "it is [removed]" }],
  ["a JWT", { text: `so ${JWT}.` }, { text: "so [removed]." }],
  [
    "user and password in an address",
    { url: "https://ann:s3cret@example.org/a" },
    { url: "https://[removed]@example.org/a" },
  ],
  ["an address with a token", { url: "https://e.org/?token=abcdef&x=1" }, { url: "https://e.org/?token=[removed]" }],
  [
    "what is no secret",
    { to: ["ann@example.org"], subject: "Offer", n: 3, yes: true },
    { to: ["ann@example.org"], subject: "Offer", n: 3, yes: true },
  ],
])("arguments: %s", (_name, args, shown) => {
  expect(showableArguments(args)).toEqual(shown);
});

test.each([
  ["format password", { door: "open" }, { door: "[removed]" }],
  ["x-secret, all of it", { vault: { a: 1 } }, { vault: "[removed]" }],
  ["a referred schema within a list", { list: [{ code: "a" }] }, { list: [{ code: "[removed]" }] }],
  ["a branch", { either: "a" }, { either: "[removed]" }],
  ["additional properties", { other: "a", keep: "b" }, { other: "[removed]", keep: "b" }],
])("by the schema: %s", (_name, args, shown) => {
  expect(showableArguments(args, SCHEMA)).toEqual(shown);
});

test("a schema that refers to itself ends", () => {
  const schema = { type: "object", properties: { a: { $ref: "#" } }, allOf: [{ $ref: "#" }] } as unknown as JsonSchema;
  expect(showableArguments({ a: { a: { token: "x", b: 1 } } }, schema)).toEqual({
    a: { a: { token: "[removed]", b: 1 } },
  });
});

test("what is nested without end is cut, not followed", () => {
  let value: unknown = "sk-abc123def456";
  for (let depth = 0; depth < 50; depth++) value = { value };
  expect(JSON.stringify(showableArguments({ value }))).not.toContain("sk-abc");
});

test.each([
  ["a text", "Token: abcdefgh", "Token: [removed]"],
  ["JSON, by its keys", '{"password":"correct horse battery","n":1}', '{"password":"[removed]","n":1}'],
  ["JSON on several lines", '{\n  "secret": "a b"\n}', '{\n  "secret": "[removed]"\n}'],
  ["what only looks like JSON", "{password: abcdefgh}", "{password: [removed]"],
  ["nothing of the kind", "The sum is 42.", "The sum is 42."],
])("a result: %s", (_name, text, shown) => {
  expect(showableResult(text)).toBe(shown);
});

test("of a long text the beginning is shown, and no half of a secret that the end cuts through", () => {
  const random = "k3J9".repeat(12);
  const long = `password: ${"x".repeat(150)} and ${random} ${"more ".repeat(100)}`;
  expect(showableResult(long, { args: null }, 100)).toBe("password: [removed] and …");
  expect(showableResult("a ".repeat(500), { args: null }, 100)).toBe(`${"a ".repeat(50)} …`);
  expect(showableResult("a ".repeat(70), { args: null }, 100)).toBe(`${"a ".repeat(50)} …`);
});

test("what is long and random is found wherever it stands", () => {
  const random = "k3J9".repeat(10);
  for (let before = 0; before < 90; before++)
    expect(showableResult(`${".".repeat(before)}${random}!`)).toBe(`${".".repeat(before)}[removed]!`);
  expect(showableResult(random.slice(1))).toBe(random.slice(1));
});

test("long texts take no time", () => {
  const text = `${"a ".repeat(200_000)}${" ".repeat(200_000)}`;
  const began = performance.now();
  showableResult(text);
  expect(performance.now() - began).toBeLessThan(2000);
});

test("a result does not repeat what is hidden in the arguments", () => {
  const args = { password: "hunter2", auth: { user: "ann", pin: "12" }, word: "open" };
  expect(showableResult("hunter2 opens for ann at 12: open", { args })).toBe("[removed] opens for ann at 12: open");
});

const FORM: Pick<Tool, "input" | "sentence"> = {
  input: SCHEMA,
  sentence: (args) => `fill it in with ${JSON.stringify(args).slice(0, 50)}`,
};

test.each([
  [
    "a call with a secret in its body",
    { tool: "http_call", args: { url: "https://e.org/", method: "POST", body: '{"password":"hunter2"}' } },
    httpCall,
    "send POST to https://e.org/ with a content of 24 characters",
  ],
  ["a number", { tool: "form", args: { pin: 1234 } }, FORM, 'fill it in with {"pin":"[removed]"}'],
  [
    "a secret in signs of its own",
    { tool: "form", args: { pass: 'a"b  c' } },
    FORM,
    'fill it in with {"pass":"[removed]"}',
  ],
  [
    "a secret that the sentence cuts",
    { tool: "form", args: { keep: "x".repeat(26), door: "hunter2hunter2" } },
    FORM,
    `fill it in with {"keep":"${"x".repeat(26)}","door":"[remo`,
  ],
  ["a tool that is not known", { tool: "gone", args: { door: "hunter2" } }, undefined, "use gone"],
])("a sentence: %s", (_name, { tool, args }, known, shown) => {
  expect(showableSentence({ kind: "tool", sentence: known?.sentence(args) ?? "open hunter2", tool, args }, known)).toBe(
    shown,
  );
});

test("a question to a person stays as it is, but for what looks like a secret", () => {
  const question = (sentence: string) =>
    showableSentence({ kind: "input", sentence, tool: "ask_person", args: { question: sentence } }, undefined);
  expect(question("Blue or red?")).toBe("Blue or red?");
  expect(question("Is the password: hunter2 right?")).toBe("Is the password: [removed] right?");
});
