import { expect, test } from "vitest";
import { type Asked, type PanelAsker, whatBecame, whyNotInPanel } from "../../bots/approvals/panel.ts";

const ALICE = "@alice:acme.test";
const BOB = "@bob:acme.test";
const ROOM = "!room:acme.test";

const inRoom: Asked = { kind: "tool", level: 50, onlyPerson: null, roomId: ROOM };
const toAlice: Asked = { ...inRoom, level: null, onlyPerson: ALICE };
const question: Asked = { ...toAlice, kind: "input" };
const inTry: Asked = { kind: "tool", level: null, onlyPerson: "operator:ann", roomId: "try:1" };
const alice: PanelAsker = { by: ALICE, all: false, joined: true, power: 0 };
const bob: PanelAsker = { ...alice, by: BOB };
const manager: PanelAsker = { by: "@max:acme.test", all: true, joined: false, power: Number.NEGATIVE_INFINITY };
const operator: PanelAsker = { ...manager, by: "operator:ann" };

const CASES: [string, Asked, PanelAsker, boolean][] = [
  ["a moderator of the room", inRoom, { ...alice, power: 50 }, true],
  ["somebody above", inRoom, { ...alice, power: 100 }, true],
  ["somebody below", inRoom, { ...alice, power: 49 }, false],
  ["a moderator who has left", inRoom, { ...alice, joined: false, power: 50 }, false],
  ["somebody where no level is written", { ...inRoom, level: null }, { ...alice, power: 49 }, false],
  ["a member where everybody may", { ...inRoom, level: 0 }, alice, true],
  ["a stranger of the room where everybody may", { ...inRoom, level: 0 }, { ...alice, joined: false }, false],
  ["a manager who is not in the room", inRoom, manager, true],
  ["an operator", inRoom, operator, true],
  ["the one who is asked", toAlice, alice, true],
  ["the one who is asked, after leaving", toAlice, { ...alice, joined: false }, false],
  ["another one, however powerful", toAlice, { ...bob, power: 100 }, false],
  ["a manager, where one person is asked", toAlice, manager, true],
  ["who is asked a question", question, alice, true],
  ["who was asked a question and has left", question, { ...alice, joined: false }, false],
  ["another one for them", question, { ...bob, power: 100 }, false],
  ["a manager for them", question, manager, false],
  ["an operator for them", question, operator, false],
  ["a manager who is asked", { ...question, onlyPerson: manager.by }, { ...manager, joined: true }, true],
  ["who tries an agent", inTry, { ...operator, all: false }, true],
  ["a question in a chat that they opened", { ...inTry, kind: "input" }, operator, true],
  ["a question in a chat of another operator", { ...inTry, kind: "input" }, { ...operator, by: "operator:eve" }, false],
];

test.each(CASES)("%s: %#", (_name, asked, asker, may) => {
  expect(whyNotInPanel(asked, asker) === null).toBe(may);
});

test.each(["open", "approved", "declined", "answered", "expired", "withdrawn"] as const)(
  "%s is said in a sentence",
  (state) => {
    expect(whatBecame(state, "Maya")).toMatch(/^[A-Z].+\.$/);
    expect(whatBecame(state, null)).not.toMatch(/null|undefined/);
  },
);
