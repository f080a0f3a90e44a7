import { expect, test } from "vitest";
import { acceptInvite } from "../../admin/accept-invite.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "../people/homeserver.ts";
import { apiFor } from "./harness.ts";

const INVITES = `/clients/${TENANT}/invites`;
const IMPORT = `/clients/${TENANT}/people/import`;
const PASSWORD = "correct-Horse-7";

async function setUp() {
  const clock = testClock();
  const ctx = await testContext({ env: { AGENTOPIA_URL: "https://chat.example.org" }, clock });
  const server = await tenantWithTeam(ctx);
  const api = apiFor(ctx);
  const manager = await api.person(TENANT, "manager", userId("mia"));
  const owner = await api.person(TENANT, "owner", userId("olga"));
  return { ctx, clock, server, api, manager, owner, operator: await api.operator() };
}

const tokenOf = (url: string) => url.split("/join/")[1] ?? "";

test("a link with its QR code, shown once; who used it; withdrawn", async () => {
  const { ctx, manager } = await setUp();
  const made = await manager("POST", INVITES, { maxUses: 3, ttlDays: 2, role: "manager" });
  expect(made.status).toBe(201);
  expect(made.json.qr).toMatch(/^<svg .*<\/svg>\n?$/s);
  const token = tokenOf(made.json.url);
  for (const username of ["ann", "bob"]) await acceptInvite(ctx, { token, username, password: PASSWORD });
  const list = await manager("GET", INVITES);
  expect(list.json.items).toEqual([
    expect.objectContaining({
      id: made.json.id,
      state: "open",
      uses: 2,
      maxUses: 3,
      role: "manager",
      createdBy: userId("mia"),
      team: { id: "team", name: "Sales" },
    }),
  ]);
  const ids = (items: { id: string }[]) => items.map(({ id }) => id).toSorted();
  expect(ids(list.json.items[0].usedBy)).toEqual([userId("ann"), userId("bob")]);
  const uses = await manager("GET", `${INVITES}/${made.json.id}/uses?limit=1`);
  const more = await manager("GET", `${INVITES}/${made.json.id}/uses?limit=1&cursor=${uses.json.next}`);
  expect([uses.json.items[0].username, more.json.items[0].username, more.json.next]).toEqual(["ann", "bob", null]);
  expect((await manager("GET", `/clients/${TENANT}/people?role=manager`)).json.items).toHaveLength(2);
  expect((await manager("DELETE", `${INVITES}/${made.json.id}`)).status).toBe(204);
  expect((await manager("DELETE", `${INVITES}/${made.json.id}`)).status).toBe(204);
  await expect(acceptInvite(ctx, { token, username: "eve", password: PASSWORD })).rejects.toThrow(/withdrawn/);
  const lines = JSON.stringify(await ctx.sql`select * from audit`);
  expect(lines).toContain("invites.revoke");
  expect(lines).not.toContain(token);
});

test("pages and filters, newest first", async () => {
  const { manager, clock } = await setUp();
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    ids.unshift((await manager("POST", INVITES, { ttlDays: n === 0 ? 1 : 30 })).json.id);
    if (n % 2 === 0) clock.move(1000);
  }
  const all = (await manager("GET", INVITES)).json.items.map(({ id }: { id: string }) => id);
  expect(all.toSorted()).toEqual(ids.toSorted());
  const walked: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page = await manager("GET", `${INVITES}?limit=2${cursor ? `&cursor=${cursor}` : ""}`);
    walked.push(...page.json.items.map(({ id }: { id: string }) => id));
    cursor = page.json.next;
  }
  expect(walked).toEqual(all);
  clock.move(2 * 86_400_000);
  expect((await manager("GET", `${INVITES}?state=open`)).json.items).toHaveLength(4);
  expect((await manager("GET", `${INVITES}?state=over`)).json.items).toMatchObject([
    { id: ids.at(-1), state: "expired" },
  ]);
});

test.each([
  [{ maxUses: 0 }, 400],
  [{ maxUses: 1.5 }, 400],
  [{ maxUses: 10_001 }, 400],
  [{ ttlDays: 0 }, 400],
  [{ ttlDays: 367 }, 400],
  [{ username: "Agent-X" }, 400],
  [{ username: "<b>" }, 400],
  [{ username: "a\0b" }, 400],
  [{ username: "x".repeat(65) }, 400],
  [{ username: "🦆" }, 400],
  [{ role: "operator" }, 400],
  [{ role: "owner" }, 403],
  [{ teamId: "nobody" }, 404],
  [{ displayName: "x".repeat(201) }, 400],
])("a manager does not make a link of %j", async (body, status) => {
  const { ctx, manager } = await setUp();
  const answer = await manager("POST", INVITES, body);
  expect([answer.status, typeof answer.json.detail]).toEqual([status, "string"]);
  expect((await ctx.sql`select 1 from invites`).length).toBe(0);
});

test("owners and operators make owners", async () => {
  const { owner, operator, ctx } = await setUp();
  for (const who of [owner, operator]) {
    const made = await who("POST", INVITES, { role: "owner", username: who === owner ? "ann" : "bob" });
    expect(made.status).toBe(201);
    const username = who === owner ? "ann" : "bob";
    await acceptInvite(ctx, { token: tokenOf(made.json.url), username, password: PASSWORD });
  }
  const roles = await ctx.sql`select user_id from tenant_roles where role = 'owner' order by user_id`;
  expect(roles.map((row) => row.user_id)).toEqual([userId("ann"), userId("bob"), userId("olga")]);
});

test("whoever is deactivated does not come back by a link of their own", async () => {
  const { ctx, manager, owner, server } = await setUp();
  server.add("mia", { displayname: "Mia" });
  const made = await manager("POST", INVITES, { role: "manager" });
  const person = `/clients/${TENANT}/people/${encodeURIComponent(userId("mia"))}`;
  expect((await owner("GET", person)).json.name).toBe("Mia");
  expect((await owner("GET", INVITES)).json.items).toMatchObject([{ createdBy: "Mia", state: "open" }]);
  expect((await owner("POST", `${person}/deactivate`, { erase: false })).status).toBe(204);
  expect((await manager("GET", INVITES)).status).toBe(401);
  const post = { token: tokenOf(made.json.url), username: "mia2", password: PASSWORD };
  await expect(acceptInvite(ctx, post)).rejects.toThrow(/withdrawn/);
});

test("an agent's name is no user name", async () => {
  const { ctx, manager } = await setUp();
  await ctx.sql`insert into agents (id, tenant_id, name, user_id, definition, device_id)
    values ('a', ${TENANT}, 'Writer', '@agent-writer:acme.test', '{}', 'D')`;
  const { status, json } = await manager("POST", INVITES, { username: "Writer" });
  expect([status, json.errors]).toEqual([400, [{ path: "username", message: expect.stringContaining("agent here") }]]);
});

test("another client's link is not there", async () => {
  const { ctx, manager, operator } = await setUp();
  const { createTenant } = await import("../../homeserver/tenants.ts");
  await createTenant(ctx, { id: "rival", serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  const made = await operator("POST", "/clients/rival/invites", {});
  expect((await manager("DELETE", `${INVITES}/${made.json.id}`)).status).toBe(404);
  expect((await manager("GET", `${INVITES}/${made.json.id}/uses`)).json.items).toEqual([]);
  const [row] = await ctx.sql`select revoked_at from invites where id = ${made.json.id}`;
  expect(row?.revoked_at).toBeNull();
});

test("an import: a preview that is not in the log, then the links, once for one key", async () => {
  const { ctx, manager, server } = await setUp();
  server.add("known");
  const body = { csv: "username;name;role\nann;=Ann;\nknown;;\nbob;;owner\n", role: "manager" };
  const preview = await manager("POST", `${IMPORT}/preview`, body);
  expect(preview.json).toMatchObject({ counts: { invite: 1, exists: 1, problem: 1 }, csv: null });
  expect((await ctx.sql`select 1 from audit`).length).toBe(0);
  const send = () => manager("POST", IMPORT, body, { "idempotency-key": "k" });
  const first = await send();
  expect(first.json.rows.map(({ outcome }: { outcome: string }) => outcome)).toEqual(["invite", "exists", "problem"]);
  expect(first.json.csv).toContain("'=Ann");
  expect((await send()).json).toEqual(first.json);
  expect((await ctx.sql`select 1 from invites`).length).toBe(1);
  const logged = JSON.stringify(await ctx.sql`select * from audit`);
  expect(logged).toContain('"invited":["ann"]');
  expect(logged).not.toContain(tokenOf(first.json.rows[0].url));
});

test.each([
  [{}, 400],
  [{ csv: "" }, 400],
  [{ csv: "name\nann" }, 400],
  [{ csv: "x".repeat(1_000_001) }, 400],
  [{ csv: "username\nann", teamId: "nobody" }, 404],
  [{ csv: "username\nann", ttlDays: 0 }, 400],
  [{ csv: 'username\n"ann' }, 400],
  [{ csv: "\0" }, 400],
])("no import of %#", async (body, status) => {
  const { manager } = await setUp();
  for (const path of [IMPORT, `${IMPORT}/preview`])
    expect([path, (await manager("POST", path, body)).status]).toEqual([path, status]);
});

test("an import while the homeserver is down makes nothing", async () => {
  const { ctx, manager, server } = await setUp();
  await server.close();
  expect((await manager("POST", IMPORT, { csv: "username\nann" })).status).toBe(502);
  expect((await ctx.sql`select 1 from invites`).length).toBe(0);
  await server.open();
});
