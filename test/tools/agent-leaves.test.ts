/** Agents that are removed, or thrown out, while something waits for them. */
import { expect, test } from "vitest";
import { removeAgent } from "../../bots/agents.ts";
import { listGrants } from "../../bots/approvals/grants.ts";
import { bringApproval } from "../../bots/approvals/post.ts";
import { createForm } from "../../bots/forms/drafts.ts";
import { publishForm } from "../../bots/forms/publish.ts";
import { makeSchedule } from "../../bots/schedules/make.ts";
import { listSchedules } from "../../bots/schedules/schedules.ts";
import { takeUpForgotten } from "../../bots/waiting.ts";
import { setRoomArchived } from "../../homeserver/room-manage.ts";
import { rooms } from "../../migrations/schema.ts";
import { refused } from "../bots/homeserver.ts";
import { ALICE, BOB, CONTROL, event, ROOM, says, TENANT, WRITER } from "../bots/tenant.ts";
import { OFFER } from "../forms/offer.ts";
import { addProbes, probe, setTools, type World, world } from "./world.ts";

addProbes(probe({ name: "act", sends: "outside" }), probe({ name: "other" }));
const ASK = { probe: { policy: "ask" } } as const;

/** Asks in its room whether it may do something. */
async function asking(w: World): Promise<string> {
  await w.say('[[call act {"word":"mail"}]] [[results]] #q', BOB);
  await w.work();
  const [approval] = await w.approvals();
  return approval?.eventId ?? "";
}

const openRuns = (w: World) => w.ctx.sql`select 1 from runs where state in ('queued', 'running', 'waiting')`;
const notices = async (w: World) =>
  (await w.ctx.sql<{ payload: object }[]>`select payload from actions where payload->>'kind' = 'notice'`).map(
    ({ payload }) => payload,
  );

test("an agent that is removed leaves no run, question, plan or permission open, and its question says so before it goes", async () => {
  const w = await world(ASK);
  const question = await asking(w);
  const place = { tenantId: TENANT, agentId: "writer", roomId: ROOM };
  await makeSchedule(w.ctx, { ...place, person: ALICE, task: "Greet", time: { everyMinutes: 60 } });
  await w.ctx.sql`insert into grants (id, tenant_id, agent_id, room_id, tool, schema_hash, granted_by)
    values ('g', ${TENANT}, 'writer', ${ROOM}, 'other', '', ${ALICE})`;
  await removeAgent(w.ctx, "writer");
  const said = w.sent.filter(
    ({ content }) => (content["m.relates_to"] as { event_id?: string })?.event_id === question,
  );
  expect(said.at(-1)).toMatchObject({
    as: WRITER,
    content: { "m.new_content": { body: expect.stringContaining("ended before anybody decided") } },
  });
  await removeAgent(w.ctx, "writer");
  await takeUpForgotten(w.ctx);
  await w.work();
  expect(await openRuns(w)).toEqual([]);
  expect(await w.approvals()).toMatchObject([{ state: "withdrawn" }]);
  expect(await w.calls()).toMatchObject([{ state: "stopped" }]);
  expect((await listSchedules(w.ctx, { tenantId: TENANT }, { limit: 9 })).schedules).toEqual([]);
  expect(await listGrants(w.ctx, { tenantId: TENANT, only: null }, { limit: 9, after: null })).toEqual([]);
});

test("a form whose agent is removed while it works on it ends, and the room hears why; who waits for its work goes on", async () => {
  const w = await world({ agents: { policy: "allowed" } });
  await setTools(w.ctx, "planner", ASK);
  w.model.script(({ marker, results }) =>
    results.length > 0
      ? { sayResults: true }
      : {
          calls: [
            marker === "#q"
              ? { tool: "hand_over", args: { agent: "Planner", task: "#task" } }
              : { tool: "act", args: {} },
          ],
        },
  );
  const definition = { ...OFFER, agent: "planner" };
  const draft = await createForm(w.ctx, { tenantId: TENANT, definition, by: ALICE });
  await publishForm(w.ctx, { tenantId: TENANT, formId: draft.id, revision: 1, by: ALICE });
  await w.event({ content: says("!offer customer=A amount=1") } as never);
  await w.say("#q");
  await w.work();
  expect(await openRuns(w)).toHaveLength(3);
  await removeAgent(w.ctx, "planner");
  await takeUpForgotten(w.ctx);
  await w.work();
  expect(await openRuns(w)).toEqual([]);
  expect(await notices(w)).toMatchObject([
    { text: expect.stringMatching(/“Offer”.* was not finished. Planner was stopped/) },
  ]);
  expect((await w.runs()).find(({ state }) => state === "done")?.text).toContain(
    "Planner did not finish this. It was stopped.",
  );
});

test("a room that is archived while a question waits there: the run ends, and the control bot says that the question is over", async () => {
  const w = await world(ASK);
  const question = await asking(w);
  const keep = w.homeserver.answer;
  w.homeserver.answer = (request) =>
    request.as === WRITER && request.path.includes("/send/") ? refused("M_FORBIDDEN") : keep(request);
  const [room] = await w.ctx.db.select().from(rooms);
  if (!room) throw new Error("there is a room");
  await setRoomArchived(w.ctx, room, true);
  await takeUpForgotten(w.ctx);
  await w.work();
  expect(await openRuns(w)).toEqual([]);
  expect(await w.approvals()).toMatchObject([{ state: "withdrawn" }]);
  expect(await notices(w)).toContainEqual(expect.objectContaining({ as: CONTROL, replyTo: question }));
});

test("an agent that is thrown out of a room while its question waits there: the control bot says that it is over", async () => {
  const w = await world(ASK);
  const question = await asking(w);
  const keep = w.homeserver.answer;
  w.homeserver.answer = (request) =>
    request.as === WRITER && request.path.includes("/send/") ? refused("M_FORBIDDEN") : keep(request);
  await w.event(event({ type: "m.room.member", stateKey: WRITER, content: { membership: "leave" } }) as never);
  await takeUpForgotten(w.ctx);
  await w.work();
  expect(await openRuns(w)).toEqual([]);
  const [approval] = await w.approvals();
  expect(approval?.state).toBe("withdrawn");
  await bringApproval(w.ctx, approval?.id ?? "");
  expect(await notices(w)).toMatchObject([
    { as: CONTROL, replyTo: question, text: "This question of Writer is over: nobody needs to decide it any more." },
  ]);
});
