/** Planned tasks across `kill -9`: each time comes once, and none that was due while the platform was away is lost. */
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test, vi } from "vitest";

import { makeSchedule } from "../../bots/schedules/make.ts";
import { eventually } from "../harness/eventually.ts";
import type { Person } from "../harness/person.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const shared = sharedPlatform({ name: "crash-schedules" });
let alice: Person;
let room: string;
let agent: { id: string; userId: string };

beforeAll(async () => {
  const { platform, agents } = shared;
  alice = await platform.person("alice");
  const userId = agents[0]?.userId ?? "";
  room = await alice.makeRoom({ name: "plans", invite: [userId] });
  const [row] = await platform.ctx.sql<{ id: string }[]>`select id from agents where user_id = ${userId}`;
  agent = { id: row?.id ?? "", userId };
  // Who may plan something there is read from the platform's own mirror of the room.
  await eventually("the platform to know who is in the room", async () => {
    const joined = await platform.ctx.sql`
      select 1 from room_members where room_id = ${room} and membership = 'join' and user_id in (${alice.userId}, ${userId})`;
    return joined.length === 2;
  });
});

const COUNT = 20;
const answersTo = async (marker: string) =>
  (await alice.history(room)).filter(
    ({ content }) => content.body?.endsWith(`\n\nAnswer to ${marker}`) && !content["m.new_content"],
  );

test("the platform is killed while many tasks come due: each is answered once", async () => {
  const { platform } = shared;
  const place = { tenantId: "demo", agentId: agent.id, roomId: room, person: alice.userId };
  // Due one after the other within 6 s; the platform dies three times in between.
  const begin = Date.now() + 2000;
  for (let n = 0; n < COUNT; n++)
    await makeSchedule(platform.ctx, {
      ...place,
      task: `Report #due${n}.`,
      time: { at: new Date(begin + n * 300).toISOString() },
    });
  for (let kill = 0; kill < 3; kill++) {
    await sleep(2300);
    await platform.kill9();
    platform.launch();
  }
  await platform.ready();
  const { sql } = platform.ctx;
  await eventually(
    "all to be done",
    async () => {
      const [row] = await sql<{ open: number }[]>`
      select (select count(*) from schedules where state <> 'done')::int + (select count(*) from runs where state in ('queued', 'running'))::int as open`;
      return row?.open === 0;
    },
    { timeoutMs: 90_000 },
  );
  for (let n = 0; n < COUNT; n++) expect(await answersTo(`#due${n}`), `#due${n}`).toHaveLength(1);
  const runs = await sql`select schedule.id from schedules schedule where times <> 1`;
  expect(runs).toHaveLength(0);
});

test("what came due several times while the platform was away is done once when it is back", async () => {
  const { platform } = shared;
  const { sql } = platform.ctx;
  const place = { tenantId: "demo", agentId: agent.id, roomId: room, person: alice.userId };
  const { id } = await makeSchedule(platform.ctx, { ...place, task: "Look #again.", time: { everyMinutes: 5 } });
  await platform.kill9();
  await sql`update schedules set created_at = created_at - interval '1 hour', next_at = now() - interval '55 minutes' where id = ${id}`;
  await platform.start();
  await eventually("the answer", async () => (await answersTo("#again")).length > 0, { timeoutMs: 60_000 });
  expect(await sql`select times, next_at > now() as later, state from schedules where id = ${id}`).toMatchObject([
    { times: 1, later: true, state: "active" },
  ]);
});
