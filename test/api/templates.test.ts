import { expect, test } from "vitest";
import { getTemplate } from "../../bots/templates.ts";
import type { Context } from "../../core/context.ts";
import { makeAgent, makeTenant, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

const NOW = getTemplate("writer").definition;
const OLD = { ...NOW, instructions: NOW.instructions.split("\n").slice(0, -1).join("\n") };

async function setUp() {
  const ctx = await testContext();
  await makeTenant(ctx);
  const api = apiFor(ctx);
  return { ctx, api, manager: await api.person(TENANT, "manager") };
}

/** An agent made from the template as it was before its last line came. */
async function oldAgent(ctx: Context, word: string) {
  await makeAgent(ctx, `@agent-${word}:acme.test`, { ...OLD, name: word });
  await ctx.sql`update agents set template_id = 'writer', template_definition = ${JSON.stringify(OLD)}::text::jsonb
    where id = ${word}`;
}
const path = (agent: string) => `/clients/${TENANT}/agents/${agent}/template-update`;

test("everybody who is signed in sees the nine templates, page by page", async () => {
  const { api, manager } = await setUp();
  for (const one of [manager, await api.person(TENANT, "member", "@bob:acme.test"), await api.operator()]) {
    const { status, json } = await one("GET", "/templates?limit=5");
    expect(status).toBe(200);
    const rest = await one("GET", `/templates?limit=5&cursor=${json.next}`);
    expect([...json.items, ...rest.json.items]).toHaveLength(9);
    expect(rest.json.next).toBeNull();
  }
  expect((await api.stranger("GET", "/templates")).status).toBe(401);
});

test("one template, with its instructions and variables; another word says which there are", async () => {
  const { manager } = await setUp();
  expect((await manager("GET", "/templates/writer")).json).toEqual({
    id: "writer",
    title: "Marketing writer",
    category: "Marketing",
    name: "Writer",
    description: NOW.description,
    questions: getTemplate("writer").questions,
    instructions: NOW.instructions,
    variables: NOW.variables,
  });
  const none = await manager("GET", "/templates/..%2Fsecret");
  expect(none).toMatchObject({ status: 404, json: { detail: expect.stringContaining("Choose one of") } });
});

test("agents with something new are listed, shown and taken; the change stands in the log", async () => {
  const { ctx, manager } = await setUp();
  for (const word of ["zoe", "lena", "anna"]) await oldAgent(ctx, word);
  const first = await manager("GET", `/clients/${TENANT}/template-updates?limit=2`);
  expect(first.json.items.map(({ name }: { name: string }) => name)).toEqual(["anna", "lena"]);
  const second = await manager("GET", `/clients/${TENANT}/template-updates?limit=2&cursor=${first.json.next}`);
  expect(second.json).toEqual({
    items: [{ id: "zoe", name: "zoe", template: "writer", title: "Marketing writer" }],
    next: null,
  });

  const { update } = (await manager("GET", path("lena"))).json;
  expect(update).toMatchObject({
    revision: 0,
    changes: [{ field: "instructions", from: OLD.instructions, to: NOW.instructions }],
    conflicts: [],
  });
  const taken = await manager("POST", path("lena"), { revision: update.revision });
  expect(taken).toMatchObject({ status: 200, json: { update: { revision: 1 } } });
  expect((await manager("GET", path("lena"))).json).toEqual({ update: null });
  expect((await manager("POST", path("lena"), { revision: 1 })).status).toBe(409);
  expect((await manager("POST", path("anna"), { revision: 7 })).status).toBe(409);
  expect(await ctx.sql`select action, target_name, outcome from audit where action = 'agents.take_template'`).toEqual([
    { action: "agents.take_template", target_name: "lena", outcome: "done" },
  ]);
});

test("an auditor looks and does not take; a member does neither; wrong input is refused", async () => {
  const { ctx, api, manager } = await setUp();
  await oldAgent(ctx, "lena");
  const auditor = await api.person(TENANT, "auditor");
  const member = await api.person(TENANT, "member", "@bob:acme.test");
  expect((await auditor("GET", path("lena"))).status).toBe(200);
  expect((await auditor("POST", path("lena"), { revision: 0 })).status).toBe(403);
  expect((await member("GET", path("lena"))).status).toBe(403);
  for (const body of [{}, { revision: -1 }, { revision: 1e10 }, { revision: "0" }])
    expect((await manager("POST", path("lena"), body)).status).toBe(400);
  expect((await manager("GET", path("nobody"))).status).toBe(404);
  expect((await manager("GET", `/clients/${TENANT}/template-updates?cursor=x`)).status).toBe(400);
});
