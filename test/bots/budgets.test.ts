/** Budgets as the database counts them. */
import { expect, test } from "vitest";
import { drainRoom } from "../../bots/drain-room.ts";
import type { Context } from "../../core/context.ts";
import { testContext } from "../harness/postgres.ts";
import { ALICE, BOB, deliver, event, makeTenant, outcomes, PLANNER, ROOM, says, TENANT, WRITER } from "./tenant.ts";

const drain = (ctx: Context) => drainRoom(ctx, { tenantId: TENANT, roomId: ROOM }, () => undefined);
const asks = (sender: string, whom: string) =>
  event({ sender, content: { ...says("And?", whom), "dev.agentopia.run": { run: "x", hops: 0, final: true } } });
const told = (ctx: Context) => ctx.sql<{ text: string }[]>`select payload->>'text' as text from actions`;

test("two agents: both directions count together, the room is told once, others may still ask", async () => {
  const ctx = await testContext();
  await makeTenant(ctx, { limits: { agentPairPerHour: 3 } });
  await deliver(
    ctx,
    asks(WRITER, PLANNER),
    asks(PLANNER, WRITER),
    asks(WRITER, PLANNER),
    asks(PLANNER, WRITER),
    asks(WRITER, PLANNER),
    event({ content: says("Planner?", PLANNER) }),
  );
  await drain(ctx);
  expect(Object.values(await outcomes(ctx))).toEqual([
    "run",
    "run",
    "run",
    "ignored:agent_pair",
    "ignored:agent_pair",
    "run",
  ]);
  expect(await told(ctx)).toEqual([{ text: expect.stringContaining("have asked each other 3 times within an hour") }]);
});

test("a person's budget is that person's, and an hour later it is new", async () => {
  const ctx = await testContext();
  await makeTenant(ctx, { limits: { personPairPerHour: 2 } });
  const question = (sender: string) => event({ sender, content: says("Writer?", WRITER) });
  await deliver(ctx, question(ALICE), question(ALICE), question(ALICE), question(BOB));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx))).toEqual(["run", "run", "ignored:person_pair", "run"]);
  await ctx.sql`update runs set created_at = created_at - interval '61 minutes'`;
  await deliver(ctx, question(ALICE));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx)).at(-1)).toBe("run");
});

test("a bot that asks within a second of each answer is found out; a pause clears it", async () => {
  const ctx = await testContext();
  await makeTenant(ctx, { limits: { quickReplies: 3 } });
  const seen: (string | null | undefined)[] = [];
  for (let n = 0; n < 6; n++) {
    await deliver(ctx, event({ sender: BOB, content: says("Writer?", WRITER) }));
    await drain(ctx);
    seen.push(Object.values(await outcomes(ctx)).at(-1));
    await ctx.sql`update runs set state = 'done', finished_at = clock_timestamp() where finished_at is null`;
  }
  expect(seen).toEqual(["run", "run", "run", "run", "ignored:quick_replies", "ignored:quick_replies"]);
  expect(await told(ctx)).toEqual([{ text: expect.stringContaining("faster than people do") }]);
  await ctx.sql`update runs set created_at = created_at - interval '5 seconds', finished_at = finished_at - interval '5 seconds'`;
  await deliver(ctx, event({ sender: BOB, content: says("Writer?", WRITER) }));
  await drain(ctx);
  expect(Object.values(await outcomes(ctx)).at(-1)).toBe("run");
});
