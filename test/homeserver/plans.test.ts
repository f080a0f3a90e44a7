import { describe, expect, test } from "vitest";
import { passwordProblem, usernameProblem } from "../../homeserver/accounts.ts";
import { decide, type Health, noteFailure, pauseAfter } from "../../homeserver/health.ts";
import { desiredPowerLevels, roomPlan, sameJson } from "../../homeserver/room-plan.ts";
import { databaseServer } from "../../homeserver/synapse-database.ts";
import { tenantNameProblem } from "../../homeserver/tenants.ts";

const fresh: Health = { failures: [], since: 0, attempt: 0, notBefore: 0 };
const config = { readableRooms: true, rateLimits: "people" as const };

describe("what the supervisor does next", () => {
  const base = { running: false, dead: false, restart: false, now: 1000, health: fresh };
  const row = { desired: "running" as const, state: "creating" as const, config };
  test.each([
    ["a new tenant", base, row, "start"],
    ["one that runs", { ...base, running: true }, row, "check"],
    ["one that died", { ...base, running: true, dead: true }, row, "died"],
    ["in the pause after a death", { ...base, health: { ...fresh, notBefore: 1001 } }, row, "wait"],
    ["after the pause", { ...base, health: { ...fresh, notBefore: 1000 } }, row, "start"],
    ["to be restarted", { ...base, running: true, restart: true }, row, "restart"],
    [
      "to be restarted while a crash loop pauses",
      { ...base, restart: true, health: { ...fresh, notBefore: 9000 } },
      row,
      "restart",
    ],
    [
      "to be stopped, whatever was asked before",
      { ...base, running: true, restart: true },
      { ...row, desired: "stopped" as const },
      "stop",
    ],
    ["to be stopped", { ...base, running: true }, { ...row, desired: "stopped" as const }, "stop"],
    ["stopped", base, { ...row, desired: "stopped" as const, state: "stopped" as const }, "wait"],
    [
      "to be stopped, left by an earlier platform",
      base,
      { ...row, desired: "stopped" as const, state: "running" as const },
      "stop",
    ],
    ["started again by hand", base, { ...row, state: "stopped" as const }, "start"],
    [
      "to be removed",
      { ...base, running: true },
      { ...row, config: { ...config, removal: { backup: null } } },
      "remove",
    ],
  ])("%s", (_name, now, tenant, decision) => {
    expect(decide({ ...now, row: tenant })).toBe(decision);
  });

  test("pauses grow to a minute, and begin anew after a healthy minute", () => {
    let health = fresh;
    const pauses = Array.from({ length: 10 }, (_, i) => {
      health = noteFailure(health, i * 1_000_000, true);
      return pauseAfter(health);
    });
    expect(pauses).toEqual([200, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    expect(noteFailure({ ...health, since: 20_000_000 }, 20_070_000, true).attempt).toBe(1);
    expect(noteFailure({ ...health, since: 20_000_000 }, 20_050_000, true).attempt).toBe(11);
  });

  test("five deaths within two minutes are a crash loop; those by a missing database do not count", () => {
    const loopAfter = (times: number[], counts = true) =>
      times.reduce((health, at) => noteFailure(health, at, counts), fresh).looping;
    expect(loopAfter([0, 1000, 2000, 3000])).toBe(false);
    expect(loopAfter([0, 1000, 2000, 3000, 4000])).toBe(true);
    expect(loopAfter([0, 1000, 2000, 3000, 121_000])).toBe(false);
    expect(loopAfter([0, 1000, 2000, 3000, 4000], false)).toBe(false);
  });
});

describe("power levels of rooms that we made", () => {
  const levels = (now: Record<string, unknown> | null, users: Record<string, number>) =>
    desiredPowerLevels({ kind: "channel", now, users, controlUserId: "@agentopia:s" }).users;
  test.each([
    [
      "agents by their scope",
      null,
      { "@agent-a:s": -1, "@agent-b:s": 50, "@agent-c:s": 0 },
      { "@agent-a:s": -1, "@agent-b:s": 50 },
    ],
    ["an agent that was raised", { users: { "@agent-a:s": 100 } }, { "@agent-a:s": 0 }, {}],
    ["an agent that left", { users: { "@agent-a:s": 50 } }, {}, {}],
    ["people keep theirs", { users: { "@ann:s": 50 } }, { "@agent-a:s": -1 }, { "@ann:s": 50, "@agent-a:s": -1 }],
    ["people stay below what guards the rules", { users: { "@ann:s": 100 } }, {}, { "@ann:s": 99 }],
    ["the creator is never named", { users: { "@agentopia:s": 100 } }, { "@agentopia:s": 50 }, {}],
    ["nonsense is left out", { users: { "@ann:s": "50" } }, {}, {}],
  ])("%s", (_name, now, users, expected) => {
    expect(levels(now, users)).toEqual(expected);
  });

  test("an observer cannot post, everyone may invite, nobody below 100 changes the rules", () => {
    const content = desiredPowerLevels({ kind: "channel", now: null, users: {}, controlUserId: "@agentopia:s" });
    expect(content).toMatchObject({ events_default: 0, users_default: 0, invite: 0, state_default: 50 });
    expect(content.events).toMatchObject({ "m.room.power_levels": 100, "m.room.encryption": 100 });
  });

  test("in an archived room nobody posts, invites or changes anything, whatever level they have; what was said can be taken back", () => {
    for (const kind of ["channel", "space"] as const) {
      const now = { users: { "@ann:s": 99, "@agent-x:s": 50 } };
      const content = desiredPowerLevels({
        kind,
        now,
        users: { "@agent-x:s": 50 },
        controlUserId: "@agentopia:s",
        archived: true,
      });
      expect(content).toMatchObject({ events_default: 100, state_default: 100, invite: 100, users: now.users });
      const { "m.room.redaction": redaction, ...others } = content.events as Record<string, number>;
      expect(redaction).toBe(0);
      expect(Math.min(...Object.values(others))).toBe(100);
    }
  });

  test("a channel's plan names everything that its room needs", () => {
    const access = { controlUserId: "@agentopia:s", serverName: "s" };
    const { createRoom, state } = roomPlan({
      access,
      kind: "channel",
      name: "general",
      aliasName: "x",
      space: "!space",
    });
    expect(createRoom).toMatchObject({ preset: "private_chat", creation_content: { "m.federate": false } });
    expect(state.map((one) => one.type)).toEqual(
      expect.arrayContaining([
        "m.room.join_rules",
        "m.space.parent",
        "io.element.functional_members",
        "m.room.power_levels",
      ]),
    );
  });
});

test.each([
  ["", /Choose/],
  ["Ann", /small letters/],
  ["ann lee", /letters a to z/],
  ["_ann", /underscore/],
  ["123", /at least one letter/],
  ["agentopia", /kept for agents/],
  ["agent-writer", /kept for agents/],
  ["a".repeat(65), /too long/],
  ["ann.lee-2", null],
])("user name %j", (name, problem) => {
  const found = usernameProblem(name, "acme.localhost");
  if (problem) expect(found).toMatch(problem);
  else expect(found).toBeNull();
});

test.each([
  ["short", /at least 8/],
  ["aaaaaaaaaa", /too easy/],
  ["x1".repeat(300), /too long/],
  ["correct horse", null],
])("password %j", (password, problem) => {
  const found = passwordProblem(password);
  if (problem) expect(found).toMatch(problem);
  else expect(found).toBeNull();
});

test.each([
  ["acme", true],
  ["acme-2", true],
  ["a", true],
  ["2acme", false],
  ["acme-", false],
  ["Acme", false],
  ["a_b", false],
  ["../x", false],
  ["x".repeat(31), false],
])("client name %j", (name, good) => {
  expect(tenantNameProblem(name) === null).toBe(good);
});

test.each([
  ["postgres://u:p@db.example.org:5433/x", { host: "db.example.org", port: "5433" }],
  ["postgres://u:p@127.0.0.1/x?sslmode=require", { host: "127.0.0.1", port: "5432", sslmode: "require" }],
  ["postgres://u@localhost/x?host=/var/run/postgresql", { host: "/var/run/postgresql", port: "5432" }],
])("server of %s", (url, server) => {
  expect(databaseServer(url)).toEqual(server);
});

test("the same JSON in another order is the same", () => {
  expect(sameJson({ a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 })).toBe(true);
  expect(sameJson({ a: [1] }, { a: { 0: 1 } })).toBe(false);
  expect(sameJson({ a: undefined }, { b: 1 })).toBe(false);
});
