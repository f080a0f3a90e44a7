import { expect, onTestFinished, test } from "vitest";
import { settled } from "../../bots/settle.ts";
import { receive, settleOnArrival } from "../../homeserver/inbox.ts";
import { testContext } from "../harness/postgres.ts";
import { ALICE, CONTROL, deliver, event, makeTenant, outcomes, PLANNER, says, TENANT, WRITER } from "./tenant.ts";

const final = { "dev.agentopia.run": { run: "r1", hops: 0, final: true } };

test("the echo of what our own write is stored as settled and wakes nobody; all else waits", async () => {
  const ctx = await testContext();
  await makeTenant(ctx);
  settleOnArrival(settled);
  onTestFinished(() => settleOnArrival(() => null));
  const own = event({ sender: WRITER, content: { ...says("Here it is."), ...final } });
  expect(await receive(ctx, TENANT, [own]), "rooms with something to do").toEqual([]);
  const asked = event({ content: says("What now?", WRITER) });
  const asks = event({ sender: WRITER, content: { ...says("@Planner, when?", PLANNER), ...final } });
  const notice = event({ sender: CONTROL, content: { msgtype: "m.notice", body: "Paused." } });
  const left = event({ sender: WRITER, type: "m.room.member", stateKey: WRITER, content: { membership: "leave" } });
  const erased = event({ sender: WRITER, type: "m.room.redaction", redacts: own.event_id, content: {} });
  expect(await deliver(ctx, asked, asks, notice, left, erased)).toHaveLength(1);
  expect(await outcomes(ctx)).toEqual({
    [own.event_id]: "ignored:own",
    [asked.event_id]: null,
    [asks.event_id]: null,
    [notice.event_id]: "ignored:own",
    [left.event_id]: null,
    [erased.event_id]: null,
  });
  expect(await ctx.sql`select 1 from inbox where sender = ${ALICE} and routed_at is not null`).toEqual([]);
});
