import { expect, test } from "vitest";
import { makeTenant, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";

async function setUp() {
  const ctx = await testContext();
  await makeTenant(ctx);
  const api = apiFor(ctx);
  return { ctx, api, anna: await api.operator("anna") };
}

test("an operator adds another one, who sets a password with the link", async () => {
  const { api, anna } = await setUp();
  const added = await anna("POST", "/operators", { name: "Boris" });
  expect(added).toMatchObject({
    status: 201,
    json: { operator: { name: "Boris", hasPassword: false, state: "active" } },
  });
  const at = `/links/${added.json.link.url.split("/").at(-1)}`;
  expect((await api.stranger("POST", at, { password: "correct-horse-battery" })).status).toBe(200);
  const { items } = (await anna("GET", "/operators")).json;
  expect(items).toMatchObject([{ name: "anna" }, { name: "Boris", hasPassword: true }]);
  const page = (await anna("GET", "/operators?limit=1")).json;
  expect((await anna("GET", `/operators?limit=1&cursor=${page.next}`)).json).toMatchObject({
    items: [{ name: "Boris" }],
    next: null,
  });
});

test("the last one stays; one more may go, and is signed out", async () => {
  const { api, anna } = await setUp();
  for (const change of [
    () => anna("PATCH", `/operators/${anna.id}`, { state: "disabled" }),
    () => anna("DELETE", `/operators/${anna.id}`),
  ]) {
    const { status, json } = await change();
    expect([status, json.detail]).toEqual([409, expect.stringContaining("last operator who can sign in")]);
  }
  const boris = await api.operator("boris");
  expect((await anna("PATCH", `/operators/${boris.id}`, { state: "disabled" })).json).toMatchObject({
    state: "disabled",
  });
  expect((await boris("GET", "/me")).status).toBe(401);
  expect((await anna("DELETE", `/operators/${boris.id}`)).status).toBe(204);
  expect((await anna("DELETE", `/operators/${boris.id}`)).status).toBe(404);
});

test.each(["", "   ", "a@b", "x".repeat(65), "a\u0000", 7, null])("%j is no name", async (name) => {
  const { anna } = await setUp();
  const { status, json } = await anna("POST", "/operators", { name });
  expect([status, /\.$/.test(json.detail)]).toEqual([400, true]);
});

test("every change stands in the log, without the link", async () => {
  const { ctx, anna } = await setUp();
  const { operator, link } = (await anna("POST", "/operators", { name: "Boris" })).json;
  const next = (await anna("POST", `/operators/${operator.id}/link`, { resetSecondFactor: true })).json;
  await anna("PATCH", `/operators/${operator.id}`, { state: "disabled" });
  await anna("DELETE", `/operators/${operator.id}`);
  const lines = await ctx.sql`select * from audit order by seq`;
  expect(lines).toMatchObject([
    { action: "operators.create", target_name: "Boris", actor_name: "anna" },
    { action: "operators.link", after: { secondFactorReset: true } },
    { action: "operators.set_state", before: { state: "active" }, after: { state: "disabled" } },
    { action: "operators.remove", before: { name: "Boris", state: "disabled" } },
  ]);
  for (const { url } of [link, next]) expect(JSON.stringify(lines)).not.toContain(url.split("/").at(-1));
});

test("owners of clients see nothing of it", async () => {
  const { api } = await setUp();
  const owner = await api.person(TENANT, "owner");
  for (const [method, path] of [
    ["GET", "/operators"],
    ["POST", "/operators"],
    ["DELETE", "/operators/x"],
    ["POST", "/operators/x/link"],
  ] as const)
    expect((await owner(method, path)).status).toBe(403);
});
