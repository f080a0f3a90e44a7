import { expect, test } from "vitest";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "e2e-before" });

test("what was asked before an agent came is not answered, not even after a restart of everything", async () => {
  const { platform } = shared;
  const agent = shared.agents[0]?.userId ?? "";
  const alice = await platform.person("alice");
  const bob = await platform.person("bob");
  const room = await alice.makeRoom({ name: "before", invite: [] });
  await alice.client.invite(room, bob.userId);
  await bob.client.joinRoom(room);
  const old = await alice.ask(room, agent, "are you there already? #before");
  await alice.client.invite(room, agent);
  await alice.answer(await alice.ask(room, agent, "and now? #after"));
  await platform.stop();
  await platform.start();
  await alice.answer(await alice.ask(room, agent, "still? #restarted"), 60_000);
  await eventually("all to be routed", async () => {
    return (await platform.ctx.sql`select 1 from inbox where routed_at is null limit 1`).length === 0;
  });
  expect(platform.model.asked("#before")).toHaveLength(0);
  expect(await platform.ctx.sql`select 1 from runs where question_event = ${old}`).toHaveLength(0);
  const outcome = await platform.ctx.sql`select outcome from inbox where event_id = ${old}`;
  expect(outcome).toEqual([{ outcome: "backfill" }]);
});
