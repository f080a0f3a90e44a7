import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ROOT } from "../../core/config.ts";
import { newId, newToken } from "../../core/ids.ts";
import { killNow, type ProcessHandle, plainEnv, spawnDetached } from "../../core/processes.ts";
import { createPerson, registerAgentUser } from "../../homeserver/accounts.ts";
import { joinRoom } from "../../homeserver/matrix.ts";
import { logConfig, synapseConfig } from "../../homeserver/synapse-config.ts";
import { databaseServer, dropDatabase, ensureDatabase } from "../../homeserver/synapse-database.ts";
import { createTenant, getTenant, tenantAccess } from "../../homeserver/tenants.ts";
import { agents } from "../../migrations/schema.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/postgres-process.ts";
import { signIn, startWorld, uniqueTenant, type World } from "./world.ts";

/** A Synapse that belongs to someone else: its own config, changed by hand as our instructions say. */
interface Theirs {
  url: string;
  secret: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}

let world: World;
let theirs: Theirs;
let failed = false;
const tenantId = uniqueTenant();
const database = { name: `external_${process.pid}`, password: newToken() };

beforeAll(async () => {
  world = await startWorld();
  theirs = await makeTheirs();
}, 60_000);

beforeEach(({ task, onTestFinished }) => {
  onTestFinished(() => {
    failed ||= task.result?.state === "fail";
  });
});

afterAll(async () => {
  await theirs?.kill();
  await dropDatabase(world.ctx, database.name);
  await world.end(failed, "homeserver-external");
}, 60_000);

test("a homeserver of others is taken up when what the instructions say was done, and nothing that it forgot is lost", async () => {
  const { ctx } = world;
  await createTenant(ctx, { id: tenantId, driver: "external", url: `${theirs.url}/`, serverName: "theirs.example" });
  await expect(world.supervisor.ready(tenantId)).rejects.toThrow(/does not answer.*README\.txt/);
  expect((await getTenant(ctx, tenantId)).state).toBe("starting");

  addToTheirs();
  await theirs.start();
  await eventually(
    "the hint about the admin",
    async () => /server admin/.test((await getTenant(ctx, tenantId)).stateDetail ?? ""),
    { timeoutMs: 60_000 },
  );
  await makeAdmin((await tenantAccess(ctx, tenantId)).controlUserId);
  await eventually("the state running", async () => (await getTenant(ctx, tenantId)).state === "running", {
    timeoutMs: 60_000,
  });

  await createPerson(ctx, { tenantId, username: "ann", password: "correct horse" });
  const ann = await signIn(theirs.url, "ann", "correct horse");
  const userId = await registerAgentUser(ctx, { tenantId, localpart: "agent-x", displayName: "X", deviceId: "ONE" });
  await ctx.db.insert(agents).values({
    id: newId(),
    tenantId,
    name: "X",
    userId,
    state: "active",
    deviceId: "ONE",
    definition: {
      name: "X",
      description: "",
      instructions: "",
      model: null,
      whoMayInvite: "anyone",
      scope: "member",
    },
  });
  const make = async () =>
    (await ann.call("POST", "/_matrix/client/v3/createRoom", { preset: "private_chat", invite: [userId] })).json
      .room_id as string;
  const roomId = await make();
  await joinRoom(ctx, { tenantId, as: userId, roomId });
  await ann.say(roomId, "while up");
  await eventually(
    "what is said to arrive",
    async () => (await ctx.sql`select 1 from inbox where content->>'body' = 'while up'`).length,
  );

  await world.down();
  const texts = Array.from({ length: 120 }, (_, i) => `while down ${i}`);
  for (const text of texts) await ann.say(roomId, text);
  const invitedTo = await make();
  await theirs.kill();
  await theirs.start();
  await world.up();
  await world.supervisor.ready(tenantId);
  const arrived = await ctx.sql<{ body: string }[]>`
    select content->>'body' as body from inbox where room_id = ${roomId} and content->>'body' like 'while down%' order by seq`;
  expect(arrived.map((row) => row.body)).toEqual(texts);
  const invite =
    await ctx.sql`select event_id from inbox where room_id = ${invitedTo} and state_key = ${userId} and content->>'membership' = 'invite'`;
  expect(invite).toHaveLength(1);
  expect(invite[0]?.event_id).toMatch(/^\$/);
}, 240_000);

async function makeTheirs(): Promise<Theirs> {
  const { ctx } = world;
  await ensureDatabase(ctx, database);
  const port = await freePort();
  const folder = path.join(ctx.config.home, "theirs");
  mkdirSync(folder, { recursive: true });
  const secret = newToken();
  const url = `http://127.0.0.1:${port}`;
  const config = synapseConfig({
    serverName: "theirs.example",
    port,
    folder,
    publicUrl: url,
    database: {
      ...databaseServer(ctx.databaseUrl),
      name: database.name,
      user: database.name,
      password: database.password,
    },
    secrets: {
      asToken: "",
      hsToken: "",
      registrationSharedSecret: secret,
      macaroonSecret: newToken(),
      formSecret: newToken(),
    },
    config: { readableRooms: true, rateLimits: "off" },
  });
  const plain = { ...config, app_service_config_files: [], modules: [] };
  writeFileSync(path.join(folder, "homeserver.yaml"), JSON.stringify(plain));
  writeFileSync(path.join(folder, "log.yaml"), JSON.stringify(logConfig()));
  writeFileSync(
    path.join(folder, "signing.key"),
    `ed25519 a_test ${Buffer.alloc(32, 7).toString("base64").replace(/=+$/, "")}\n`,
  );
  let handle: ProcessHandle | undefined;
  return {
    url,
    secret,
    async start() {
      handle = await spawnDetached({
        name: "their Synapse",
        command: path.join(ROOT, ".runtime/python/bin/python"),
        args: ["-m", "synapse.app.homeserver", "-c", path.join(folder, "homeserver.yaml")],
        cwd: folder,
        env: plainEnv({ PYTHONPATH: path.join(ctx.config.home, "external", tenantId), PYTHONDONTWRITEBYTECODE: "1" }),
        logFile: path.join(ctx.config.home, "logs/theirs.log"),
        pidFile: path.join(folder, "pid"),
      });
      await eventually("it to answer", () =>
        fetch(`${url}/_matrix/client/versions`).then(
          (r) => r.ok,
          () => false,
        ),
      );
    },
    async kill() {
      if (!handle) return;
      killNow(handle);
      await handle.exited;
    },
  };
}

/** Does what README.txt says: the lines of homeserver-additions.yaml go into homeserver.yaml. */
function addToTheirs(): void {
  const { home } = world.ctx.config;
  const from = path.join(home, "external", tenantId);
  const lines = readFileSync(path.join(from, "homeserver-additions.yaml"), "utf8").replace("/path/to", from);
  const file = path.join(home, "theirs/homeserver.yaml");
  const config = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  for (const name of ["app_service_config_files", "modules", "registration_shared_secret", "user_directory"])
    delete config[name];
  const kept = Object.entries(config).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  writeFileSync(file, [...kept, lines].join("\n"));
}

/** What an admin of that homeserver does by hand. */
async function makeAdmin(userId: string): Promise<void> {
  const { registrationSharedSecret } = await tenantAccess(world.ctx, tenantId);
  const url = `${theirs.url}/_synapse/admin/v1/register`;
  const { nonce } = (await (await fetch(url)).json()) as { nonce: string };
  const mac = createHmac("sha1", registrationSharedSecret)
    .update([nonce, "root", "pw", "admin"].join("\0"))
    .digest("hex");
  const registered = await fetch(url, {
    method: "POST",
    body: JSON.stringify({ nonce, username: "root", password: "pw", admin: true, mac }),
  });
  const { access_token } = (await registered.json()) as { access_token: string };
  const headers = { authorization: `Bearer ${access_token}` };
  const answer = await fetch(`${theirs.url}/_synapse/admin/v1/users/${userId}/admin`, {
    method: "PUT",
    headers,
    body: '{"admin":true}',
  });
  expect(answer.status).toBe(200);
}
