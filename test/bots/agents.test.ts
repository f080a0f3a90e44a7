import { PNG } from "pngjs";
import { expect, test } from "vitest";
import { agentLocalpart, agentNameProblem } from "../../bots/agent-names.ts";
import { completeRemovals, createAgent, getAgent, listAgents, removeAgent, setAgentState } from "../../bots/agents.ts";
import { drawAvatar } from "../../bots/avatar.ts";
import { saveDraft } from "../../bots/drafts.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import { publish } from "../../bots/publish.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { testContext } from "../harness/postgres.ts";
import { ok, refused, type ScriptedHomeserver, scriptedHomeserver } from "./homeserver.ts";
import { DEFINITION, deliver, event, makeRoom, ROOM, SERVER, says, TENANT } from "./tenant.ts";

async function tenant() {
  const ctx = await testContext();
  const homeserver = await scriptedHomeserver();
  await createTenant(ctx, { id: TENANT, serverName: SERVER, driver: "external", url: homeserver.url });
  return { ctx, homeserver };
}

const wish = (name: string) => ({ tenantId: TENANT, definition: { ...DEFINITION, name } });
const isDown = (homeserver: ScriptedHomeserver, path: RegExp) => {
  homeserver.answer = (request) => (path.test(request.path) ? { status: 502, body: {} } : undefined);
};

test("an agent gets its Matrix user with name, face and device, and its first version", async () => {
  const { ctx, homeserver } = await tenant();
  const agent = await createAgent(ctx, wish("Ünïque Writer"));
  expect(agent).toMatchObject({ state: "active", userId: "@agent-unique-writer:acme.test", version: 1 });
  expect(homeserver.to(/\/register$/)[0]?.body).toMatchObject({ username: "agent-unique-writer" });
  expect(homeserver.to(/\/displayname$/)[0]).toMatchObject({
    as: agent.userId,
    body: { displayname: "Ünïque Writer" },
  });
  expect(homeserver.to(/\/upload$/)).toHaveLength(1);
  expect(homeserver.to(/\/devices\//)).toHaveLength(1);
  expect(await ctx.sql`select version from agent_versions`).toEqual([{ version: 1 }]);
  expect(await getAgent(ctx, TENANT, "Ünïque WRITER")).toMatchObject({ id: agent.id });
});

test("a name that is taken says so; freed by removal, it may be used again with a user of its own", async () => {
  const { ctx } = await tenant();
  const first = await createAgent(ctx, wish("Writer"));
  await expect(createAgent(ctx, wish("writer"))).rejects.toThrow("There is an agent called writer already.");
  await removeAgent(ctx, first.id);
  expect((await createAgent(ctx, wish("Writer"))).userId).toBe("@agent-writer-2:acme.test");
  expect((await createAgent(ctx, wish("Write-r"))).userId).toBe("@agent-write-r:acme.test");
});

test("names that differ only in what a user name cannot hold get numbers", async () => {
  const { ctx } = await tenant();
  const users = [];
  for (const name of ["Wríter", "Wrïter", "Writer"]) users.push((await createAgent(ctx, wish(name))).userId);
  expect(users).toEqual(["@agent-writer:acme.test", "@agent-writer-2:acme.test", "@agent-writer-3:acme.test"]);
});

test("made half because the homeserver was down, it is completed by the same call", async () => {
  const { ctx, homeserver } = await tenant();
  isDown(homeserver, /\/register$/);
  await expect(createAgent(ctx, wish("Writer"))).rejects.toMatchObject({ code: "homeserver_down" });
  expect(await listAgents(ctx, TENANT)).toMatchObject([{ state: "creating" }]);
  homeserver.answer = () => undefined;
  expect(await createAgent(ctx, wish("Writer"))).toMatchObject({ state: "active", userId: "@agent-writer:acme.test" });
  expect(await listAgents(ctx, TENANT)).toHaveLength(1);
});

test("the agent of a template is made once, however often it is asked for", async () => {
  const { ctx } = await tenant();
  const first = await createAgent(ctx, { ...wish("Writer"), templateId: "writer" });
  expect((await createAgent(ctx, { ...wish("Writer"), templateId: "writer" })).id).toBe(first.id);
  await expect(createAgent(ctx, wish("Writer"))).rejects.toMatchObject({ code: "conflict" });
});

test("twenty at once of one name: one is made", async () => {
  const { ctx } = await tenant();
  const ends = await Promise.allSettled(Array.from({ length: 20 }, () => createAgent(ctx, wish("Writer"))));
  expect(ends.some(({ status }) => status === "fulfilled")).toBe(true);
  for (const end of ends) if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "conflict" });
  expect(await listAgents(ctx, TENANT)).toHaveLength(1);
});

test("pause and resume; neither for one that is removed", async () => {
  const { ctx } = await tenant();
  const { id } = await createAgent(ctx, wish("Writer"));
  expect((await setAgentState(ctx, id, "paused")).state).toBe("paused");
  expect((await setAgentState(ctx, id, "active")).state).toBe("active");
  await removeAgent(ctx, id);
  await expect(setAgentState(ctx, id, "active")).rejects.toThrow("Writer was removed.");
});

test("a change makes a version, keeps those before it and renames the user", async () => {
  const { ctx, homeserver } = await tenant();
  const { id } = await createAgent(ctx, wish("Writer"));
  await createAgent(ctx, wish("Planner"));
  const draft = { tenantId: TENANT, agentId: id, by: "@maya:acme.test" };
  const definition = { ...DEFINITION, name: "Author", instructions: "Write books." };
  await saveDraft(ctx, { ...draft, definition, revision: 0 });
  await publish(ctx, { ...draft, revision: 1 });
  const taken = saveDraft(ctx, { ...draft, definition: { ...definition, name: "planner" }, revision: 1 });
  await expect(taken).rejects.toMatchObject({ code: "conflict" });
  expect(homeserver.to(/\/displayname$/).at(-1)?.body).toEqual({ displayname: "Author" });
  const versions =
    await ctx.sql`select version, definition->>'instructions' as said from agent_versions where agent_id = ${id} order by 1`;
  expect(versions).toEqual([
    { version: 1, said: "Write." },
    { version: 2, said: "Write books." },
  ]);
});

test("removing stops its runs, leaves its rooms, deactivates its user and keeps what was", async () => {
  const { ctx, homeserver } = await tenant();
  const agent = await createAgent(ctx, wish("Writer"));
  await makeRoom(ctx, { id: ROOM, members: ["@alice:acme.test", agent.userId] });
  await deliver(ctx, event({ content: says("hello", agent.userId) }));
  await drainRoom(ctx, { tenantId: TENANT, roomId: ROOM }, () => undefined);
  homeserver.answer = ({ path }) => (path.endsWith("/joined_rooms") ? ok({ joined_rooms: [ROOM] }) : undefined);
  await removeAgent(ctx, agent.id);
  expect(homeserver.to(/\/leave$/)).toMatchObject([{ as: agent.userId, body: { reason: "Writer was removed." } }]);
  expect(homeserver.to(/\/deactivate\//)).toHaveLength(1);
  expect(await ctx.sql`select stop_reason from runs`).toEqual([{ stop_reason: "removed" }]);
  expect(await listAgents(ctx, TENANT)).toHaveLength(0);
  await expect(getAgent(ctx, TENANT, "Writer")).rejects.toThrow('There is no agent "Writer" here');
});

test("a removal that the homeserver interrupted is completed later", async () => {
  const { ctx, homeserver } = await tenant();
  const { id } = await createAgent(ctx, wish("Writer"));
  isDown(homeserver, /\/deactivate\//);
  await expect(removeAgent(ctx, id)).rejects.toMatchObject({ code: "homeserver_down" });
  homeserver.answer = ({ path }) => (path.endsWith("/joined_rooms") ? refused("M_USER_DEACTIVATED") : undefined);
  await completeRemovals(ctx);
  expect(await ctx.sql`select state from agents`).toEqual([{ state: "removed" }]);
});

test("a tenant that is not there says so", async () => {
  const { ctx } = await tenant();
  await expect(createAgent(ctx, { ...wish("Writer"), tenantId: "nobody" })).rejects.toMatchObject({
    code: "not_found",
  });
});

const names: [name: string, problem: RegExp | null][] = [
  ["Writer", null],
  ["Anna Maria 2", null],
  ["🦊", null],
  ["👩‍🚀 Astrid", null],
  ["作家", null],
  ["", /Give the agent a name/],
  ["   ", /Give the agent a name/],
  [" Writer", /space/],
  ["a".repeat(60), null],
  ["a".repeat(61), /at most 60/],
  ["two\nlines", /line breaks/],
  ["Wri\u202Eter", /invisible/],
  ["Wri\u200Bter", /invisible/],
  ["---", /letter/],
  ["me@home", /@/],
  ["!stop", /!/],
];

test.each(names)("the name %j", (name, problem) => {
  if (problem) expect(agentNameProblem(name)).toMatch(problem);
  else expect(agentNameProblem(name)).toBeNull();
});

test("user names of agents", () => {
  expect(agentLocalpart("Anna Maria!", 1, "x")).toBe("agent-anna-maria");
  expect(agentLocalpart("作家", 1, "0a1b2c3d-4e5f")).toBe("agent-0a1b2c3d");
  expect(agentLocalpart("作家", 2, "0a1b2c3d-4e5f")).toBe("agent-0a1b2c3d-2");
  expect(agentLocalpart("a".repeat(60), 1, "x")).toHaveLength(46);
});

test("faces are 256 × 256, the same for the same id, and seldom the same for two", () => {
  const one = PNG.sync.read(drawAvatar("one"));
  expect([one.width, one.height]).toEqual([256, 256]);
  expect(drawAvatar("one").equals(drawAvatar("one"))).toBe(true);
  const faces = new Set(Array.from({ length: 12 }, (_, n) => drawAvatar(`agent ${n}`).toString("base64")));
  expect(faces.size).toBeGreaterThan(9);
});
