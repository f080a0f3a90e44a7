import { expect, onTestFinished, test } from "vitest";
import { syncPeople } from "../../admin/people-sync.ts";
import { followLink } from "../../admin/sign-in/follow-link.ts";
import { testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "../people/homeserver.ts";
import { apiFor } from "./harness.ts";

const PEOPLE = `/clients/${TENANT}/people`;
const at = (name: string, rest = "") => `${PEOPLE}/${encodeURIComponent(userId(name))}${rest}`;
const PHONE = { device_id: "PHONE", display_name: "Element X", last_seen_ts: 1_781_000_000_000, last_seen_ip: "::1" };
const LAPTOP = { device_id: "LAPTOP", display_name: "Element", last_seen_ts: 1_782_000_000_000, last_seen_ip: "::1" };

async function setUp() {
  const ctx = await testContext({ env: { AGENTOPIA_URL: "https://chat.example.org" } });
  const server = await tenantWithTeam(ctx);
  server.add("ann", { displayname: "Ann Smith", devices: [PHONE, LAPTOP] });
  server.add("bob", { displayname: "Bob 🦆" });
  server.add("olga", { displayname: "Olga" });
  server.add("oskar");
  server.add("mia");
  await syncPeople(ctx, TENANT);
  await ctx.sql`insert into room_members (tenant_id, room_id, user_id, membership)
    values (${TENANT}, '!space:acme.test', ${userId("ann")}, 'join'), (${TENANT}, '!space:acme.test', ${userId("bob")}, 'leave')`;
  server.joined.set(userId("ann"), ["!space:acme.test", "!general:acme.test"]);
  const api = apiFor(ctx);
  const owner = await api.person(TENANT, "owner", userId("olga"));
  const second = await api.person(TENANT, "owner", userId("oskar"));
  const manager = await api.person(TENANT, "manager", userId("mia"));
  return { ctx, server, api, owner, second, manager, operator: await api.operator() };
}

const names = (answer: { json: { items: { id: string }[] } }) =>
  answer.json.items.map(({ id }) => id.slice(1).split(":")[0]);

test("the list: by name, in pages, searched, filtered, with teams and roles", async () => {
  const { manager } = await setUp();
  const all = await manager("GET", PEOPLE);
  expect(all.status).toBe(200);
  expect(names(all)).toEqual(["ann", "bob", "mia", "olga", "oskar"]);
  expect(all.json).toMatchObject({ next: null, stale: null, syncedAt: expect.any(String) });
  expect(all.json.items[0]).toMatchObject({
    name: "Ann Smith",
    role: "member",
    teams: [{ id: "team", name: "Sales" }],
  });
  expect(all.json.items[1].teams).toEqual([]);
  const first = await manager("GET", `${PEOPLE}?limit=2`);
  const rest = await manager("GET", `${PEOPLE}?limit=5&cursor=${first.json.next}`);
  expect([...names(first), ...names(rest)]).toEqual(names(all));
  const found = async (query: string) => names(await manager("GET", `${PEOPLE}?${query}`));
  expect(await found("q=SMITH")).toEqual(["ann"]);
  expect(await found(`q=${encodeURIComponent("@bob")}`)).toEqual(["bob"]);
  expect(await found(`q=${encodeURIComponent("🦆")}`)).toEqual(["bob"]);
  expect(await found("q=%25")).toEqual([]);
  expect(await found("role=owner")).toEqual(["olga", "oskar"]);
  expect(await found("role=member")).toEqual(["ann", "bob"]);
  expect(await found("state=suspended")).toEqual([]);
});

test.each([
  `q=${"x".repeat(101)}`,
  "q=%00",
  "state=none",
  "role=operator",
  "limit=0",
  "limit=1000",
  "cursor=nonsense",
  "cursor=WzFd",
])("a query that cannot be: %s", async (query) => {
  const { manager } = await setUp();
  const { status, json } = await manager("GET", `${PEOPLE}?${query}`);
  expect([status, typeof json.detail]).toEqual([400, "string"]);
});

test("one person: what the homeserver says now, rooms by name, and why one may not act", async () => {
  const { manager, owner, server } = await setUp();
  server.people.get("ann")!.displayname = "Ann Miller";
  const ann = await manager("GET", at("ann"));
  expect(ann.json).toMatchObject({ name: "Ann Miller", erased: false, stale: null, blocked: null, self: false });
  expect(ann.json.rooms).toMatchObject([
    { id: "!space:acme.test", kind: "space", team: "Sales" },
    { id: "!general:acme.test", kind: "channel", team: "Sales" },
  ]);
  expect((await manager("GET", at("olga"))).json.blocked).toMatch(/manager cannot/);
  expect((await owner("GET", at("olga"))).json).toMatchObject({ blocked: null, self: true });
  for (const stranger of [at("nobody"), at("agent-writer"), `${PEOPLE}/ann`, `${PEOPLE}/%40ann%3Aelse.where`])
    expect([stranger, (await manager("GET", stranger)).status]).toEqual([stranger, 404]);
});

test("while the homeserver is down, what is known is shown and nothing is changed", async () => {
  const { manager, server } = await setUp();
  await server.close();
  onTestFinished(() => server.open());
  const ann = await manager("GET", at("ann"));
  expect(ann.json).toMatchObject({
    name: "Ann Smith",
    stale: expect.stringContaining("does not answer"),
    erased: null,
  });
  expect(ann.json.rooms).toHaveLength(1);
  expect((await manager("POST", at("ann", "/suspend"))).status).toBe(502);
  expect((await manager("GET", at("ann", "/devices"))).status).toBe(502);
});

test("devices: the last used first; signed out one by one and all", async () => {
  const { manager, server } = await setUp();
  const list = await manager("GET", at("ann", "/devices"));
  expect(list.json.items.map(({ id }: { id: string }) => id)).toEqual(["LAPTOP", "PHONE"]);
  const page = await manager("GET", at("ann", "/devices?limit=1"));
  const next = await manager("GET", at("ann", `/devices?limit=1&cursor=${page.json.next}`));
  expect([page.json.items[0].id, next.json.items[0].id, next.json.next]).toEqual(["LAPTOP", "PHONE", null]);
  expect((await manager("DELETE", at("ann", "/devices/PHONE"))).status).toBe(204);
  expect((await manager("DELETE", at("ann", "/devices/PHONE"))).status).toBe(404);
  expect((await manager("DELETE", at("ann", "/devices"))).json).toEqual({ signedOut: 1 });
  expect((await manager("DELETE", at("ann", "/devices"))).json).toEqual({ signedOut: 0 });
  expect(server.people.get("ann")?.devices).toEqual([]);
});

test("suspended, taken back, deactivated: each in the audit log with who", async () => {
  const { ctx, manager, server } = await setUp();
  expect((await manager("POST", at("ann", "/suspend"))).status).toBe(204);
  expect(server.people.get("ann")?.suspended).toBe(true);
  expect(names(await manager("GET", `${PEOPLE}?state=suspended`))).toEqual(["ann"]);
  expect((await manager("POST", at("ann", "/sign-in-link"))).status).toBe(409);
  expect((await manager("POST", at("ann", "/unsuspend"))).status).toBe(204);
  expect((await manager("POST", at("ann", "/deactivate"), {})).status).toBe(400);
  expect((await manager("POST", at("ann", "/deactivate"), { erase: true })).status).toBe(204);
  expect(server.people.get("ann")).toMatchObject({ deactivated: true, erased: true, suspended: false });
  for (const after of ["/suspend", "/unsuspend", "/password-link"])
    expect((await manager("POST", at("ann", after))).json.detail).toContain("cannot come back");
  const lines = await ctx.sql`select action, actor_id, target_id, outcome from audit order by seq`;
  expect(lines.map(({ action }) => action)).toEqual(["people.suspend", "people.unsuspend", "people.deactivate"]);
  for (const line of lines)
    expect(line).toMatchObject({ actor_id: userId("mia"), target_id: userId("ann"), outcome: "done" });
});

test("the name that others see", async () => {
  const { manager, server } = await setUp();
  expect((await manager("PATCH", at("ann"), { name: "Ann 🦆 <b>" })).status).toBe(204);
  expect(server.people.get("ann")?.displayname).toBe("Ann 🦆 <b>");
  for (const name of ["", "   ", "x".repeat(201), "a\0b", 5, null])
    expect([name, (await manager("PATCH", at("ann"), { name })).status]).toEqual([name, 400]);
});

const CHANGES = [
  ["PATCH", "", { name: "x" }],
  ["DELETE", "/devices", undefined],
  ["DELETE", "/devices/LAPTOP", undefined],
  ["POST", "/suspend", undefined],
  ["POST", "/unsuspend", undefined],
  ["POST", "/deactivate", { erase: false }],
  ["POST", "/sign-in-link", undefined],
  ["POST", "/password-link", undefined],
] as const;

test.each(CHANGES)("a manager does not %s %s an owner", async (method, path, body) => {
  const { manager, server } = await setUp();
  const before = structuredClone(server.people.get("olga"));
  const { status, json } = await manager(method, at("olga", path), body);
  expect([status, json.detail]).toEqual([403, expect.stringContaining("manager cannot do this to an owner")]);
  expect(server.people.get("olga")).toEqual(before);
});

test("a manager does not get at the homeserver's administrators; an owner does", async () => {
  const { manager, owner, server } = await setUp();
  server.people.get("bob")!.admin = true;
  for (const [method, path, body] of CHANGES)
    expect([path, (await manager(method, at("bob", path), body)).status]).toEqual([path, 403]);
  expect((await manager("GET", at("bob"))).json.blocked).toMatch(/administers the homeserver/);
  expect((await owner("GET", at("bob"))).json.blocked).toBeNull();
  expect((await owner("POST", at("bob", "/password-link"))).status).toBe(201);
});

test("roles: given by owners and operators; the last owner stays; nobody suspends themselves", async () => {
  const { owner, second, manager, operator, ctx } = await setUp();
  expect((await manager("PUT", at("ann", "/role"), { role: "owner" })).status).toBe(403);
  expect((await owner("PUT", at("ann", "/role"), { role: "manager" })).status).toBe(204);
  expect((await owner("PUT", at("ann", "/role"), { role: "operator" })).status).toBe(400);
  expect((await owner("PUT", at("nobody", "/role"), { role: "owner" })).status).toBe(404);
  expect((await second("POST", at("oskar", "/suspend"))).json.detail).toMatch(/yourself/);
  expect((await owner("PUT", at("oskar", "/role"), { role: "member" })).status).toBe(204);
  for (const [method, path, body] of [
    ["PUT", "/role", { role: "member" }],
    ["POST", "/suspend", undefined],
    ["POST", "/deactivate", { erase: false }],
  ] as const) {
    const { status, json } = await operator(method, at("olga", path), body);
    expect([status, json.detail]).toEqual([409, expect.stringContaining("last owner")]);
  }
  const [line] = await ctx.sql`select before, after from audit where action = 'roles.write' order by seq limit 1`;
  expect(line).toEqual({ before: { role: "member" }, after: { role: "manager" } });
});

test("a password link: one works at a time, its token is in no log, and it sets the password", async () => {
  const { ctx, manager, server } = await setUp();
  const first = await manager("POST", at("ann", "/password-link"));
  expect(first.status).toBe(201);
  expect(first.json.url).toMatch(/^https:\/\/chat\.example\.org\/panel\/link\/[\w-]{43}$/);
  const second = await manager("POST", at("ann", "/password-link"));
  const token = (link: typeof first) => link.json.url.split("/link/")[1];
  const logged = JSON.stringify(await ctx.sql`select * from audit`);
  expect(logged).toContain("people.password_link");
  expect(logged).not.toContain(token(second));
  const use = (link: typeof first, password: string) => followLink(ctx, token(link), { password, address: "::1" });
  await expect(use(first, "correct-Horse-7")).rejects.toThrow(/newer one/);
  await expect(use(second, "annsmith")).rejects.toThrow(/too easy/);
  await use(second, "correct-Horse-7");
  expect([server.accounts.get("ann"), server.people.get("ann")?.devices]).toEqual(["correct-Horse-7", []]);
  await expect(use(second, "correct-Horse-8")).rejects.toThrow(/used already/);
});

test("the same key makes one link", async () => {
  const { ctx, manager } = await setUp();
  const ask = () => manager("POST", at("ann", "/sign-in-link"), undefined, { "idempotency-key": "k1" });
  const [first, second] = [await ask(), await ask()];
  expect(second.json).toEqual(first.json);
  expect((await ctx.sql`select 1 from one_time_links`).length).toBe(1);
});

test("ten thousand people: a page is read from an index, not sorted", { timeout: 60_000 }, async () => {
  const { ctx, manager } = await setUp();
  await ctx.sql`insert into people (tenant_id, user_id, display_name)
    select ${TENANT}, '@p' || n || ':acme.test', 'Person ' || md5(n::text) from generate_series(1, 10000) n`;
  await ctx.sql`analyze`;
  const plan = await ctx.sql`explain select * from people p left join tenant_roles r using (tenant_id, user_id)
    where p.tenant_id = ${TENANT} and (p.search, p.user_id) > ('person a', '') order by p.search, p.user_id limit 50`;
  expect(JSON.stringify(plan)).toContain("people_search");
  expect(JSON.stringify(plan)).not.toContain("Sort");
  const counts = await Promise.all(
    ["", "q=@p77", "q=nobody-at-all", "state=suspended", "role=manager", "role=member&q=p9999"].map(
      async (query) => (await manager("GET", `${PEOPLE}?limit=100&${query}`)).json.items.length,
    ),
  );
  expect(counts).toEqual([100, 100, 0, 0, 1, 1]);
});
