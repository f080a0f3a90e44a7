import { expect, test } from "vitest";
import { createAgent } from "../../bots/agents.ts";
import { eraseOld } from "../../bots/retention.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { ok, scriptedHomeserver } from "../bots/homeserver.ts";
import { jpegOf, pngOf } from "../bots/pictures.ts";
import { ALICE, BOB, DEFINITION, makeRoom, ROOM, SERVER, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

const AGENTS = `/clients/${TENANT}/agents`;

async function setting() {
  const ctx = await testContext();
  const homeserver = await scriptedHomeserver();
  await createTenant(ctx, { id: TENANT, serverName: SERVER, driver: "external", url: homeserver.url });
  const api = apiFor(ctx);
  const manager = await api.person(TENANT, "manager");
  return { ctx, homeserver, api, manager };
}

const audits = async (ctx: Awaited<ReturnType<typeof setting>>["ctx"]) =>
  await ctx.sql<{ action: string; name: string; before: unknown; after: Record<string, unknown>; outcome: string }[]>`
    select action, target_name as name, before, after, outcome from audit order by seq`;

test("from blank to published, changed, rolled back, paused, copied and removed", async () => {
  const { ctx, manager } = await setting();
  const made = await manager("POST", AGENTS, { definition: { name: "Writer" } });
  expect(made).toMatchObject({ status: 201, json: { name: "Writer", state: "draft", version: null, revision: 1 } });
  expect(made.json.problems).toEqual([{ path: "instructions", message: expect.stringContaining("Say in the") }]);
  const one = `${AGENTS}/${made.json.id}`;
  const definition = { ...made.json.draft, instructions: "Be {{mood}}." };
  const saved = await manager("PUT", `${one}/draft`, { definition, revision: 1 });
  expect(saved).toMatchObject({ status: 200, json: { revision: 2, unknownVariables: ["mood"], problems: [] } });
  expect(saved.json.warnings[0]).toContain("{{mood}}");
  const published = await manager("POST", `${one}/publish`, { revision: 2, note: "First" });
  expect(published).toMatchObject({ status: 200, json: { state: "active", version: 1, draft: null } });
  await manager("PUT", `${one}/draft`, { definition: { ...definition, name: "Author" }, revision: 2 });
  expect((await manager("POST", `${one}/publish`, { revision: 3 })).json).toMatchObject({ name: "Author", version: 2 });
  const versions = await manager("GET", `${one}/versions?limit=1`);
  expect(versions.json).toMatchObject({ items: [{ version: 2, by: manager.id }], next: expect.any(String) });
  const older = await manager("GET", `${one}/versions?limit=1&cursor=${versions.json.next}`);
  expect(older.json).toMatchObject({ items: [{ version: 1, note: "First" }], next: null });
  expect((await manager("GET", `${one}/versions/1`)).json.definition.name).toBe("Writer");
  expect((await manager("POST", `${one}/versions/1/rollback`)).json).toMatchObject({ name: "Writer", version: 3 });
  expect((await manager("POST", `${one}/pause`)).json.state).toBe("paused");
  expect((await manager("POST", `${one}/resume`)).json.state).toBe("active");
  expect(await manager("POST", `${one}/duplicate`)).toMatchObject({ status: 201, json: { name: "Writer 2" } });
  expect((await manager("DELETE", one)).status).toBe(204);
  expect((await manager("GET", one)).status).toBe(404);
  expect((await audits(ctx)).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    "agents.create done",
    "agents.save_draft done",
    "agents.publish done",
    "agents.save_draft done",
    "agents.publish done",
    "agents.rollback done",
    "agents.pause done",
    "agents.resume done",
    "agents.duplicate done",
    "agents.remove done",
  ]);
  expect((await audits(ctx))[1]).toMatchObject({
    name: "Writer",
    before: { instructions: "" },
    after: { instructions: "Be {{mood}}." },
  });
});

test("from a template, twice: the second gets a number, and both know what the template said", async () => {
  const { ctx, manager } = await setting();
  const first = await manager("POST", AGENTS, { template: "writer" });
  expect(first).toMatchObject({ status: 201, json: { templateId: "writer", problems: [] } });
  expect((await manager("POST", AGENTS, { template: "writer" })).json.name).toBe(`${first.json.name} 2`);
  const named = await manager("POST", AGENTS, { template: "writer", definition: { name: first.json.name } });
  expect(named).toMatchObject({ status: 409, json: { code: "conflict" } });
  const rows = await ctx.sql`select template_definition->>'instructions' is not null as known from agents`;
  expect(rows).toEqual([{ known: true }, { known: true }]);
  expect((await manager("POST", AGENTS, { template: "nothing" })).status).toBe(404);
});

test("the same creation sent twice with its key makes one", async () => {
  const { ctx, manager } = await setting();
  const key = { "idempotency-key": "abcdefgh-1" };
  const [one, two] = [
    await manager("POST", AGENTS, { template: "writer" }, key),
    await manager("POST", AGENTS, { template: "writer" }, key),
  ];
  expect(two.json.id).toBe(one.json.id);
  expect(await ctx.sql`select 1 from agents`).toHaveLength(1);
});

test("two managers save the same agent: the second gets 409 with the other's draft", async () => {
  const { api, manager } = await setting();
  const owner = await api.person(TENANT, "owner");
  const { json } = await manager("POST", AGENTS, { template: "writer" });
  const path = `${AGENTS}/${json.id}/draft`;
  await owner("PUT", path, { definition: { ...json.draft, instructions: "The owner's." }, revision: 1 });
  const refused = await manager("PUT", path, { definition: { ...json.draft, instructions: "Mine." }, revision: 1 });
  expect(refused).toMatchObject({
    status: 409,
    json: {
      current: { revision: 2, by: owner.id, definition: { instructions: "The owner's." }, at: expect.any(String) },
    },
  });
  const discarded = await manager("DELETE", path);
  expect(discarded.json.detail).toContain("its draft is all there is");
});

test("what is wrong comes back by field", async () => {
  const { manager } = await setting();
  const { json } = await manager("POST", AGENTS, { template: "writer" });
  const definition = { ...json.draft, model: "none", variables: { Tone: "x" }, limits: { tokensPerDay: 0 } };
  const save = (wish: unknown) => manager("PUT", `${AGENTS}/${json.id}/draft`, { definition: wish, revision: 1 });
  const zero = await save(definition);
  expect(zero).toMatchObject({ status: 400, json: { errors: [{ path: "definition.limits.tokensPerDay" }] } });
  const name = await save({ ...definition, limits: {} });
  expect(name.json.errors).toEqual([
    { path: "definition.variables.Tone", message: expect.stringContaining("small letters") },
  ]);
  const model = await save({ ...definition, limits: {}, variables: {} });
  expect(model.json.errors).toEqual([{ path: "definition.model", message: expect.stringContaining("no model named") }]);
  for (const wish of [
    null,
    "x",
    [],
    { name: 5 },
    { ...definition, scope: "king" },
    { ...definition, name: "a\u0000b" },
  ])
    expect((await save(wish)).status).toBe(400);
  expect((await manager("POST", AGENTS, {})).json.errors[0].path).toBe("definition.name");
});

test("pages go on by name, with filters, whatever letters the names have", async () => {
  const { ctx, manager } = await setting();
  for (const name of ["Émile", "anna", "Zoe", "👩‍🚀 Astrid", "作家", "Bob_100%"])
    await manager("POST", AGENTS, { definition: { name } });
  await createAgent(ctx, { tenantId: TENANT, definition: { ...DEFINITION, name: "Published" } });
  const names: string[] = [];
  for (let next: string | null = ""; next !== null; ) {
    const page = await manager("GET", `${AGENTS}?limit=2${next ? `&cursor=${next}` : ""}`);
    names.push(...page.json.items.map((item: { name: string }) => item.name));
    next = page.json.next;
  }
  expect(names.sort()).toEqual(["Bob_100%", "Published", "Zoe", "anna", "Émile", "作家", "👩‍🚀 Astrid"].sort());
  const found = async (query: string) =>
    (await manager("GET", `${AGENTS}?${query}`)).json.items.map((item: { name: string }) => item.name);
  expect(await found("q=0%25")).toEqual(["Bob_100%"]);
  expect(await found("q=ÉMI")).toEqual(["Émile"]);
  expect(await found("state=active")).toEqual(["Published"]);
  expect(await found("template=writer")).toEqual([]);
  expect((await manager("GET", `${AGENTS}?cursor=nonsense`)).status).toBe(400);
  expect((await manager("GET", `${AGENTS}?limit=201`)).status).toBe(400);
});

test("the gallery counts rooms, runs and what people thought, and says which model would answer", async () => {
  const { ctx, manager } = await setting();
  await ctx.sql`insert into models (id, name, provider, model, abilities, is_default) values ('m', 'usual', 'openai', 'x', '{}', true)`;
  const agent = await createAgent(ctx, { tenantId: TENANT, definition: DEFINITION });
  await makeRoom(ctx, { id: ROOM, members: [ALICE, agent.userId], state: { name: "Campaigns" } });
  await makeRoom(ctx, { id: "!space:acme.test", members: [agent.userId], kind: "space" });
  const run = async (id: string, days: number, source = "room") => {
    await ctx.sql`insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id)
      values (${id}, ${TENANT}, ${ROOM}, ${agent.id}, ${id}, ${id})`;
    await ctx.sql`insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, asked_by, source, created_at)
      values (${id}, ${TENANT}, ${agent.id}, 1, ${id}, ${ROOM}, ${id}, ${id}, ${ALICE}, ${source}, now() - make_interval(days => ${days}))`;
  };
  await run("new", 1);
  await run("tried", 1, "try");
  await run("old", 40);
  for (const [reaction, user, value] of [
    ["$1", ALICE, 1],
    ["$2", BOB, -1],
    ["$3", "@carol:acme.test", 1],
  ] as const)
    await ctx.sql`insert into feedback (tenant_id, reaction_event, run_id, user_id, value)
      values (${TENANT}, ${reaction}, 'new', ${user}, ${value})`;
  // As rows from before are: the sweep names their agent.
  await eraseOld(ctx);
  const { items } = (await manager("GET", AGENTS)).json;
  expect(items).toMatchObject([
    { rooms: 1, runs: 1, up: 2, down: 1, model: null, answeredBy: "usual", hasDraft: false },
  ]);
  const one = `${AGENTS}/${agent.id}`;
  const rooms = (await manager("GET", `${one}/rooms`)).json.items;
  expect(rooms).toMatchObject([
    { roomId: ROOM, name: "Campaigns", scope: "member", ownScope: false, membership: "join" },
    { kind: "space" },
  ]);
  const first = (await manager("GET", `${one}/feedback?limit=2`)).json;
  const rest = (await manager("GET", `${one}/feedback?limit=2&cursor=${first.next}`)).json;
  expect([...first.items, ...rest.items].map(({ id }: { id: string }) => id).sort()).toEqual(["$1", "$2", "$3"]);
  expect(rest.next).toBeNull();
  expect(first.items[0]).toMatchObject({ run: "new", roomId: ROOM, at: expect.stringMatching(/Z$/) });
  const far = Buffer.from(JSON.stringify([1e300, "x"])).toString("base64url");
  expect((await manager("GET", `${one}/feedback?cursor=${far}`)).status).toBe(200);
});

test("members see name, face and state of what is published, and nothing of how it is made", async () => {
  const { ctx, api, manager } = await setting();
  const agent = await createAgent(ctx, {
    tenantId: TENANT,
    definition: { ...DEFINITION, instructions: "Secret sauce." },
  });
  const draft = await manager("POST", AGENTS, { definition: { name: "Unfinished" } });
  const member = await api.person(TENANT, "member");
  const list = await member("GET", AGENTS);
  expect(list.json.items).toEqual([
    expect.objectContaining({ name: "Writer", description: "Writes.", state: "active", userId: agent.userId }),
  ]);
  const one = await member("GET", `${AGENTS}/${agent.id}`);
  expect(one.status).toBe(200);
  expect(JSON.stringify([list.json, one.json])).not.toContain("Secret sauce");
  expect(one.json).toMatchObject({ definition: null, draft: null, versions: [], model: null });
  expect((await member("GET", `${AGENTS}/${draft.json.id}`)).status).toBe(404);
  expect((await member("GET", `${AGENTS}/${agent.id}/export`)).status).toBe(403);
  expect((await member("GET", `${AGENTS}/${agent.id}/versions`)).status).toBe(403);
  expect((await member("PUT", `${AGENTS}/${agent.id}/draft`, {})).status).toBe(403);
  const auditor = await api.person(TENANT, "auditor");
  expect((await auditor("GET", `${AGENTS}/${agent.id}`)).json.definition.instructions).toBe("Secret sauce.");
  expect((await auditor("POST", `${AGENTS}/${agent.id}/pause`)).status).toBe(403);
});

test("a face is a picture that browsers may keep, and another one after it was changed", async () => {
  const { ctx, api, manager } = await setting();
  const agent = await createAgent(ctx, { tenantId: TENANT, definition: DEFINITION });
  const address = `/api/v1${AGENTS}/${agent.id}/avatar`;
  const member = await api.person(TENANT, "member");
  const face = (headers: Record<string, string> = {}, at = address) =>
    api.app.request(at, member.init("GET", undefined, headers));
  const drawn = await face();
  expect(drawn.status).toBe(200);
  expect(Object.fromEntries(drawn.headers)).toMatchObject({
    "content-type": "image/png",
    "cache-control": "private, max-age=60",
    "x-content-type-options": "nosniff",
  });
  const etag = drawn.headers.get("etag") ?? "";
  expect((await face({ "if-none-match": etag })).status).toBe(304);
  const item = (await manager("GET", `${AGENTS}/${agent.id}`)).json;
  expect(etag).toBe(`"${item.face}"`);
  const uploaded = await manager("POST", `/clients/${TENANT}/avatars`, { data: jpegOf(64, 64).toString("base64") });
  expect(uploaded).toMatchObject({ status: 201, json: { id: expect.any(String) } });
  const avatar = { kind: "uploaded", id: uploaded.json.id };
  await manager("PUT", `${AGENTS}/${agent.id}/draft`, { definition: { ...DEFINITION, avatar }, revision: 0 });
  expect((await face({ "if-none-match": etag }, `${address}?of=draft`)).status).toBe(304);
  const forManager = await api.app.request(`${address}?of=draft`, manager.init("GET"));
  expect(forManager.headers.get("content-type")).toBe("image/jpeg");
  expect(Buffer.from(await forManager.arrayBuffer())).toEqual(jpegOf(64, 64));
  const preview = await manager("GET", `/clients/${TENANT}/avatars/${uploaded.json.id}`);
  expect(preview.status).toBe(200);
  expect((await manager("GET", `/clients/${TENANT}/avatars/other`)).status).toBe(404);
  const seeded = await api.app.request(`/api/v1/clients/${TENANT}/faces?seed=nice`, manager.init("GET"));
  expect(seeded.headers.get("content-type")).toBe("image/png");
});

test("what is no picture is not taken", async () => {
  const { manager } = await setting();
  const upload = (data: unknown) => manager("POST", `/clients/${TENANT}/avatars`, { data });
  for (const data of [
    Buffer.from("<svg onload=alert(1)>").toString("base64"),
    "not base64!",
    "",
    5,
    Buffer.concat([pngOf(4, 4), Buffer.alloc(1_000_000)]).toString("base64"),
  ])
    expect((await upload(data)).status).toBe(400);
  expect((await upload("A".repeat(1_500_000))).status).toBe(413);
});

test("out as a file and in again", async () => {
  const { api, manager } = await setting();
  const made = await manager("POST", AGENTS, { template: "writer", definition: { description: "Äöü 🦊" } });
  const response = await api.app.request(`/api/v1${AGENTS}/${made.json.id}/export`, manager.init("GET"));
  expect(response.headers.get("content-disposition")).toContain("attachment");
  const file = await response.text();
  const again = await manager("POST", `${AGENTS}/import`, { file });
  expect(again).toMatchObject({ status: 201, json: { agent: { name: `${made.json.name} 2`, description: "Äöü 🦊" } } });
  expect(again.json.remarks).toHaveLength(1);
  const web = await manager("POST", `${AGENTS}/import`, { file: "<html>" });
  expect(web).toMatchObject({ status: 400, json: { detail: expect.stringContaining("no JSON") } });
  const large = await manager("POST", `${AGENTS}/import`, { file: "x".repeat(2_500_000) });
  expect(large).toMatchObject({ status: 400, json: { detail: expect.stringContaining("more than 2 MB") } });
});

test("published while the homeserver is down: the answer says that it will be completed, the log that it was said", async () => {
  const { ctx, homeserver, manager } = await setting();
  const { json } = await manager("POST", AGENTS, { template: "writer" });
  homeserver.answer = () => ({ status: 502, body: {} });
  const failed = await manager("POST", `${AGENTS}/${json.id}/publish`, { revision: 1 });
  expect(failed).toMatchObject({ status: 502, json: { detail: expect.stringContaining("is completed as soon as") } });
  expect((await manager("GET", `${AGENTS}/${json.id}`)).json).toMatchObject({ state: "creating", version: 1 });
  expect((await audits(ctx)).at(-1)).toMatchObject({ action: "agents.publish", outcome: "failed" });
  homeserver.answer = () => ok({});
  const again = await manager("POST", `${AGENTS}/${json.id}/publish`, { revision: 1 });
  expect(again).toMatchObject({ status: 200, json: { state: "active", version: 1 } });
});

test("another client's agents are not there, whoever asks for them by which address", async () => {
  const { ctx, api, manager } = await setting();
  await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
  const theirs = await (await api.person("other", "owner"))("POST", "/clients/other/agents", { template: "writer" });
  const id: string = theirs.json.id;
  expect((await manager("GET", "/clients/other/agents")).status).toBe(404);
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["POST", "/duplicate"],
    ["GET", "/export"],
    ["GET", "/avatar"],
    ["GET", "/feedback"],
    ["GET", "/rooms"],
    ["POST", "/versions/1/rollback"],
  ] as const)
    expect((await manager(method, `${AGENTS}/${id}${path}`)).status).toBe(404);
  const operator = await api.operator();
  expect((await operator("GET", `/clients/other/agents/${id}`)).json.draftBy).toBe("@owner:other.test");
  expect((await operator("GET", "/clients/nobody/agents")).status).toBe(404);
});
