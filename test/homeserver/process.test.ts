import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { list } from "tar";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTenantSecrets } from "../../homeserver/access.ts";
import { checkPassword, createPerson, deactivateUser, registerAgentUser } from "../../homeserver/accounts.ts";
import { call } from "../../homeserver/http.ts";
import { errcodeOf, joinRoom, leaveRoom, readMessages, sendEvent } from "../../homeserver/matrix.ts";
import { addPersonToTeam, createTeam, inviteAgentToRoom } from "../../homeserver/rooms.ts";
import { withSynapseDatabase } from "../../homeserver/synapse-database.ts";
import { createTenant, getTenant, requestRemoval, setDesired } from "../../homeserver/tenants.ts";
import { eventually } from "../harness/eventually.ts";
import { type Caller, signIn, startWorld, synapsePid, uniqueTenant, type World } from "./world.ts";

let world: World;
let failed = false;
const tenantId = uniqueTenant();
let agent: string;
let ann: Caller;
let teamId: string;
let room: string;

beforeAll(async () => {
  world = await startWorld();
  const { ctx } = world;
  await createTenant(ctx, { id: tenantId, config: { rateLimits: "off" } });
  await world.supervisor.ready(tenantId);
  agent = await registerAgentUser(ctx, { tenantId, localpart: "agent-writer", displayName: "Writer", deviceId: "ONE" });
  const team = await createTeam(ctx, { tenantId, name: "Marketing", channels: ["general"] });
  teamId = team.id;
  const [general] = await ctx.sql<{ room_id: string }[]>`select room_id from rooms where channel = 'general'`;
  room = general?.room_id ?? "";
  const userId = await createPerson(ctx, { tenantId, username: "ann", password: "correct horse" });
  await addPersonToTeam(ctx, { tenantId, teamId, userId });
  ann = await signIn((await getTenant(ctx, tenantId)).homeserverUrl, "ann", "correct horse");
  await inviteAgentToRoom(ctx, { tenantId, roomId: room, userId: agent });
  await joinRoom(ctx, { tenantId, as: agent, roomId: room });
}, 120_000);

beforeEach(({ task, onTestFinished }) => {
  onTestFinished(() => {
    failed ||= task.result?.state === "fail";
  });
});

afterAll(() => world?.end(failed, "homeserver-process"), 60_000);

const inboxTexts = async () =>
  (
    await world.ctx.sql<{ body: string }[]>`
      select content->>'body' as body from inbox where tenant_id = ${tenantId} and type = 'm.room.message' order by seq`
  ).map((row) => row.body);

const arrived = (texts: string[], timeoutMs = 40_000) =>
  eventually(
    `${texts.length} messages to arrive`,
    async () => {
      const have = (await inboxTexts()).filter((text) => texts.includes(text));
      return have.length >= texts.length && have;
    },
    { timeoutMs },
  );

const many = (what: string, count: number) => Array.from({ length: count }, (_, i) => `${what} ${i}`);

describe("a tenant's own Synapse", { timeout: 60_000 }, () => {
  test("what a person says is in the inbox, once and in order", async () => {
    const texts = many("hello", 20);
    for (const text of texts) await ann.say(room, text);
    expect(await arrived(texts)).toEqual(texts);
  });

  test("what Synapse forgot while the database was away comes in when it is back, and only that", async () => {
    const { ctx } = world;
    const texts = many("before the outage", 5);
    for (const text of texts) await ann.say(room, text);
    await arrived(texts);
    const count = async () => (await ctx.sql`select 1 from inbox where tenant_id = ${tenantId}`).length;
    const whole = await count();
    // As if Synapse had dropped these instead of handing them over.
    await ctx.sql`delete from inbox where tenant_id = ${tenantId} and content->>'body' in (${texts[1] ?? ""}, ${texts[4] ?? ""})`;
    // What every restart of Postgres does to the connection that hears NOTIFY.
    await ctx.sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'agentopia wake' and datname = current_database()`;
    const back = await arrived(texts);
    expect([...back].sort()).toEqual(texts);
    expect(await count()).toBe(whole);
  });

  test("agents are found by name in the user directory", async () => {
    const found = await ann.call("POST", "/_matrix/client/v3/user_directory/search", { search_term: "writ" });
    expect(found.json.results).toEqual([expect.objectContaining({ user_id: agent, display_name: "Writer" })]);
  });

  test("the same transaction id gives the same event after a kill -9 of Synapse, which is started again", async () => {
    const { ctx } = world;
    const event = { tenantId, as: agent, roomId: room, txnId: "run-1", type: "m.room.message" };
    const content = { msgtype: "m.text", body: "only once" };
    const first = await sendEvent(ctx, { ...event, deviceId: "ONE", content });
    const pid = synapsePid(world, tenantId);
    process.kill(pid, "SIGKILL");
    await eventually("another Synapse that answers", async () => {
      const row = await getTenant(ctx, tenantId);
      return ![0, pid].includes(synapsePid(world, tenantId)) && row.state === "running";
    });
    expect(await sendEvent(ctx, { ...event, deviceId: "ONE", content })).toBe(first);
    const { chunk } = await readMessages(ctx, { tenantId, as: agent, roomId: room, limit: 20, dir: "b" });
    expect(chunk.filter((one) => one.content.body === "only once")).toHaveLength(1);
  });

  test("a device that vanished is made again by the next message", async () => {
    const { ctx } = world;
    await call(ctx, tenantId, { method: "DELETE", path: "/_matrix/client/v3/devices/ONE", as: agent, body: {} });
    const content = { msgtype: "m.text", body: "still here" };
    const event = { tenantId, as: agent, roomId: room, deviceId: "ONE", type: "m.room.message", content };
    expect(await sendEvent(ctx, { ...event, txnId: "run-2" })).toMatch(/^\$/);
  });

  test("messages sent while the platform is down arrive soon after it is back", async () => {
    await world.down();
    const texts = many("while down", 30);
    for (const text of texts) await ann.say(room, text);
    await world.up();
    expect(await arrived(texts, 10_000)).toEqual(texts);
  });

  test("messages arrive that were sent while the platform was down and whose Synapse was killed before it could deliver", async () => {
    const { ctx } = world;
    await world.down();
    const texts = many("before the kill", 110);
    for (const text of texts) await ann.say(room, text);
    const pid = synapsePid(world, tenantId);
    process.kill(pid, "SIGKILL");
    await world.up();
    await world.supervisor.ready(tenantId);
    expect(await arrived(texts)).toEqual(texts);
    const twice = await ctx.sql`select event_id from inbox group by tenant_id, event_id having count(*) > 1`;
    expect(twice).toHaveLength(0);
  });

  test("messages arrive when Synapse died and someone started it again by hand while the platform was down", async () => {
    await world.down();
    const texts = many("started by hand", 5);
    for (const text of texts) await ann.say(room, text);
    const pid = synapsePid(world, tenantId);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean);
    const env = Object.fromEntries(
      readFileSync(`/proc/${pid}/environ`, "utf8")
        .split("\0")
        .filter(Boolean)
        .map((pair) => pair.split(/=(.*)/s, 2)),
    );
    process.kill(pid, "SIGKILL");
    const { spawn } = await import("node:child_process");
    spawn(command[0] ?? "", command.slice(1), { env, detached: true, stdio: "ignore" }).unref();
    const { homeserverUrl } = await getTenant(world.ctx, tenantId);
    await eventually("it to answer", () =>
      fetch(`${homeserverUrl}/_matrix/client/versions`).then(
        (r) => r.ok,
        () => false,
      ),
    );
    texts.push("to the one started by hand");
    await ann.say(room, "to the one started by hand");
    await world.up();
    expect(await arrived(texts)).toEqual(texts);
  });

  test("the inbox answered with errors for a while: what was sent meanwhile arrives within seconds of its return", async () => {
    const { ctx } = world;
    const texts = many("table away", 5);
    // Only what is written is refused: reading goes on, or the platform would take it for the homeserver's fault.
    await ctx.sql`create function refuse() returns trigger language plpgsql as 'begin raise exception ''away''; end'`;
    await ctx.sql`create trigger refuse before insert on inbox execute function refuse()`;
    try {
      for (const text of texts) await ann.say(room, text);
      await eventually("the inbox to refuse", () =>
        readFileSync(path.join(ctx.config.home, "platform.log"), "utf8").includes("was not stored"),
      );
    } finally {
      await ctx.sql`drop trigger refuse on inbox`;
    }
    expect(await arrived(texts, 8_000)).toEqual(texts);
  });

  /** As after the race in Synapse's recoverer: a message never came, its transaction lies there, and the state is what it is. */
  async function heldBack(text: string, state: "up" | "down"): Promise<void> {
    const { ctx } = world;
    await ann.say(room, text);
    await arrived([text]);
    const [row] = await ctx.sql<{ event_id: string }[]>`
      delete from inbox where tenant_id = ${tenantId} and content->>'body' = ${text} returning event_id`;
    await inSynapse(async (sql) => {
      await sql`update application_services_state set state = ${state} where as_id = 'agentopia'`;
      await sql`insert into application_services_txns (as_id, txn_id, event_ids)
        select 'agentopia', coalesce(min(txn_id), 2) - 1, ${JSON.stringify([row?.event_id])} from application_services_txns`;
    });
  }

  async function inSynapse(use: Parameters<typeof withSynapseDatabase>[2]): Promise<void> {
    const { ctx } = world;
    const secrets = openTenantSecrets(ctx, await getTenant(ctx, tenantId));
    const { database: name = "" } = (await getTenant(ctx, tenantId)).config;
    await withSynapseDatabase(ctx, { name, password: secrets.databasePassword ?? "" }, use);
  }

  test("a transaction that Synapse forgot to send, though it counts us as up, is looked for", async () => {
    await heldBack("forgotten by the recoverer", "up");
    await world.down();
    await world.up();
    await arrived(["forgotten by the recoverer"]);
  });

  test("one that it forgets at the end of a long recovery is found seconds later", async () => {
    await heldBack("forgotten at the end", "down");
    await world.down();
    await world.up();
    // More than the few quick looks after a start: it goes on looking because it is told that the recovery goes on.
    const pings = world.pings(tenantId);
    await eventually("five looks", () => world.pings(tenantId) >= pings + 5, { timeoutMs: 30_000 });
    await inSynapse((sql) => sql`update application_services_state set state = 'up' where as_id = 'agentopia'`);
    const upAgain = world.pings(tenantId);
    await arrived(["forgotten at the end"]);
    expect(world.pings(tenantId) - upAgain).toBeLessThanOrEqual(2);
  });

  test("a running Synapse is taken over by the next platform, not started again", async () => {
    const pid = synapsePid(world, tenantId);
    await world.down();
    await world.up();
    await world.supervisor.ready(tenantId);
    expect(synapsePid(world, tenantId)).toBe(pid);
  });

  test("a person's account: made once, never overwritten, its password checked", async () => {
    const { ctx } = world;
    const again = createPerson(ctx, { tenantId, username: "ann", password: "another horse" });
    await expect(again).rejects.toMatchObject({ code: "conflict" });
    expect(await checkPassword(ctx, { tenantId, username: "ann", password: "correct horse" })).toBe(true);
    expect(await checkPassword(ctx, { tenantId, username: "ann", password: "another horse" })).toBe(false);
    expect(await checkPassword(ctx, { tenantId, username: "nobody", password: "another horse" })).toBe(false);
  });

  test("an agent that is deactivated is out of its rooms, and what it wrote stays", async () => {
    const { ctx } = world;
    const gone = { tenantId, localpart: "agent-gone", displayName: "Gone", deviceId: "TWO" };
    const userId = await registerAgentUser(ctx, gone);
    await inviteAgentToRoom(ctx, { tenantId, roomId: room, userId });
    const as = { tenantId, as: userId, roomId: room };
    await joinRoom(ctx, as);
    await sendEvent(ctx, { ...as, txnId: "bye", type: "m.room.message", content: { msgtype: "m.text", body: "bye" } });
    await leaveRoom(ctx, { ...as, reason: "removed" });
    await leaveRoom(ctx, as);
    await deactivateUser(ctx, { tenantId, userId });
    await deactivateUser(ctx, { tenantId, userId });
    const late = sendEvent(ctx, { ...as, txnId: "late", type: "m.room.message", content: {} });
    await expect(late).rejects.toMatchObject({ code: "homeserver_refused" });
    expect(errcodeOf(await late.catch((error: unknown) => error))).toMatch(/^M_/);
    await arrived(["bye"]);
  });

  test("stop and start: the state says so, nothing listens in between", async () => {
    const { ctx } = world;
    const { homeserverUrl } = await getTenant(ctx, tenantId);
    await setDesired(ctx, tenantId, "stopped");
    await eventually("the state stopped", async () => (await getTenant(ctx, tenantId)).state === "stopped");
    await expect(fetch(`${homeserverUrl}/_matrix/client/versions`)).rejects.toThrow();
    await expect(world.supervisor.ready(tenantId)).rejects.toThrow(/stopped/);
    await world.down();
    await world.up();
    await expect(world.supervisor.ready(tenantId)).rejects.toThrow(/stopped/);
    await setDesired(ctx, tenantId, "running");
    await eventually("the state running", async () => (await getTenant(ctx, tenantId)).state === "running");
    expect((await fetch(`${homeserverUrl}/_matrix/client/versions`)).status).toBe(200);
  });

  test("a Synapse that cannot start is a crash loop, with the last lines of its log", async () => {
    const { ctx } = world;
    const id = uniqueTenant();
    await createTenant(ctx, { id, config: { rateLimits: "off", extraAppservices: ["/nonexistent/bridge.yaml"] } });
    await expect(world.supervisor.ready(id)).rejects.toThrow(/bridge\.yaml/);
    const row = await getTenant(ctx, id);
    expect(row.state).toBe("crash_loop");
    expect(row.stateDetail).toMatch(/ended while it started.*\n.*/s);
    await requestRemoval(ctx, id, { keepBackup: false });
    await eventually(
      "it to be removed",
      async () => (await ctx.sql`select 1 from tenants where id = ${id}`).length === 0,
    );
  }, 90_000);

  test("removal keeps a backup, then nothing of the tenant is left", async () => {
    const { ctx } = world;
    const id = uniqueTenant();
    const row = await createTenant(ctx, { id });
    await world.supervisor.ready(id);
    writeFileSync(path.join(ctx.config.home, "synapse", id, "media", "kept"), "a picture");
    const { backup } = await requestRemoval(ctx, id, { keepBackup: true });
    await eventually(
      "it to be removed",
      async () => (await ctx.sql`select 1 from tenants where id = ${id}`).length === 0,
    );
    const names: string[] = [];
    await list({ file: backup ?? "", onReadEntry: (entry) => void names.push(entry.path) });
    expect(names).toEqual(expect.arrayContaining(["database.dump", "signing.key", "media/kept", "tenant.json"]));
    expect(readdirSync(path.join(ctx.config.home, "synapse"))).not.toContain(id);
    expect(await ctx.sql`select 1 from pg_database where datname = ${row.config.database ?? ""}`).toHaveLength(0);
    expect(await ctx.sql`select 1 from pg_roles where rolname = ${row.config.database ?? ""}`).toHaveLength(0);
    expect(existsSync(backup ?? "")).toBe(true);
    await expect(fetch(`${row.homeserverUrl}/_matrix/client/versions`)).rejects.toThrow();
  });
});
