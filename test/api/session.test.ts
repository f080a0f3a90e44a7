import { readFileSync } from "node:fs";
import path from "node:path";
import { TOTP } from "otpauth";
import { describe, expect, test } from "vitest";
import { createLink } from "../../admin/sign-in/links.ts";
import { createOperator, newHash } from "../../admin/sign-in/operators.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { makeTenant, TENANT } from "../bots/tenant.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { tenantWithTeam, userId } from "../people/homeserver.ts";
import { type Answer, apiFor } from "./harness.ts";

const PASSWORD = "correct-horse-battery";
const OTHER = "another-good-phrase";
/** The same whether there is such a name or not. */
const WRONG_PLAIN =
  "Name or password is wrong. People of a company sign in with their whole Matrix account, like @anna:chat.example.org.";

async function setUp(clock = testClock()) {
  const ctx = await testContext({ clock, env: { AGENTOPIA_URL: "https://chat.example.org" } });
  await makeTenant(ctx);
  const { id } = await createOperator(ctx, { name: "anna" });
  await ctx.sql`update operators set password_hash = ${await newHash(PASSWORD, "anna")}`;
  return { ctx, clock, api: apiFor(ctx), anna: id };
}

/** A client whose homeserver and list of people have these, each with a password of their own. */
async function people(...names: string[]) {
  const ctx = await testContext({ clock: testClock() });
  const server = await tenantWithTeam(ctx);
  for (const name of names) {
    server.add(name);
    await ctx.sql`insert into people (tenant_id, user_id) values ('acme', ${userId(name)})`;
  }
  const api = apiFor(ctx);
  const enter = (name: string, password = `${name.trim().replace("@", "").toLowerCase()}-has-a-Password-1`) =>
    api.stranger("POST", "/sign-in", { name, password });
  return { ctx, server, enter };
}

const cookieOf = ({ headers }: Answer) => headers.get("set-cookie")?.split(";")[0] ?? "";
/** Headers of a browser that has this cookie. */
const browser = (cookie: string) => ({ cookie, "sec-fetch-site": "same-origin" });

describe("signing in", () => {
  test("gives a session by cookie, and says who one is and what one may", async () => {
    const { ctx, api, anna } = await setUp();
    const answer = await api.stranger("POST", "/sign-in", { name: "Anna", password: PASSWORD });
    expect(answer).toMatchObject({
      status: 200,
      json: { kind: "operator", id: anna, name: "anna", role: "operator", client: null },
    });
    expect(answer.headers.get("set-cookie")).toMatch(/HttpOnly; Secure; SameSite=Strict/);
    const me = await api.stranger("GET", "/me", undefined, browser(cookieOf(answer)));
    expect(me.json).toEqual(answer.json);
    expect(me.json.rights).toContain("clients.create");
    expect(await ctx.sql`select actor_name, action, outcome from audit`).toMatchObject([
      { actor_name: "anna", action: "session.sign_in", outcome: "done" },
    ]);
  });

  test("always opens a new session, and ends the one that was in the browser before", async () => {
    const { api } = await setUp();
    const first = cookieOf(await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD }));
    const second = await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD }, browser(first));
    expect(cookieOf(second)).not.toBe(first);
    expect((await api.stranger("GET", "/me", undefined, browser(first))).status).toBe(401);
    expect((await api.stranger("GET", "/me", undefined, browser(cookieOf(second)))).status).toBe(200);
    await api.stranger("POST", "/sign-out", undefined, browser(cookieOf(second)));
    expect((await api.stranger("GET", "/me", undefined, browser(cookieOf(second)))).status).toBe(401);
  });

  test("wrong names and passwords hear one sentence; after ten there is a pause, for the right one too", async () => {
    const { ctx, api, clock } = await setUp();
    for (const name of ["anna", "nobody"]) {
      const { status, json } = await api.stranger("POST", "/sign-in", { name, password: "wrong-wrong" });
      expect([status, json.code, json.detail]).toEqual([403, "wrong_password", WRONG_PLAIN]);
    }
    const many = await Promise.all(
      Array.from({ length: 20 }, () => api.stranger("POST", "/sign-in", { name: "anna", password: "wrong-wrong" })),
    );
    expect(many.filter(({ status }) => status === 403)).toHaveLength(9);
    const refused = await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD });
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    clock.move(31_000);
    expect((await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD })).status).toBe(200);
    expect(await ctx.sql`select 1 from audit where outcome = 'done'`).toHaveLength(1);
  });

  test.each([
    [{}, 400],
    [{ name: "anna" }, 400],
    [{ name: "", password: "x" }, 400],
    [{ name: "a".repeat(301), password: "x" }, 400],
    [{ name: "anna", password: "x".repeat(513) }, 400],
    [{ name: "anna\u0000", password: "x" }, 400],
    [{ name: ["anna"], password: { a: 1 } }, 400],
    [{ name: "<script>", password: "😀" }, 403],
  ])("%j is refused with a sentence", async (body, status) => {
    const { api } = await setUp();
    const answer = await api.stranger("POST", "/sign-in", body);
    expect(answer.status).toBe(status);
    expect(answer.json.detail).toMatch(/\.$/);
  });

  test("a person of a client signs in with the Matrix account; who is suspended or gone does not", async () => {
    const ctx = await testContext({ clock: testClock() });
    const server = await tenantWithTeam(ctx);
    server.add("alice");
    server.add("sue", { suspended: true });
    server.add("dora", { deactivated: true });
    const api = apiFor(ctx);
    const enter = (name: string, password = `${name}-has-a-Password-1`) =>
      api.stranger("POST", "/sign-in", { name: `@${name}:acme.test`, password });
    const alice = await enter("alice");
    expect(alice).toMatchObject({
      status: 200,
      json: { kind: "person", id: userId("alice"), role: "member", client: { id: "acme" } },
    });
    expect(alice.json.rights).not.toContain("people.read");
    expect((await enter("alice", "other")).json.detail).toBe("Name or password is wrong.");
    expect((await enter("sue")).json.detail).toMatch("suspended");
    expect((await enter("dora")).json.detail).toBe("Name or password is wrong.");
  });

  test("the user name alone is enough for the only person who has it; an operator of that name goes first", async () => {
    const { ctx, server, enter } = await people("alice", "sue", "agent-writer");
    expect(await enter("alice")).toMatchObject({ status: 200, json: { kind: "person", id: userId("alice") } });
    expect((await enter(" @Alice ")).status).toBe(200);
    for (const [name, password] of [
      ["alice", "other"],
      ["nobody", "other"],
      ["agent-writer", "agent-writer-has-a-Password-1"],
      ["%", "other"],
    ] as const)
      expect((await enter(name, password)).json, name).toMatchObject({ code: "wrong_password", detail: WRONG_PLAIN });
    await ctx.sql`update people set state = 'suspended' where user_id = ${userId("sue")}`;
    expect((await enter("sue")).json.detail).toBe(WRONG_PLAIN);
    expect(server.calls.filter((call) => call.includes("sue"))).toEqual([]);
    await createOperator(ctx, { name: "alice" });
    expect((await enter("alice")).json.detail).toBe(WRONG_PLAIN);
  });

  test("a user name that two clients' people have is nobody's", async () => {
    const { ctx, enter } = await people("alice");
    await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
    await ctx.sql`insert into people (tenant_id, user_id) values ('other', '@alice:other.test')`;
    expect((await enter("alice")).json.detail).toBe(WRONG_PLAIN);
    expect((await enter("@alice:acme.test", "alice-has-a-Password-1")).status).toBe(200);
  });

  test("tries with the user name and with the whole account are counted as one name's", async () => {
    const { enter } = await people("alice");
    for (let n = 0; n < 5; n++) {
      expect((await enter("alice", "other")).status).toBe(403);
      expect((await enter("@alice:acme.test", "other")).status).toBe(403);
    }
    expect((await enter("alice")).status).toBe(429);
  });

  test("a link for a new Matrix password sets it, ends the person's sessions and signs nobody in", async () => {
    const ctx = await testContext({ clock: testClock() });
    const server = await tenantWithTeam(ctx);
    server.add("alice");
    const api = apiFor(ctx);
    const alice = await api.person("acme", "manager", userId("alice"));
    const wish = {
      kind: "password",
      tenantId: "acme",
      userId: userId("alice"),
      createdBy: "olga",
      ttlMs: 60_000,
    } as const;
    const at = `/links/${(await createLink(ctx, wish)).url.split("/").at(-1)}`;
    expect((await api.stranger("GET", at)).json).toMatchObject({
      kind: "password",
      name: userId("alice"),
      client: { title: "Acme Ltd" },
    });
    expect((await api.stranger("POST", at, { password: "password1" })).status).toBe(400);
    expect((await api.stranger("POST", at, { password: OTHER })).json).toEqual({ me: null });
    expect(server.accounts.get("alice")).toBe(OTHER);
    expect((await alice("GET", "/me")).status).toBe(401);
    expect((await api.stranger("POST", at, { password: OTHER })).status).toBe(410);
  });
});

describe("one's account", () => {
  test("a new password ends the other sessions", async () => {
    const { api } = await setUp();
    const enter = async () => cookieOf(await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD }));
    const [here, there] = [await enter(), await enter()];
    const put = (body: object) => api.stranger("PUT", "/me/password", body, browser(here));
    expect((await put({ password: "wrong", newPassword: OTHER })).status).toBe(403);
    expect((await put({ password: PASSWORD, newPassword: "short" })).status).toBe(400);
    expect((await put({ password: PASSWORD, newPassword: OTHER })).status).toBe(204);
    expect((await api.stranger("GET", "/me", undefined, browser(there))).status).toBe(401);
    expect((await api.stranger("GET", "/me", undefined, browser(here))).status).toBe(200);
  });

  test("sessions are listed, ended one by one or all others; not those of somebody else", async () => {
    const { api } = await setUp();
    const anna = await api.operator("anna");
    await api.operator("anna");
    const boris = await api.operator("boris");
    const { items } = (await anna("GET", "/me/sessions")).json;
    expect(items.map(({ current }: { current: boolean }) => current).toSorted()).toEqual([false, true]);
    const first = (await anna("GET", "/me/sessions?limit=1")).json;
    const rest = (await anna("GET", `/me/sessions?limit=1&cursor=${first.next}`)).json;
    expect([first.items[0].id, rest.items[0].id].toSorted()).toEqual(
      items.map(({ id }: { id: string }) => id).toSorted(),
    );
    const other = items.find(({ current }: { current: boolean }) => !current).id;
    expect((await boris("DELETE", `/me/sessions/${other}`)).status).toBe(404);
    expect((await anna("DELETE", `/me/sessions/${other}`)).status).toBe(204);
    await api.operator("anna");
    expect((await anna("POST", "/me/sessions/end-others", {})).json).toEqual({ ended: 1 });
    expect((await boris("GET", "/me")).status).toBe(200);
  });

  test("the second factor: on with a code, asked at sign-in, off with password and code", async () => {
    const { ctx, api, clock } = await setUp();
    const anna = await api.operator("anna");
    const { secret, qr, pending } = (await anna("POST", "/me/totp", {})).json;
    expect(qr).toMatch(/^<svg /);
    const code = () => new TOTP({ secret }).generate({ timestamp: clock.now() });
    expect((await anna("POST", "/me/totp/confirm", { pending, code: "12" })).status).toBe(400);
    const { recoveryCodes } = (await anna("POST", "/me/totp/confirm", { pending, code: code() })).json;
    expect(recoveryCodes).toHaveLength(10);
    expect((await anna("GET", "/me/totp")).json).toEqual({ on: true, recoveryCodesLeft: 10 });
    const half = await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD });
    expect([half.status, half.json.code]).toEqual([403, "totp_required"]);
    const whole = await api.stranger("POST", "/sign-in", { name: "anna", password: PASSWORD, code: recoveryCodes[0] });
    expect(whole.status).toBe(200);
    clock.move(30_000);
    const anew = await anna("POST", "/me/totp/recovery-codes", { password: PASSWORD, code: code() });
    expect(anew.json.recoveryCodes).toHaveLength(10);
    clock.move(30_000);
    expect((await anna("POST", "/me/totp/disable", { password: PASSWORD, code: recoveryCodes[1] })).status).toBe(403);
    expect((await anna("POST", "/me/totp/disable", { password: PASSWORD, code: code() })).status).toBe(204);
    const kept =
      JSON.stringify(await ctx.sql`select * from audit`) +
      readFileSync(path.join(ctx.config.home, "context.log"), "utf8");
    for (const word of [PASSWORD, secret, pending, ...recoveryCodes]) expect(kept).not.toContain(word);
  });

  test("people have no password or second factor here", async () => {
    const { api } = await setUp();
    const person = await api.person(TENANT, "owner");
    const answer = await person("PUT", "/me/password", { password: PASSWORD, newPassword: OTHER });
    expect([answer.status, answer.json.detail]).toEqual([403, expect.stringContaining("Matrix account")]);
    expect((await person("GET", "/me")).json).toMatchObject({
      role: "owner",
      client: { id: TENANT, serverName: "acme.test" },
    });
  });
});

describe("links", () => {
  test("are looked at, used once, and then say so", async () => {
    const { ctx, api, anna } = await setUp();
    const { url } = await createLink(ctx, { kind: "operator", operatorId: anna, createdBy: "boris", ttlMs: 60_000 });
    const at = `/links/${url.split("/").at(-1)}`;
    expect((await api.stranger("GET", at)).json).toMatchObject({
      kind: "operator",
      name: "anna",
      client: null,
      needsCode: false,
    });
    const used = await api.stranger("POST", at, { password: OTHER });
    expect(used).toMatchObject({ status: 200, json: { me: { name: "anna" } } });
    expect((await api.stranger("GET", "/me", undefined, browser(cookieOf(used)))).status).toBe(200);
    for (const method of ["GET", "POST"])
      expect((await api.stranger(method, at, method === "POST" ? { password: OTHER } : undefined)).status).toBe(410);
    expect((await api.stranger("GET", "/links/nothing")).status).toBe(404);
    const lines = await ctx.sql`select * from audit where action = 'session.set_password'`;
    expect(lines).toMatchObject([{ actor_kind: "link", on_behalf_of: "boris", target_name: "anna", outcome: "done" }]);
    expect(JSON.stringify(lines)).not.toContain(at.slice(7));
  });
});

describe("API tokens", () => {
  const wish = (clock: { now(): number }, scopes: string[], days = 30) => ({
    name: "nightly",
    scopes,
    expiresAt: new Date(clock.now() + days * 86_400_000).toISOString(),
  });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  test("are shown once, do what they may, and end when revoked or too old", async () => {
    const { ctx, api, clock } = await setUp();
    const owner = await api.person(TENANT, "owner");
    const made = await owner("POST", "/me/tokens", wish(clock, ["audit.read"]));
    expect(made.json.token).toMatch(/^agt_[\w-]{43}$/);
    expect(JSON.stringify(await ctx.sql`select * from api_tokens`)).not.toContain(made.json.token);
    const use = (to: string, token = made.json.token) => api.stranger("GET", to, undefined, bearer(token));
    expect((await use(`/clients/${TENANT}/audit`)).status).toBe(200);
    expect((await use("/operators")).status).toBe(403);
    expect((await use("/me")).status).toBe(403); // tokens are for the work, not for the account
    const listed = (await owner("GET", "/me/tokens")).json.items;
    expect(listed).toMatchObject([{ name: "nightly", state: "active", scopes: ["audit.read"] }]);
    expect(listed[0].lastUsedAt).not.toBeNull();
    expect(listed[0].token).toBeUndefined();
    const short = (await owner("POST", "/me/tokens", wish(clock, ["audit.read"], 1))).json.token;
    clock.move(86_400_000);
    expect((await use(`/clients/${TENANT}/audit`, short)).status).toBe(401);
    const auditor = await api.person(TENANT, "auditor");
    expect((await auditor("DELETE", `/me/tokens/${made.json.id}`)).status).toBe(404);
    const again = await api.person(TENANT, "owner");
    expect((await again("DELETE", `/me/tokens/${made.json.id}`)).status).toBe(204);
    expect((await use(`/clients/${TENANT}/audit`)).status).toBe(401);
  });

  test("may no more than who made them, then and later", async () => {
    const { ctx, api, clock } = await setUp();
    const owner = await api.person(TENANT, "owner");
    for (const [scopes, status] of [
      [["clients.create"], 403],
      [["everything"], 400],
      [[], 400],
    ] as const)
      expect((await owner("POST", "/me/tokens", wish(clock, [...scopes]))).status).toBe(status);
    const { token } = (await owner("POST", "/me/tokens", wish(clock, ["audit.read"]))).json;
    await ctx.sql`update tenant_roles set role = 'member'`;
    const answer = await api.stranger("GET", `/clients/${TENANT}/audit`, undefined, bearer(token));
    expect(answer.status).toBe(403);
  });

  test.each([-1, 0, 400])("one that ends in %i days is refused", async (days) => {
    const { api, clock } = await setUp();
    const answer = await (await api.operator("anna"))("POST", "/me/tokens", wish(clock, ["clients.list"], days));
    expect([answer.status, /\.$/.test(answer.json.detail)]).toEqual([400, true]);
  });

  test("their word stands in no log", async () => {
    const { ctx, api, clock } = await setUp();
    const { token } = (await (await api.operator("anna"))("POST", "/me/tokens", wish(clock, ["clients.list"]))).json;
    await api.stranger("GET", "/clients", undefined, bearer(token));
    const kept =
      JSON.stringify(await ctx.sql`select * from audit`) +
      readFileSync(path.join(ctx.config.home, "context.log"), "utf8");
    expect(kept).not.toContain(token);
  });
});
