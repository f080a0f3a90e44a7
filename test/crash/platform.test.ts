import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { type Crowd, makeCrowd } from "../harness/crowd.ts";
import { random } from "../harness/random.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "crash-platform" });
let crowd: Crowd;

beforeAll(async () => {
  crowd = await makeCrowd(shared.platform, { tenant: "crash", rooms: 10 });
});

test("the platform is killed 30 times at random moments during 200 questions in 10 rooms: each gets one answer", async () => {
  const { platform } = shared;
  const seed = Number(process.env.AGENTOPIA_TEST_SEED ?? Math.floor(Math.random() * 1e9));
  const next = random(seed);
  const directives = ["", "[[chunks 30 1500]]", "[[wait 700]]"];
  const from = crowd.asked.length;
  for (let kill = 0; kill < 30; kill++) {
    const questions = Array.from({ length: kill < 20 ? 7 : 6 }, () => {
      const room = crowd.rooms[Math.floor(next() * crowd.rooms.length)] ?? "";
      const directive = directives[Math.floor(next() * directives.length)];
      return sleep(next() * 1500).then(() => crowd.ask(room, directive));
    });
    await sleep(next() * 3500);
    await platform.kill9();
    platform.launch();
    await Promise.all(questions);
  }
  await platform.ready();
  expect(crowd.asked.length - from, `seed ${seed}`).toBe(200);
  expect(await crowd.faults(), `seed ${seed}`).toEqual([]);
});

test("100 questions are asked while the platform is down: each is answered once when it is back", async () => {
  const { platform } = shared;
  await platform.kill9();
  for (let n = 0; n < 100; n++) await crowd.ask(crowd.rooms[n % crowd.rooms.length] ?? "");
  await platform.start();
  expect(await crowd.faults()).toEqual([]);
});

test("8 answers are in the model when the platform is killed: all are finished soon after it is up again", async () => {
  const { platform } = shared;
  platform.model.hold();
  for (const room of crowd.rooms.slice(0, 8)) await crowd.ask(room);
  await crowd.inTheModel(8);
  await platform.kill9();
  platform.model.release();
  await platform.start();
  expect(await crowd.faults(30_000)).toEqual([]);
});

test("a killed platform's next start takes over what it left and says so", async () => {
  const { platform } = shared;
  await platform.kill9();
  await platform.start();
  expect(platform.output()).toMatch(/left \d+ of its processes running: taking them over/);
});
