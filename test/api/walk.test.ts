/** Walks every route of the API as everybody. A route that is added and not written down here fails. */
import { expect, test } from "vitest";
import { allEndpoints } from "../../admin/api/list.ts";
import { RIGHTS, ROLES, type Role } from "../../admin/rights.ts";
import { openWake } from "../../core/wake.ts";
import { createTenant } from "../../homeserver/tenants.ts";
import { makeTenant, TENANT } from "../bots/tenant.ts";
import { testContext } from "../harness/postgres.ts";
import { apiFor } from "./harness.ts";
import { KNOWN } from "./known-routes.ts";

const OTHER = "rival";
const name = (endpoint: { method: string; path: string }) => `${endpoint.method.toUpperCase()} ${endpoint.path}`;

async function setUp() {
  const ctx = await testContext();
  await makeTenant(ctx);
  await createTenant(ctx, { id: OTHER, serverName: "rival.test", driver: "external", url: "http://127.0.0.1:9" });
  const wake = openWake(ctx.databaseUrl, ctx.log);
  const endpoints = allEndpoints(ctx, { wake, elementServed: () => false });
  await wake.close();
  return { ctx, api: apiFor(ctx), endpoints };
}

test("every route is known, with the right that it asks for", async () => {
  const { endpoints } = await setUp();
  const found = Object.fromEntries(endpoints.map((endpoint) => [name(endpoint), endpoint.action]).toSorted());
  expect(found).toEqual(Object.fromEntries(Object.entries(KNOWN).toSorted()));
});

test("no two routes have the same address, and none hides another", async () => {
  const { endpoints } = await setUp();
  const names = endpoints.map(name);
  expect(names.length).toBe(new Set(names).size);
});

test("what is about a client says so in its address, so that the guard sees it", async () => {
  const { endpoints } = await setUp();
  for (const { path } of endpoints.filter(({ path }) => /^\/clients\/./.test(path)))
    expect([path, path.startsWith("/clients/{client}")]).toEqual([path, true]);
});

test("every route, as a stranger, as each role, and as a manager of another client", { timeout: 120_000 }, async () => {
  const { api, endpoints } = await setUp();
  const askers = new Map<Role, Awaited<ReturnType<typeof api.operator>>>();
  for (const role of ROLES)
    askers.set(role, role === "operator" ? await api.operator() : await api.person(TENANT, role));
  const rival = await api.person(OTHER, "manager");
  const verdicts: string[] = [];
  for (const endpoint of endpoints) {
    const { action, method, path } = endpoint;
    // Names that do not exist: who may is answered before what is there.
    const address = path.replaceAll("{client}", TENANT).replaceAll(/\{\w+\}/g, "00000000-none");
    const ask = async (who: typeof rival) => {
      const init = who.init(method.toUpperCase(), endpoint.body ? { nothing: true } : undefined);
      const response = await api.app.request(`/api/v1${address}`, init);
      await response.body?.cancel(); // a stream would go on
      return response.status;
    };
    if (action === "public") continue;
    const stranger = await ask(api.stranger);
    if (stranger !== 401) verdicts.push(`${name(endpoint)} answers a stranger with ${stranger}`);
    if (path.includes("{client}")) {
      const status = await ask(rival);
      if (status !== 404) verdicts.push(`${name(endpoint)} answers another client's manager with ${status}`);
    }
    for (const [role, asker] of askers) {
      const may = action === "signed_in" || (RIGHTS[action] as readonly Role[]).includes(role);
      const inPlace =
        action === "signed_in" || role === "operator" || path.includes("{client}") || SHARED.has(name(endpoint));
      const status = await ask(asker);
      if (OPERATORS_OWN.test(path) && role !== "operator") {
        if (status < 400) verdicts.push(`${name(endpoint)} works for a ${role}`);
        continue;
      }
      const refused = status === 401 || status === 403;
      if (may && inPlace ? refused : status !== 403)
        verdicts.push(`${name(endpoint)} answers a ${role} with ${status}`);
      // 502: the homeserver of this test does not answer.
      if (status >= 500 && status !== 502) verdicts.push(`${name(endpoint)} fails for a ${role}: ${status}`);
    }
  }
  expect(verdicts).toEqual([]);
});

/** People of a client have their password, and a second factor if any, at their homeserver. */
const OPERATORS_OWN = /^\/me\/(password|totp)/;
/** About no client, and open to every role. */
const SHARED = new Set(Object.keys(KNOWN).filter((route) => KNOWN[route] === "templates.read"));
