/** Forms that are found by their names, what was mistyped, and the help. */
import { describe, expect, test } from "vitest";
import type { ListedForm, RoutedEvent } from "../../bots/room-view.ts";
import { route } from "../../bots/route.ts";
import { dm, event, MALLORY, planner, short, text, view, type Wish, writer } from "./routing.ts";

const OFFER: ListedForm = {
  name: "offer",
  title: "Offer",
  description: "Writes an offer\nto a customer.",
  input: {
    type: "object",
    properties: { customer: { type: "string" }, amount: { type: "number" }, until: { type: "string", format: "date" } },
    required: ["customer", "amount"],
  },
};
const forms = (shown: ListedForm[], total = shown.length) => ({ shown, total, names: shown.map(({ name }) => name) });
const wordsOf = (seen: RoutedEvent, wish: Wish = {}) => {
  const decision = route(seen, view(wish));
  return decision.kind === "command" ? decision.notices[0]?.text : decision.kind;
};

describe("what was mistyped is told what was meant", () => {
  const some = forms([OFFER, { ...OFFER, name: "fax" }, { ...OFFER, name: "holiday_request" }]);
  const cases: [string, string, string][] = [
    ["a form with what is filled in", "!ofer Acme", "There is no command !ofer. Did you mean !offer?"],
    ["two letters that changed places", "!offre customer=Acme", "There is no command !offre. Did you mean !offer?"],
    ["a capital", "!Offer customer=Acme", "There is no command !Offer. Did you mean !offer?"],
    [
      "two slips in a long name",
      "!holidy_requst June",
      "There is no command !holidy_requst. Did you mean !holiday_request?",
    ],
    ["a command with more words", "!schedule pause 3f2a", "There is no command !schedule. Did you mean !schedules?"],
    ["the word alone", "!hlep", "There is no command !hlep. Did you mean !help?"],
    [
      "what is near to nothing, with something filled in",
      "!xyzzy foo=a",
      "There is no command and no published form !xyzzy. `!help` says what there is.",
    ],
    [
      "the name of a draft",
      '!huge field_1="two words" field_2=b',
      "There is no command and no published form !huge. `!help` says what there is.",
    ],
    ["prose is none", "!important read this", "ignore"],
    ["with a sum in it neither", "!important the sum is a = 5", "ignore"],
    ["nor with a colon", "!important: please read a=b", "ignore"],
    ["nor a question", "!? what=that", "ignore"],
    ["nor what is two slips from a short word", "!hello everybody", "ignore"],
    ["nor what is near to a name of three letters", "!face it", "ignore"],
    ["nor a mark that ends the word", "!offr: 12", "ignore"],
  ];
  for (const [name, body, words] of cases)
    test(name, () => expect(wordsOf(event(text(body)), { forms: some })).toBe(words));

  test("people of other servers hear nothing of forms", () => {
    expect(wordsOf(event(text("!ofer Acme"), { sender: MALLORY }), { forms: some })).toBe("ignore");
    expect(wordsOf(event(text("!tols now"), { sender: MALLORY }), { forms: some })).toContain("Did you mean !tools?");
    expect(wordsOf(event(text("!xyzzy foo=a"), { sender: MALLORY }), { forms: some })).toBe(
      "There is no command !xyzzy. `!help` says what there is.",
    );
  });

  test("an agent that is asked answers, whatever the message begins with", () => {
    expect(short(event(text("!ofer Acme")), view({ ...dm, forms: some }))).toBe("run; +writer");
  });

  test("what is filled in asks no agent, also where one would answer", () => {
    expect(wordsOf(event(text("!huge field_1=a")), { ...dm, forms: some })).toContain("no published form !huge");
    expect(wordsOf(event(text("Writer: !huge field_1=a")), { forms: some })).toContain("no published form !huge");
  });

  test("where no agent is such words are for somebody else's bot", () => {
    expect(wordsOf(event(text("!ofer Acme")), { forms: some, agents: [writer({ membership: "leave" })] })).toBe(
      "ignore",
    );
    expect(wordsOf(event(text("!huge field_1=a")), { agents: [writer({ membership: "leave" })] })).toBe("ignore");
  });
});

describe("forms are found in the room", () => {
  test("!help ends with those that can be filled in, in short", () => {
    const words = wordsOf(event(text("!help")), { forms: forms([OFFER]) });
    expect(words).toMatch(/\n\nForms that can be filled in here:\n• !offer customer="some words" amount=12 \(Offer\)$/);
  });

  test("more than ten are counted", () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ ...OFFER, name: `offer${n}` }));
    const words = wordsOf(event(text("!help")), { forms: forms(many, 34) });
    expect(words).toContain("• !offer9 ");
    expect(words).not.toContain("!offer10");
    expect(words).toMatch(/• and 24 more: !forms$/);
    expect(wordsOf(event(text("!forms")), { forms: forms(many, 34) })).toMatch(
      /• and 14 more, in the panel under Forms$/,
    );
  });

  test("!forms says what each is for, in one line, and how it is written", () => {
    expect(wordsOf(event(text("!forms")), { forms: forms([OFFER]) })).toBe(
      'Forms that can be filled in here, by a message like these:\n• Offer: Writes an offer to a customer.\n  !offer customer="some words" amount=12',
    );
  });

  test("none, and people of other servers, are told so", () => {
    expect(wordsOf(event(text("!help")), { forms: forms([]) })).not.toContain("Forms that");
    expect(wordsOf(event(text("!forms")), { forms: forms([]) })).toMatch(/^No form can be filled in here\./);
    const foreign = (body: string) => wordsOf(event(text(body), { sender: MALLORY }), { forms: forms([OFFER]) });
    expect(foreign("!forms")).toBe("Forms can only be filled in by people of acme.test. Ask one of them to do it.");
    expect(foreign("!help")).not.toContain("!offer");
  });

  test("a form whose name begins with a command's is still that form", () => {
    const form = { ...OFFER, id: "f1", name: "help_me" };
    expect(short(event(text("!help_me customer=A amount=1")), view({ form }))).toMatch(/^form/);
  });
});

test("the help names who is here and what they do", () => {
  const decision = route(event(text("!help")), view({ agents: [writer(), planner({ state: "paused" })] }));
  const words = decision.kind === "command" ? decision.notices[0]?.text : "";
  expect(words).toContain("• Writer: Helps.");
  expect(words).toContain("• Planner (paused): Helps.");
  expect(words).toContain("@");
});
