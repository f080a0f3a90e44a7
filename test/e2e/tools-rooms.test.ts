/** What agents do in rooms with their tools, against a real homeserver: with the rights of the person who asks, and not one more. */
import { beforeAll, expect, test } from "vitest";
import type { AgentTools } from "../../migrations/types.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-tools-rooms" });
let alice: Person;
let bob: Person;
let writer: { userId: string; name: string };
let planner: { userId: string; name: string };

const ALLOWED = Object.fromEntries(
  ["room", "people", "agents", "schedule"].map((group) => [group, { policy: "allowed" }]),
) as AgentTools;

beforeAll(async () => {
  const { platform, agents } = shared;
  alice = await platform.person("alice");
  bob = await platform.person("bob");
  const [one, two] = agents;
  if (!one || !two) throw new Error("the demo client has its agents");
  [writer, planner] = [one, two];
  const definition = JSON.stringify({ tools: ALLOWED });
  await platform.ctx
    .sql`update agents set definition = definition || ${definition}::text::jsonb where user_id = ${writer.userId}`;
});

let count = 0;

/** What the agent's tools returned, in one answer. */
async function call(person: Person, room: string, ...calls: [tool: string, args: object][]): Promise<string> {
  const directives = calls.map(([tool, args]) => `[[call ${tool} ${JSON.stringify(args)}]]`).join(" ");
  const question = await person.ask(room, writer.userId, `${directives} [[results]] #tool${++count}`);
  return (await person.answer(question, 60_000)).text;
}

const state = (person: Person, room: string, type: string, key = "") =>
  person.client.getStateEvent(room, type, key) as Promise<Record<string, unknown>>;

test("a room that the asker is not in is not read, though the agent is in it", async () => {
  const secret = await bob.makeRoom({ name: "bobs-own", invite: [writer.userId] });
  await bob.say(secret, "the figures are swordfish");
  const here = await alice.room("general");
  for (const room of ["bobs-own", secret]) {
    const said = await call(alice, here, ["room_read", { room }]);
    expect(said).not.toContain("swordfish");
    expect(said).toMatch(/is not in|no room/);
  }
  const bobs = await bob.makeRoom({ name: "bobs-other", invite: [writer.userId] });
  expect(await call(bob, bobs, ["room_read", { room: secret }])).toContain("swordfish");
});

test("a message goes into another room as the agent's, and starts nothing there", async () => {
  const other = await alice.makeRoom({ name: "posted-to", invite: [writer.userId, planner.userId] });
  const here = await alice.room("general");
  expect(
    await call(alice, here, ["room_post", { room: "posted-to", text: `Hello @${planner.name} #posted` }]),
  ).toContain("was posted");
  const posted = await alice.until("the message", (seen) =>
    seen.find(({ room_id, content }) => room_id === other && content.body?.includes("#posted")),
  );
  expect(posted.sender).toBe(writer.userId);
  expect(await call(alice, other, ["room_members", {}])).toContain(planner.userId);
  expect(shared.platform.model.asked("#posted")).toEqual([]);
});

test("topic and pins are for moderators: in a room of the platform a member sets neither, by no agent", async () => {
  const here = await alice.room("general");
  const said = await call(bob, here, ["room_topic", { topic: "Bob was here" }], ["room_pin", { event: "$x" }]);
  expect(said.match(/takes the power level 50/g)).toHaveLength(2);
  const changed = (await alice.history(here)).filter(
    ({ sender, type }) => sender === writer.userId && /topic|pinned/.test(type),
  );
  expect(changed).toEqual([]);
});

test("a room is made with both in it; its topic is set, a message pinned, people and agents invited", async () => {
  const { platform } = shared;
  const here = await alice.room("general");
  const said = await call(alice, here, [
    "room_make",
    { name: "blue plan", topic: "All in blue", invite: ["bob", planner.name] },
  ]);
  const made = /\((![^)]+)\)/.exec(said)?.[1] ?? "";
  expect(made, said).not.toBe("");
  await alice.room("blue plan");
  await bob.until("the invite", () => bob.client.getRoom(made)?.getMyMembership() === "invite");
  await alice.until("the other agent", (seen) =>
    seen.some(
      ({ room_id, state_key, content }) =>
        room_id === made && state_key === planner.userId && content.membership === "join",
    ),
  );
  expect((await state(alice, made, "m.room.create"))["m.federate"]).toBe(false);
  // Who asked for it is its moderator; an agent is one only by its scope.
  expect(await call(alice, made, ["room_topic", { topic: "Now green" }])).toContain(`${writer.name} may not do this`);
  await platform.ctx
    .sql`insert into agent_scopes (agent_id, room_id, scope) select id, ${made}, 'moderator' from agents where user_id = ${writer.userId}`;
  await platform.ctx
    .sql`insert into actions (id, tenant_id, room_id, payload) values ('test-levels', 'demo', ${made}, '{"kind":"power_levels"}')`;
  await alice.until(
    "the agent's level",
    () => (alice.client.getRoom(made)?.getMember(writer.userId)?.powerLevel ?? 0) >= 50,
  );
  const pinned = await alice.say(made, "pin this");
  const both = await call(alice, made, ["room_topic", { topic: "Now green" }], ["room_pin", { event: pinned }]);
  expect(both).toMatch(/is set[\s\S]*is pinned/);
  expect(await state(alice, made, "m.room.topic")).toMatchObject({ topic: "Now green" });
  expect(await state(alice, made, "m.room.pinned_events")).toEqual({ pinned: [pinned] });
  expect(await call(alice, made, ["room_invite", { who: "@nobody:elsewhere.example" }])).toContain(
    "is of another server",
  );
});

test("an agent asks another person of the room, and goes on with the reply", async () => {
  const room = await alice.makeRoom({ name: "asking", invite: [writer.userId] });
  await alice.client.invite(room, bob.userId);
  await bob.client.joinRoom(room);
  await alice.until("bob to be there", (seen) =>
    seen.some(
      ({ room_id, state_key, content }) =>
        room_id === room && state_key === bob.userId && content.membership === "join",
    ),
  );
  const question = await alice.ask(
    room,
    writer.userId,
    `[[call ask_person {"question":"Blue or red?","person":"bob"}]] [[results]] #asks`,
  );
  const asked = await bob.until("the question", (seen) =>
    seen.find(
      ({ room_id, content }) =>
        room_id === room && content["dev.agentopia.approval"] && content.body?.includes("Blue or red?"),
    ),
  );
  await bob.send(room, {
    msgtype: "m.text",
    body: "Blue.",
    "m.mentions": {},
    "m.relates_to": { "m.in_reply_to": { event_id: asked.event_id } },
  });
  expect((await alice.answer(question)).text).toBe("Blue.");
});

test("a task is handed to another agent, and only its answer comes back", async () => {
  const room = await alice.makeRoom({ name: "handing", invite: [writer.userId, planner.userId] });
  const said = await call(alice, room, ["hand_over", { agent: planner.name, task: "Plan it. #handed" }]);
  expect(said).toBe("Answer to #handed");
  const senders = (await alice.history(room))
    .filter(({ type }) => type === "m.room.message")
    .map(({ sender }) => sender);
  expect(senders).not.toContain(planner.userId);
});

test("a planned task comes due: the answer stands in the room, replies to nothing, and names who asked", async () => {
  const { sql } = shared.platform.ctx;
  const room = await alice.makeRoom({ name: "planning", invite: [writer.userId] });
  expect(await call(alice, room, ["schedule_make", { task: "Report #planned", in_minutes: 30 }])).toContain(
    "Planned (",
  );
  await alice.say(room, "!schedules");
  const list = await alice.until("the list", (seen) =>
    seen.find(
      ({ room_id, content }) =>
        room_id === room && content.msgtype === "m.notice" && content.body?.includes("Report #planned"),
    ),
  );
  expect(list.content.body).toContain(`${writer.name}, once, at `);
  await sql`update schedules set next_at = now() where room_id = ${room}`;
  await sql.notify("agentopia_schedule", "");
  const answer = await alice.until("the answer", (seen) =>
    seen.find(({ room_id, content }) => room_id === room && content.body?.endsWith("Answer to #planned")),
  );
  expect(answer).toMatchObject({
    sender: writer.userId,
    content: {
      msgtype: "m.text",
      body: expect.stringMatching(/^Planned for alice: once, at .* UTC\n\nAnswer to #planned$/),
      "m.mentions": { user_ids: [alice.userId] },
    },
  });
  expect(answer.content["m.relates_to"]).toBeUndefined();
});

test("!tools says in the room what its agents may do there", async () => {
  const room = await alice.makeRoom({ name: "commands", invite: [writer.userId, planner.userId] });
  await alice.say(room, "!tools");
  const told = await alice.until("what they may do", (seen) =>
    seen.find(({ room_id, content }) => room_id === room && content.body?.startsWith("What the agents may use here:")),
  );
  expect(told.content.body).toContain(
    `• ${writer.name}: asking people, handing work to other agents, planning tasks, rooms`,
  );
  expect(told.content.body).toContain(`• ${planner.name}: no tools`);
});
