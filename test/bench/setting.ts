import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { createAgent } from "../../bots/agents.ts";
import { ROOT } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { newToken } from "../../core/ids.ts";
import { createPerson } from "../../homeserver/accounts.ts";
import { createTenant, setDesired } from "../../homeserver/tenants.ts";
import { eventually } from "../harness/eventually.ts";
import { type Platform, startPlatform } from "../harness/platform.ts";
import { freePort } from "../harness/postgres-process.ts";
import { type Asker, startAsker } from "./asker.ts";

export const TENANT = "bench";
/** Rooms of each kind: the first is for questions one by one, all but it for many at once. */
export const ROOMS = 21;
const PASSWORD = "a-Long-enough-password-7";

/** Product and floor on one Synapse without rate limits, each with rooms of its own that the same person is in. */
export interface Setting {
  platform: Platform;
  ctx: Context;
  asker: Asker;
  homeserverUrl: string;
  product: Side;
  floor: Side;
  /** Milliseconds from asking for the tenant until its homeserver ran. */
  tenantMs: number;
  endFloor(): void;
  end(): Promise<void>;
}

export interface Side {
  name: string;
  botId: string;
  rooms: string[];
  /** Pids whose CPU time is its own. */
  pids(): number[];
}

/** Starts it all over a fresh home folder. */
export async function startSetting(say: (line: string) => void): Promise<Setting> {
  say("starting the platform");
  const platform = await startPlatform({ name: "bench", env: { AGENTOPIA_LOG_LEVEL: "info" } });
  const { ctx } = platform;
  const floorPort = await freePort();
  const asToken = newToken();
  const registration = path.join(platform.home, "floor.yaml");
  writeFileSync(registration, floorRegistration(floorPort, asToken), { mode: 0o644 });
  say("making the tenant");
  const tenantMs = await addTenant(platform, TENANT, [registration]);
  await setDesired(ctx, "demo", "stopped");
  await ctx.sql`update tenants set limits = ${ctx.sql.json({
    quickReplies: 1e9,
    personPairPerHour: 1e9,
    tokensPerDay: 1e15,
  })} where id = ${TENANT}`;
  const homeserverUrl = await tenantUrl(ctx, TENANT);
  const floor = await startFloor(floorPort, homeserverUrl, platform.model.url, asToken);
  say("making agents and rooms");
  const agentId = await makeAgents(ctx, 10);
  await createPerson(ctx, { tenantId: TENANT, username: "asker", password: PASSWORD });
  const asker = await startAsker(homeserverUrl, "asker", PASSWORD);
  const serverName = asker.userId.split(":").slice(1).join(":");
  const floorId = `@floor:${serverName}`;
  const floorRooms: string[] = [];
  const productRooms: string[] = [];
  for (let n = 0; n < ROOMS; n++) {
    floorRooms.push(await makeRoom(asker, floorId, (roomId) => joinFloor(homeserverUrl, asToken, floorId, roomId)));
    productRooms.push(await makeRoom(asker, agentId));
  }
  return {
    platform,
    ctx,
    asker,
    homeserverUrl,
    tenantMs,
    product: { name: "product", botId: agentId, rooms: productRooms, pids: () => [platform.pid()] },
    floor: { name: "floor", botId: floorId, rooms: floorRooms, pids: () => [floor.pid ?? 0] },
    endFloor: () => void floor.kill("SIGKILL"),
    async end() {
      asker.stop();
      floor.kill("SIGKILL");
      await platform.end();
    },
  };
}

/** Returns how long it took until its homeserver answered, in milliseconds. */
export async function addTenant(platform: Platform, id: string, extraAppservices: string[] = []): Promise<number> {
  const began = performance.now();
  await createTenant(platform.ctx, { id, config: { rateLimits: "off", extraAppservices } });
  await eventually(
    `the homeserver of ${id}`,
    async () => {
      const [row] = await platform.ctx.sql`select state, state_detail from tenants where id = ${id}`;
      if (row?.state === "failed" || row?.state === "crash_loop") throw new Error(`${id}: ${row.state_detail}`);
      return row?.state === "running";
    },
    { timeoutMs: 120_000 },
  );
  return performance.now() - began;
}

async function tenantUrl(ctx: Context, id: string): Promise<string> {
  const [row] = await ctx.sql<{ url: string }[]>`select homeserver_url as url from tenants where id = ${id}`;
  return row?.url ?? "";
}

/** Returns the user id of the first. */
async function makeAgents(ctx: Context, count: number): Promise<string> {
  let first = "";
  for (let n = 0; n < count; n++) {
    const definition = {
      name: n === 0 ? "Echo" : `Echo ${n}`,
      description: "Answers the bench.",
      instructions: "Answer.",
      model: null,
      whoMayInvite: "anyone" as const,
      scope: "member" as const,
    };
    const agent = await createAgent(ctx, { tenantId: TENANT, definition });
    first ||= agent.userId;
  }
  return first;
}

async function makeRoom(asker: Asker, botId: string, join?: (roomId: string) => Promise<void>): Promise<string> {
  const roomId = await asker.createRoom({ preset: "private_chat", invite: [botId] });
  await join?.(roomId);
  await asker.waitForMember(roomId, botId);
  return roomId;
}

async function joinFloor(url: string, asToken: string, userId: string, roomId: string): Promise<void> {
  const response = await fetch(
    `${url}/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/join?user_id=${encodeURIComponent(userId)}`,
    { method: "POST", headers: { authorization: `Bearer ${asToken}` }, body: "{}" },
  );
  if (!response.ok) throw new Error(`The floor could not join: ${response.status} ${await response.text()}`);
}

const floorRegistration = (port: number, asToken: string) =>
  JSON.stringify({
    id: "floor",
    url: `http://127.0.0.1:${port}`,
    as_token: asToken,
    hs_token: newToken(),
    sender_localpart: "floor",
    rate_limited: false,
    namespaces: { users: [{ exclusive: false, regex: "@floor:.*" }], aliases: [], rooms: [] },
  });

async function startFloor(
  port: number,
  homeserverUrl: string,
  modelUrl: string,
  asToken: string,
): Promise<ChildProcess> {
  const child = spawn(
    path.join(ROOT, "node_modules/.bin/node"),
    ["test/bench/floor.ts", String(port), homeserverUrl, modelUrl, asToken],
    { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"] },
  );
  await once(child.stdout, "data");
  return child;
}
