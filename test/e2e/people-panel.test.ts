import { expect, test } from "vitest";
import { publicUrl } from "../../admin/public-url.ts";
import { createSession } from "../../admin/sign-in/sessions.ts";
import { newId } from "../../core/ids.ts";
import { call } from "../../homeserver/http.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { signIn } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "people-panel" });
const NEW_PASSWORD = "Tasse-Regen-Lampe-9";

/** The API over HTTP, as an operator in a browser. */
async function operator() {
  const { ctx, url } = shared.platform;
  const id = newId();
  await ctx.sql`insert into operators (id, name) values (${id}, ${`op-${id}`})`;
  const { token } = await createSession(ctx, { operatorId: id }, { userAgent: "test", address: null });
  const cookie = `agentopia_${new URL(await publicUrl(ctx)).port}=${token}`;
  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/api/v1/clients/demo${path}`, {
      method,
      headers: { cookie, "sec-fetch-site": "same-origin", "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // biome-ignore lint/suspicious/noExplicitAny: tests look into it freely
    const json: any = text === "" ? null : JSON.parse(text);
    return { status: response.status, json };
  };
}

const at = (person: Pick<Person, "userId">, rest = "") => `/people/${encodeURIComponent(person.userId)}${rest}`;
const oldPassword = (name: string) => `${name}-has-a-Good-password-1`;

/** The status of a request that any signed-in device may make. */
const whoami = async ({ homeserverUrl, accessToken }: Person) =>
  (
    await fetch(`${homeserverUrl}/_matrix/client/v3/account/whoami`, {
      headers: { authorization: `Bearer ${accessToken}` },
    })
  ).status;

const login = async (homeserverUrl: string, user: string, password: string) => {
  const body = JSON.stringify({ type: "m.login.password", identifier: { type: "m.id.user", user }, password });
  return (await fetch(`${homeserverUrl}/_matrix/client/v3/login`, { method: "POST", body })).status;
};

test("devices are listed and signed out, one and all", async () => {
  const api = await operator();
  const phone = await shared.platform.person("dana");
  const laptop = await signIn(phone.homeserverUrl, "dana", oldPassword("dana"));
  const devices = async () =>
    (await api("GET", at(phone, "/devices"))).json.items.map(({ id }: { id: string }) => id).toSorted();
  const ids = [phone, laptop].map(({ client }) => client.getDeviceId() ?? "");
  expect(await devices()).toEqual(ids.toSorted());
  phone.leave();
  laptop.leave();
  expect((await api("DELETE", at(phone, `/devices/${ids[0]}`))).status).toBe(204);
  expect([await whoami(phone), await whoami(laptop)]).toEqual([401, 200]);
  expect((await api("DELETE", at(phone, "/devices"))).json).toEqual({ signedOut: 1 });
  expect([await whoami(laptop), await devices()]).toEqual([401, []]);
});

test("a suspended person cannot write, and can again when it is lifted; the list knows both", async () => {
  const api = await operator();
  const sue = await shared.platform.person("sue");
  const room = await sue.room("general");
  expect((await api("POST", at(sue, "/suspend"))).status).toBe(204);
  await expect(sue.say(room, "hello?")).rejects.toMatchObject({ errcode: "M_USER_SUSPENDED" });
  const state = async () => (await api("GET", "/people?q=sue")).json.items[0].state;
  expect(await state()).toBe("suspended");
  // Synapse's list does not say it: reading it anew must not forget.
  await shared.platform.ctx.sql`update tenants set people_synced_at = null`;
  expect(await state()).toBe("suspended");
  expect((await api("POST", at(sue, "/unsuspend"))).status).toBe(204);
  await sue.say(room, "here I am");
  expect(await state()).toBe("active");
});

test("a forgotten password: the link sets a new one, once, and signs every device out", async () => {
  const api = await operator();
  const pia = await shared.platform.person("pia");
  pia.leave();
  const { json } = await api("POST", at(pia, "/password-link"));
  const token = json.url.split("/link/")[1];
  const use = (password: string) =>
    fetch(`${shared.platform.url}/api/v1/links/${token}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ password }),
    });
  expect((await use("12345678")).status).toBe(400);
  expect([await whoami(pia), await login(pia.homeserverUrl, "pia", oldPassword("pia"))]).toEqual([200, 200]);
  expect((await use(NEW_PASSWORD)).status).toBe(200);
  expect(await whoami(pia)).toBe(401);
  expect(await login(pia.homeserverUrl, "pia", oldPassword("pia"))).toBe(403);
  expect(await login(pia.homeserverUrl, "pia", NEW_PASSWORD)).toBe(200);
  expect((await use("Another-Password-9")).status).toBe(410);
  expect(await login(pia.homeserverUrl, "pia", NEW_PASSWORD)).toBe(200);
});

test("a deactivated person is out of all rooms and does not come back", async () => {
  const api = await operator();
  const dora = await shared.platform.person("doris");
  await dora.room("general");
  dora.leave();
  expect((await api("POST", at(dora, "/deactivate"), { erase: true })).status).toBe(204);
  expect(await whoami(dora)).toBe(401);
  expect(await login(dora.homeserverUrl, "doris", oldPassword("doris"))).toBe(403);
  await eventually("her rooms to be left", async () => (await api("GET", at(dora))).json.rooms.length === 0);
  expect((await api("GET", at(dora))).json).toMatchObject({ state: "deactivated", erased: true, name: null });
  expect((await api("POST", at(dora, "/password-link"))).status).toBe(409);
});

test("people from a file: links, and accounts with the names of the file; agents and the control bot are nobody", async () => {
  const api = await operator();
  const made = await api("POST", "/people/import", { csv: "username;name;role\nfelix;Félix 🦆;auditor\n" });
  const body = new URLSearchParams({ username: "felix", password: NEW_PASSWORD });
  expect((await fetch(made.json.rows[0].url, { method: "POST", body })).status).toBe(200);
  const felix = (await api("GET", "/people?q=felix")).json.items[0];
  expect(felix).toMatchObject({ name: "Félix 🦆", role: "auditor", state: "active" });
  const path = `/_matrix/client/v3/profile/${encodeURIComponent(felix.id)}`;
  expect(await call(shared.platform.ctx, "demo", { method: "GET", path })).toMatchObject({ displayname: "Félix 🦆" });
  await eventually("the team to be known", async () => {
    const [now] = (await api("GET", "/people?q=felix")).json.items;
    return now.teams.length === 1;
  });
  const ids = (await api("GET", "/people?limit=100")).json.items.map(({ id }: { id: string }) => id);
  expect(ids.filter((id: string) => id.startsWith("@agent"))).toEqual([]);
});
