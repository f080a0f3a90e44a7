import { expect, test } from "vitest";
import { like, matches } from "../../bots/tools/patterns.ts";
import type { Target } from "../../bots/tools/tool.ts";

const fits = (kind: Target["kind"], pattern: string, value: string) => matches(pattern, { kind, value });

test.each([
  ["example.org", "https://example.org/a", true],
  ["example.org", "https://EXAMPLE.org/a", true],
  ["example.org", "https://www.example.org/", false],
  ["example.org", "https://example.org.evil.test/", false],
  ["example.org", "https://evil.test/example.org", false],
  ["example.org", "https://example.org@evil.test/", false],
  ["example.org", "https://example.org:8443/", false],
  ["example.org:8443", "https://example.org:8443/", true],
  ["*.example.org", "https://a.b.example.org/", true],
  ["*.example.org", "https://example.org/", false],
  ["https://example.org/docs", "https://example.org/docs/a", true],
  ["https://example.org/docs", "https://example.org/docs", true],
  ["https://example.org/docs", "https://example.org/docs?x=1", true],
  ["https://example.org/docs", "https://example.org/docs-private", false],
  ["https://example.org/docs", "http://example.org/docs/a", false],
  ["https://example.org/docs", "https://example.org/docs/../private", false],
  ["http://example.org/docs", "https://example.org/docs/a", true],
  ["http://example.org/docs", "https://example.org/private", false],
  ["https://example.org/docs/*", "https://example.org/docs/a/b", true],
  ["example.org/docs", "http://example.org/docs/a", true],
  ["*", "https://anything.test/", true],
  ["example.org", "no address", false],
])("the pattern %s and the address %s: %s", (pattern, value, is) => {
  expect(fits("address", pattern, value)).toBe(is);
});

test.each([
  ["example.org", "https://example.org:8443/", true],
  ["example.org", "https://example.org./", true],
  ["example.org:8443", "https://example.org.:8443/", true],
  ["example.org:8443", "https://example.org/", false],
  ["bücher.test", "https://xn--bcher-kva.test/", true],
  ["*.bücher.test", "https://www.bücher.test/", true],
  ["https://example.org/private", "https://example.org/%70rivate/a", true],
  ["https://example.org/private", "https://example.org//private", true],
  ["https://example.org/private", "https://example.org/%2570rivate", false],
  ["https://example.org/a b", "https://example.org/a%20b", false],
  ["example.org:443", "https://example.org/", true],
  ["example.org:443", "http://example.org/", false],
  ["http://example.org:80", "http://example.org/", true],
  ["example.org:*", "https://example.org/", true],
  ["example.org.", "https://example.org/", true],
  ["[2001:db8::1]", "https://[2001:db8::1]:8443/", true],
  ["[2001:0DB8::0001]", "https://[2001:db8::1]/", true],
  ["[2001:db8::1]:8443", "https://[2001:db8::1]/", false],
])("refused by the pattern %s, the address %s: %s", (pattern, value, is) => {
  expect(matches(pattern, { kind: "address", value }, "refuse")).toBe(is);
});

test("a room is meant by its name or by its id", () => {
  const room = { kind: "room", value: "plans", id: "!abc:acme.test" } as const;
  expect(["Plans", "!ABC:acme.test", "!other:acme.test"].map((pattern) => matches(pattern, room))).toEqual([
    true,
    true,
    false,
  ]);
});

test.each([
  ["reports", "reports/a.txt", true],
  ["reports/", "reports/2026/a.txt", true],
  ["reports", "reports-old/a.txt", false],
  ["*.txt", "reports/a.txt", true],
  ["", "anything", true],
])("the folder %s and the path %s: %s", (pattern, value, is) => {
  expect(fits("folder", pattern, value)).toBe(is);
});

test("recipients, rooms and agents are compared without case", () => {
  expect(fits("recipient", "*@acme.test", "Ann@ACME.test")).toBe(true);
  expect(fits("recipient", "*@acme.test", "ann@acme.test.evil")).toBe(false);
  expect(fits("room", "Plans", "plans")).toBe(true);
  expect(fits("agent", "writer", "Writer 2")).toBe(false);
});

test("a name is the same whichever way its letters are put together, and a domain whichever letters it has", () => {
  const refused = (kind: Target["kind"], pattern: string, value: string) => matches(pattern, { kind, value }, "refuse");
  expect(refused("folder", "re\u0301sume\u0301s", "r\u00e9sum\u00e9s/anna.pdf")).toBe(true);
  expect(refused("folder", "r\u00e9sum\u00e9s", "re\u0301sume\u0301s/anna.pdf")).toBe(true);
  expect(refused("room", "Bu\u0308ro", "B\u00fcro")).toBe(true);
  expect(refused("agent", "Rene\u0301", "Ren\u00e9")).toBe(true);
  expect(refused("recipient", "*@b\u00fccher.test", "ann@xn--bcher-kva.test")).toBe(true);
  expect(refused("recipient", "*@*.b\u00fccher.test", "ann@www.xn--bcher-kva.test")).toBe(true);
  expect(refused("recipient", "ann@b\u00fccher.test", "bob@xn--bcher-kva.test")).toBe(false);
});

test("a pattern of many stars costs no time", () => {
  const began = performance.now();
  expect(like(`${"*a".repeat(5000)}b`, "a".repeat(20_000))).toBe(false);
  expect(performance.now() - began).toBeLessThan(1000);
});
