import { expect, test } from "vitest";
import { call } from "../../homeserver/http.ts";
import { eventually } from "../harness/eventually.ts";
import { signIn } from "../harness/person.ts";
import type { TenantFacts } from "../harness/platform.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-people" });
const PASSWORD = "correct-Horse-7";

const link = async (...args: string[]) =>
  (await shared.platform.json<{ url: string }>("invite", "create", "demo", ...args)).url;

const post = (url: string, username: string, password = PASSWORD) =>
  fetch(url, { method: "POST", body: new URLSearchParams({ username, password }) });

const homeserver = async () => {
  const { tenants } = await shared.platform.json<{ tenants: TenantFacts[] }>("status");
  return tenants.find(({ name }) => name === "demo")?.homeserverUrl ?? "";
};

/** Accounts that Synapse itself knows whose names contain `part`. */
async function accounts(part: string): Promise<string[]> {
  const query = { name: part, limit: 200, guests: "false" };
  const path = "/_synapse/admin/v2/users";
  const found = await call<{ users: { name: string }[] }>(shared.platform.ctx, "demo", { method: "GET", path, query });
  return found.users.map(({ name }) => name);
}

test("who posts the form of a link can sign in at once and is in the team's space and rooms", async () => {
  const answer = await post(await link(), "dora");
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain(await homeserver());
  const dora = await signIn(await homeserver(), "dora", PASSWORD);
  for (const room of ["general", "campaigns"]) await dora.room(room);
  expect(
    dora.client
      .getRooms()
      .filter((room) => room.isSpaceRoom())
      .map((room) => room.name),
  ).toEqual(["Marketing"]);
  dora.leave();
});

test("fifty people at once over a link for one: one account", async () => {
  const url = await link();
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => post(url, `crowd${n}`)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 410)).toHaveLength(49);
  expect(await accounts("crowd")).toHaveLength(1);
});

test("twelve people at once over a link for twelve: all of them", async () => {
  const url = await link("--uses", "12");
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => post(url, `dozen${n}`)));
  expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
  expect(await accounts("dozen")).toHaveLength(12);
});

test("a name that is taken stays whose it was", async () => {
  const url = await link("--uses", "2");
  expect((await post(url, "edgar")).status).toBe(200);
  const other = await link();
  expect((await post(other, "edgar", "another-Password-1")).status).toBe(409);
  (await signIn(await homeserver(), "edgar", PASSWORD)).leave();
  expect((await post(other, "edgar2")).status).toBe(200);
});

test("names of agents and of the control bot cannot be had", async () => {
  const url = await link();
  for (const name of ["agentopia", "agent-writer", "agent-anything"]) expect((await post(url, name)).status).toBe(400);
  expect((await post(url, "fritz")).status).toBe(200);
});

test("killed in the middle of making an account, the same form again makes one account with one use", async () => {
  const { platform } = shared;
  const url = await link();
  const broken = post(url, "greta").then(
    ({ status }) => status,
    () => "broken off",
  );
  await eventually(
    "the use to be taken",
    async () => {
      const rows = await platform.ctx.sql`select from invite_uses where username = 'greta' and state = 'making'`;
      return rows.length > 0;
    },
    { everyMs: 2 },
  );
  await platform.kill9();
  expect(await broken).toBe("broken off");
  await platform.start();
  expect((await post(url, "greta")).status).toBe(200);
  expect((await post(url, "hans")).status).toBe(410);
  expect(await accounts("greta")).toEqual(["@greta:demo.localhost"]);
  const [invite] = await platform.ctx.sql<{ uses: number }[]>`
    select uses from invites i join invite_uses u on u.invite_id = i.id where u.username = 'greta'`;
  expect(invite?.uses).toBe(1);
});
