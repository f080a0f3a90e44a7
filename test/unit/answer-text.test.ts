import { describe, expect, test } from "vitest";
import { renderMarkdown } from "../../bots/markdown.ts";
import { agentsNamed } from "../../bots/mentions.ts";
import { editMessage, LiveText, newMessage, nextEditAt, partsOf, RHYTHM } from "../../bots/reply.ts";
import { splitMarkdown } from "../../bots/split.ts";

const to = { questionEvent: "$q", threadRoot: null, mentions: ["@ann:x"], runId: "r", hops: 0, heading: null };

describe("markdown becomes HTML that Matrix allows", () => {
  test.each([
    ["plain text needs no HTML", "hello", undefined],
    ["entities alone need no HTML", "a < b & c", undefined],
    ["bold and code", "**a** `b`", "<p><strong>a</strong> <code>b</code></p>"],
    ["a script is dropped with its text", "x **y** <script>alert(1)</script>", "<p>x <strong>y</strong> </p>"],
    ["event handlers are dropped", '<b onclick="x()">y</b>', "<p><b>y</b></p>"],
    ["a javascript link keeps its words only", "[l](javascript:alert(1)) *i*", "<p><a>l</a> <em>i</em></p>"],
    ["a data link keeps its words only", "[l](data:text/html,x)", "<p><a>l</a></p>"],
    [
      "a remote picture is a link",
      "![cat](https://a.example/c.png)",
      '<p><a href="https://a.example/c.png">cat</a></p>',
    ],
    ["a frame is dropped", "**x** <iframe src='https://a.example'></iframe>", "<p><strong>x</strong> </p>"],
  ])("%s", (_name, markdown, html) => {
    expect(renderMarkdown(markdown).html).toBe(html);
    expect(renderMarkdown(markdown).body).toBe(markdown);
  });

  test("a line of code keeps its language and what it says", () => {
    const { html } = renderMarkdown("```js\nlet a = 1 < 2;\n```");
    expect(html).toBe('<pre><code class="language-js">let a = 1 &lt; 2;\n</code></pre>');
  });

  test("quotations nested a thousand deep end at a bound", () => {
    const { html } = renderMarkdown(`${">".repeat(1000)} x`);
    expect((html?.match(/<blockquote>/g) ?? []).length).toBeLessThanOrEqual(60);
  });
});

describe("long answers are split", () => {
  test("no part is longer than asked for, and nothing but blank lines is lost", () => {
    const text = Array.from({ length: 200 }, (_, i) => `Paragraph ${i} with ünïcödé 漢字 and words.`).join("\n\n");
    const parts = splitMarkdown(text, 700);
    for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(700);
    expect(parts.join("\n\n")).toBe(text);
  });

  test("a word without an end is cut between characters", () => {
    const parts = splitMarkdown("漢".repeat(1000), 100);
    expect(parts.join("")).toBe("漢".repeat(1000));
    for (const part of parts) expect(Buffer.byteLength(part)).toBeLessThanOrEqual(100);
  });

  test("a code block that is cut is closed and opened again", () => {
    const parts = splitMarkdown(`\`\`\`py\n${"x = 1\n".repeat(100)}\`\`\``, 200);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) {
      expect(part.startsWith("```py\n")).toBe(true);
      expect(part.trimEnd().endsWith("```")).toBe(true);
    }
  });

  test.each([
    ["ampersands, which HTML spells in five letters", "&".repeat(60_000)],
    ["control characters, which JSON spells in six", "\u0001".repeat(60_000)],
    ["many short code words", "`a` ".repeat(20_000)],
    ["an unbroken script of three bytes", "漢字".repeat(20_000)],
  ])("every message and edit stays below the size limit of an event: %s", (_name, text) => {
    for (const [part, words] of partsOf(text).entries()) {
      const how = { part, final: true };
      const planned = { ...to, heading: `Planned for ${"&".repeat(60)}: by the pattern ${"1,".repeat(100)} (UTC)` };
      expect(Buffer.byteLength(JSON.stringify(newMessage(planned, words, how)))).toBeLessThan(65_536 - 2048);
      expect(Buffer.byteLength(JSON.stringify(editMessage(planned, "$e", words, how)))).toBeLessThan(65_536 - 2048);
    }
  });
});

describe("an answer's message", () => {
  test("mentions who asked and replies to the question", () => {
    const content = newMessage(to, "hi", { part: 0, final: true });
    expect(content["m.mentions"]).toEqual({ user_ids: ["@ann:x"] });
    expect(content["m.relates_to"]).toEqual({ "m.in_reply_to": { event_id: "$q" } });
    expect(content["dev.agentopia.run"]).toEqual({ run: "r", question: "$q", hops: 0, final: true });
  });

  test("stays in the thread", () => {
    const content = newMessage({ ...to, threadRoot: "$root" }, "hi", { part: 0, final: false });
    expect(content["m.relates_to"]).toEqual({
      rel_type: "m.thread",
      event_id: "$root",
      is_falling_back: false,
      "m.in_reply_to": { event_id: "$q" },
    });
  });

  test("an edit tells nobody twice, only agents that the end names", () => {
    const content = editMessage(to, "$e", "hi", { part: 0, final: true, extra: ["@agent-b:x"] });
    expect(content["m.mentions"]).toEqual({ user_ids: ["@agent-b:x"] });
    expect(content["m.new_content"]).toMatchObject({
      body: "hi",
      "m.mentions": { user_ids: ["@ann:x", "@agent-b:x"] },
    });
  });
});

describe("which agents a text names", () => {
  const agents = ["Writer", "Anna", "Anna Maria", "C++"].map((name) => ({
    name,
    userId: `@agent-${name.length}${name[0]}:x`,
  }));
  const named = (text: string) =>
    agentsNamed(text, agents, "@agent-self:x").map((id) => agents.find((agent) => agent.userId === id)?.name);
  test.each([
    ["by name", "Ask @Writer about it", ["Writer"]],
    ["in other letters", "@writer, please", ["Writer"]],
    ["the longer of two names", "Hello @Anna Maria!", ["Anna Maria"]],
    ["the shorter of two names", "Hello @Anna, hi", ["Anna"]],
    ["with signs in the name", "@C++ compile", ["C++"]],
    ["not inside a word", "mail@writers.example", []],
    ["not without the sign", "The Writer said", []],
    ["not in code", "use `@Writer` or\n```\n@Anna\n```", []],
    ["not in a quotation", "> @Writer said\nno", []],
  ])("%s", (_name, text, expected) => expect(named(text)).toEqual(expected));
});

describe("a growing answer is shown at a growing pace", () => {
  test("at most forty edits, pauses from half a second to five", () => {
    const gaps = Array.from({ length: RHYTHM.maxEdits }, (_, i) => nextEditAt({ times: i + 1, last: 0 }));
    expect(gaps[0]).toBe(500);
    expect(Math.max(...gaps)).toBe(5000);
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(nextEditAt({ times: RHYTHM.maxEdits + 1, last: 0 })).toBe(Number.POSITIVE_INFINITY);
  });

  test("a text that is complete before the first is due is not shown at all", async () => {
    const shown: string[] = [];
    const live = new LiveText({ now: () => Date.now() }, async (text) => void shown.push(text));
    live.update("one");
    live.update("one two");
    await live.close();
    expect(shown).toEqual([]);
    expect(live.text).toBe("one two");
  });

  test("what comes while a message is on its way goes into the next one", async () => {
    const shown: string[] = [];
    const { promise: sent, resolve: send } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: second, resolve: gotSecond } = Promise.withResolvers<void>();
    const live = new LiveText({ now: () => Date.now() }, async (text, times) => {
      shown.push(text);
      if (times === 1) gotSecond();
      begin();
      await sent;
    });
    live.update("a");
    await begun;
    live.update("a b");
    live.update("a b c");
    send();
    await second;
    await live.close();
    expect(shown).toEqual(["a", "a b c"]);
  });
});
