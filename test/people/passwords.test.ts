import { expect, test } from "vitest";
import { passwordProblem } from "../../homeserver/passwords.ts";

const NAMES = ["alice", "Alice Liddell"];

test.each([
  "12345678",
  "87654321",
  "0123456789",
  "abcdefgh",
  "abcd1234",
  "aaaabbbb",
  "qwertzuiop",
  "asdfghjkl",
  "abababab",
  "x1y2x1y2x1y2",
  "password",
  "Password1",
  "P4ssw0rd!!",
  "passwort2026",
  "iloveyou",
  "1q2w3e4r",
  "112233445566",
  "!!!agentopia!!!",
  "alice123",
  "ALICE-2026",
  "ecila-99",
  "alice liddell1",
  "AliceLiddell",
])("%j is too easy", (password) => {
  expect(passwordProblem(password, NAMES)).toBe("This password is too easy to guess.");
});

test.each([
  "correct horse",
  "correct-Horse-7",
  "alice-has-a-Good-password-1",
  "a-Long-enough-password-7",
  "ünïcödé-wörds",
  "tr0ub4dor&3",
  "kq7Zm2xw",
  "Tasse Regen Lampe",
  "🦆🐌🌧️🍋🪑🎻🧭🚲",
])("%j is taken", (password) => {
  expect(passwordProblem(password, NAMES)).toBeNull();
});

test.each([
  ["short", /at least 8/],
  ["x1".repeat(300), /too long/],
  ["with-a-\0-inside", /too long/],
])("%j is no password", (password, problem) => {
  expect(passwordProblem(password)).toMatch(problem);
});

test("the longest are looked at, whatever they consist of", () => {
  expect(passwordProblem("abc1".repeat(128), ["a".repeat(64)])).toBe("This password is too easy to guess.");
  expect(passwordProblem(`${"abc1".repeat(127)}zq`)).toBeNull();
});
