import { readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { spawnDetached } from "../../core/processes.ts";
import { tenantAccess } from "../../homeserver/tenants.ts";
import { type Asked, type Crowd, makeCrowd } from "../harness/crowd.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "crash-servers" });
let crowd: Crowd;

beforeAll(async () => {
  crowd = await makeCrowd(shared.platform, { tenant: "servers", rooms: 6 });
});

/** Asks on and on until told to stop, some of it slowly streamed. */
function keepAsking() {
  const state = { stop: false };
  const done = Promise.all(
    crowd.rooms.map(async (room) => {
      for (let n = 0; !state.stop; n++) {
        await crowd.ask(room, n % 2 ? "[[chunks 10 600]]" : "");
        await sleep(150);
      }
    }),
  );
  return async () => {
    state.stop = true;
    await done;
  };
}

test("Synapse is killed while questions are asked and answered: each gets one answer", async () => {
  const enough = keepAsking();
  await sleep(1000);
  for (let n = 0; n < 2; n++) {
    const before = shared.platform.synapsePid(crowd.tenant);
    process.kill(before, "SIGKILL");
    await eventually("another Synapse", () => shared.platform.synapsePid(crowd.tenant) !== before, {
      timeoutMs: 60_000,
    });
    await crowd.ask(crowd.rooms[0] ?? "");
    await sleep(1000);
  }
  await enough();
  expect(await crowd.faults()).toEqual([]);
});

test("Postgres is killed while questions are asked and answered: each gets one answer", async () => {
  const enough = keepAsking();
  await sleep(1000);
  const before = shared.platform.postgresPid();
  process.kill(before, "SIGKILL");
  await eventually("another Postgres", () => shared.platform.postgresPid() !== before, { timeoutMs: 60_000 });
  await crowd.ask(crowd.rooms[0] ?? "");
  await sleep(1000);
  await enough();
  expect(await crowd.faults()).toEqual([]);
});

test("the platform is down and Synapse is restarted before it is back: what was asked before, meanwhile and after is answered once", async () => {
  const { platform } = shared;
  await platform.kill9();
  for (let n = 0; n < 12; n++) await crowd.ask(crowd.rooms[n % 6] ?? "");
  const pid = platform.synapsePid(crowd.tenant);
  const again = synapseCommand(pid);
  process.kill(pid, "SIGKILL");
  await eventually("Synapse to be gone", () => !isAlive(pid));
  await spawnDetached({ ...again, name: "Synapse", pidFile: platform.synapsePidFile(crowd.tenant) });
  for (let n = 0; n < 12; n++) await crowd.ask(crowd.rooms[n % 6] ?? "");
  await platform.start();
  for (const room of crowd.rooms) await crowd.ask(room);
  expect(await crowd.faults()).toEqual([]);
});

test("the same transaction is delivered three times, and others in another order than they were made: one answer each", async () => {
  const { platform } = shared;
  await platform.kill9();
  const questions: Asked[] = [];
  for (let n = 0; n < 8; n++) questions.push(await crowd.ask(crowd.rooms[n % 2] ?? ""));
  const events = await Promise.all(questions.map(({ roomId, id }) => crowd.person.event(roomId, id)));
  await platform.start();
  // The second room's before the first's; within a room in order.
  const [first, second] = [0, 1].map((which) => events.filter((_, n) => n % 2 === which));
  for (const [txn, some] of [
    ["b", second],
    ["a", first],
    ["a", first],
    ["a", first],
    ["c", events],
  ] as const)
    expect(await deliver(txn, some ?? [])).toBe(200);
  expect(await crowd.faults()).toEqual([]);
});

async function deliver(txn: string, events: object[]): Promise<number> {
  const access = await tenantAccess(shared.platform.ctx, crowd.tenant);
  const ports = JSON.parse(readFileSync(path.join(shared.platform.home, "ports.json"), "utf8")) as { internal: number };
  const response = await fetch(
    `http://127.0.0.1:${ports.internal}/as/${crowd.tenant}/_matrix/app/v1/transactions/test-${txn}`,
    {
      method: "PUT",
      headers: { authorization: `Bearer ${access.hsToken}`, "content-type": "application/json" },
      body: JSON.stringify({ events }),
    },
  );
  return response.status;
}

/** How the running Synapse was started. */
function synapseCommand(pid: number) {
  const parts = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8").split("\0").filter(Boolean);
  const [command = "", ...args] = parts("cmdline");
  const env = Object.fromEntries(
    parts("environ").map((entry) => entry.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  const cwd = readlinkSync(`/proc/${pid}/cwd`);
  return { command, args, env, cwd, logFile: path.join(shared.platform.home, "logs/synapse-again.log") };
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false; // no such process
  }
}
