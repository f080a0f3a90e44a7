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
