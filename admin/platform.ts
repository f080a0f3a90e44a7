/** Puts the platform's parts together, in the order in which they need each other. */
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { startActions } from "../bots/actions.ts";
import { startDrain } from "../bots/drain.ts";
import { refreshDefaultModel } from "../bots/refresh-model.ts";
import { startRetention } from "../bots/retention.ts";
import { startRuns } from "../bots/runs.ts";
import { startScheduler } from "../bots/schedules/scheduler.ts";
import { settled } from "../bots/settle.ts";
import { startUsageDays } from "../bots/usage-days.ts";
import type { registerWorkflows } from "../bots/workflow.ts";
import { systemClock } from "../core/clock.ts";
import { type Config, loadConfig } from "../core/config.ts";
import type { Context } from "../core/context.ts";
import { checkSecretKey, migrate, openDatabase } from "../core/database.ts";
import { checkDatabase } from "../core/database-check.ts";
import { AppError } from "../core/errors.ts";
import { leftovers } from "../core/leftovers.ts";
import { type Life, live } from "../core/life.ts";
import { listen } from "../core/listen.ts";
import { type HomeLock, lockHome } from "../core/lock.ts";
import { beOnlyOne } from "../core/only-one.ts";
import { keptPorts, type Ports, portTaken } from "../core/ports.ts";
import { startPostgres } from "../core/postgres.ts";
import { openSecrets } from "../core/secrets.ts";
import { prepareHome } from "../core/trouble.ts";
import { openWake, type Wake } from "../core/wake.ts";
import { openElementWeb } from "../element-config/web.ts";
import { closeInbox, inboxRoutes, onReceived, settleOnArrival } from "../homeserver/inbox.ts";
import { type Supervisor, startSupervisor } from "../homeserver/supervisor.ts";
import { listTenants, watchTenants } from "../homeserver/tenants.ts";
import { startUpkeep } from "../homeserver/upkeep.ts";
import { allEndpoints } from "./api/list.ts";
import { serveApi } from "./api/serve.ts";
import { platformDatabaseUrl } from "./database-url.ts";
import { ensureDemo } from "./demo.ts";
import { publicRoutes } from "./http.ts";
import { metricsRoutes } from "./metrics.ts";
import { publicUrl } from "./public-url.ts";
import { firstOperatorLink } from "./sign-in/first-operator.ts";
import { summary } from "./summary.ts";
import { startTidying } from "./tidy.ts";

type Command = "start" | "serve" | "worker";
/** `register` takes the place of this version's workflows: for the test that goes from one version to the next. */
type Versions = { register?: typeof registerWorkflows };

/** What a new home folder grows to with one client, and what a known one needs to breathe. */
const NEW_HOME_MB = 400;
const KNOWN_HOME_MB = 50;
/** Homeservers that take longer to answer are not waited for: the others' people should not wait for them either. */
const TENANTS_MS = 60_000;
// Synapse keeps its connection; one that we closed first would cost it a transaction and a growing pause.
const INTERNAL_KEEP_ALIVE_MS = 3_600_000;
const PUBLIC_KEEP_ALIVE_MS = 65_000;

/** Runs one of the long-lived commands until a signal. What is in the way of a start is said in a sentence, exit code 1. */
export async function runPlatform(command: Command, versions: Versions = {}): Promise<void> {
  try {
    const config = loadConfig();
    const known = existsSync(path.join(config.home, "ports.json"));
    prepareHome(config.home, { neededMb: known ? KNOWN_HOME_MB : NEW_HOME_MB });
    const lock = command === "worker" ? null : takeHome(config.home);
    if (lock === "taken") return;
    live(config, command === "start" ? "platform" : command, (life) => begin(life, { command, lock, versions }));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    process.stderr.write(`${error.sentence}\n`);
    process.exitCode = 1;
  }
}

function takeHome(home: string): HomeLock | "taken" {
  const taken = lockHome(home);
  if ("lock" in taken) return taken.lock;
  const { pid, url } = taken.holder;
  process.stdout.write(
    url
      ? `Agentopia is running already: ${url} (pid ${pid}, data in ${home}).\n`
      : `Agentopia is being started over ${home} already${pid ? ` (pid ${pid})` : ""}.\n`,
  );
  return "taken";
}

interface Begun {
  command: Command;
  lock: HomeLock | null;
  versions: Versions;
}

async function begin(life: Life, how: Begun): Promise<void> {
  const { command, lock, versions } = how;
  if (lock) {
    await life.onEnd("the lock", lock.release);
    const left = leftovers(life.config.home).length;
    if (left > 0) life.say(`An earlier start was cut off and left ${left} of its processes running: taking them over.`);
  }
  const ctx = await openPlatform(life, command);
  const wake = openWake(ctx.databaseUrl, ctx.log);
  await life.onEnd("NOTIFY", wake.close);
  watchTenants(ctx, wake);
  if (command !== "worker") return receive(life, ctx, { wake, command, lock, versions });
  await startBots(life, ctx, { wake, versions });
  life.say("Worker is running. Ctrl-C stops it.");
}

/** The database, migrated, with a key that fits. */
async function openPlatform(life: Life, command: Command): Promise<Context> {
  const { config, log } = life;
  const databaseUrl = await findDatabase(life, command);
  const database = openDatabase(databaseUrl, { name: `agentopia ${command}` });
  await life.onEnd("the database connections", database.close);
  await migrate(database);
  const keyFile = path.join(config.home, "secret.key");
  const keyIsNew = !existsSync(keyFile);
  const secrets = openSecrets(config);
  try {
    await checkSecretKey(database, secrets);
  } catch (error) {
    if (keyIsNew) rmSync(keyFile, { force: true }); // it fits nothing, and would hide that the right one is missing
    throw error;
  }
  return { config, databaseUrl, sql: database.sql, db: database.db, secrets, clock: systemClock, log };
}

async function findDatabase(life: Life, command: Command): Promise<string> {
  const { config, log, say } = life;
  if (config.databaseUrl) {
    await checkDatabase(config.databaseUrl);
    if (command !== "worker") {
      const { release } = await beOnlyOne(config.databaseUrl, life.fail);
      await life.onEnd("being the only receiver", release);
    }
    return config.databaseUrl;
  }
  if (command === "worker") return platformDatabaseUrl(config);
  const { postgres: port } = await portsOf(config);
  const server = await startPostgres({ home: config.home, port, log, say });
  await life.onEnd("Postgres", server.stop);
  return server.url;
}

const portsOf = (config: Config): Promise<Ports> => keptPorts(config.home, { public: config.port });

interface Receiving {
  wake: Wake;
  command: "start" | "serve";
  lock: HomeLock | null;
  versions: Versions;
}

async function receive(life: Life, ctx: Context, { wake, command, lock, versions }: Receiving): Promise<void> {
  const ports = await portsOf(ctx.config);
  // The supervisor opens it tenant by tenant: nothing newer may come in before what was missed.
  closeInbox(ctx);
  settleOnArrival(settled);
  const internalUrl = await openInternal(life, ctx, ports);
  const door = await openPublic(life, ctx, { ports, wake });
  await life.onEnd("backups of homeservers", startUpkeep(ctx, { wake }).stop);
  await life.onEnd("tidying", startTidying(ctx).stop);
  const supervisor = startSupervisor(ctx, { wake, internalUrl });
  await life.onEnd("the homeservers", () => supervisor.stop());
  const [model] = await Promise.all([
    refreshDefaultModel(ctx),
    command === "start" ? startBots(life, ctx, { wake, versions }) : undefined,
    tenantsUp(ctx, supervisor),
  ]);
  const invite = await ensureDemo(ctx, { ready: supervisor.ready, say: life.say });
  const url = await publicUrl(ctx);
  const lines = await summary(ctx, { invite, model, signIn: await firstOperatorLink(ctx) });
  // At once with what is said of it: who sees that it is ready finds the addresses too.
  door.open();
  lock?.note(url);
  for (const line of ["Agentopia is running. Ctrl-C stops it.", ...lines]) life.say(line);
}

async function startBots(
  life: Life,
  ctx: Context,
  { wake, versions }: { wake: Wake; versions: Versions },
): Promise<void> {
  for (const [name, start] of [
    ["runs", () => startRuns(ctx, { wake, ...versions })],
    ["routing", () => startDrain(ctx, { wake, onReceived })],
    ["actions", () => startActions(ctx, { wake })],
    ["schedules", () => startScheduler(ctx, { wake })],
    ["retention", async () => startRetention(ctx)],
    ["sums of usage", async () => startUsageDays(ctx)],
  ] as const) {
    const part = await start();
    await life.onEnd(name, () => part.stop());
  }
}

/** The door for homeservers, and for a Prometheus on this machine. */
async function openInternal(life: Life, ctx: Context, ports: Ports): Promise<string> {
  const app = new Hono();
  app.route("/", inboxRoutes(ctx));
  app.route("/", metricsRoutes(ctx));
  app.get("/healthz", (c) => c.json({ ok: true }));
  const internal = await listen({
    host: "127.0.0.1",
    port: ports.internal,
    fetch: app.fetch,
    keepAliveMs: INTERNAL_KEEP_ALIVE_MS,
    taken: portTaken("internal", ports.internal, ctx.config.home),
  });
  await life.onEnd("the internal listener", internal.close);
  return `http://127.0.0.1:${ports.internal}`;
}

/** The people's pages. Until `open` they say that the platform is starting: who asks /healthz learns when it is ready. */
async function openPublic(
  life: Life,
  ctx: Context,
  { ports, wake }: { ports: Ports; wake: Wake },
): Promise<{ open(): void }> {
  const element = openElementWeb(ctx);
  await life.onEnd("Element Web", element.stop);
  const endpoints = allEndpoints(ctx, { wake, elementServed: () => element.folder() !== undefined });
  const app = publicRoutes(ctx, { element, api: serveApi(ctx, endpoints) });
  let answer: (request: Request, env?: object) => Response | Promise<Response> = () =>
    new Response("Agentopia is starting. Try again in a few seconds.\n", {
      status: 503,
      headers: { "retry-after": "3" },
    });
  const door = await listen({
    host: ctx.config.host,
    port: ports.public,
    fetch: (request, env) => answer(request, env),
    keepAliveMs: PUBLIC_KEEP_ALIVE_MS,
    taken: portTaken("public", ports.public, ctx.config.home),
  });
  await life.onEnd("the public listener", door.close);
  return {
    open() {
      answer = (request, env) => app.fetch(request, env);
    },
  };
}

async function tenantsUp(ctx: Context, supervisor: Supervisor): Promise<void> {
  const wanted = (await listTenants(ctx)).filter(({ desired }) => desired === "running");
  const answers = wanted.map(({ id }) =>
    supervisor
      .ready(id)
      .catch((error: unknown) => ctx.log.error({ err: error, tenant: id }, "its homeserver does not answer")),
  );
  await Promise.race([Promise.all(answers), sleep(TENANTS_MS, undefined, { ref: false })]);
}
