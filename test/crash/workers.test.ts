import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { makeCrowd } from "../harness/crowd.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

// The demo tenant is made by `start`; from then on the same home is run as one receiver and two workers.
const shared = sharedPlatform({ name: "crash-workers" });

test("one receiver and two workers share the questions; when one is killed for good, the other takes over", async () => {
  const { platform } = shared;
  const crowd = await makeCrowd(platform, { tenant: "workers", rooms: 8 });
  await platform.stop();
  await platform.start({}, "serve");
  const workers = [await platform.also("worker"), await platform.also("worker")];
  await eventually("both workers to have a slot", async () => {
    const slots = await platform.ctx.sql`
      select 1 from pg_locks where locktype = 'advisory' and classid = 7431 and objsubid = 2 and granted`;
    return slots.length === 2;
  });
  for (let n = 0; n < 40; n++) await crowd.ask(crowd.rooms[n % 8] ?? "", "[[wait 300]]");
  expect(await crowd.faults(60_000)).toEqual([]);
  const executors = await platform.ctx.sql<{ executor: string }[]>`
    select distinct executor_id as executor from dbos.workflow_status w join runs r on r.id = w.workflow_uuid
    where r.tenant_id = 'workers'`;
  expect(executors.length, "both workers did runs").toBe(2);

  platform.model.hold();
  for (let n = 0; n < 16; n++) await crowd.ask(crowd.rooms[n % 8] ?? "");
  await crowd.inTheModel(8);
  await workers[0]?.kill9();
  platform.model.release();
  for (let n = 0; n < 16; n++) {
    await crowd.ask(crowd.rooms[n % 8] ?? "");
    await sleep(100);
  }
  expect(await crowd.faults(60_000)).toEqual([]);
});
