import { beforeAll, expect, test } from "vitest";
import { createAgent } from "../../bots/agents.ts";
import { tenantAccess } from "../../homeserver/tenants.ts";
import type { RoomEvent } from "../harness/answers.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import type { AgentFacts, TenantFacts } from "../harness/platform.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-rooms" });
let alice: Person;
let one: AgentFacts;

beforeAll(async () => {
  alice = await shared.platform.person("alice");
  one = shared.agents[0] as AgentFacts;
});

const membership = (room: string, userId: string, is: string) => (seen: RoomEvent[]) =>
  seen.findLast((event) => event.room_id === room && event.state_key === userId && event.content.membership === is);

const makeAgent = (name: string) =>
  shared.platform.json<AgentFacts>("agent", "create", "demo", "--name", name, "--instructions", "Answer.");

test("an agent is found by its name, as Element's invite box searches", async () => {
  const found = await eventually("the agent in the directory", async () => {
    const { results } = await alice.client.searchUserDirectory({ term: one.name });
    return results.find((user) => user.user_id === one.userId);
  });
  expect(found.display_name).toBe(one.name);
  expect(found.avatar_url).toMatch(/^mxc:/);
});

test("an agent that is invited by someone who may joins at once", async () => {
  const room = await alice.makeRoom({ name: "invites" });
  const began = performance.now();
  await alice.client.invite(room, one.userId);
  await alice.until("it to join", membership(room, one.userId, "join"));
  // 2 s are promised, a third of a second is usual; a machine that is busy with other tests must not fail this.
  expect(performance.now() - began).toBeLessThan(10_000);
});

test("an invite by someone who may not is declined with a reason", async () => {
  const { userId } = await createAgent(shared.platform.ctx, {
    tenantId: "demo",
    definition: {
      name: "Shy",
      description: "",
      instructions: "Answer.",
      model: null,
      whoMayInvite: "nobody",
      scope: "member",
    },
  });
  const room = await alice.makeRoom({ name: "declined" });
  await alice.client.invite(room, userId);
  const left = await alice.until("it to decline", membership(room, userId, "leave"));
  expect(left.content.reason).toMatch(/manager/);
});

test("in our rooms an agent's power level follows its scope and is put right again", async () => {
  const room = await alice.room("general");
  const levels = async () =>
    (await alice.client.getStateEvent(room, "m.room.power_levels", "")) as { users: Record<string, number> };
  expect((await levels()).users[one.userId] ?? 0).toBe(0);
  const [row] = await shared.platform.ctx.sql<
    { control: string }[]
  >`select control_user_id as control from tenants where id = 'demo'`;
  const before = await levels();
  await asControlBot(
    `rooms/${encodeURIComponent(room)}/state/m.room.power_levels/?user_id=${encodeURIComponent(row?.control ?? "")}`,
    {
      ...before,
      users: { ...before.users, [one.userId]: 50 },
    },
  );
  await alice.until("the change", (seen) =>
    seen.some((event) => event.type === "m.room.power_levels" && event.room_id === room && powerIn(event) === 50),
  );
  await alice.until("it to be put right", (seen) => {
    const last = seen.findLast((event) => event.type === "m.room.power_levels" && event.room_id === room);
    return last && (powerIn(last) ?? 0) === 0;
  });
});

const powerIn = (event: RoomEvent) => (event.content.users as Record<string, number> | undefined)?.[one.userId];

test("our rooms are private to the homeserver, and the control bot is their only functional member", async () => {
  const room = await alice.room("campaigns");
  const state = await alice.client.roomState(room);
  const content = (type: string) => state.find((event) => event.type === type)?.content;
  const [row] = await shared.platform.ctx.sql<
    { control: string }[]
  >`select control_user_id as control from tenants where id = 'demo'`;
  expect(content("m.room.create")?.["m.federate"]).toBe(false);
  expect(content("m.room.join_rules")?.join_rule).toMatch(/restricted/);
  expect(content("io.element.functional_members")?.service_members).toEqual([row?.control]);
  expect(content("m.room.encryption")).toBeUndefined();
});

test("rooms stay readable for agents: encryption cannot be switched on", async () => {
  const room = await alice.makeRoom({ name: "readable", invite: [one.userId] });
  await expect(encrypt(alice, room)).rejects.toThrow(/agent|encrypt|forbid/i);
});

test("where a client allows encryption, an agent says once that it cannot read the room and what to do", async () => {
  await shared.platform.cli("tenant", "create", "private", "--encryptable");
  await tenantRuns("private");
  const agent = await shared.platform.json<AgentFacts>(
    ...["agent", "create", "private", "--name", "Reader", "--instructions", "Answer."],
  );
  const carol = await shared.platform.person("carol", "private");
  const room = await carol.makeRoom({ name: "encrypted" });
  await encrypt(carol, room);
  await carol.client.invite(room, agent.userId);
  const notice = await carol.until("the notice", (seen) => seen.find(isNotice(room)));
  expect(notice.content.body).toMatch(/encrypted/);
  await carol.client.kick(room, agent.userId);
  await carol.client.invite(room, agent.userId);
  await carol.until("it to join again", (seen) => joins(seen, room, agent.userId).length === 2);
  expect((await carol.history(room)).filter(isNotice(room))).toHaveLength(1);
});

const encrypt = (person: Person, room: string) =>
  person.client.sendStateEvent(room, "m.room.encryption" as never, { algorithm: "m.megolm.v1.aes-sha2" } as never, "");

const isNotice = (room: string) => (event: RoomEvent) => event.room_id === room && event.content.msgtype === "m.notice";

const joins = (seen: RoomEvent[], room: string, userId: string) =>
  seen.filter((event) => event.room_id === room && event.state_key === userId && event.content.membership === "join");

async function tenantRuns(tenant: string): Promise<void> {
  await eventually(
    `${tenant} to run`,
    async () => {
      const { tenants } = await shared.platform.json<{ tenants: TenantFacts[] }>("status");
      return tenants.some(({ name, state }) => name === tenant && state === "running");
    },
    { timeoutMs: 60_000 },
  );
}

test("nobody registers a name among the agents'", async () => {
  const url = await shared.platform.json<{ url: string }>("invite", "create", "demo");
  const response = await fetch(url.url, {
    method: "POST",
    body: new URLSearchParams({ username: "agent-impostor", password: "a-Long-enough-password-7" }),
  });
  expect(response.ok).toBe(false);
  expect(await response.text()).toMatch(/agent/);
});

test("a paused agent does not answer, and does again when resumed", async () => {
  const agent = await makeAgent("Pauser");
  const room = await alice.makeRoom({ name: "pauses", invite: [agent.userId, one.userId] });
  await shared.platform.cli("agent", "pause", "demo", "Pauser");
  await alice.ask(room, agent.userId, "awake? #paused");
  await alice.answer(await alice.ask(room, one.userId, "is it? #pause-after"));
  expect(shared.platform.model.asked("#paused")).toHaveLength(0);
  await shared.platform.cli("agent", "resume", "demo", "Pauser");
  expect((await alice.answer(await alice.ask(room, agent.userId, "and now? #resumed"))).text).toBe(
    "Answer to #resumed",
  );
});

test("a removed agent leaves its rooms, its user is deactivated, and its history stays", async () => {
  const agent = await makeAgent("Leaver");
  const room = await alice.makeRoom({ name: "leaving", invite: [agent.userId, one.userId] });
  const question = await alice.ask(room, agent.userId, "before you go #leaver");
  await alice.answer(question);
  await shared.platform.cli("agent", "remove", "demo", "Leaver");
  await alice.until("it to leave", membership(room, agent.userId, "leave"));
  const [run] = await shared.platform.ctx.sql`select state from runs where question_event = ${question}`;
  expect(run?.state).toBe("done");
  expect((await alice.history(room)).some((event) => event.content.body === "Answer to #leaver")).toBe(true);
  expect((await shared.platform.agents()).map(({ name }) => name)).not.toContain("Leaver");
});

async function asControlBot(path: string, body: object): Promise<void> {
  const access = await tenantAccess(shared.platform.ctx, "demo");
  const response = await fetch(`${access.homeserverUrl}/_matrix/client/v3/${path}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${access.asToken}` },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}
