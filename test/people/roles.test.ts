import { expect, test } from "vitest";
import { syncPeople } from "../../admin/people-sync.ts";
import { endPerson, resetPassword, suspendPerson, unsuspendPerson } from "../../admin/person-actions.ts";
import { actingProblem, givingProblem, roleOf, setRole } from "../../admin/roles.ts";
import { createLink, spendLink } from "../../admin/sign-in/links.ts";
import { createSession, findSession } from "../../admin/sign-in/sessions.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "./homeserver.ts";

const ROLES = ["operator", "owner", "manager", "auditor", "member"] as const;
const who = (name: string) => ({ tenantId: TENANT, userId: userId(name) });

test.each([
  ["operator", "owner manager auditor member", "owner manager auditor member"],
  ["owner", "owner manager auditor member", "manager auditor member"],
  ["manager", "manager member", "member"],
  ["auditor", "manager auditor member", "manager member"],
  ["member", "member", ""],
] as const)("%s acts on %s; with a token on %s", (role, inPanel, byToken) => {
  const may = (token: boolean) =>
    ROLES.filter((target) => target !== "operator")
      .filter((target) => actingProblem({ role, userId: null, byToken: token }, { role: target }) === null)
      .join(" ");
  expect([may(false), may(true)]).toEqual([inPanel, byToken]);
});

test("nobody gives more than they have, unless they may change roles", () => {
  const manager = { role: "manager", userId: "@m:x", byToken: false } as const;
  expect(givingProblem(manager, "owner", false)).toMatch(/cannot make an owner/);
  expect(givingProblem(manager, "manager", false)).toBeNull();
  expect(givingProblem({ ...manager, byToken: true }, "manager", false)).toMatch(/token/);
  expect(givingProblem(manager, "auditor", false)).toMatch(/cannot make an auditor/);
  expect(givingProblem({ ...manager, byToken: true }, "member", false)).toBeNull();
  expect(givingProblem({ role: "owner", userId: "@o:x", byToken: false }, "owner", true)).toBeNull();
});

async function owners(...names: string[]) {
  const ctx = await testContext({ env: { AGENTOPIA_URL: "https://chat.example.org" } });
  const server = await tenantWithTeam(ctx);
  for (const name of names) server.add(name);
  await syncPeople(ctx, TENANT);
  for (const name of names) await setRole(ctx, { ...who(name), role: "owner" });
  return { ctx, server };
}

const stateOf = async (ctx: Context, name: string) =>
  (await ctx.sql`select state from people where user_id = ${userId(name)}`)[0]?.state;

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  );

test("the last owner stays: no other role, no suspension, no end", async () => {
  const { ctx, server } = await owners("ann");
  await expect(setRole(ctx, { ...who("ann"), role: "manager" })).rejects.toThrow(/last owner.*somebody else/);
  expect(await outcome(suspendPerson(ctx, who("ann")))).toBe("conflict");
  expect(await outcome(endPerson(ctx, { ...who("ann"), erase: false }))).toBe("conflict");
  expect([await roleOf(ctx, TENANT, userId("ann")), await stateOf(ctx, "ann")]).toEqual(["owner", "active"]);
  expect(server.people.get("ann")).toMatchObject({ suspended: false, deactivated: false });
});

test("an owner who is suspended is no owner who is left", async () => {
  const { ctx } = await owners("ann", "bob");
  await suspendPerson(ctx, who("bob"));
  expect(await outcome(setRole(ctx, { ...who("ann"), role: "member" }))).toBe("conflict");
  await unsuspendPerson(ctx, who("bob"));
  expect(await outcome(setRole(ctx, { ...who("ann"), role: "member" }))).toBe("done");
});

type Doing = (ctx: Context, name: string) => Promise<unknown>;
const demote: Doing = (ctx, name) => setRole(ctx, { ...who(name), role: "member" });
const suspend: Doing = (ctx, name) => suspendPerson(ctx, who(name));
const end: Doing = (ctx, name) => endPerson(ctx, { ...who(name), erase: true });

test.each([
  ["demoted", demote, demote],
  ["suspended", suspend, suspend],
  ["deactivated", end, end],
  ["demoted and suspended", demote, suspend],
  ["suspended and deactivated", suspend, end],
] as const)("two owners %s at once: one stays", async (_, first, second) => {
  const { ctx } = await owners("ann", "bob");
  const both = await Promise.all([outcome(first(ctx, "ann")), outcome(second(ctx, "bob"))]);
  expect(both.toSorted()).toEqual(["conflict", "done"]);
  const left = await ctx.sql`
    select 1 from tenant_roles r join people p using (tenant_id, user_id) where r.role = 'owner' and p.state = 'active'`;
  expect(left.length).toBe(1);
});

test("a suspension that the homeserver does not take is none; one whose answer is lost is one", async () => {
  const { ctx, server } = await owners("ann", "bob");
  server.fault = "changes fail";
  expect(await outcome(suspendPerson(ctx, who("bob")))).toBe("homeserver_down");
  expect(await stateOf(ctx, "bob")).toBe("active");
  server.fault = "lost";
  expect(await outcome(suspendPerson(ctx, who("bob")))).toBe("done");
  expect([await stateOf(ctx, "bob"), server.people.get("bob")?.suspended]).toEqual(["suspended", true]);
});

test("who is suspended or deactivated is signed out of the panel; the end takes role, tokens and links too", async () => {
  const { ctx } = await owners("ann", "bob");
  const sign = () => createSession(ctx, who("bob"), { userAgent: null, address: null });
  const first = await sign();
  await suspendPerson(ctx, who("bob"));
  expect(await findSession(ctx, first.token)).toBeNull();
  await unsuspendPerson(ctx, who("bob"));
  const second = await sign();
  const link = await createLink(ctx, { kind: "password", ...who("bob"), createdBy: "ann", ttlMs: 1000_000 });
  await endPerson(ctx, { ...who("bob"), erase: true });
  expect(await findSession(ctx, second.token)).toBeNull();
  expect(await roleOf(ctx, TENANT, userId("bob"))).toBe("member");
  expect(await outcome(spendLink(ctx, link.url.split("/link/")[1]!, async () => "used"))).toBe("gone");
  expect(await outcome(endPerson(ctx, { ...who("bob"), erase: true }))).toBe("done");
});

test("a link made for a member does not sign in the owner that the member became", async () => {
  const { ctx, server } = await owners("ann");
  server.add("bob");
  const link = await createLink(ctx, { kind: "password", ...who("bob"), createdBy: "m", ttlMs: 1000_000 });
  await setRole(ctx, { ...who("bob"), role: "manager" });
  expect(await outcome(spendLink(ctx, link.url.split("/link/")[1]!, async () => "used"))).toBe("gone");
});

test("a password link is used up when the homeserver took the password, not before", async () => {
  const { ctx, server } = await owners("ann");
  server.add("bob", { devices: [{ device_id: "A", display_name: "phone", last_seen_ts: 1, last_seen_ip: "::1" }] });
  const link = await createLink(ctx, { kind: "password", ...who("bob"), createdBy: "ann", ttlMs: 1000_000 });
  const use = (password: string, then: () => void = () => undefined) =>
    outcome(
      spendLink(ctx, link.url.split("/link/")[1]!, async () => {
        await resetPassword(ctx, { ...who("bob"), password });
        then();
      }),
    );
  expect(await use("12345678")).toBe("invalid");
  expect(await use("bob-2026")).toBe("invalid");
  server.fault = "changes fail";
  expect(await use("correct-Horse-7")).toBe("homeserver_down");
  server.fault = "none";
  const crash = () => {
    throw new Error("killed here");
  };
  expect(await use("correct-Horse-7", crash)).toContain("killed here");
  expect(server.accounts.get("bob")).toBe("correct-Horse-7");
  expect(await use("correct-Horse-8")).toBe("done");
  expect([server.accounts.get("bob"), server.people.get("bob")?.devices]).toEqual(["correct-Horse-8", []]);
  expect(await use("correct-Horse-9")).toBe("gone");
  expect(server.accounts.get("bob")).toBe("correct-Horse-8");
});

test("a deactivated account gets no password, agents and strangers are no people", async () => {
  const { ctx, server } = await owners("ann");
  server.add("bob", { deactivated: true });
  server.add("agent-writer");
  expect(await outcome(resetPassword(ctx, { ...who("bob"), password: "correct-Horse-7" }))).toBe("conflict");
  for (const stranger of [
    userId("agent-writer"),
    userId("nobody"),
    "@ann:else.where",
    "ann",
    "@:acme.test",
    "@a/b?c#d:acme.test",
  ])
    expect([stranger, await outcome(suspendPerson(ctx, { tenantId: TENANT, userId: stranger }))]).toEqual([
      stranger,
      "not_found",
    ]);
});
