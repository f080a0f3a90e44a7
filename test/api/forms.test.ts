import { expect, test } from "vitest";
import { doForm } from "../../bots/forms/model-runs.ts";
import { addModel } from "../../bots/models.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { ALICE, BOB, CONTROL, makeTenant, ROOM, TENANT, WRITER } from "../bots/tenant.ts";
import { OFFER } from "../forms/offer.ts";
import { startModelServer } from "../harness/model-server.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";
import { KNOWN } from "./known-routes.ts";

const F = `/clients/${TENANT}/forms`;

async function setting() {
  const ctx = await testContext();
  await makeTenant(ctx, { rooms: [{ id: ROOM, members: [CONTROL, ALICE, WRITER] }] });
  const api = apiFor(ctx);
  const manager = await api.person(TENANT, "manager", ALICE);
  const member = await api.person(TENANT, "member", BOB);
  return { ctx, api, manager, member };
}

async function withForm() {
  const made = await setting();
  const draft = await made.manager("POST", F, { definition: OFFER });
  const form = await made.manager("POST", `${F}/${draft.json.id}/publish`, { revision: 1, note: "First" });
  return { ...made, id: form.json.id as string, form: form.json };
}

test("a form is written, corrected, published, set back, paused and removed; each change is in the log", async () => {
  const { ctx, manager } = await setting();
  const key = { "idempotency-key": "k" };
  const made = await manager("POST", F, { definition: { name: "offer" } }, key);
  expect(made).toMatchObject({
    status: 201,
    json: { name: "offer", title: "offer", state: "draft", version: null, revision: 1 },
  });
  expect((await manager("POST", F, { definition: { name: "offer" } }, key)).json.id).toBe(made.json.id);
  const one = `${F}/${made.json.id}`;
  expect(made.json.problems.map(({ path }: { path: string }) => path)).toEqual(["title", "input", "prompt"]);
  expect(await manager("POST", `${one}/publish`, { revision: 1 })).toMatchObject({
    status: 400,
    json: {
      errors: [
        { path: "title", message: expect.any(String) },
        { path: "input", message: expect.any(String) },
        { path: "prompt", message: expect.any(String) },
      ],
    },
  });
  expect((await manager("PUT", `${one}/draft`, { revision: 1, definition: OFFER })).json).toMatchObject({
    revision: 2,
    problems: [],
  });
  const late = await manager("PUT", `${one}/draft`, { revision: 1, definition: OFFER });
  expect(late).toMatchObject({
    status: 409,
    json: { current: { revision: 2, by: ALICE, definition: { title: "Offer" } } },
  });
  const first = await manager("POST", `${one}/publish`, { revision: 2, note: "First" });
  expect(first.json).toMatchObject({ state: "active", version: 1, draft: null, definition: { name: "offer" } });
  expect(Object.keys(first.json.input.properties)).toHaveLength(5);
  await manager("PUT", `${one}/draft`, { revision: 2, definition: { ...OFFER, title: "Other" } });
  expect((await manager("POST", `${one}/publish`, { revision: 3 })).json).toMatchObject({ version: 2, title: "Other" });
  expect((await manager("POST", `${one}/versions/1/rollback`)).json).toMatchObject({ version: 3, title: "Offer" });
  expect((await manager("GET", `${one}/versions?limit=2`)).json).toMatchObject({
    items: [{ version: 3 }, { version: 2 }],
    next: expect.any(String),
  });
  expect((await manager("GET", `${one}/versions/2`)).json.definition.title).toBe("Other");
  expect((await manager("POST", `${one}/pause`)).json.state).toBe("paused");
  expect((await manager("POST", `${one}/resume`)).json.state).toBe("active");
  await manager("PUT", `${one}/draft`, { revision: 3, definition: OFFER });
  expect((await manager("DELETE", `${one}/draft?revision=4`)).json.draft).toBeNull();
  expect((await manager("DELETE", one)).status).toBe(204);
  expect((await manager("GET", one)).status).toBe(404);
  const lines = await ctx.sql<
    { action: string }[]
  >`select distinct action from audit where target_kind = 'form' and outcome = 'done'`;
  expect(lines.map(({ action }) => action).sort()).toEqual(
    ["create", "discard_draft", "pause", "publish", "remove", "resume", "rollback", "save_draft"].map(
      (verb) => `forms.${verb}`,
    ),
  );
});

test("bad input is refused field by field", async () => {
  const { manager, id } = await withForm();
  const cases: [object, string][] = [
    [{ name: "No Capitals" }, "definition.name"],
    [{ name: "help" }, "definition.name"],
    [{ title: "x".repeat(150) }, "definition.title"],
    [{ description: "x".repeat(1500) }, "definition.description"],
    [{ input: "x" }, "definition.input"],
    [{ input: { type: "object", properties: { a: { type: "object" } } } }, "definition.input"],
    [{ input: { type: "object", properties: [] } }, "definition.input"],
    [{ prompt: 3 }, "definition.prompt"],
    [{ agent: "nobody" }, "definition.agent"],
    [{ model: "no-such" }, "definition.model"],
    [{ output: { type: "object", properties: {} } }, "definition.output"],
  ];
  for (const [wish, path] of cases) {
    const answer = await manager("PUT", `${F}/${id}/draft`, { revision: 1, definition: { ...OFFER, ...wish } });
    expect([path, answer.status, answer.json.errors?.map((one: { path: string }) => one.path)]).toEqual([
      path,
      400,
      [path],
    ]);
  }
  const deep = `{"revision":1,"definition":${JSON.stringify({ ...OFFER, input: 0 }).replace('"input":0', `"input":{"type":"object","a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`)}}`;
  expect((await manager("PUT", `${F}/${id}/draft`, deep)).status).toBe(400);
  const nested = `{"values":{"customer":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`;
  expect((await manager("POST", `${F}/${id}/runs`, nested)).status).toBe(400);
  expect((await manager("GET", `${F}?cursor=x`)).status).toBe(400);
  expect((await manager("GET", `${F}/${id}/versions/x`)).status).toBe(404);
  expect((await manager("POST", F, { definition: OFFER })).status).toBe(409);
});

test("members fill in what is active, see their own results and nobody else's", async () => {
  const { ctx, manager, member, id } = await withForm();
  await manager("POST", F, { definition: { name: "unfinished" } });
  expect((await member("GET", F)).json.items).toMatchObject([{ name: "offer", hasDraft: null, model: null }]);
  expect((await member("GET", `${F}/unfinished`)).status).toBe(404);
  expect((await member("GET", `${F}/offer`)).json).toMatchObject({
    definition: null,
    versions: [],
    input: { type: "object" },
  });
  const wrong = await member("POST", `${F}/${id}/runs`, { values: { amount: "many", colour: 1 } });
  expect(wrong).toMatchObject({ status: 400, json: { errors: [{ path: "values.colour" }] } });
  const missing = await member("POST", `${F}/${id}/runs`, { values: { amount: "many" } });
  expect(missing.json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
    "values.amount",
    "values.customer",
  ]);
  const model = await startModelServer();
  await addModel(ctx, {
    tenantId: null,
    name: "m",
    provider: "openai-compatible",
    baseUrl: `${model.url}/v1`,
    model: "m",
    isDefault: true,
  });
  const key = { "idempotency-key": "fill" };
  const body = { values: { customer: "[[text Good]] #a", amount: 3 } };
  const filled = await member("POST", `${F}/${id}/runs`, body, key);
  expect(filled).toMatchObject({ status: 201, json: { state: "queued", via: "panel", by: BOB, result: null } });
  expect((await member("POST", `${F}/${id}/runs`, body, key)).json.id).toBe(filled.json.id);
  await doForm(ctx, filled.json.id, new AbortController().signal);
  await model.stop();
  const run = `${F}/${id}/runs/${filled.json.id}`;
  expect((await member("GET", run)).json).toMatchObject({ state: "done", result: "Good" });
  expect((await manager("GET", run)).json.result).toBe("Good");
  await manager("POST", `${F}/${id}/runs`, { values: { customer: "A", amount: 3 } });
  expect((await member("GET", `${F}/${id}/runs`)).json.items).toHaveLength(1);
  const page = await manager("GET", `${F}/${id}/runs?limit=1`);
  expect(page.json.items).toHaveLength(1);
  expect((await manager("GET", `${F}/${id}/runs?limit=1&cursor=${page.json.next}`)).json).toMatchObject({
    items: [{ id: filled.json.id }],
    next: null,
  });
  const mine = (await manager("GET", `${F}/${id}/runs`)).json.items[0].id;
  expect((await member("GET", `${F}/${id}/runs/${mine}`)).status).toBe(404);
  await manager("POST", `${F}/${id}/pause`);
  expect((await member("GET", `${F}/${id}`)).status).toBe(404);
  expect((await member("POST", `${F}/${id}/runs`, body)).status).toBe(409);
});

test("what is being worked on is stopped by who filled it in and by managers, once, and it is in the log", async () => {
  const { ctx, api, manager, member, id } = await withForm();
  const auditor = await api.person(TENANT, "auditor", "@carol:acme.test");
  const body = { values: { customer: "A", amount: 3 } };
  const [mine, others] = [
    (await member("POST", `${F}/${id}/runs`, body)).json.id,
    (await manager("POST", `${F}/${id}/runs`, body)).json.id,
  ];
  expect((await member("POST", `${F}/${id}/runs/${others}/stop`)).status).toBe(404);
  expect((await auditor("POST", `${F}/${id}/runs/${mine}/stop`)).status).toBe(404);
  for (const run of [mine, others])
    expect(await manager("POST", `${F}/${id}/runs/${run}/stop`)).toMatchObject({ json: { stopping: true } });
  expect(await member("POST", `${F}/${id}/runs/${mine}/stop`)).toMatchObject({ json: { stopping: true } });
  for (const run of [mine, others]) await doForm(ctx, run, new AbortController().signal);
  expect((await member("GET", `${F}/${id}/runs/${mine}`)).json).toMatchObject({
    state: "stopped",
    error: "It was stopped by alice.",
  });
  expect(await member("POST", `${F}/${id}/runs/${mine}/stop`)).toMatchObject({ status: 409 });
  const lines = await ctx.sql`select actor_id from audit where action = 'forms.stop' and outcome = 'done' order by seq`;
  expect(lines.map(({ actor_id }) => actor_id)).toEqual([ALICE, ALICE, BOB]);
});

test("a result goes to a room of one's own; a draft is tried by those who may write it", async () => {
  const { manager, member, id } = await withForm();
  const values = { customer: "A", amount: 3 };
  expect((await member("POST", `${F}/${id}/runs`, { values, room: ROOM })).status).toBe(403);
  expect((await manager("POST", `${F}/${id}/runs`, { values, room: ROOM })).json).toMatchObject({
    via: "link",
    roomId: ROOM,
  });
  expect((await member("POST", `${F}/${id}/runs`, { values, draft: true })).status).toBe(403);
  await manager("PUT", `${F}/${id}/draft`, { revision: 1, definition: { ...OFFER, title: "Tried" } });
  expect((await manager("POST", `${F}/${id}/runs`, { values, draft: true })).json).toMatchObject({
    via: "try",
    title: "Tried",
  });
});

test("a link to it is posted in a room, once", async () => {
  const { ctx, manager, id } = await withForm();
  const key = { "idempotency-key": "link" };
  for (let n = 0; n < 2; n++) expect((await manager("POST", `${F}/${id}/link`, { room: ROOM }, key)).status).toBe(204);
  const [action, more] = await ctx.sql<{ payload: { text: string; as: string } }[]>`select payload from actions`;
  expect(more).toBeUndefined();
  expect(action?.payload.text).toMatch(new RegExp(`/panel/c/${TENANT}/forms/${id}\\?room=!room%3Aacme.test\\)`));
  expect(action?.payload.as).toBe(CONTROL);
  expect((await manager("POST", `${F}/${id}/link`, { room: "!none:acme.test" })).status).toBe(404);
});

test("strangers and people of other clients get nowhere", async () => {
  const { ctx, api, id } = await withForm();
  await createTenant(ctx, { id: "other", serverName: "other.test", driver: "external", url: "http://127.0.0.1:9" });
  const other = await api.person("other", "owner");
  for (const route of Object.keys(KNOWN).filter((line) => /\/forms(\/|$)/.test(line))) {
    const [method = "", path = ""] = route.split(" ");
    const address = path
      .replace("{client}", TENANT)
      .replace("{form}", id)
      .replace("{version}", "1")
      .replace("{run}", "x");
    const body = method === "GET" || method === "DELETE" ? undefined : {};
    expect([route, (await api.stranger(method, address, body)).status]).toEqual([route, 401]);
    expect([route, (await other(method, address, body)).status]).toEqual([route, 404]);
  }
});
