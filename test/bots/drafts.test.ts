import { expect, onTestFinished, test } from "vitest";
import { startActions } from "../../bots/actions.ts";
import { bringInLine } from "../../bots/agent-user.ts";
import { createAgent, getAgent, listAgents, removeAgent, setAgentState } from "../../bots/agents.ts";
import { DefinitionError } from "../../bots/definition.ts";
import { createDraft, DraftConflict, discardDraft, duplicateAgent, saveDraft } from "../../bots/drafts.ts";
import { drainRoom } from "../../bots/drain-room.ts";
import { keepPicture } from "../../bots/pictures.ts";
import { getVersion, listVersions, publish, rollback } from "../../bots/publish.ts";
import { loadWork } from "../../bots/work.ts";
import type { Context } from "../../core/context.ts";
import { openWake } from "../../core/wake.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import type { AgentDefinition } from "../../migrations/types.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";
import { ok, type ScriptedHomeserver, scriptedHomeserver } from "./homeserver.ts";
import { pngOf } from "./pictures.ts";
import { DEFINITION, deliver, event, makeRoom, ROOM, SERVER, says, TENANT } from "./tenant.ts";

const ANN = "@ann:acme.test";
const BOB = "@bob:acme.test";

async function setting() {
  const ctx = await testContext();
  const homeserver = await scriptedHomeserver();
  await createTenant(ctx, { id: TENANT, serverName: SERVER, driver: "external", url: homeserver.url });
  const draft = (wish: Partial<AgentDefinition> = {}) =>
    createDraft(ctx, { tenantId: TENANT, definition: { ...DEFINITION, ...wish }, by: ANN });
  const save = (agentId: string, revision: number, wish: Partial<AgentDefinition>, by = ANN) =>
    saveDraft(ctx, { tenantId: TENANT, agentId, revision, definition: { ...DEFINITION, ...wish }, by });
  const out = (agentId: string, revision: number, note?: string) =>
    publish(ctx, { tenantId: TENANT, agentId, revision, by: BOB, note });
  return { ctx, homeserver, draft, save, out };
}

const down = (homeserver: ScriptedHomeserver, path = /./) => {
  homeserver.answer = (request) => (path.test(request.path) ? { status: 502, body: {} } : undefined);
};
const up = (homeserver: ScriptedHomeserver) => {
  homeserver.answer = () => undefined;
};

async function startedActions(ctx: Context) {
  const wake = openWake(ctx.databaseUrl, ctx.log);
  const actions = await startActions(ctx, { wake });
  onTestFinished(async () => {
    await actions.stop();
    await wake.close();
  });
}

test("a draft has a name and a user id kept for it, and nobody in Matrix", async () => {
  const { ctx, homeserver, draft } = await setting();
  const row = await draft();
  expect(row).toMatchObject({ state: "draft", userId: "@agent-writer:acme.test", draftRevision: 1, draftBy: ANN });
  expect(homeserver.requests).toEqual([]);
  await expect(draft({ name: "writer" })).rejects.toMatchObject({ code: "conflict" });
  await expect(createAgent(ctx, { tenantId: TENANT, definition: DEFINITION })).rejects.toMatchObject({
    code: "conflict",
  });
  await expect(setAgentState(ctx, row.id, "active")).rejects.toThrow("Writer was never published. Publish it first.");
});

test("first published it gets its user, version 1 and no draft; published twice it happens once", async () => {
  const { ctx, homeserver, draft, out } = await setting();
  const { id } = await draft();
  const row = await out(id, 1, "First try");
  expect(row).toMatchObject({ state: "active", version: 1, draft: null, draftRevision: 1 });
  expect(homeserver.to(/\/register$/)[0]?.body).toMatchObject({ username: "agent-writer" });
  expect(await out(id, 1)).toMatchObject({ state: "active", version: 1 });
  expect(await listVersions(ctx, id, { limit: 10 })).toMatchObject([{ version: 1, by: BOB, note: "First try" }]);
  expect(homeserver.to(/\/upload$/)).toHaveLength(1);
});

test("twenty publish at once: one version", async () => {
  const { ctx, draft, out } = await setting();
  const { id } = await draft();
  const rows = await Promise.all(Array.from({ length: 20 }, () => out(id, 1)));
  expect(new Set(rows.map(({ version }) => version))).toEqual(new Set([1]));
  expect(await listVersions(ctx, id, { limit: 10 })).toHaveLength(1);
});

test("two who save the same draft: the second is told what the first wrote, and nothing is lost", async () => {
  const { save, draft, out } = await setting();
  const { id } = await draft();
  expect(await save(id, 1, { instructions: "Ann's." })).toMatchObject({ draftRevision: 2 });
  const error = await save(id, 1, { instructions: "Bob's." }, BOB).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(DraftConflict);
  expect(error).toMatchObject({ code: "conflict", current: { revision: 2, by: ANN } });
  expect((error as DraftConflict).current.definition.instructions).toBe("Ann's.");
  expect((error as DraftConflict).current.at).toBeInstanceOf(Date);
  expect((error as DraftConflict).message).toContain("was saved by @ann:acme.test since you opened it");
  await expect(out(id, 1)).rejects.toBeInstanceOf(DraftConflict);
  expect(await save(id, 2, { instructions: "Bob's." }, BOB)).toMatchObject({ draftRevision: 3, draftBy: BOB });
});

test("ten who save at once: one is kept, nine are told", async () => {
  const { ctx, save, draft } = await setting();
  const { id } = await draft();
  const ends = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => save(id, 1, { instructions: `Number ${n}.` })),
  );
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect((await getAgent(ctx, TENANT, id)).draftRevision).toBe(2);
});

test("a draft of a published agent is heard by nobody until it is published; then name and face change in Matrix too", async () => {
  const { ctx, homeserver, draft, save, out } = await setting();
  const { id, userId } = await draft();
  await out(id, 1);
  homeserver.answer = ({ method, path }) =>
    method === "GET" && path.includes("/profile/")
      ? ok({ displayname: "Writer", avatar_url: "mxc://acme.test/old" })
      : undefined;
  const avatar = { kind: "generated" as const, seed: "another" };
  await save(id, 1, { name: "Author", instructions: "Write books.", avatar });
  expect(await getAgent(ctx, TENANT, "Writer")).toMatchObject({
    name: "Writer",
    definition: { instructions: "Write." },
  });
  expect(await out(id, 2)).toMatchObject({ version: 2, name: "Author", userId });
  expect(homeserver.to(/\/displayname$/).at(-1)?.body).toEqual({ displayname: "Author" });
  expect(homeserver.to(/\/avatar_url$/)).toHaveLength(2);
  await save(id, 2, { name: "Author", avatar, description: "Only words." });
  await out(id, 3);
  expect(homeserver.to(/\/avatar_url$/)).toHaveLength(2);
});

test("the homeserver is down when an agent is first published: the actions complete it when it is back", async () => {
  const { ctx, homeserver, draft, out } = await setting();
  const { id } = await draft();
  down(homeserver, /\/register$/);
  await expect(out(id, 1)).rejects.toMatchObject({ code: "homeserver_down" });
  expect(await getAgent(ctx, TENANT, id)).toMatchObject({ state: "creating", version: 1, draft: null });
  await startedActions(ctx);
  up(homeserver);
  await eventually("the agent", async () => (await getAgent(ctx, TENANT, id)).state === "active");
  expect(await listVersions(ctx, id, { limit: 10 })).toHaveLength(1);
});

test("or publishing again does", async () => {
  const { homeserver, draft, out } = await setting();
  const { id } = await draft();
  down(homeserver, /\/avatar_url$/);
  const error = await out(id, 1).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: "homeserver_down" });
  expect((error as Error).message).toMatch(/^Writer is published, but its homeserver does not answer/);
  up(homeserver);
  expect(await out(id, 1)).toMatchObject({ state: "active", version: 1 });
});

test("the homeserver is down when a new version is published: it is published, and its name follows", async () => {
  const { ctx, homeserver, draft, save, out } = await setting();
  const { id } = await draft();
  await out(id, 1);
  await save(id, 1, { name: "Author" });
  down(homeserver);
  expect(await out(id, 2)).toMatchObject({ version: 2, name: "Author", state: "active" });
  up(homeserver);
  const before = homeserver.to(/\/displayname$/).length;
  await startedActions(ctx);
  await eventually("the name", () => homeserver.to(/\/displayname$/).length > before);
  await eventually("the action", async () => (await ctx.sql`select 1 from actions where state = 'open'`).length === 0);
});

test("a process that died between the rows and Matrix: the rows say what is left to do", async () => {
  const { ctx, homeserver, draft } = await setting();
  const { id } = await draft();
  // What `publish` commits before it asks the homeserver.
  down(homeserver);
  await publish(ctx, { tenantId: TENANT, agentId: id, revision: 1, by: ANN }).catch((error: unknown) => error);
  const left = await ctx.sql`select payload from actions where state = 'open'`;
  expect(left).toEqual([{ payload: { kind: "agent", agentId: id } }]);
  up(homeserver);
  expect((await bringInLine(ctx, id)).state).toBe("active");
  const asked = homeserver.requests.length;
  expect((await bringInLine(ctx, id)).state).toBe("active");
  expect(homeserver.requests.slice(asked).map(({ method }) => method)).toEqual(["GET", "PUT"]);
});

test("a run under way keeps the version with which it began", async () => {
  const { ctx, draft, save, out } = await setting();
  const agent = await out((await draft()).id, 1);
  await makeRoom(ctx, { id: ROOM, members: ["@alice:acme.test", agent.userId] });
  await deliver(ctx, event({ content: says("hello", agent.userId) }));
  await drainRoom(ctx, { tenantId: TENANT, roomId: ROOM }, () => undefined);
  await save(agent.id, 1, { instructions: "Write books." });
  await out(agent.id, 2);
  const [run] = await ctx.sql<{ id: string }[]>`select id from runs`;
  const work = await loadWork(ctx, run?.id ?? "", { attempt: true });
  expect(work?.definition.instructions).toBe("Write.");
});

test("a changed scope is put right in rooms of ours", async () => {
  const { ctx, draft, save, out } = await setting();
  const agent = await out((await draft()).id, 1);
  await makeRoom(ctx, { id: ROOM, members: [agent.userId] });
  await makeRoom(ctx, { id: "!theirs:acme.test", members: [agent.userId], kind: "other" });
  await save(agent.id, 1, { scope: "moderator" });
  await out(agent.id, 2);
  const actions = await ctx.sql`select room_id as room from actions where payload->>'kind' = 'power_levels'`;
  expect(actions).toEqual([{ room: ROOM }]);
});

test("back to an earlier version: a new one that says so, with its name and face; a draft stays", async () => {
  const { ctx, homeserver, draft, save, out } = await setting();
  const { id } = await draft();
  await out(id, 1);
  await save(id, 1, { name: "Author", instructions: "Write books." });
  await out(id, 2);
  await save(id, 2, { name: "Author", instructions: "Half written." });
  const row = await rollback(ctx, { tenantId: TENANT, agentId: id, version: 1, by: BOB });
  expect(row).toMatchObject({ version: 3, name: "Writer", draft: { instructions: "Half written." }, draftRevision: 3 });
  expect((await getVersion(ctx, row, 3)).definition).toEqual((await getVersion(ctx, row, 1)).definition);
  expect(await listVersions(ctx, id, { limit: 2 })).toMatchObject([
    { version: 3, by: BOB, note: "Back to version 1" },
    { version: 2 },
  ]);
  expect(homeserver.to(/\/displayname$/).at(-1)?.body).toEqual({ displayname: "Writer" });
  await expect(rollback(ctx, { tenantId: TENANT, agentId: id, version: 3, by: BOB })).rejects.toMatchObject({
    code: "conflict",
  });
  await expect(rollback(ctx, { tenantId: TENANT, agentId: id, version: 9, by: BOB })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("back to a version whose name is taken now says so; one whose model is gone gets the default", async () => {
  const { ctx, draft, save, out } = await setting();
  await ctx.sql`insert into models (id, name, provider, model, abilities) values ('m', 'big', 'openai', 'big', '{}')`;
  const { id } = await draft({ model: "big" });
  await out(id, 1);
  await save(id, 1, { name: "Author" });
  await out(id, 2);
  const other = await draft();
  await expect(rollback(ctx, { tenantId: TENANT, agentId: id, version: 1, by: BOB })).rejects.toThrow("called Writer");
  await removeAgent(ctx, other.id);
  await ctx.sql`delete from models`;
  const row = await rollback(ctx, { tenantId: TENANT, agentId: id, version: 1, by: BOB });
  expect(row.definition).toMatchObject({ name: "Writer", model: null });
  expect((await getVersion(ctx, row, 3)).note).toContain("its model big is gone");
});

test("a draft is set back; one that is all there is cannot be", async () => {
  const { ctx, draft, save, out } = await setting();
  const { id } = await draft();
  const which = { tenantId: TENANT, agentId: id };
  await expect(discardDraft(ctx, which)).rejects.toThrow("its draft is all there is");
  await out(id, 1);
  await save(id, 1, { instructions: "Other." });
  await expect(discardDraft(ctx, { ...which, revision: 1 })).rejects.toBeInstanceOf(DraftConflict);
  expect(await discardDraft(ctx, { ...which, revision: 2 })).toMatchObject({ draft: null, draftRevision: 3 });
  await expect(save(id, 2, {})).rejects.toThrow("was published or set back since you opened it");
});

test("removed before it was published, no homeserver is asked, and its name is free", async () => {
  const { ctx, homeserver, draft } = await setting();
  const { id } = await draft();
  down(homeserver);
  await removeAgent(ctx, id);
  expect(homeserver.requests).toEqual([]);
  expect(await listAgents(ctx, TENANT)).toEqual([]);
  expect((await draft()).userId).toBe("@agent-writer-2:acme.test");
  await expect(publish(ctx, { tenantId: TENANT, agentId: id, revision: 1, by: ANN })).rejects.toMatchObject({
    code: "not_found",
  });
});

test("the user id follows the name until somebody has met it", async () => {
  const { ctx, draft, save } = await setting();
  const { id } = await draft({ name: "New agent" });
  expect((await save(id, 1, { name: "Planner" })).userId).toBe("@agent-planner:acme.test");
  await ctx.sql`insert into try_chats (id, tenant_id, agent_id, opened_by) values ('chat', ${TENANT}, ${id}, ${ANN})`;
  expect((await save(id, 2, { name: "Author" })).userId).toBe("@agent-planner:acme.test");
});

test("another tenant's agent is not there", async () => {
  const { ctx, draft } = await setting();
  const { id } = await draft();
  await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
  const theirs = { tenantId: "other", agentId: id, by: ANN };
  const ends = await Promise.allSettled([
    publish(ctx, { ...theirs, revision: 1 }),
    saveDraft(ctx, { ...theirs, revision: 1, definition: DEFINITION }),
    discardDraft(ctx, theirs),
    rollback(ctx, { ...theirs, version: 1 }),
    duplicateAgent(ctx, theirs),
  ]);
  for (const end of ends) expect(end).toMatchObject({ status: "rejected", reason: { code: "not_found" } });
});

test("copies get numbers and keep what the template said", async () => {
  const { ctx } = await setting();
  const template = { ...DEFINITION, instructions: "As the template has it." };
  const made = await createDraft(ctx, {
    tenantId: TENANT,
    definition: { ...DEFINITION, name: "👩‍🚀 Astrid" },
    templateId: "writer",
    templateDefinition: template,
    by: ANN,
  });
  const copy = (agentId: string) => duplicateAgent(ctx, { tenantId: TENANT, agentId, by: BOB });
  const second = await copy(made.id);
  expect(second).toMatchObject({
    name: "👩‍🚀 Astrid 2",
    state: "draft",
    templateId: "writer",
    templateDefinition: template,
  });
  expect((await copy(second.id)).name).toBe("👩‍🚀 Astrid 3");
  const names = await Promise.all([1, 2, 3].map(async () => (await copy(made.id)).name));
  expect(names.sort()).toEqual(["👩‍🚀 Astrid 4", "👩‍🚀 Astrid 5", "👩‍🚀 Astrid 6"]);
});

test("the copy of a long name is no longer than a name may be", async () => {
  const { ctx, draft } = await setting();
  const { id } = await draft({ name: "a".repeat(60) });
  const copy = await duplicateAgent(ctx, { tenantId: TENANT, agentId: id, by: ANN });
  expect(copy.name).toBe(`${"a".repeat(58)} 2`);
});

test("a picture of the tenant's own is an agent's face; another tenant's is not", async () => {
  const { ctx, homeserver, draft, out } = await setting();
  await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
  const theirs = await keepPicture(ctx, "other", pngOf(64, 64));
  await expect(draft({ avatar: { kind: "uploaded", id: theirs } })).rejects.toMatchObject({
    fields: { avatar: expect.stringContaining("Upload it again") },
  });
  const ours = await keepPicture(ctx, TENANT, pngOf(64, 64));
  expect(await keepPicture(ctx, TENANT, pngOf(64, 64))).toBe(ours);
  const { id } = await draft({ avatar: { kind: "uploaded", id: ours } });
  await out(id, 1);
  expect(homeserver.to(/\/upload$/)).toHaveLength(1);
});

const wrong: [what: string, wish: Partial<AgentDefinition>, field: string][] = [
  ["no name", { name: "" }, "name"],
  ["a name with a line break", { name: "a\nb" }, "name"],
  ["HTML is a name with what it may not have", { name: "<b>@x</b>" }, "name"],
  ["a name too long", { name: "a".repeat(61) }, "name"],
  ["a description too long", { description: "a".repeat(501) }, "description"],
  ["instructions too long", { instructions: "a".repeat(100_001) }, "instructions"],
  ["a model that is not there", { model: "nothing" }, "model"],
  ["a user id that is none", { whoMayInvite: { users: ["@ann:acme.test", "bob"] } }, "whoMayInvite"],
  ["a variable in capitals", { variables: { Tone: "x" } }, "variables.Tone"],
  ["a variable of nothing", { variables: { "": "x" } }, "variables."],
  ["a variable's name too long", { variables: { ["a".repeat(41)]: "x" } }, `variables.${"a".repeat(41)}`],
  ["a value too long", { variables: { tone: "x".repeat(2001) } }, "variables.tone"],
  [
    "too many variables",
    { variables: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`v${n}`, ""])) },
    "variables",
  ],
  ["a limit of 0", { limits: { tokensPerDay: 0 } }, "limits.tokensPerDay"],
  ["a limit below 0", { limits: { maxAnswerTokens: -5 } }, "limits.maxAnswerTokens"],
  ["half a token", { limits: { maxAnswerTokens: 1.5 } }, "limits.maxAnswerTokens"],
];

test.each(wrong)("%s is refused where it is saved, by its field", async (_what, wish, field) => {
  const { ctx, save, draft } = await setting();
  const { id } = await draft();
  const error = await save(id, 1, wish).catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(DefinitionError);
  expect(Object.keys((error as DefinitionError).fields)).toEqual([field]);
  expect((error as DefinitionError).message).toMatch(/\.$/);
  expect((await getAgent(ctx, TENANT, id)).draftRevision).toBe(1);
});

test("a draft may be unfinished; published it may not", async () => {
  const { draft, save, out } = await setting();
  const { id } = await draft({ instructions: "" });
  await expect(out(id, 1)).rejects.toMatchObject({ fields: { instructions: expect.stringContaining("Say in") } });
  await save(id, 1, { instructions: "<script>alert('🦊')</script>" });
  expect(await out(id, 2)).toMatchObject({ state: "active" });
});
