/** Synapses under a real supervisor with a real inbox, without the rest of the platform. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import pino from "pino";
import postgres from "postgres";
import { inject } from "vitest";
import { loadConfig } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { openDatabase } from "../../core/database.ts";
import { freePort } from "../../core/ports.ts";
import { openSecrets } from "../../core/secrets.ts";
import { openWake, type Wake } from "../../core/wake.ts";
import { closeInbox, inboxRoutes } from "../../homeserver/inbox.ts";
import { type Supervisor, startSupervisor } from "../../homeserver/supervisor.ts";
import { requestRemoval } from "../../homeserver/tenants.ts";
import { eventually } from "../harness/eventually.ts";
import { databaseUrl, TEMPLATE } from "../harness/postgres-once.ts";
import { makeResultsFolder } from "../harness/results.ts";

export interface World {
  ctx: Context;
  internalUrl: string;
  supervisor: Supervisor;
  /** The platform comes up: inbox, supervisor. */
  up(): Promise<void>;
  /** The platform is gone as after a `kill -9`: homeservers go on, nobody listens. */
  down(): Promise<void>;
  /** How often a tenant's homeserver answered a ping of ours, which each look after it begins with. */
  pings(tenantId: string): number;
  end(failed: boolean, name: string): Promise<void>;
}

let count = 0;

/** A tenant id that no other test file uses: their Synapses share one Postgres. */
export const uniqueTenant = (): string => `t${process.pid}x${++count}`;

export async function startWorld(): Promise<World> {
  const name = `world_${process.pid}_${++count}`;
  await onServer(`create database ${name} template ${TEMPLATE}`);
  const url = databaseUrl(inject("postgresUrl"), name);
  const database = openDatabase(url, { max: 5, name });
  const home = mkdtempSync(path.join(tmpdir(), "agentopia-world-"));
  const config = loadConfig({ AGENTOPIA_HOME: home, AGENTOPIA_LOCAL_MODEL_PORTS: "none" });
  const ctx: Context = {
    config,
    databaseUrl: url,
    sql: database.sql,
    db: database.db,
    secrets: openSecrets(config),
    clock: { now: () => Date.now() },
    log: pino({ level: "debug" }, pino.destination({ dest: path.join(home, "platform.log"), sync: true })),
  };
  const port = await freePort();
  const internalUrl = `http://127.0.0.1:${port}`;
  let wake: Wake | undefined;
  let server: ServerType | undefined;
  const pings = new Map<string, number>();
  const world: World = {
    ctx,
    internalUrl,
    supervisor: undefined as unknown as Supervisor,
    async up() {
      wake = openWake(url, ctx.log);
      world.supervisor = startSupervisor(ctx, { wake, internalUrl, everyMs: 1000 });
      server = await listen(ctx, port, pings);
    },
    pings: (tenantId) => pings.get(`/as/${tenantId}/_matrix/app/v1/ping`) ?? 0,
    async down() {
      await world.supervisor.stop({ leave: true });
      await wake?.close();
      await closed(server);
      // What a new process does not know either: who may hand over events.
      for (const { id } of await ctx.sql<{ id: string }[]>`select id from tenants`) closeInbox(ctx, id);
    },
    async end(failed, test) {
      for (const { id } of await ctx.sql<{ id: string }[]>`select id from tenants`)
        await requestRemoval(ctx, id, { keepBackup: false });
      await eventually("the tenants to be removed", async () => (await ctx.sql`select 1 from tenants`).length === 0);
      await world.down();
      await database.close();
      if (failed) keepLogs(home, test);
      await onServer(`drop database if exists ${name} with (force)`);
      rmSync(home, { recursive: true, force: true });
    },
  };
  await world.up();
  return world;
}

function listen(ctx: Context, port: number, pings: Map<string, number>): Promise<ServerType> {
  const inbox = inboxRoutes(ctx);
  const fetch = (request: Request) => {
    const { pathname } = new URL(request.url);
    if (pathname.endsWith("/ping")) pings.set(pathname, (pings.get(pathname) ?? 0) + 1);
    return inbox.fetch(request);
  };
  return new Promise((resolve) => {
    const server = serve({ fetch, port, hostname: "127.0.0.1" }, (_: AddressInfo) => resolve(server));
  });
}

async function closed(server: ServerType | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    server?.close(() => resolve());
    if (server && "closeAllConnections" in server) server.closeAllConnections();
  });
}

function keepLogs(home: string, test: string): void {
  const results = makeResultsFolder(test);
  copyFileSync(path.join(home, "platform.log"), path.join(results, "platform.log"));
  const logs = path.join(home, "logs");
  if (existsSync(logs))
    for (const file of readdirSync(logs)) copyFileSync(path.join(logs, file), path.join(results, file));
}

async function onServer(statement: string): Promise<void> {
  const sql = postgres(inject("postgresUrl"), { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

/** The pid of a tenant's Synapse; 0 while there is none. */
export function synapsePid({ ctx }: World, tenantId: string): number {
  const file = path.join(ctx.config.home, "synapse", tenantId, "synapse.pid");
  return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : 0;
}

/** A person with an access token and plain calls to the client-server API. */
export interface Caller {
  userId: string;
  call(method: string, path: string, body?: object): Promise<{ status: number; json: Record<string, unknown> }>;
  /** Sends a text; returns its event id. */
  say(roomId: string, text: string): Promise<string>;
}

export async function signIn(homeserverUrl: string, user: string, password: string): Promise<Caller> {
  const { json } = await ask(homeserverUrl, undefined, "POST", "/_matrix/client/v3/login", {
    type: "m.login.password",
    identifier: { type: "m.id.user", user },
    password,
  });
  const token = json.access_token as string;
  let sent = 0;
  const call: Caller["call"] = (method, where, body) => ask(homeserverUrl, token, method, where, body);
  return {
    userId: json.user_id as string,
    call,
    async say(roomId, text) {
      const where = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${token.slice(-6)}${++sent}`;
      const answer = await call("PUT", where, { msgtype: "m.text", body: text });
      if (answer.status !== 200) throw new Error(`${where}: ${answer.status} ${JSON.stringify(answer.json)}`);
      return answer.json.event_id as string;
    },
  };
}

async function ask(url: string, token: string | undefined, method: string, where: string, body?: object) {
  const response = await fetch(url + where, {
    method,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}
