/** Teams and rooms as people see them: made from a template, renamed, archived, with agents that may only read. */
import { expect, test } from "vitest";
import { addAgentToRoom } from "../../bots/room-agents.ts";
import { startTeam } from "../../bots/team-making.ts";
import { teamTemplate } from "../../bots/team-templates.ts";
import { joinedRooms, readStateEvent, sendEvent } from "../../homeserver/matrix.ts";
import { readOurRoom, renameRoom, setRoomArchived } from "../../homeserver/room-manage.ts";
import { addPersonToTeam, removePersonFromTeam } from "../../homeserver/room-people.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "teams" });
const CONTROL = "@agentopia:demo.localhost";
const tenantId = "demo";

const stateOf = (roomId: string, type: string, stateKey = "") =>
  readStateEvent(shared.platform.ctx, { tenantId, as: CONTROL, roomId, type, stateKey });

/** Posts as a person, and says what the homeserver answered. */
async function post(person: Person, roomId: string, body: string): Promise<number> {
  try {
    await person.say(roomId, body);
    return 200;
  } catch (error) {
    return (error as { httpStatus?: number }).httpStatus ?? 0;
  }
}

async function makeTeam(name: string, template: string) {
  const { ctx } = shared.platform;
  const { rooms, agents } = teamTemplate(template);
  const team = await startTeam(ctx, { tenantId, name, rooms, agents });
  const made = await eventually(
    "the team",
    async () => {
      const [row] = await ctx.sql`select making from teams where id = ${team.id}`;
      return row?.making === null;
    },
    { timeoutMs: 40_000 },
  );
  expect(made).toBe(true);
  const all = await ctx.sql<{ id: string; channel: string }[]>`
    select room_id as id, channel from rooms where team_id = ${team.id} and kind = 'channel'`;
  return { teamId: team.id, idOf: (channel: string) => all.find((room) => room.channel === channel)?.id ?? "" };
}

test("a team from a template: its rooms, its agents in them, a pinned welcome, and an answer", async () => {
  const { platform } = shared;
  const { ctx } = platform;
  const { teamId, idOf } = await makeTeam("Helpdesk", "support");
  const [triage] = await ctx.sql<
    { userId: string }[]
  >`select user_id as "userId" from agents where template_id = 'triage'`;
  const rooms = await joinedRooms(ctx, { tenantId, as: triage?.userId ?? "" });
  expect(rooms.sort()).toEqual([idOf("requests"), idOf("escalations")].sort());
  const pinned = (await stateOf(idOf("requests"), "m.room.pinned_events"))?.pinned as string[];
  expect(pinned).toHaveLength(1);

  const dora = await platform.person("dora");
  await addPersonToTeam(ctx, { tenantId, teamId, userId: dora.userId });
  const welcome = await dora.event(idOf("requests"), pinned[0] ?? "");
  expect(welcome).toMatchObject({ sender: CONTROL, content: { msgtype: "m.notice" } });
  const question = await dora.ask(idOf("requests"), triage?.userId ?? "", "The printer is on fire");
  expect((await dora.answer(question)).sender).toBe(triage?.userId);

  await removePersonFromTeam(ctx, { tenantId, teamId, userId: dora.userId });
  expect(await post(dora, idOf("requests"), "still here?")).toBe(403);
});

test("archived, nobody can post and a mention is answered by nobody; brought back, all is as before", async () => {
  const { platform } = shared;
  const { ctx } = platform;
  const { teamId, idOf } = await makeTeam("Deals", "sales");
  const emil = await platform.person("emil");
  await addPersonToTeam(ctx, { tenantId, teamId, userId: emil.userId, moderator: true });
  const roomId = idOf("practice");
  expect(await post(emil, roomId, "before")).toBe(200);
  await setRoomArchived(ctx, await readOurRoom(ctx, tenantId, roomId), true);
  await eventually("the room to be closed", async () => (await post(emil, roomId, "during")) === 403);
  const said = await emil.until("the sentence that says so", (seen) =>
    seen.find((event) => event.room_id === roomId && /archived now/.test(String(event.content.body))),
  );
  expect(said.sender).toBe(CONTROL);
  const [coach] = await ctx.sql<{ userId: string; deviceId: string }[]>`
    select user_id as "userId", device_id as "deviceId" from agents where template_id = 'sales-coach'`;
  const asCoach = sendEvent(ctx, {
    tenantId,
    as: coach?.userId ?? "",
    roomId,
    txnId: "archived",
    type: "m.room.message",
    content: { msgtype: "m.text", body: "x" },
  });
  await expect(asCoach).rejects.toMatchObject({ code: "homeserver_refused" });
  await setRoomArchived(ctx, await readOurRoom(ctx, tenantId, roomId), false);
  await eventually("the room to be open again", async () => (await post(emil, roomId, "after")) === 200);
  const question = await emil.ask(roomId, coach?.userId ?? "", "Play a customer");
  expect((await emil.answer(question)).sender).toBe(coach?.userId);
});

test("a new name is seen by people, and an agent with the scope of an observer cannot post", async () => {
  const { platform, agents } = shared;
  const { ctx } = platform;
  const { teamId, idOf } = await makeTeam("Bosses", "leadership");
  const fred = await platform.person("fred");
  await addPersonToTeam(ctx, { tenantId, teamId, userId: fred.userId });
  const roomId = idOf("meetings");
  await renameRoom(ctx, await readOurRoom(ctx, tenantId, roomId), "board 🎩");
  await fred.until("the new name", (seen) =>
    seen.find((event) => event.room_id === roomId && event.type === "m.room.name" && event.content.name === "board 🎩"),
  );
  const interviewer = agents.find(({ name }) => name === "Interviewer")?.userId ?? "";
  await addAgentToRoom(ctx, { tenantId, roomId, agentId: interviewer, scope: "observer" });
  const send = sendEvent(ctx, {
    tenantId,
    as: interviewer,
    roomId,
    txnId: "observer",
    type: "m.room.message",
    content: { msgtype: "m.text", body: "may I?" },
  });
  await expect(send).rejects.toMatchObject({ code: "homeserver_refused" });
  // The repairs that its coming causes leave that as it is.
  await eventually(
    "the actions to be done",
    async () => (await ctx.sql`select 1 from actions where state = 'open'`).length === 0,
  );
  expect(await stateOf(roomId, "m.room.power_levels")).toMatchObject({ users: { [interviewer]: -1 } });
});

test("a command that there is not is told so, once", async () => {
  const gina = await shared.platform.person("gina");
  const roomId = await gina.room("general");
  const sent = await gina.say(roomId, "!hlep");
  const told = await gina.until("the hint", (seen) =>
    seen.find((event) => /There is no command !hlep/.test(String(event.content.body))),
  );
  expect(told).toMatchObject({
    content: { msgtype: "m.notice", "m.relates_to": { "m.in_reply_to": { event_id: sent } } },
  });
});
