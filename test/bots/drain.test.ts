import { expect, test } from "vitest";
import { drainRoom } from "../../bots/drain-room.ts";
import { testContext } from "../harness/postgres.ts";
import { deliver, event, makeTenant, outcomes, ROOM, says, TENANT, WRITER } from "./tenant.ts";

const PLACE = { tenantId: TENANT, roomId: ROOM };

test("a mention becomes a queued run with its answer, once", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  const queued: string[] = [];
  const question = event({ content: says("Writer: hello", WRITER) });
  await deliver(ctx, question, event({ content: says("just talking") }));
  await drainRoom(ctx, PLACE, (ids) => queued.push(...ids));
  expect(Object.values(await outcomes(ctx))).toEqual(["run", "ignored:not_addressed"]);
  const runs = await ctx.sql`select id, agent_id, question_event, state, asked_by from runs`;
  expect(runs).toMatchObject([{ agent_id: "writer", question_event: question.event_id, state: "queued" }]);
  expect(queued).toEqual([runs[0]?.id]);
  await deliver(ctx, question);
  await drainRoom(ctx, PLACE, (ids) => queued.push(...ids));
  expect(queued).toHaveLength(1);
  expect(await ctx.sql`select 1 from answers`).toHaveLength(1);
});
