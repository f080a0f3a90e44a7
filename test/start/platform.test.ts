/** `npm start` as a person lives through it: the first time, again, beside itself, cut off, with something in the way. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { killAllOf, leftovers } from "../../core/leftovers.ts";
import { freePort } from "../../core/ports.ts";
import { startTime } from "../../core/processes.ts";
import { eventually } from "../harness/eventually.ts";
import { sharedPlatform } from "../harness/shared-platform.ts";
import { startAndEnd, startMain } from "./start-process.ts";

const shared = sharedPlatform({ name: "start-platform" });
const children = () => leftovers(shared.platform.home).map(({ pid }) => pid);

test("the first start ends by saying where everything is and how to get in", async () => {
  const { platform } = shared;
  const output = await eventually("the last line", () => /Model .*/.test(platform.output()) && platform.output());
  expect(output).toContain("Preparing the database …");
  expect(output).toContain("Making the demo client …");
  expect(output).toMatch(new RegExp(`Platform +${platform.url}\n`));
  expect(output).toMatch(/Client +Demo: homeserver http:\/\/127\.0\.0\.1:\d+, server name demo\.localhost\n/);
  expect(output).toMatch(new RegExp(`Invite +${platform.url}/join/[\\w-]{43}\n`));
  expect(output).toMatch(/Model +.*scripted/);
  expect(output.split("\n").length).toBeLessThan(12);
});

test("it made one team with two channels and three agents in them, and the invite link opens", async () => {
  const { platform, agents } = shared;
  expect(agents).toHaveLength(3);
  expect(agents.every(({ state }) => state === "active")).toBe(true);
  const rooms = await platform.ctx.sql`
    select r.channel, t.name as team, (select count(*)::int from room_members m join agents a
      on a.tenant_id = m.tenant_id and a.user_id = m.user_id where m.room_id = r.room_id and m.membership = 'join') as agents
    from rooms r join teams t on t.id = r.team_id where r.kind = 'channel' order by r.channel`;
  expect(rooms.map((room) => ({ ...room }))).toEqual([
    { channel: "campaigns", team: "Marketing", agents: 3 },
    { channel: "general", team: "Marketing", agents: 3 },
  ]);
  const link = /http\S+\/join\/\S+/.exec(platform.output())?.[0] ?? "";
  const page = await fetch(link);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain("Demo");
});

test("a second start says that it is running, and where", async () => {
  const { home, url } = shared.platform;
  const [code, output] = await startAndEnd(home);
  expect([code, output]).toEqual([0, expect.stringContaining(`Agentopia is running already: ${url}`)]);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test("after kill -9 the next start says so, takes over what was left, and needs the same processes", async () => {
  const { platform } = shared;
  const before = children();
  expect(before).toHaveLength(2);
  await platform.kill9();
  expect(children()).toEqual(before);
  await platform.start();
  expect(platform.output()).toContain("left 2 of its processes running: taking them over");
  expect(children()).toEqual(before);
});

test("Ctrl-C stops every child, and the next start is there with the same addresses", async () => {
  const { platform } = shared;
  const { url } = platform;
  const before = children();
  await platform.stop();
  expect(before.map(startTime)).toEqual([null, null]);
  await platform.start();
  expect(platform.url).toBe(url);
  const output = await eventually("the last line", () => /Model .*/.test(platform.output()) && platform.output());
  expect(output).toContain("Invite    npm run -s agentopia -- invite create demo");
});

test("the same Ctrl-C twice, from the terminal and from npm, is one", async () => {
  const { platform } = shared;
  process.kill(platform.pid(), "SIGINT");
  process.kill(platform.pid(), "SIGINT");
  await platform.stop();
  expect(platform.output().match(/Stopping/g)).toHaveLength(1);
  // An end in order takes the pid file away, an end at once leaves it.
  expect(existsSync(path.join(platform.home, "postgres.pid"))).toBe(false);
  await platform.start();
});

test("a second Ctrl-C ends everything at once, even a homeserver that does not listen any more", async () => {
  const { platform } = shared;
  const before = children();
  for (const { pid, pidFile } of leftovers(platform.home))
    if (pidFile.includes("synapse")) process.kill(pid, "SIGSTOP");
  process.kill(platform.pid(), "SIGINT");
  await sleep(1000); // a person's second one
  expect(children()).not.toEqual([]);
  process.kill(platform.pid(), "SIGINT");
  await eventually("all to be gone", () => before.every((pid) => startTime(pid) === null), { timeoutMs: 2000 });
  await platform.stop();
});

// From here on the platform is down.

test("a secret key that does not belong to the data", async () => {
  const { home } = shared.platform;
  await shared.platform.stop();
  const file = path.join(home, "secret.key");
  const key = readFileSync(file);
  onTestFinished(() => writeFileSync(file, key));
  writeFileSync(file, randomBytes(32).toString("base64"));
  const [code, output] = await startAndEnd(home);
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/^The secret key does not belong to this data\. Put back .*\n$/),
  ]);
  rmSync(file);
  const [again, sentence] = await startAndEnd(home);
  expect([again, sentence]).toEqual([1, expect.stringMatching(/^The secret key does not belong to this data\./)]);
  expect(() => readFileSync(file)).toThrow(/ENOENT/); // none was left that would hide that the right one is missing
  expect(children()).toEqual([]);
});

test.each(["public", "internal", "postgres"] as const)("the %s port taken by another program", async (name) => {
  const { home } = shared.platform;
  const port = (JSON.parse(readFileSync(path.join(home, "ports.json"), "utf8")) as Record<string, number>)[name];
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const [code, output] = await startAndEnd(home);
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(new RegExp(`^Port ${port} is used by another program\\. .*\n$`)),
  ]);
  expect(children()).toEqual([]);
});

test("a DATABASE_URL at which nobody answers, and one that is none", async () => {
  const { home } = shared.platform;
  const nobody = `postgres://me:secret@127.0.0.1:${await freePort()}/agentopia`;
  const [code, output] = await startAndEnd(home, { DATABASE_URL: nobody });
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/^No Postgres answers at 127\.0\.0\.1:\d+\/agentopia .*\n$/),
  ]);
  expect(output).not.toContain("secret");
  expect(await startAndEnd(home, { DATABASE_URL: "mysql://x" })).toEqual([
    1,
    expect.stringMatching(/^DATABASE_URL must look like postgres:.*\n$/),
  ]);
});

test("after all that it starts as if nothing had happened", async () => {
  await shared.platform.start();
  expect(await shared.platform.agents()).toEqual(shared.agents);
});

test("a first start that is cut off by Ctrl-C anywhere leaves nothing running, and the next one completes it", async () => {
  const home = path.join(mkdtempSync(path.join(tmpdir(), "agentopia-cut-")), "home");
  onTestFinished(() => {
    killAllOf(home);
    rmSync(path.dirname(home), { recursive: true, force: true });
  });
  for (const line of ["Preparing the database", "Making the demo client"]) {
    const cut = startMain(home);
    await eventually(line, () => cut.output().includes(line));
    cut.child.kill("SIGINT");
    expect(await cut.ended).toBe(0);
    expect(leftovers(home)).toEqual([]);
  }
  const whole = startMain(home);
  await eventually("the last line", () => /Model .*/.test(whole.output()), { timeoutMs: 60_000 });
  expect(whole.output()).toMatch(/Invite +http\S+\/join\//);
  whole.child.kill("SIGTERM");
  expect(await whole.ended).toBe(0);
  expect(leftovers(home)).toEqual([]);
}, 120_000);
