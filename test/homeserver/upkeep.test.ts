import { appendFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { list } from "tar";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openWake } from "../../core/wake.ts";
import { backupFile, deleteBackup, getBackup, listBackups, requestBackup } from "../../homeserver/backups.ts";
import { listHealth, writeState } from "../../homeserver/health-history.ts";
import { followLog, logFileOf, withoutSecrets } from "../../homeserver/log-tail.ts";
import { listStorage, measureStorage } from "../../homeserver/storage.ts";
import { createTenant, getTenant, requestRemoval, requestRestart, setDesired } from "../../homeserver/tenants.ts";
import { startUpkeep } from "../../homeserver/upkeep.ts";
import { tenantBackups } from "../../migrations/panel-tables.ts";
import { eventually } from "../harness/eventually.ts";
import { testContext } from "../harness/postgres.ts";
import { startWorld, synapsePid, uniqueTenant, type World } from "./world.ts";

let world: World;
let failed = false;
const tenantId = uniqueTenant();

beforeAll(async () => {
  world = await startWorld();
  await createTenant(world.ctx, { id: tenantId, config: { rateLimits: "off" } });
  await world.supervisor.ready(tenantId);
}, 120_000);

beforeEach(({ task, onTestFinished: after }) => {
  after(() => {
    failed ||= task.result?.state === "fail";
  });
});

afterAll(() => world?.end(failed, "homeserver-upkeep"), 60_000);

/** The upkeep of a platform, until the test ends. */
function upkeep(): ReturnType<typeof startUpkeep> {
  const wake = openWake(world.ctx.databaseUrl, world.ctx.log);
  const running = startUpkeep(world.ctx, { wake });
  onTestFinished(async () => {
    await running.stop();
    await wake.close();
  });
  return running;
}

const states = async () => (await listHealth(world.ctx, tenantId, { limit: 100 })).map(({ state }) => state).reverse();
const runs = (otherThan: number) =>
  eventually("another Synapse that answers", async () => {
    const row = await getTenant(world.ctx, tenantId);
    const pid = synapsePid(world, tenantId);
    return row.state === "running" && !row.restartRequestedAt && ![0, otherThan].includes(pid) && pid;
  });

describe("a homeserver's own restart", { timeout: 60_000 }, () => {
  test("it is ended and started once, however often that is asked for while it is under way", async () => {
    const { ctx } = world;
    const pid = synapsePid(world, tenantId);
    const before = (await states()).length;
    await requestRestart(ctx, tenantId);
    await requestRestart(ctx, tenantId);
    await eventually("it to be under way", async () => (await getTenant(ctx, tenantId)).state !== "running");
    await requestRestart(ctx, tenantId);
    await runs(pid);
    expect((await states()).slice(before)).toEqual(["restarting", "starting", "running"]);
  });

  test("a restart that the platform did not live to see ends with a running homeserver", async () => {
    const { ctx } = world;
    const pid = synapsePid(world, tenantId);
    await world.down();
    await requestRestart(ctx, tenantId);
    process.kill(pid, "SIGKILL");
    await world.up();
    await runs(pid);
  });

  test("one that is stopped is started; one that is stopped meanwhile stays stopped", async () => {
    const { ctx } = world;
    const pid = synapsePid(world, tenantId);
    await requestRestart(ctx, tenantId);
    await setDesired(ctx, tenantId, "stopped");
    await eventually("it to be stopped", async () => {
      const row = await getTenant(ctx, tenantId);
      return row.state === "stopped" && !row.restartRequestedAt;
    });
    await requestRestart(ctx, tenantId);
    await runs(pid);
  });

  test("its version is known once it answers", async () => {
    expect((await getTenant(world.ctx, tenantId)).version).toMatch(/^1\.\d+\.\d+/);
  });

  test("the homeserver of others is not ours to restart or to back up", async () => {
    const ctx = await testContext();
    await createTenant(ctx, { id: "theirs", driver: "external", url: "http://127.0.0.1:9", serverName: "x.example" });
    await expect(requestRestart(ctx, "theirs")).rejects.toThrow(/started by others: restart it where it runs/);
    await expect(requestBackup(ctx, "theirs", "ann")).rejects.toThrow(/back it up where it runs/);
    await expect(measureStorage(ctx, "theirs")).rejects.toThrow(/not known from here/);
    await expect(logFileOf(ctx, "theirs")).rejects.toThrow(/its log is where it runs/);
  });

  test("one that is being removed is neither started nor backed up any more", async () => {
    const ctx = await testContext();
    await createTenant(ctx, { id: "going" });
    await requestRemoval(ctx, "going", { keepBackup: false });
    await expect(requestRestart(ctx, "going")).rejects.toThrow(/is being removed/);
    await expect(setDesired(ctx, "going", "running")).rejects.toThrow(/is being removed/);
    await expect(requestBackup(ctx, "going", "ann")).rejects.toThrow(/is being removed/);
  });
});

test("of a homeserver's past its newest thousand changes are kept, page by page", async () => {
  const ctx = await testContext();
  for (const id of ["one", "other"]) await createTenant(ctx, { id });
  await writeState(ctx, "other", { state: "running", detail: null });
  await ctx.sql`insert into tenant_health (tenant_id, state, detail)
    select 'one', 'restarting', 'number ' || n from generate_series(1, 1200) n`;
  await writeState(ctx, "one", { state: "failed", detail: "No." });
  expect(await ctx.sql`select count(*)::int as n from tenant_health where tenant_id = 'one'`).toEqual([{ n: 1000 }]);
  const page = await listHealth(ctx, "one", { limit: 2 });
  expect(page.map(({ detail }) => detail)).toEqual(["No.", "number 1200"]);
  const next = await listHealth(ctx, "one", { limit: 1, before: page[1]?.id });
  expect(next.map(({ detail }) => detail)).toEqual(["number 1199"]);
  expect(await listHealth(ctx, "other", { limit: 10 })).toHaveLength(1);
  expect(await getTenant(ctx, "one")).toMatchObject({ state: "failed", stateDetail: "No." });
});

test("what it takes on the disk is measured, and not again within a minute", { timeout: 60_000 }, async () => {
  const { ctx } = world;
  const [first, same] = await Promise.all([measureStorage(ctx, tenantId), measureStorage(ctx, tenantId)]);
  expect(first.databaseBytes).toBeGreaterThan(1_000_000);
  expect(same).toEqual(first);
  expect(await measureStorage(ctx, tenantId)).toEqual(first);
  await ctx.sql`update tenant_storage set measured_at = now() - interval '2 minutes'`;
  expect((await measureStorage(ctx, tenantId)).measuredAt.getTime()).toBeGreaterThan(first.measuredAt.getTime());
  expect(await listStorage(ctx, tenantId, { limit: 10 })).toHaveLength(1);
});

describe("backups of one homeserver", { timeout: 60_000 }, () => {
  const folder = () => path.join(world.ctx.config.home, "backups");
  const ended = (id: string) =>
    eventually("the backup to end", async () => {
      const row = await getBackup(world.ctx, tenantId, id);
      return (row.state === "done" || row.state === "failed") && row;
    });

  test("asked for twice it is made once, and holds what the homeserver is made of", async () => {
    const { ctx } = world;
    const [one, two] = await Promise.all([requestBackup(ctx, tenantId, "ann"), requestBackup(ctx, tenantId, "ben")]);
    expect(one.id).toBe(two.id);
    expect(() => backupFile(ctx, one)).toThrow(/is not done/);
    upkeep();
    const row = await ended(one.id);
    expect(row).toMatchObject({ state: "done", error: null, attempts: 1 });
    const { file, bytes, name } = backupFile(ctx, row);
    expect(name.startsWith(`${tenantId}-`)).toBe(true);
    expect(bytes).toBe(row.bytes);
    const entries: string[] = [];
    await list({ file, onReadEntry: (entry) => entries.push(entry.path) });
    expect(entries).toEqual(expect.arrayContaining(["database.dump", "signing.key", "tenant.json"]));
    expect(readdirSync(folder())).toEqual([name]);

    await deleteBackup(ctx, tenantId, row.id);
    expect(existsSync(file)).toBe(false);
    expect(await listBackups(ctx, tenantId, { limit: 10 })).toEqual([]);
  });

  test("what a crash left half made goes; its backup is made by the next platform, and given up after three", async () => {
    const { ctx } = world;
    const row = await requestBackup(ctx, tenantId, "ann");
    await ctx.sql`update tenant_backups set state = 'running', attempts = 1`;
    mkdirSync(path.join(folder(), ".making-left"), { recursive: true });
    writeFileSync(path.join(folder(), ".making-left", "database.dump"), "half");
    const first = upkeep();
    expect(await ended(row.id)).toMatchObject({ state: "done", attempts: 2 });
    expect(readdirSync(folder()).filter((name) => name.startsWith("."))).toEqual([]);
    await first.stop();

    const next = await requestBackup(ctx, tenantId, "ann");
    await ctx.sql`update tenant_backups set state = 'running', attempts = 3 where id = ${next.id}`;
    upkeep();
    expect(await ended(next.id)).toMatchObject({ state: "failed", error: expect.stringContaining("three times") });
    for (const { id } of await listBackups(ctx, tenantId, { limit: 10 })) await deleteBackup(ctx, tenantId, id);
  });

  test("what cannot be backed up is said in a sentence, and nothing of it stays", async () => {
    const { ctx } = world;
    const row = await requestBackup(ctx, tenantId, "ann");
    const { config } = await getTenant(ctx, tenantId);
    await ctx.sql`update tenants set config = jsonb_set(config, '{database}', '"synapse_gone"') where id = ${tenantId}`;
    upkeep();
    const end = await ended(row.id);
    await ctx.sql`update tenants set config = jsonb_set(config, '{database}', to_jsonb(${config.database ?? ""}::text)) where id = ${tenantId}`;
    expect(end.state).toBe("failed");
    expect(end.error).toMatch(/could not be made \(.*synapse_gone.*\)/);
    expect(readdirSync(folder())).toEqual([]);
    await deleteBackup(ctx, tenantId, row.id);
  });

  test("one of another client, and one whose file was taken away, are not given out", async () => {
    const { ctx } = world;
    const row = { id: "b1", tenantId, requestedBy: "ann", state: "done" as const, file: "../../etc/passwd" };
    const [made] = await ctx.db.insert(tenantBackups).values(row).returning();
    await expect(getBackup(ctx, "other", "b1")).rejects.toThrow(/no such backup/);
    expect(() => backupFile(ctx, made as never)).toThrow(`${path.join(folder(), "passwd")}, is not there`);
    await deleteBackup(ctx, tenantId, "b1");
  });
});

describe("the log of a homeserver", () => {
  test("its last 200 lines, then what is added, also after it was begun anew", async () => {
    const file = path.join(tmpdir(), `agentopia-log-${process.pid}.log`);
    onTestFinished(() => {
      for (const name of [file, `${file}.1`]) rmSync(name, { force: true });
    });
    const end = new AbortController();
    onTestFinished(() => end.abort());
    writeFileSync(file, Array.from({ length: 300 }, (_, i) => `line ${i}\n`).join(""));
    const log = followLog(file, end.signal);
    const next = async () => (await log.next()).value ?? [];
    const first = await next();
    expect([first.length, first[0], first.at(-1)]).toEqual([200, "line 100", "line 299"]);
    appendFileSync(file, "whole\nhalf");
    expect(await next()).toEqual(["whole"]);
    appendFileSync(file, " a line\n");
    expect(await next()).toEqual(["half a line"]);
    renameSync(file, `${file}.1`);
    writeFileSync(file, "begun anew\n");
    expect(await next()).toEqual(["begun anew"]);
  });

  test("a homeserver that was never started has an empty one", async () => {
    const end = new AbortController();
    const log = followLog(path.join(tmpdir(), "agentopia-no-such.log"), end.signal);
    expect((await log.next()).value).toEqual([]);
    end.abort();
    expect((await log.next()).done).toBe(true);
  });

  test.each([
    ["GET /sync?access_token=syt_YWxpY2U_abcdefghij_0a1b2c HTTP", "GET /sync?access_token=… HTTP"],
    ["Authorization: Bearer abcDEF123456.-_ sent", "Authorization: Bearer … sent"],
    [`{"password": "correct horse", "user": "ann"}`, `{"password": "…", "user": "ann"}`],
    ["as_token: abcdef hs_token: ghijkl", "as_token: … hs_token: …"],
    ["registration_shared_secret='s3cr3t' set", "registration_shared_secret='…' set"],
    ["a token was refused for @ann:x", "a token was refused for @ann:x"],
  ])("%s", (line, shown) => {
    expect(withoutSecrets(line)).toBe(shown);
  });
});
