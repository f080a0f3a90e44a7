import { expect, test } from "vitest";
import { ACTIONS, type Action, decide, isAction, ROLES, type Role, roleMay } from "../../admin/rights.ts";

/** The promise, written out a second time: o operator, w owner, m manager, a auditor, p member (any person). */
const PROMISED: Record<Action, string> = {
  "clients.list": "o",
  "clients.create": "o",
  "clients.read": "owmap",
  "clients.update": "o",
  "clients.control": "o",
  "clients.log": "o",
  "clients.remove": "o",
  "operators.read": "o",
  "operators.write": "o",
  "people.read": "owma",
  "people.write": "owm",
  "roles.write": "ow",
  "invites.read": "owma",
  "invites.write": "owm",
  "teams.read": "owmap",
  "teams.write": "owm",
  "agents.read": "owmap",
  "agents.read_definition": "owma",
  "agents.write": "owm",
  "agents.try": "owm",
  "templates.read": "owmap",
  "models.read": "owma",
  "models.write": "owm",
  "models.write_shared": "o",
  "tools.read": "owma",
  "tools.write": "owm",
  "approvals.read": "owmap",
  "approvals.decide": "owmap",
  "approvals.decide_all": "owm",
  "schedules.read": "owmap",
  "schedules.write": "owmap",
  "forms.read": "owmap",
  "forms.fill": "owmap",
  "forms.write": "owm",
  "runs.read_own": "owmap",
  "runs.read": "owma",
  "runs.control": "owm",
  "usage.read": "owma",
  "caps.write": "o",
  "audit.read": "owa",
  "audit.read_all": "o",
};

const LETTER: Record<Role, string> = { operator: "o", owner: "w", manager: "m", auditor: "a", member: "p" };

const CELLS = ROLES.flatMap((role) => ACTIONS.map((action) => [role, action] as const));

test.each(CELLS)("%s: %s", (role, action) => {
  expect(roleMay(role, action)).toBe(PROMISED[action].includes(LETTER[role]));
});

test("an auditor changes nothing, and a member neither, but for what is their own", () => {
  const own = ["schedules.write", "approvals.decide"];
  for (const action of ACTIONS.filter(
    (one) => /write|control|update|remove|create|try|decide/.test(one) && !own.includes(one),
  ))
    expect([action, roleMay("auditor", action), roleMay("member", action)]).toEqual([action, false, false]);
});

const person = (role: Role, scopes: string[] | null = null) => ({ role, tenantId: "acme", scopes });
const operator = { role: "operator" as const, tenantId: null, scopes: null };

test.each([
  ["an owner in the own client", person("owner"), "agents.write", "acme", "allow"],
  ["an owner in another client", person("owner"), "agents.write", "other", "elsewhere"],
  ["an owner in another client, reading", person("owner"), "agents.read", "other", "elsewhere"],
  ["an owner where it is about the platform", person("owner"), "clients.list", null, "not_allowed"],
  ["a person's right where it is about the platform", person("owner"), "agents.read", null, "not_allowed"],
  ["what is common to all, for a member", person("member"), "templates.read", null, "allow"],
  ["runs of all clients, for an owner", person("owner"), "runs.read", null, "not_allowed"],
  ["a member who writes", person("member"), "agents.write", "acme", "not_allowed"],
  ["an operator in any client", operator, "agents.write", "other", "allow"],
  ["an operator on the platform", operator, "clients.create", null, "allow"],
  ["a token with the right", person("manager", ["agents.write"]), "agents.write", "acme", "allow"],
  ["a token without the right", person("manager", ["agents.read"]), "agents.write", "acme", "not_allowed"],
  [
    "a token that says more than its maker may",
    person("member", ["agents.write"]),
    "agents.write",
    "acme",
    "not_allowed",
  ],
  ["a token elsewhere", person("manager", ["agents.write"]), "agents.write", "other", "elsewhere"],
  ["an operator's token without the right", { ...operator, scopes: [] }, "clients.list", null, "not_allowed"],
] as const)("%s", (_name, asker, action, tenant, expected) => {
  expect(decide(asker, action, tenant)).toBe(expected);
});

test("names of objects are no actions", () => {
  expect([isAction("agents.write"), isAction("toString"), isAction("__proto__")]).toEqual([true, false, false]);
});
