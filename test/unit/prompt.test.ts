import { describe, expect, test } from "vitest";
import {
  foldMessages,
  type Heard,
  type InboxMessage,
  inTurns,
  newestThatFit,
  systemPrompt,
  textOf,
} from "../../bots/prompt.ts";

let seq = 0;
const said = (sender: string, body: string, extra: Record<string, unknown> = {}): InboxMessage => {
  seq++;
  return { eventId: `$${seq}`, sender, ts: seq, seq, position: seq, content: { msgtype: "m.text", body, ...extra } };
};
const fold = (events: InboxMessage[], threadRoot: string | null = null) =>
  foldMessages(events, {
    threadRoot,
    upTo: Number.MAX_SAFE_INTEGER,
    self: "@agent-a:x",
    nameOf: (id) => id.slice(1, 4),
  });
const texts = (events: InboxMessage[], threadRoot: string | null = null) =>
  fold(events, threadRoot).map((heard) => heard.text);

describe("what the model hears of a room", () => {
  test("an edit takes the place of what it edits; the last one counts", () => {
    const first = said("@ann:x", "one");
    const edit = (body: string) =>
      said("@ann:x", `* ${body}`, {
        "m.relates_to": { rel_type: "m.replace", event_id: first.eventId },
        "m.new_content": { msgtype: "m.text", body },
      });
    expect(texts([first, edit("two"), edit("three")])).toEqual(["three"]);
  });

  test("what is asked stands last, also when its time is before that of a message that came in earlier", () => {
    const other = { ...said("@bob:x", "sent at the same moment"), ts: 2000 };
    const question = { ...said("@ann:x", "the question"), ts: 1000 };
    const heard = foldMessages([question, other], {
      threadRoot: null,
      upTo: question.seq,
      self: "@s:x",
      nameOf: (id) => id,
    });
    expect(heard.map(({ text }) => text)).toEqual(["sent at the same moment", "the question"]);
  });

  test("nobody edits another's words", () => {
    const first = said("@ann:x", "one");
    const forged = said("@eve:x", "* evil", {
      "m.relates_to": { rel_type: "m.replace", event_id: first.eventId },
      "m.new_content": { msgtype: "m.text", body: "evil" },
    });
    expect(texts([first, forged])).toEqual(["one"]);
  });

  test("in the room no threads, in a thread only that thread and its root", () => {
    const root = said("@ann:x", "root");
    const inThread = said("@bob:x", "inside", { "m.relates_to": { rel_type: "m.thread", event_id: root.eventId } });
    const other = said("@bob:x", "elsewhere");
    expect(texts([root, inThread, other])).toEqual(["root", "elsewhere"]);
    expect(texts([root, inThread, other], root.eventId)).toEqual(["root", "inside"]);
  });

  test("notices and what was redacted are not heard", () => {
    const notice = said("@bot:x", "busy");
    notice.content.msgtype = "m.notice";
    const gone = said("@ann:x", "gone");
    gone.content = {};
    expect(texts([notice, gone, said("@ann:x", "here")])).toEqual(["here"]);
  });

  test("commands to the platform are not heard", () => {
    expect(
      texts([
        said("@ann:x", "!stop"),
        said("@ann:x", "!help me"),
        said("@ann:x", "!forms"),
        said("@ann:x", "!important: read this"),
      ]),
    ).toEqual(["!important: read this"]);
  });

  test("nothing after the question is heard", () => {
    const events = [said("@ann:x", "question"), said("@bob:x", "later")];
    const heard = foldMessages(events, { threadRoot: null, upTo: events[0]!.seq, self: "@s:x", nameOf: (id) => id });
    expect(heard.map((message) => message.text)).toEqual(["question"]);
  });

  test.each([
    ["the quotation of an old reply is left out", { msgtype: "m.text", body: "> <@a:x> hi\n> there\n\nyes" }, "yes"],
    ["an emote", { msgtype: "m.emote", body: "waves" }, "* waves"],
    ["a picture", { msgtype: "m.image", body: "a.png", url: "mxc://x/y" }, "[sent a file: a.png]"],
    ["a picture with words", { msgtype: "m.image", body: "look", filename: "a.png" }, "[sent a file: a.png] look"],
    ["a body that is not text", { msgtype: "m.text", body: 5 }, ""],
    ["an unknown kind", { msgtype: "x.y", body: "z" }, ""],
  ])("%s", (_name, content, expected) => expect(textOf(content)).toBe(expected));
});

describe("what is sent to the model", () => {
  const heard = (count: number, text = "word"): Heard[] =>
    Array.from({ length: count }, (_, i) => ({
      eventId: `$${i}`,
      position: i,
      sender: i % 3 === 2 ? "@agent-a:x" : "@ann:x",
      name: "Ann",
      text: `${text} ${i}`,
      own: i % 3 === 2,
    }));

  test("sides take turns and a person is first", () => {
    const messages = inTurns(newestThatFit(heard(9).slice(2), 10_000), { direct: false });
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(messages[0]?.content).toBe("Ann: word 3\n\nAnn: word 4");
  });

  test("what does not fit is left out from the oldest on, never the question", () => {
    const messages = inTurns(newestThatFit(heard(100, "x".repeat(300)), 1000), { direct: true });
    const all = messages.map((message) => message.content).join("\n");
    expect(all.length).toBeLessThan(3500);
    expect(all).toContain("99");
    const huge = inTurns(newestThatFit([{ ...heard(1)[0]!, text: "y".repeat(100_000) }], 1000), { direct: true });
    expect(huge).toHaveLength(1);
    expect(String(huge[0]?.content).length).toBe(1000);
  });

  test("the system prompt says who is here and what the instructions are", () => {
    const prompt = systemPrompt({
      agentName: "Writer",
      agentUserId: "@agent-writer:x",
      instructions: "Write well.",
      tenantTitle: "Demo",
      roomName: "general",
      people: ["Ann", "Bob"],
      agents: ["Planner"],
      direct: false,
      now: new Date("2026-01-02T03:04:05Z"),
    });
    for (const part of ["Write well.", "Writer", "general", "Ann, Bob", "Planner", "2026-01-02 03:04 UTC"])
      expect(prompt).toContain(part);
  });
});
