import { expect, test } from "vitest";
import type { Context } from "../../core/context.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { ALICE, CONTROL, makeTenant, ROOM, TENANT, WRITER } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

const HOME = `/clients/${TENANT}/home`;

async function setting(rooms?: { id: string; members: string[] }[]) {
  const ctx = await testContext();
  await makeTenant(ctx, rooms ? { rooms } : {});
  await ctx.sql`update tenants set state = 'running', driver = 'process'`;
  await ctx.sql`insert into models (id, name, provider, model, abilities) values ('m', 'm', 'openai', 'm', '{}')`;
  return { ctx, api: apiFor(ctx) };
}

async function run(ctx: Context, id: string, wish: { state?: string; by?: string; agoMinutes?: number } = {}) {
  const { state = "done", by = ALICE, agoMinutes = 0 } = wish;
  await ctx.sql`insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id)
    values (${id}, ${TENANT}, ${ROOM}, 'writer', ${`$${id}`}, ${id})`;
  await ctx.sql`insert into runs (id, tenant_id, agent_id, agent_version, answer_id, room_id, question_event, trigger_event, asked_by, state, created_at)
    values (${id}, ${TENANT}, 'writer', 1, ${id}, ${ROOM}, ${`$${id}`}, ${`$${id}`}, ${by}, ${state}, now() - make_interval(mins => ${agoMinutes}))`;
}

const kinds = (answer: { json: { attention: { kind: string }[] } }) => answer.json.attention.map(({ kind }) => kind);

test("an operator sees what needs a look over all clients, each line with the page where it is mended", async () => {
  const { ctx, api } = await setting();
  const operator = await api.operator("root");
  expect(kinds(await operator("GET", "/home"))).toEqual(["no_second_factor"]);

  const { ctx: busy, api: busyApi } = await setting();
  await busy.sql`update tenants set state = 'crash_loop', state_detail = 'It died five times.', created_at = now() - interval '9 days',
    limits = '{"tokensPerDay": 1000}'`;
  await busy.sql`insert into token_days (tenant_id, day, used) values (${TENANT}, (now() at time zone 'UTC')::date, 955)`;
  for (const [id, agoMinutes] of [
    ["a", 1],
    ["b", 30],
    ["old", 61],
  ] as const)
    await run(busy, id, { state: "failed", agoMinutes });
  const seen = await (await busyApi.operator("root"))("GET", "/home");
  const line = { client: { id: TENANT, title: TENANT } };
  expect(seen.json.attention).toMatchObject([
    { ...line, kind: "client_down", text: "It died five times.", names: ["crash_loop"], link: "/c/acme/homeserver" },
    { ...line, kind: "failed_runs", count: 2, link: "/c/acme/runs?state=failed" },
    { ...line, kind: "token_cap", count: 95, link: "/c/acme/usage" },
    { ...line, kind: "backup_none", link: "/c/acme/homeserver" },
    { kind: "no_second_factor", count: 1, names: ["root"], link: "/operators" },
  ]);
  expect(seen.json.today).toMatchObject({ tokens: 955, answers: 0 });
  await ctx.close();
});

test("an operator is told that no model is set up for a client that has none of its own", async () => {
  const { ctx } = await setting();
  const missing = async () => {
    const { json } = await (await apiFor({ ...ctx }).operator())("GET", "/home");
    return json.attention.find(({ kind }: { kind: string }) => kind === "no_model");
  };
  expect(await missing()).toBeUndefined();
  await ctx.sql`delete from models`;
  expect(await missing()).toMatchObject({ client: null, link: "/models" });
  await ctx.sql`insert into models (id, tenant_id, name, provider, model, abilities) values ('own', ${TENANT}, 'm', 'openai', 'm', '{}')`;
  expect(await missing()).toBeUndefined();
  await createTenant(ctx, { id: "zoo", serverName: "zoo.test", driver: "external", url: "http://127.0.0.1:9" });
  expect(await missing()).toMatchObject({ link: "/models" });
});

test("an operator sees the first few clients, those that need a look before the others, and on a fresh platform where to begin", async () => {
  const { ctx } = await setting();
  const home = async () => (await (await apiFor({ ...ctx }).operator())("GET", "/home")).json;
  expect(await home()).toMatchObject({
    clients: [{ id: TENANT, state: "running", needsLook: false, people: 0, agents: 2 }],
    fresh: null,
  });
  for (const id of ["a", "b", "c", "d", "e", "zoo"])
    await createTenant(ctx, { id, serverName: `${id}.test`, driver: "external", url: "http://127.0.0.1:9" });
  await ctx.sql`update tenants set state = 'failed' where id = 'zoo'`;
  const { clients } = await home();
  expect(clients).toHaveLength(6);
  expect(clients[0]).toMatchObject({ id: "zoo", needsLook: true });

  await ctx.sql`delete from tenants`;
  expect((await home()).fresh).toEqual({ demo: null });
  await createTenant(ctx, { id: "demo", serverName: "demo.test", driver: "external", url: "http://127.0.0.1:9" });
  expect((await home()).fresh).toEqual({ demo: "demo" });
});

test("a platform on which somebody was answered is not fresh any more", async () => {
  const { ctx } = await setting();
  await run(ctx, "answered");
  await createTenant(ctx, { id: "demo", serverName: "demo.test", driver: "external", url: "http://127.0.0.1:9" });
  for (const table of ["runs", "answers", "agents"] as const)
    await ctx.sql`update ${ctx.sql(table)} set tenant_id = 'demo'`;
  await ctx.sql`delete from tenants where id = ${TENANT}`;
  expect((await (await apiFor(ctx).operator())("GET", "/home")).json).toMatchObject({
    fresh: null,
    clients: [{ id: "demo" }],
  });
});

test("backups: failed, older than a week, or fine", async () => {
  const { ctx, api } = await setting();
  const operator = await api.operator();
  const look = async () => {
    await ctx.sql`update tenants set created_at = now() - interval '30 days'`;
    // Figures are kept for a moment; another context asks anew.
    const fresh = apiFor({ ...ctx });
    return (await (await fresh.operator())("GET", "/home")).json.attention.filter(({ kind }: { kind: string }) =>
      kind.startsWith("backup"),
    );
  };
  const backup = (id: string, state: string, days: number) => ctx.sql`
    insert into tenant_backups (id, tenant_id, state, error, requested_by, created_at, finished_at) values (${id}, ${TENANT}, ${state},
      ${state === "failed" ? "The disk is full." : null}, 'x', now() - make_interval(days => ${days}), now() - make_interval(days => ${days}))`;
  await backup("1", "done", 8);
  expect(await look()).toMatchObject([{ kind: "backup_old", at: expect.stringMatching(/^\d{4}/) }]);
  await backup("2", "done", 1);
  expect(await look()).toEqual([]);
  await backup("3", "failed", 0);
  expect(await look()).toMatchObject([{ kind: "backup_failed", text: "The disk is full." }]);
  expect((await operator("GET", "/home")).status).toBe(200);
});

test("an empty client is told what comes next, step by step, and no longer once all is there", async () => {
  const { ctx } = await setting([]);
  await ctx.sql`delete from agents`;
  const steps = async () => {
    const manager = await apiFor({ ...ctx }).person(TENANT, "manager");
    return (await manager("GET", HOME)).json.steps?.map(
      ({ kind, state }: { kind: string; state: string }) => `${kind} ${state}`,
    );
  };
  expect(await steps()).toEqual(["team next", "agent later", "people later"]);
  await ctx.sql`insert into teams (id, tenant_id, name) values ('t', ${TENANT}, 'Sales')`;
  expect(await steps()).toEqual(["team done", "agent next", "people later"]);
  await ctx.sql`insert into people (tenant_id, user_id) values (${TENANT}, ${ALICE})`;
  expect(await steps()).toEqual(["team done", "agent next", "people later"]);
  await ctx.sql`insert into people (tenant_id, user_id, state) values (${TENANT}, '@gone:acme.test', 'deactivated')`;
  await ctx.sql`insert into invites (id, tenant_id, token_hash, expires_at) values ('i', ${TENANT}, 'i', now() + interval '1 day')`;
  expect(await steps()).toEqual(["team done", "agent next", "people later"]);
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id)
    values ('w', ${TENANT}, 'W', ${WRITER}, 'active', '{"name":"W","scope":"member"}', 'X')`;
  await ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership) values (${TENANT}, '!r', ${WRITER}, 'join')`;
  expect(await steps()).toEqual(["team done", "agent done", "people next"]);
  await ctx.sql`insert into people (tenant_id, user_id) values (${TENANT}, '@bob:acme.test')`;
  expect(await steps()).toBeUndefined();
});

test("a manager sees what needs a look in their client, with names", async () => {
  const { ctx, api } = await setting();
  await run(ctx, "bad", { state: "failed", agoMinutes: 5 });
  await ctx.sql`update agents set state = 'paused' where id = 'planner'`;
  await ctx.sql`update agents set draft = definition where id = 'writer'`;
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, state, definition, device_id) values
    ('lonely', ${TENANT}, 'Lonely', '@agent-lonely:acme.test', 'active', '{"name":"Lonely","scope":"member"}', 'X')`;
  for (const [id, expires, created] of [
    ["soon", 1, 0],
    ["unused", 5, 4],
    ["fresh", 5, 1],
  ] as const)
    await ctx.sql`insert into invites (id, tenant_id, token_hash, expires_at, created_at)
      values (${id}, ${TENANT}, ${id}, now() + make_interval(days => ${expires}), now() - make_interval(days => ${created}))`;
  await ctx.sql`insert into people (tenant_id, user_id, state) values (${TENANT}, '@sus:acme.test', 'suspended')`;
  await ctx.sql`insert into teams (id, tenant_id, name, making) values ('t', ${TENANT}, 'Sales', '{"problem":"No room.","rooms":[],"agents":[],"done":0,"of":1,"now":""}')`;
  await ctx.sql`delete from models`;
  const manager = await api.person(TENANT, "manager");
  const { json } = await manager("GET", HOME);
  expect(json.attention).toMatchObject([
    { kind: "no_model", link: "/c/acme/models" },
    { kind: "failed_runs", count: 1 },
    { kind: "team_problem", names: ["Sales"], text: "No room.", link: "/c/acme/teams" },
    { kind: "agents_draft", names: ["Writer"], link: "/c/acme/agents/writer" },
    { kind: "agents_paused", names: ["Planner"], link: "/c/acme/agents/planner" },
    { kind: "agents_roomless", names: ["Lonely"], link: "/c/acme/agents/lonely" },
    { kind: "invites_expiring", count: 1, link: "/c/acme/invites" },
    { kind: "invites_unused", count: 1, link: "/c/acme/invites" },
    { kind: "people_suspended", count: 1, link: "/c/acme/people?state=suspended" },
  ]);
  expect(json.today).toMatchObject({ tokens: 0, tokensCap: 5_000_000 });
});

test("a member sees their rooms, the agents there and what they asked, and no figures of the client", async () => {
  const { ctx, api } = await setting();
  await run(ctx, "mine");
  await run(ctx, "others", { by: "@bob:acme.test" });
  await ctx.sql`insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content)
    values (${TENANT}, '$mine', ${ROOM}, ${ALICE}, 'm.room.message', 1, '{"body":"Write me a haiku"}')`;
  const member = await api.person(TENANT, "member", ALICE);
  const { json } = await member("GET", HOME);
  expect(json).toMatchObject({ attention: [], today: null, steps: null, elementUrl: null });
  expect(json.mine.rooms).toMatchObject([{ id: ROOM, people: 2, agents: [{ name: "Planner" }, { name: "Writer" }] }]);
  expect(json.mine.rooms[0].link).toBe("https://matrix.to/#/!room%3Aacme.test?via=acme.test");
  expect(json.mine.questions).toMatchObject([
    {
      run: "mine",
      text: "Write me a haiku",
      agent: { name: "Writer" },
      link: "https://matrix.to/#/!room%3Aacme.test/%24mine?via=acme.test",
    },
  ]);
  expect((await member("GET", "/home")).status).toBe(403);
});

test("a homeserver that is down is said to its client too, without a link to the operator's page", async () => {
  const { ctx } = await setting();
  await ctx.sql`update tenants set state = 'failed', state_detail = 'The disk is full.'`;
  const line = async (who: "manager" | "operator") => {
    const api = apiFor({ ...ctx });
    const ask = who === "operator" ? await api.operator() : await api.person(TENANT, who);
    return (await ask("GET", HOME)).json.attention[0];
  };
  expect(await line("manager")).toMatchObject({ kind: "client_down", text: "The disk is full.", link: null });
  expect(await line("operator")).toMatchObject({ kind: "client_down", link: "/c/acme/homeserver" });
});

test("nobody sees another client's, and one that is not there is said so", async () => {
  const { ctx, api } = await setting();
  const member = await api.person(TENANT, "owner");
  expect((await member("GET", "/clients/other/home")).status).toBe(404);
  expect((await (await api.operator())("GET", "/clients/other/home")).status).toBe(404);
  await ctx.sql`delete from room_members where user_id = ${CONTROL}`;
  expect((await member("GET", HOME)).json.mine).toEqual({ rooms: [], questions: [] });
});
