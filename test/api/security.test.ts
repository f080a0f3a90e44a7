/** What somebody would try who wants more than is theirs. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { openStreams } from "../../admin/api/streams.ts";
import { syncPeople } from "../../admin/people-sync.ts";
import { createLink } from "../../admin/sign-in/links.ts";
import { createToken } from "../../admin/sign-in/tokens.ts";
import { eventually } from "../harness/eventually.ts";
import { testClock, testContext } from "../harness/postgres.ts";
import { TENANT, tenantWithTeam, userId } from "../people/homeserver.ts";
import { apiFor } from "./harness.ts";

const CLIENT = `/clients/${TENANT}`;
const PASSWORD = "correct-Horse-7";
const person = (name: string, rest = "") => `${CLIENT}/people/${encodeURIComponent(userId(name))}${rest}`;

async function setUp() {
  const clock = testClock();
  const ctx = await testContext({ env: { AGENTOPIA_URL: "https://chat.example.org" }, clock });
  const server = await tenantWithTeam(ctx);
  for (const name of ["mia", "olga", "ann", "aud"]) server.add(name);
  await syncPeople(ctx, TENANT);
  const api = apiFor(ctx);
  const manager = await api.person(TENANT, "manager", userId("mia"));
  const owner = await api.person(TENANT, "owner", userId("olga"));
  await api.person(TENANT, "auditor", userId("aud"));
  return { ctx, clock, server, api, manager, owner };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** Asks with a token of the owner that may no more than this. */
async function tokenOf({ ctx, api, clock }: World, scopes: string[]) {
  const account = { tenantId: TENANT, userId: userId("olga") };
  const wish = { name: "script", scopes, expiresAt: new Date(clock.now() + 86_400_000) };
  const { token } = await createToken(ctx, { account, role: "owner" }, wish);
  return (method: string, to: string, body?: unknown) =>
    api.stranger(method, to, body, { authorization: `Bearer ${token}` });
}

test("a manager does not read the log of changes as an auditor of their own making", async () => {
  const { manager, owner } = await setUp();
  expect((await manager("GET", `${CLIENT}/audit`)).status).toBe(403);
  expect((await manager("POST", `${CLIENT}/invites`, { role: "auditor" })).status).toBe(403);
  const csv = await manager("POST", `${CLIENT}/people/import`, { csv: "username,role\neve,auditor" });
  expect(csv.json.counts).toEqual({ invite: 0, exists: 0, problem: 1 });
  for (const door of ["/sign-in-link", "/password-link", "/suspend"])
    expect([door, (await manager("POST", person("aud", door))).status]).toEqual([door, 403]);
  expect((await owner("POST", person("aud", "/sign-in-link"))).status).toBe(201);
});

test("a token makes nobody who may more than it does", async () => {
  const world = await setUp();
  const people = await tokenOf(world, ["people.write", "people.read", "invites.write"]);
  for (const name of ["mia", "aud", "olga"])
    for (const door of ["/sign-in-link", "/password-link"])
      expect([name, (await people("POST", person(name, door))).status]).toEqual([name, 403]);
  expect((await people("POST", person("ann", "/sign-in-link"))).status).toBe(201);
  expect((await people("POST", `${CLIENT}/invites`, { role: "manager" })).status).toBe(403);
  expect((await people("POST", `${CLIENT}/invites`, { role: "member" })).status).toBe(201);
});

test("no token makes a link that lets an operator in", async () => {
  const { ctx, api, clock } = await setUp();
  const { id: operatorId } = await api.operator();
  const wish = { name: "script", scopes: ["operators.write"], expiresAt: new Date(clock.now() + 86_400_000) };
  const { token } = await createToken(ctx, { account: { operatorId }, role: "operator" }, wish);
  const headers = { authorization: `Bearer ${token}` };
  expect((await api.stranger("POST", `/operators/${operatorId}/link`, {}, headers)).status).toBe(403);
  expect((await api.stranger("POST", "/operators", { name: "eve" }, headers)).status).toBe(403);
  expect(await ctx.sql`select 1 from one_time_links`).toEqual([]);
});

test("a token without the right to read runs sees no questions on the home page either", async () => {
  const world = await setUp();
  const home = await (await tokenOf(world, ["clients.read"]))("GET", `${CLIENT}/home`);
  expect([home.status, home.json.mine]).toEqual([200, null]);
  const more = await (await tokenOf(world, ["clients.read", "runs.read_own"]))("GET", `${CLIENT}/home`);
  expect(more.json.mine).not.toBeNull();
});

test.each([
  ["demoted", ({ owner }: World) => owner("PUT", person("mia", "/role"), { role: "member" })],
  ["suspended", ({ owner }: World) => owner("POST", person("mia", "/suspend"))],
])("a manager who was %s does not come back by an invite link of their own", async (_, end) => {
  const world = await setUp();
  const { ctx, manager } = world;
  const back = await manager("POST", `${CLIENT}/invites`, { role: "manager" });
  const plain = await manager("POST", `${CLIENT}/invites`, {});
  expect((await end(world)).status).toBe(204);
  const open = await ctx.sql<{ id: string }[]>`select id from invites where revoked_at is null`;
  expect(back.status).toBe(201);
  expect(open.map(({ id }) => id)).toEqual([plain.json.id]);
});

test("an owner who became a manager has no open link left that makes owners", async () => {
  const { ctx, api, owner } = await setUp();
  const second = await api.person(TENANT, "owner", userId("ann"));
  await second("POST", `${CLIENT}/invites`, { role: "owner" });
  await second("POST", `${CLIENT}/invites`, { role: "manager" });
  expect((await owner("PUT", person("ann", "/role"), { role: "manager" })).status).toBe(204);
  expect(await ctx.sql`select role from invites where revoked_at is null`).toEqual([{ role: "manager" }]);
});

test("somebody who gets a higher role while a link for them is being made is not signed in by it", async () => {
  const { ctx, manager } = await setUp();
  let made: ReturnType<typeof manager> | undefined;
  await ctx.sql.begin(async (tx) => {
    await tx`lock table one_time_links in exclusive mode`;
    made = manager("POST", person("ann", "/sign-in-link"));
    await eventually("the link waits to be written", async () => {
      const waiting = await tx`select 1 from pg_locks where not granted and relation = 'one_time_links'::regclass`;
      return waiting.length > 0;
    });
    await ctx.sql`insert into tenant_roles (tenant_id, user_id, role) values (${TENANT}, ${userId("ann")}, 'owner')`;
  });
  expect((await made)?.status).toBe(403);
  expect(await ctx.sql`select 1 from one_time_links where revoked_at is null`).toEqual([]);
});

test.each(["constructor", "__proto__", "toString"])(
  "a role or column called %s in a file is no such role",
  async (word) => {
    const { manager } = await setUp();
    const answer = await manager("POST", `${CLIENT}/people/import`, { csv: `username,role,${word}\neve,${word},x` });
    expect(answer.json).toMatchObject({ rows: [{ outcome: "problem", role: null }] });
  },
);

test("tries of one name count together, however it is written", async () => {
  const { api } = await setUp();
  const spellings = [userId("ann"), "ann:acme.test", "ann@acme.test", " @ANN:acme.test"];
  const tried: number[] = [];
  for (let n = 0; n < 11; n++) {
    const name = spellings[n % spellings.length];
    tried.push((await api.stranger("POST", "/sign-in", { name, password: "wrong" })).status);
  }
  expect(tried).toEqual([...Array.from({ length: 10 }, () => 403), 429]);
});

test("a link that could not be used stands in no log: it still works", async () => {
  const { ctx, api, server } = await setUp();
  const link = await createLink(ctx, {
    kind: "password",
    tenantId: TENANT,
    userId: userId("ann"),
    createdBy: "mia",
    ttlMs: 1000_000,
  });
  const token = link.url.split("/link/")[1] ?? "";
  await server.close();
  expect((await api.stranger("POST", `/links/${token}`, { password: PASSWORD })).status).toBe(502);
  await server.open();
  const log = readFileSync(path.join(ctx.config.home, "context.log"), "utf8");
  expect(log).toContain("a request of the API failed");
  expect(log).not.toContain(token);
  expect((await api.stranger("POST", `/links/${token}`, { password: PASSWORD })).status).toBe(200);
});

test("answers are never taken for pages, and the session's cookie is this host's alone", async () => {
  const { api, server } = await setUp();
  const { headers } = await api.stranger("GET", "/me");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  server.accounts.set("ann", PASSWORD);
  const made = await api.stranger("POST", "/sign-in", { name: userId("ann"), password: PASSWORD });
  expect(made.headers.get("set-cookie")).toMatch(/^__Host-agentopia_session=.*Path=\/.*Secure/);
});

test("an account has so many streams at once and no more; one that is over makes room", async () => {
  const { api } = await setUp();
  const cookie = await api.cookie({ tenantId: TENANT, userId: userId("ann") });
  const open = () => api.app.request("/api/v1/events", { headers: { cookie } });
  const streams = await Promise.all(Array.from({ length: 30 }, open));
  expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
  expect((await open()).status).toBe(429);
  const other = await api.cookie({ tenantId: TENANT, userId: userId("mia") });
  const hers = await api.app.request("/api/v1/events", { headers: { cookie: other } });
  expect(hers.status).toBe(200);
  await streams[0]?.body?.cancel();
  const again = await open();
  expect(again.status).toBe(200);
  for (const { body } of [...streams.slice(1), hers, again]) await body?.cancel();
});

test("a stream ends when its reader may not read it any more", async () => {
  let may = true;
  let ended = false;
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
    cancel: () => {
      ended = true;
    },
  });
  const kept = openStreams({ lookMs: 5 }).keep("ann", async () => may, new Response(source));
  const reader = (kept.body as ReadableStream<Uint8Array>).getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("first");
  const rest = reader.read();
  may = false;
  expect((await rest).done).toBe(true);
  expect(await eventually("its source is told", () => ended)).toBe(true);
});
