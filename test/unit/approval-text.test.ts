/** What people read of a question in a room, before and after it is decided. */
import { describe, expect, test } from "vitest";
import { type ApprovalText, asItIs, type Decided, decidedText, questionText } from "../../bots/approvals/text.ts";
import { alwaysLets } from "../../bots/tools/always.ts";
import { BUILT_IN } from "../../bots/tools/built-in.ts";
import { mailSend } from "../../bots/tools/builtin/mail-send.ts";

const MAIL: ApprovalText = {
  agent: "Writer",
  kind: "tool",
  sentence: "send a mail to ann@example.org",
  why: null,
  args: { to: ["ann@example.org"] },
  level: 50,
  onlyPerson: null,
  always: alwaysLets(mailSend, mailSend.name),
  expiresAt: 0,
};
const question = (wish: Partial<ApprovalText> = {}) => questionText({ ...MAIL, ...wish }, asItIs);
const decided = (wish: Partial<Decided>) =>
  decidedText(MAIL, { state: "approved", by: "ben", answer: null, always: false, ...wish }, asItIs);

describe("what is wanted", () => {
  const LONG = "It is a long text that people read below.";
  const ARGS: [tool: string, args: Record<string, unknown>, head: string][] = [
    [
      "mail_send",
      { to: ["ann@example.org"], cc: ["bob@example.org"], subject: "Offer", text: LONG },
      "send a mail to ann@example.org, with a copy to bob@example.org, about “Offer”.",
    ],
    ["mail_send", { to: ["a@x.org"], subject: "Done.", text: LONG }, "send a mail to a@x.org about “Done.”"],
    ["run_javascript", { code: LONG }, "run a program of 41 characters."],
    ["room_post", { room: "general", text: LONG }, "post a message of 41 characters in the room “general”."],
    [
      "http_call",
      { url: "https://x.org/?", method: "POST", body: LONG, secret: "crm" },
      "send POST to https://x.org/? with the secret “crm” and a content of 41 characters.",
    ],
    ["files_write", { path: "a.md", text: LONG }, "write 41 characters into the file “a.md”."],
  ];

  test.each(ARGS)("is said once: %s", (name, args, head) => {
    const sentence = BUILT_IN.find((tool) => tool.name === name)?.sentence(args) ?? "";
    expect(question({ sentence, args })).toContain(`**Writer wants to ${head}**\n`);
    expect(question({ sentence, args }).split(LONG)).toHaveLength(2);
    expect(
      decidedText({ ...MAIL, sentence, args }, { state: "approved", by: null, answer: null, always: false }, asItIs),
    ).toContain(`**Writer wanted to ${head}**\n`);
  });
});

test.each([
  ["hand_over", { agent: "Planner" }, "task"],
  ["schedule_make", { in_minutes: 5 }, "task"],
  ["ask_person", { person: "Ben" }, "question"],
  ["room_topic", {}, "topic"],
])("only the beginning of a long text stands in the sentence: %s", (name, args, long) => {
  const text = "word ".repeat(60).trim();
  const sentence = BUILT_IN.find((tool) => tool.name === name)?.sentence({ ...args, [long]: text }) ?? "";
  expect(sentence).toContain(`“${text.slice(0, 79)}…”`);
});

test.each([
  [50, null, "A moderator of this room or a manager decides"],
  [100, null, "An admin of this room or a manager decides"],
  [70, null, "Somebody with the power level 70 in this room or a manager decides"],
  [0, null, "Anybody in this room or a manager decides"],
  [null, "Ben", "Ben or a manager decides"],
])("who decides is called by a name where there is one: level %j, %j", (level, onlyPerson, words) => {
  expect(question({ level, onlyPerson })).toContain(`\n${words}, here or in the panel, until `);
});

test("who stopped it is named, and a stop by nobody is none", () => {
  expect(decided({ state: "withdrawn" })).toMatch(/\nStopped by ben before anybody decided\.$/);
  expect(decided({ state: "withdrawn", by: null })).toMatch(/\nThe answer was ended before anybody decided\.$/);
});

describe("♾️", () => {
  const LETS = "send mail from this room without asking again, whoever asks, whatever is in it and to whomever";

  test("says before it is pressed that it is for more than this one call, and how far it goes", () => {
    expect(question()).toContain("React with ✅ to allow this once");
    expect(question()).toContain(`♾️ goes further: it lets Writer ${LETS}.`);
    expect(question({ always: null })).not.toContain("♾️");
  });

  test("says afterwards what is allowed from now on, and where that ends", () => {
    expect(decided({ always: true })).toContain(
      `✅ Allowed by ben. ♾️ From now on Writer may ${LETS}, until somebody takes that back in the panel.`,
    );
    expect(decided({})).toMatch(/✅ Allowed by ben\.$/);
  });

  test("says of every tool that the call which was asked about is not all, also of one that is gone", () => {
    const all = [...BUILT_IN.map((tool) => alwaysLets(tool, tool.name)), alwaysLets(undefined, "form_offer")];
    for (const lets of all)
      expect(lets).toMatch(/^[a-z].* from this room without asking again, whoever asks, .*(what|which|whom)/);
    expect(all.at(-1)).toBe(
      "use “form_offer” from this room without asking again, whoever asks, with whatever arguments",
    );
  });
});
