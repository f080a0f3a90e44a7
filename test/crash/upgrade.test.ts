import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { ROOT } from "../../core/config.ts";
import { makeCrowd } from "../harness/crowd.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";

const shared = sharedPlatform({ name: "crash-upgrade" });

test("an upgrade with runs under way loses none: they end in the version in which they began", async () => {
  const { platform } = shared;
  const crowd = await makeCrowd(platform, { tenant: "upgrade", rooms: 4 });
  await platform.stop();
  await platform.start({}, "serve");
  const old = await platform.also("worker");
  platform.model.hold();
  for (let n = 0; n < 8; n++) await crowd.ask(crowd.rooms[n % 4] ?? "");
  await crowd.inTheModel(8);
  await old.stop();

  const next = spawn(process.execPath, ["test/crash/next-version.ts"], {
    cwd: ROOT,
    env: { ...process.env, AGENTOPIA_HOME: platform.home, AGENTOPIA_LOCAL_MODEL_PORTS: "none" },
    stdio: "ignore",
  });
  try {
    platform.model.release();
    for (let n = 0; n < 4; n++) await crowd.ask(crowd.rooms[n % 4] ?? "");
    expect(await crowd.faults(60_000)).toEqual([]);
    const began = await platform.ctx.sql<{ name: string; status: string; count: number }[]>`
      select w.name, w.status, count(*)::int from dbos.workflow_status w join runs r on r.id = w.workflow_uuid
      where r.tenant_id = 'upgrade' group by 1, 2 order by 1`;
    expect(began).toEqual([
      { name: "answer.v1", status: "SUCCESS", count: 8 },
      { name: "answer.v2", status: "SUCCESS", count: 4 },
    ]);
  } finally {
    next.kill("SIGINT");
    await once(next, "exit");
  }
});
