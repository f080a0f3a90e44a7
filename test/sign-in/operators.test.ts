import { readFileSync } from "node:fs";
import path from "node:path";
import { TOTP } from "otpauth";
import { describe, expect, test } from "vitest";
import { firstOperatorLink, linkForOperator } from "../../admin/sign-in/first-operator.ts";
import { followLink } from "../../admin/sign-in/follow-link.ts";
import {
  changePassword,
  createOperator,
  isLast,
  listOperators,
  newHash,
  operatorNameProblem,
  removeOperator,
  setOperatorState,
} from "../../admin/sign-in/operators.ts";
import { hashPassword, operatorPasswordProblem, verifyPassword } from "../../admin/sign-in/passwords.ts";
import { createSession, findSession } from "../../admin/sign-in/sessions.ts";
import { signIn } from "../../admin/sign-in/sign-in.ts";
import { confirmSecondFactor, proposeSecondFactor, takeCode } from "../../admin/sign-in/totp.ts";
import type { Context } from "../../core/context.ts";
import { testClock, testContext } from "../harness/postgres.ts";

const PASSWORD = "correct-horse-battery";

async function operator(ctx: Context, name: string) {
  const made = await createOperator(ctx, { name });
  await ctx.sql`update operators set password_hash = ${await newHash(PASSWORD, name)} where id = ${made.id}`;
  return made;
}

/** The codes that an app shows for the secret. */
const app =
  (ctx: Context, secret: string) =>
  (later = 0) =>
    new TOTP({ secret }).generate({ timestamp: ctx.clock.now() + later * 30_000 });

async function withSecondFactor(ctx: Context) {
  const { id } = await operator(ctx, "olga");
  const proposed = await proposeSecondFactor(ctx, id);
  const code = app(ctx, proposed.secret);
  const recoveryCodes = await confirmSecondFactor(ctx, id, { pending: proposed.pending, code: code() });
  return { id, code, recoveryCodes, secret: proposed.secret };
}

describe("one operator who can sign in always remains", () => {
  const able = { id: "a", state: "active", hasPassword: true } as const;
  test.each([
    ["alone", able, [able], true],
    ["another one can sign in", able, [able, { ...able, id: "b" }], false],
    ["the other one is disabled", able, [able, { ...able, id: "b", state: "disabled" }], true],
    ["the other one never signed in", able, [able, { ...able, id: "b", hasPassword: false }], true],
    [
      "one who never signed in, beside one who did",
      { ...able, hasPassword: false },
      [
        { ...able, hasPassword: false },
        { ...able, id: "b" },
      ],
      false,
    ],
    [
      "one who is disabled already",
      { ...able, state: "disabled" },
      [
        { ...able, state: "disabled" },
        { ...able, id: "b" },
      ],
      false,
    ],
    ["nobody ever signed in", { ...able, hasPassword: false }, [{ ...able, hasPassword: false }], true],
  ] as const)("%s", (_name, one, all, last) => {
    expect(isLast(one, all)).toBe(last);
  });

  test("two who remove or disable each other at the same moment: one of them stays", async () => {
    const ctx = await testContext();
    for (const way of [
      (id: string) => removeOperator(ctx, id),
      (id: string) => setOperatorState(ctx, id, "disabled"),
    ]) {
      await ctx.sql`delete from operators`;
      const [a, b] = [await operator(ctx, "anna"), await operator(ctx, "boris")];
      const ends = await Promise.allSettled([way(a.id), way(b.id)]);
      expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(1);
      expect((await listOperators(ctx)).filter(({ state }) => state === "active")).toHaveLength(1);
    }
  });

  test("one who is disabled is signed out and cannot come in by password or link", async () => {
    const ctx = await testContext();
    await operator(ctx, "anna");
    const boris = await operator(ctx, "boris");
    const session = await createSession(ctx, { operatorId: boris.id }, { userAgent: null, address: null });
    const { url } = await linkForOperator(ctx, boris.id, { createdBy: "anna" });
    await setOperatorState(ctx, boris.id, "disabled");
    expect(await findSession(ctx, session.token)).toBeNull();
    await expect(signIn(ctx, { name: "boris", password: PASSWORD })).rejects.toThrow("disabled");
    await expect(follow(ctx, url)).rejects.toThrow("disabled");
    await setOperatorState(ctx, boris.id, "active");
    expect(await signIn(ctx, { name: "BORIS", password: PASSWORD })).toMatchObject({ name: "boris" });
  });
});

const follow = (ctx: Context, url: string, typed: { password?: string; code?: string } = { password: PASSWORD }) =>
  followLink(ctx, url.split("/").at(-1) ?? "", { ...typed, address: "192.0.2.1" });

describe("names and passwords", () => {
  test.each(["anna", "Anna Müller", "😀 ops", "<b>x</b>", "x".repeat(64)])("%j is a name", (name) => {
    expect(operatorNameProblem(name)).toBeNull();
  });
  test.each(["", "a@b", "a:b", "x".repeat(65), "a\u0000b", "a\nb", "a\u202eb"])("%j is no name", (name) => {
    expect(operatorNameProblem(name)).toMatch(/\.$/);
  });
  test.each(["short", "aaaaaaaaaaaa", "password1234", "annaannaanna", "x".repeat(600)])(
    "%j is no password",
    (password) => {
      expect(operatorPasswordProblem(password, "anna")).toMatch(/\.$/);
    },
  );

  test("a name is taken in whatever case it is written", async () => {
    const ctx = await testContext();
    await createOperator(ctx, { name: "Anna" });
    await expect(createOperator(ctx, { name: " anna " })).rejects.toThrow("already");
  });

  test("passwords are kept as argon2id with OWASP's figures", async () => {
    expect(await hashPassword(PASSWORD)).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  });

  test("a name without a hash never has a right password, whatever is typed", async () => {
    for (const password of [PASSWORD, "", "x"]) expect(await verifyPassword(null, password)).toBe(false);
  });

  test("names that nobody has stand in the same queue, which has an end: each hash takes its memory", async () => {
    const kept = await hashPassword(PASSWORD);
    await verifyPassword(null, PASSWORD); // from then on there is a hash to compare with
    for (const hash of [null, kept]) {
      const ends = await Promise.allSettled(Array.from({ length: 80 }, () => verifyPassword(hash, "whatever")));
      const refused = ends.filter((end) => end.status === "rejected");
      expect(refused).toHaveLength(80 - 63);
      expect(refused[0]?.reason).toMatchObject({ code: "too_many", retryAfterMs: 3000 });
    }
  });

  test("forty at once are all answered", async () => {
    const kept = await hashPassword(PASSWORD);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) => verifyPassword(kept, n % 2 ? PASSWORD : "no")),
    );
    expect(answers.filter(Boolean)).toHaveLength(20);
  });

  test("a new password needs the old one and ends the other sessions, not this one", async () => {
    const ctx = await testContext();
    const { id } = await operator(ctx, "anna");
    const from = { userAgent: null, address: null };
    const [mine, other] = [
      await createSession(ctx, { operatorId: id }, from),
      await createSession(ctx, { operatorId: id }, from),
    ];
    const change = (password: string, newPassword: string) =>
      changePassword(ctx, id, { password, newPassword, sessionId: mine.id });
    await expect(change("wrong", "another-good-phrase")).rejects.toThrow("not your password");
    await expect(change(PASSWORD, "short")).rejects.toThrow("at least");
    expect(await findSession(ctx, other.token)).not.toBeNull();
    await change(PASSWORD, "another-good-phrase");
    expect(await findSession(ctx, mine.token)).not.toBeNull();
    expect(await findSession(ctx, other.token)).toBeNull();
  });
});

describe("the second factor", () => {
  test("it is asked for after the right password only, and a code works once", async () => {
    const ctx = await testContext({ clock: testClock() });
    const { code } = await withSecondFactor(ctx);
    const enter = (password: string, typed?: string) => signIn(ctx, { name: "olga", password, code: typed });
    await expect(enter("wrong", code(1))).rejects.toMatchObject({ problemCode: "wrong_password" });
    await expect(enter(PASSWORD)).rejects.toMatchObject({ problemCode: "totp_required" });
    await expect(enter(PASSWORD, "000000")).rejects.toMatchObject({ problemCode: "totp_wrong" });
    const used = code(1);
    await enter(PASSWORD, used);
    await expect(enter(PASSWORD, used)).rejects.toMatchObject({ problemCode: "totp_wrong" });
    // One that is older than the last used one does not work either.
    await expect(enter(PASSWORD, code(0))).rejects.toMatchObject({ problemCode: "totp_wrong" });
  });

  test("of twenty who send the same code at once, one gets in", async () => {
    const ctx = await testContext({ clock: testClock() });
    const { id, code } = await withSecondFactor(ctx);
    const typed = code(1);
    const answers = await Promise.all(Array.from({ length: 20 }, () => takeCode(ctx, id, typed)));
    expect(answers.filter(Boolean)).toHaveLength(1);
  });

  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])("a code %i steps away: %s", async (steps, fine) => {
    const clock = testClock();
    const ctx = await testContext({ clock });
    const { id, code } = await withSecondFactor(ctx);
    clock.move(300_000);
    expect(await takeCode(ctx, id, code(steps))).toBe(fine);
  });

  test("each recovery code works once, however it is written", async () => {
    const ctx = await testContext({ clock: testClock() });
    const { id, recoveryCodes } = await withSecondFactor(ctx);
    expect(new Set(recoveryCodes).size).toBe(10);
    const [first = "", second = ""] = recoveryCodes;
    expect(await takeCode(ctx, id, first.toUpperCase().replaceAll("-", " "))).toBe(true);
    expect(await takeCode(ctx, id, first)).toBe(false);
    const answers = await Promise.all(Array.from({ length: 10 }, () => takeCode(ctx, id, second)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await takeCode(ctx, id, "abcd-efgh-jkmn-pqrs")).toBe(false);
  });

  test("the database holds neither the secret nor a recovery code", async () => {
    const ctx = await testContext({ clock: testClock() });
    const { secret, recoveryCodes } = await withSecondFactor(ctx);
    const rows = JSON.stringify([await ctx.sql`select * from operators`, await ctx.sql`select * from recovery_codes`]);
    expect(rows).not.toContain(secret);
    for (const code of recoveryCodes) expect(rows).not.toContain(code.replaceAll("-", ""));
  });

  test("nothing is on before a code was typed; what was proposed to another or long ago is no good", async () => {
    const clock = testClock();
    const ctx = await testContext({ clock });
    const [anna, boris] = [await operator(ctx, "anna"), await operator(ctx, "boris")];
    const { secret, pending } = await proposeSecondFactor(ctx, anna.id);
    const confirm = (id: string, code: string) => confirmSecondFactor(ctx, id, { pending, code });
    await expect(confirm(anna.id, "123")).rejects.toThrow("not right");
    await expect(confirm(boris.id, app(ctx, secret)())).rejects.toThrow("Begin again");
    clock.move(16 * 60_000);
    await expect(confirm(anna.id, app(ctx, secret)())).rejects.toThrow("Begin again");
    expect(await signIn(ctx, { name: "anna", password: PASSWORD })).toMatchObject({ name: "anna" });
  });
});

describe("the first operator", () => {
  test("a start makes one link, which the next start replaces; with a password there is none", async () => {
    const ctx = await testContext();
    const first = (await firstOperatorLink(ctx)) ?? "";
    const second = (await firstOperatorLink(ctx)) ?? "";
    expect(await listOperators(ctx)).toMatchObject([{ name: "admin", hasPassword: false }]);
    await expect(follow(ctx, first)).rejects.toThrow("withdrawn");
    await expect(follow(ctx, second, { password: "short" })).rejects.toThrow("at least");
    await follow(ctx, second);
    await expect(follow(ctx, second)).rejects.toThrow("used already");
    expect(await firstOperatorLink(ctx)).toBeNull();
    expect(await signIn(ctx, { name: "admin", password: PASSWORD })).toMatchObject({ kind: "operator" });
  });

  test("a recovery link asks for the second factor, unless it was made to reset it", async () => {
    const ctx = await testContext({ clock: testClock() });
    const { id, recoveryCodes } = await withSecondFactor(ctx);
    const { url } = await linkForOperator(ctx, id, { createdBy: "command line" });
    await expect(follow(ctx, url)).rejects.toMatchObject({ problemCode: "totp_required" });
    await follow(ctx, url, { password: "another-good-phrase", code: recoveryCodes[3] ?? "" });
    const reset = await linkForOperator(ctx, id, { createdBy: "command line", resetSecondFactor: true });
    await follow(ctx, reset.url, { password: PASSWORD });
    expect(await signIn(ctx, { name: "olga", password: PASSWORD })).toMatchObject({ name: "olga" });
  });

  test("no password, code or link's token stands in the audit log or in the log file", async () => {
    const ctx = await testContext({ clock: testClock() });
    const url = (await firstOperatorLink(ctx)) ?? "";
    await follow(ctx, url);
    const lines = await ctx.sql`select * from audit order by seq`;
    expect(lines.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "operators.create done",
      "session.set_password done",
    ]);
    const log = readFileSync(path.join(ctx.config.home, "context.log"), "utf8");
    for (const secret of [PASSWORD, url.split("/").at(-1) ?? "?"])
      expect(JSON.stringify(lines) + log).not.toContain(secret);
  });
});
