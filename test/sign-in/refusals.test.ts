/** Whoever is not let in stands in the audit log: by what, from where, why and how often; and never with a secret. */
import { Secret, TOTP } from "otpauth";
import { expect, test } from "vitest";
import { linkForOperator } from "../../admin/sign-in/first-operator.ts";
import { createLink } from "../../admin/sign-in/links.ts";
import { createOperator, newHash } from "../../admin/sign-in/operators.ts";
import { noteRefusal } from "../../admin/sign-in/refusals.ts";
import { createToken, revokeToken } from "../../admin/sign-in/tokens.ts";
import { tidy } from "../../admin/tidy.ts";
import { auditTexts } from "../../admin/web/texts/audit.ts";
import type { Context } from "../../core/context.ts";
import { apiFor } from "../api/harness.ts";
import { ALICE, makeTenant, TENANT } from "../bots/tenant.ts";
import { eventually } from "../harness/eventually.ts";
import { testClock, testContext } from "../harness/postgres.ts";

const PASSWORD = "correct-horse-battery";
const WRONG = "a-Secret-typed-wrongly";
const DAY = 86_400_000;

async function setUp() {
  const clock = testClock();
  const ctx = await testContext({ clock });
  await makeTenant(ctx);
  const { id: anna } = await createOperator(ctx, { name: "anna" });
  await ctx.sql`update operators set password_hash = ${await newHash(PASSWORD, "anna")}`;
  const api = apiFor(ctx);
  const enter = (name: string, more: object = {}) =>
    api.stranger("POST", "/sign-in", { name, password: WRONG, ...more });
  return { ctx, clock, api, anna, enter };
}

const refused = (ctx: Context) => ctx.sql`
  select action, tenant_id, actor_kind, actor_id, target_kind, target_id, target_name, after, outcome
  from audit where outcome = 'refused' order by seq`;

const tokenOf = ({ url }: { url: string }) => url.split("/").at(-1) ?? "";

test("a wrong password stands there with the account and the address; again and again it is one line with a count", async () => {
  const { ctx, anna, enter, clock } = await setUp();
  await enter("Anna");
  expect(await refused(ctx)).toEqual([
    {
      action: "session.sign_in_refused",
      tenant_id: null,
      actor_kind: "stranger",
      actor_id: "unknown",
      target_kind: "operator",
      target_id: anna,
      target_name: "anna",
      after: { why: "wrong_password", tries: 1 },
      outcome: "refused",
    },
  ]);
  clock.move(60_000);
  await Promise.all([enter("anna"), enter("ANNA"), enter("anna")]);
  const [line] = await eventually("the count", async () => {
    const lines = await refused(ctx);
    return lines[0]?.after.tries === 4 && lines;
  });
  expect(line?.after).toEqual({ why: "wrong_password", tries: 4, last: new Date(clock.now()).toISOString() });
  expect(await refused(ctx)).toHaveLength(1);
  clock.move(10 * 60_000);
  await enter("anna");
  expect(await refused(ctx)).toHaveLength(2);
});

test("tries beyond the limit are told apart: they were not looked at", async () => {
  const { ctx, enter } = await setUp();
  for (let n = 0; n < 11; n++) await enter("anna");
  expect((await refused(ctx)).map(({ after }) => after.why)).toEqual(["wrong_password", "too_many"]);
});

test("a person of a client stands in the client's log, for its owner to see; a name that nobody has is not kept", async () => {
  const { ctx, api, enter } = await setUp();
  await noteRefusal(ctx, {
    action: "session.sign_in_refused",
    tenantId: TENANT,
    target: { kind: "person", id: ALICE, name: ALICE },
    why: "wrong_password",
    address: "192.0.2.7",
  });
  await enter("hunter2-is-my-password");
  await enter("P@ssword:99");
  const owner = await api.person(TENANT, "owner");
  const { items } = (await owner("GET", `/clients/${TENANT}/audit?action=session.sign_in_refused`)).json;
  expect(items).toMatchObject([{ target: { id: ALICE }, actor: { kind: "stranger", id: "192.0.2.7" } }]);
  expect(auditTexts.refusal(items[0])).toBe(
    `Somebody at 192.0.2.7 tried to sign in as ${ALICE}: the password was wrong.`,
  );
  const all = await refused(ctx);
  expect(all.map(({ target_name, after }) => [target_name, after.why])).toEqual([
    [ALICE, "wrong_password"],
    [null, "unknown"],
  ]);
  expect(JSON.stringify(all)).not.toMatch(/hunter2|ssword:99/);
});

test("a code that is wrong stands there; one that follows the password in the panel's two steps leaves no refusal", async () => {
  const { ctx, anna, enter } = await setUp();
  await ctx.sql`update operators set totp_secret = ${ctx.secrets.seal("JBSWY3DPEHPK3PXP", `operators:${anna}:totp`)}`;
  await enter("anna", { password: PASSWORD });
  await enter("anna", { password: PASSWORD, code: "000000" });
  expect((await refused(ctx)).map(({ after }) => after.why)).toEqual(["no_code", "wrong_code"]);
  const code = new TOTP({ secret: Secret.fromBase32("JBSWY3DPEHPK3PXP") }).generate({ timestamp: ctx.clock.now() });
  expect((await enter("anna", { password: PASSWORD, code })).status).toBe(200);
  expect((await refused(ctx)).map(({ after }) => after.why)).toEqual(["wrong_code"]);
});

test("links that are unknown, used or withdrawn stand there with whose they were, never with their token", async () => {
  const { ctx, anna, api } = await setUp();
  const old = tokenOf(await linkForOperator(ctx, anna, { createdBy: "test" }));
  const fresh = tokenOf(await linkForOperator(ctx, anna, { createdBy: "test" }));
  const person = { kind: "sign_in", tenantId: TENANT, userId: ALICE, createdBy: "olga", ttlMs: 60_000 } as const;
  const once = tokenOf(await createLink(ctx, person));
  await api.stranger("GET", "/links/no-such-token-at-all");
  await api.stranger("GET", `/links/${old}`);
  expect((await api.stranger("POST", `/links/${once}`, {})).status).toBe(200);
  await api.stranger("POST", `/links/${once}`, {});
  await api.stranger("POST", `/links/${fresh}`, { password: "short" }); // the link is fine, the password will not do
  const lines = await refused(ctx);
  expect(lines.map(({ tenant_id, target_name, after }) => [tenant_id, target_name, after.why])).toEqual([
    [null, null, "unknown"],
    [null, "anna", "revoked"],
    [TENANT, ALICE, "used"],
  ]);
  for (const secret of ["no-such-token", old, once]) expect(JSON.stringify(lines)).not.toContain(secret);
});

test("API tokens that are unknown, revoked or too old stand there; the good one leaves no line", async () => {
  const { ctx, anna, api, clock } = await setUp();
  const owner = { account: { operatorId: anna }, role: "operator" } as const;
  const wish = { scopes: ["clients.list"], expiresAt: new Date(clock.now() + DAY) };
  const one = await createToken(ctx, owner, { name: "nightly", ...wish });
  const two = await createToken(ctx, owner, { name: "withdrawn", ...wish });
  await revokeToken(ctx, owner.account, two.id);
  const ask = (token: string) => api.stranger("GET", "/clients", undefined, { authorization: `Bearer ${token}` });
  expect((await ask(one.token)).status).toBe(200);
  expect(await refused(ctx)).toEqual([]);
  for (const token of ["agt_guessed-guessed", two.token, "something else"]) expect((await ask(token)).status).toBe(401);
  clock.move(2 * DAY);
  expect((await ask(one.token)).status).toBe(401);
  const lines = await refused(ctx);
  expect(lines.map(({ target_name, after }) => [target_name, after.why])).toEqual([
    [null, "unknown"],
    ["withdrawn", "revoked"],
    ["nightly", "expired"],
  ]);
  expect(JSON.stringify(lines)).not.toMatch(/agt_|something else/);
});

test("whoever sits at an open browser and gets the operator's password wrong stands there too", async () => {
  const { ctx, api, anna } = await setUp();
  const browser = await api.operator("anna");
  await browser("PUT", "/me/password", { password: WRONG, newPassword: "another-good-phrase" });
  expect(await refused(ctx)).toMatchObject([
    { action: "session.check_refused", actor_kind: "operator", actor_id: anna, after: { why: "wrong_password" } },
  ]);
});

test("nothing that was typed or sent gets into the log", async () => {
  const { ctx, enter, api } = await setUp();
  await enter("anna", { code: "123456" });
  await enter(WRONG);
  await enter(`@alice:${WRONG}`);
  await api.stranger("GET", "/me", undefined, { authorization: `Bearer agt_${WRONG}` });
  await api.stranger("POST", `/links/${WRONG}`, { password: WRONG, code: "654321" });
  expect(await refused(ctx)).not.toHaveLength(0);
  expect(JSON.stringify(await ctx.sql`select * from audit`)).not.toMatch(new RegExp(`${WRONG}|123456|654321`, "i"));
});

test("a flood from everywhere makes a hundred lines in an hour and one with the count of the others", async () => {
  const { ctx, clock } = await setUp();
  const from = (n: number) =>
    noteRefusal(ctx, {
      action: "session.sign_in_refused",
      tenantId: null,
      target: { kind: "account", id: "-", name: null },
      why: "unknown",
      address: `192.0.${n >> 8}.${n & 255}`,
    });
  for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 100 }, (_, m) => from(n * 100 + m)));
  const lines = await eventually("the count of the others", async () => {
    const all = await refused(ctx);
    return all.at(-1)?.after.tries === 1900 && all;
  });
  expect(lines).toHaveLength(101);
  expect(lines.at(-1)).toMatchObject({ actor_id: "-", after: { why: "beyond_count" } });
  clock.move(61 * 60_000);
  await from(1);
  expect(await refused(ctx)).toHaveLength(102);
});

test("refusals go after three months, changes stay", async () => {
  const { ctx, clock, enter, anna } = await setUp();
  await enter("anna");
  await ctx.sql`insert into audit (at, actor_kind, actor_id, actor_name, action, target_kind, target_id, outcome)
    values (${new Date(clock.now())}, 'operator', ${anna}, 'anna', 'clients.create', 'client', 'x', 'done')`;
  clock.move(89 * DAY);
  await tidy(ctx);
  expect(await refused(ctx)).toHaveLength(1);
  clock.move(2 * DAY);
  await tidy(ctx);
  expect(await ctx.sql`select action from audit`).toEqual([{ action: "clients.create" }]);
});
