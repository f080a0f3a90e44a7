import { expect, test } from "vitest";
import { mentioned } from "../../bots/addressed.ts";
import { readMessage } from "../../bots/message.ts";

const mentionedIn = (body: string) => mentioned(readMessage({ msgtype: "m.text", body }), { agents: [] });

test("user ids in a text are found, without the sign that ends a sentence", () => {
  expect(mentionedIn("Ask @bob:acme.test:8448, or @agent-writer:acme.test.")).toEqual([
    "@bob:acme.test:8448",
    "@agent-writer:acme.test",
  ]);
});

test.each([
  ["dots", `@a:${".".repeat(60_000)}x`],
  ["letters", `@${"a".repeat(60_000)}`],
])("a message of many thousand %s keeps nobody waiting", (_, body) => {
  const began = performance.now();
  mentionedIn(body);
  expect(performance.now() - began).toBeLessThan(300);
});
