import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, cpSync, existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { loadConfig, ROOT } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { openDatabase } from "../../core/database.ts";
import { openLog } from "../../core/log.ts";
import { adopt, killNow } from "../../core/processes.ts";
import { openSecrets } from "../../core/secrets.ts";
import { eventually } from "./eventually.ts";
import { type ModelServer, startModelServer } from "./model-server.ts";
import { type Person, signIn } from "./person.ts";
import { makeResultsFolder } from "./results.ts";

const NODE = path.join(ROOT, "node_modules/.bin/node");

/** `main.ts start` as a process of its own over a home folder of its own, with everything that it starts. */
export interface Platform {
  home: string;
  /** Address of the people's pages. */
  url: string;
  model: ModelServer;
  /** Into its database and with its key: to look into tables, and to make what the command line does not make. */
  ctx: Context;
  /** What the last start printed. */
  output(): string;
  /** Pid of the platform process itself. */
  pid(): number;
  cli(...args: string[]): Promise<string>;
  /** A command that prints JSON. */
  json<T>(...args: string[]): Promise<T>;
  /** Starts it again over the same home; resolves when it is ready. Returns how long that took, in milliseconds. */
  start(env?: Record<string, string>, command?: "start" | "serve"): Promise<number>;
  /** Starts it without waiting for anything. */
  launch(): void;
  /** Resolves when whatever runs over this home says that it is ready. */
  ready(): Promise<void>;
  /** As Ctrl-C does. */
  stop(): Promise<void>;
  /** Ends the platform process only; Synapse and Postgres live on. */
  kill9(): Promise<void>;
  /** A further process of ours over the same home: `serve` or `worker`. */
  also(command: "serve" | "worker", env?: Record<string, string>): Promise<OtherProcess>;
  postgresPid(): number;
  synapsePid(tenant: string): number;
  synapsePidFile(tenant: string): string;
  agents(tenant?: string): Promise<AgentFacts[]>;
  /** Makes an account by an invite link, as a person does, and signs in with it. */
  person(username: string, tenant?: string): Promise<Person>;
  /** Stops everything; keeps the logs of the home in `test/results` when `failed`. */
  end(failed?: boolean): Promise<void>;
}

export interface OtherProcess {
  pid: number;
  kill9(): Promise<void>;
  stop(): Promise<void>;
}

export interface AgentFacts {
  name: string;
  userId: string;
  state: string;
  model: string | null;
}

export interface TenantFacts {
  name: string;
  serverName: string;
  homeserverUrl: string;
  state: string;
}

export interface PlatformOptions {
  /** Names its folder in the results. */
  name: string;
  env?: Record<string, string>;
  model?: ModelServer;
  /** A folder with data in it already, as from `restore`; it is removed at the end like any other. */
  home?: string;
  /** Which of our processes to begin with: the whole platform, or only the receiver. */
  command?: "start" | "serve";
}

/** Starts one over a fresh home folder and waits until its demo tenant answers. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const home = options.home ?? mkdtempSync(path.join(tmpdir(), "agentopia-e2e-"));
  const model = options.model ?? (await startModelServer());
  const env = {
    ...plain(),
    // As the npm scripts have it.
    NODE_COMPILE_CACHE: path.join(ROOT, ".runtime/compiled"),
    AGENTOPIA_HOME: home,
    AGENTOPIA_LOCAL_MODEL_PORTS: "none",
    AGENTOPIA_ELEMENT_WEB_URL: "none",
    OPENAI_BASE_URL: `${model.url}/v1`,
    OPENAI_API_KEY: "scripted-key",
    AGENTOPIA_MODEL: "scripted",
    ...options.env,
  };
  const inside: Inside = {
    ...options,
    home,
    model,
    env,
    sharedModel: options.model !== undefined,
    children: [],
    persons: [],
    invites: new Map(),
    database: undefined,
  };
  try {
    await start(inside);
  } catch (error) {
    await end(inside, true);
    throw error;
  }
  return platform(inside);
}

interface Inside extends PlatformOptions {
  home: string;
  model: ModelServer;
  env: Record<string, string>;
  child?: ChildProcess;
  /** Where the last start's output begins in the log file. */
  outputFrom?: number;
  /** The model server belongs to the caller. */
  sharedModel: boolean;
  children: ChildProcess[];
  persons: Person[];
  /** An invite link for each tenant, used for all its persons. */
  invites: Map<string, Promise<string>>;
  database: ReturnType<typeof openContext> | undefined;
}

function platform(inside: Inside): Platform {
  const { home, model } = inside;
  return {
    home,
    model,
    get url() {
      return `http://127.0.0.1:${ports(home).public}`;
    },
    get ctx() {
      return contextOf(inside);
    },
    output: () => outputOf(inside),
    pid: () => inside.child?.pid ?? 0,
    cli: (...args) => cli(inside, args),
    json: async <T>(...args: string[]) => JSON.parse(await cli(inside, [...args, "--json"])) as T,
    start: (env, command) => start(inside, env, command),
    launch: () => {
      inside.child = launch(inside, "start", {});
    },
    ready: () =>
      eventually("readiness", () => isReady(inside), { timeoutMs: 120_000, everyMs: 20 }).then(() => undefined),
    stop: () => stopChild(inside.child, "SIGINT"),
    kill9: () => stopChild(inside.child, "SIGKILL"),
    also: (command, env) => also(inside, command, env),
    postgresPid: () => pidIn(path.join(home, "postgres.pid")),
    synapsePid: (tenant) => pidIn(synapsePidFile(home, tenant)),
    synapsePidFile: (tenant) => synapsePidFile(home, tenant),
    agents: async (tenant = "demo") =>
      JSON.parse(await cli(inside, ["agent", "list", tenant, "--json"])) as AgentFacts[],
    person: (username, tenant = "demo") => person(inside, username, tenant),
    end: (failed = false) => end(inside, failed),
  };
}

/** The environment of the test run without what would change the platform. */
function plain(): Record<string, string> {
  const ours = /^(AGENTOPIA_|OPENAI_|ANTHROPIC_|GOOGLE_|GEMINI_|DATABASE_URL|NODE_OPTIONS|VITEST)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name))) as Record<string, string>;
}

async function start(
  inside: Inside,
  env: Record<string, string> = {},
  command: "start" | "serve" = inside.command ?? "start",
): Promise<number> {
  const began = performance.now();
  const child = launch(inside, command, env);
  inside.child = child;
  await eventually(
    "the platform to be ready",
    async () => {
      if (child.exitCode !== null) throw new Error(`The platform ended with ${child.exitCode}:\n${outputOf(inside)}`);
      return isReady(inside);
    },
    { timeoutMs: 180_000, everyMs: 20 },
  );
  return performance.now() - began;
}

/** Ready is what it says itself on /healthz: every tenant that shall run answers. */
async function isReady({ home }: Inside): Promise<boolean> {
  if (!existsSync(path.join(home, "ports.json"))) return false;
  try {
    const response = await fetch(`http://127.0.0.1:${ports(home).public}/healthz`);
    return response.ok;
  } catch (error) {
    if (error instanceof TypeError) return false; // nobody listens yet
    throw error;
  }
}

function launch(inside: Inside, command: string, env: Record<string, string>): ChildProcess {
  const log = openSync(path.join(inside.home, "output.log"), "a");
  if (command !== "worker") inside.outputFrom = readFileSync(path.join(inside.home, "output.log"), "utf8").length;
  const child = spawn(NODE, ["main.ts", command], {
    cwd: ROOT,
    env: { ...inside.env, ...env },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  inside.children.push(child);
  return child;
}

function outputOf(inside: Inside): string {
  const file = path.join(inside.home, "output.log");
  return existsSync(file) ? readFileSync(file, "utf8").slice(inside.outputFrom ?? 0) : "";
}

async function stopChild(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  await gone;
  clearTimeout(late);
}

async function also(
  inside: Inside,
  command: "serve" | "worker",
  env: Record<string, string> = {},
): Promise<OtherProcess> {
  const child = launch(inside, command, env);
  await once(child, "spawn");
  return {
    pid: child.pid ?? 0,
    kill9: () => stopChild(child, "SIGKILL"),
    stop: () => stopChild(child, "SIGINT"),
  };
}

async function cli(inside: Inside, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(NODE, ["main.ts", ...args], { cwd: ROOT, env: inside.env });
    return stdout;
  } catch (error) {
    const { stderr, stdout, message } = error as { stderr?: string; stdout?: string; message: string };
    throw new Error(`agentopia ${args.join(" ")}: ${(stderr || stdout || message).trim()}`, { cause: error });
  }
}

const ports = (home: string) =>
  JSON.parse(readFileSync(path.join(home, "ports.json"), "utf8")) as Record<"public" | "internal" | "postgres", number>;

const synapsePidFile = (home: string, tenant: string) => path.join(home, "synapse", tenant, "synapse.pid");

const pidIn = (file: string) => Number(readFileSync(file, "utf8").split("\n")[0]);

function contextOf(inside: Inside): Context {
  inside.database ??= openContext(inside);
  return inside.database.ctx;
}

function openContext({ home, env }: Inside): { ctx: Context; close(): Promise<void> } {
  const config = loadConfig({ ...env, AGENTOPIA_HOME: home });
  const password = () => readFileSync(path.join(home, "postgres.password"), "utf8").trim();
  const url = config.databaseUrl ?? `postgres://agentopia:${password()}@127.0.0.1:${ports(home).postgres}/agentopia`;
  const { sql, db, close } = openDatabase(url, { max: 3, name: "test" });
  const log = openLog({ file: path.join(home, "logs/test.log") });
  const ctx = {
    config,
    databaseUrl: url,
    sql,
    db,
    secrets: openSecrets(config),
    clock: { now: () => Date.now() },
    log,
  };
  return { ctx, close };
}

async function person(inside: Inside, username: string, tenant: string): Promise<Person> {
  const invite = inside.invites.get(tenant) ?? makeInvite(inside, tenant);
  inside.invites.set(tenant, invite);
  const password = `${username}-has-a-Good-password-1`;
  const response = await fetch(await invite, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ username, password }),
  });
  if (!response.ok) throw new Error(`The invite page answered ${response.status}: ${await response.text()}`);
  const [homeserver] = await contextOf(inside).sql<{ url: string }[]>`
    select homeserver_url as url from tenants where id = ${tenant}`;
  if (!homeserver) throw new Error(`There is no tenant ${tenant}.`);
  const made = await signIn(homeserver.url, username, password);
  inside.persons.push(made);
  return made;
}

async function makeInvite(inside: Inside, tenant: string): Promise<string> {
  const args = ["invite", "create", tenant, "--uses", "500", "--json"];
  return (JSON.parse(await cli(inside, args)) as { url: string }).url;
}

async function end(inside: Inside, failed: boolean): Promise<void> {
  for (const one of inside.persons) one.leave();
  await inside.database?.close();
  for (const child of inside.children) await stopChild(child, "SIGINT");
  killLeftovers(inside.home);
  if (!inside.sharedModel) await inside.model.stop();
  if (failed) {
    const folder = makeResultsFolder(inside.name);
    for (const name of ["output.log", "logs"])
      if (existsSync(path.join(inside.home, name)))
        cpSync(path.join(inside.home, name), path.join(folder, name), { recursive: true });
  }
  rmSync(inside.home, { recursive: true, force: true });
}

/** What a kill -9 of the platform left running over this home. Pid and start time must fit, so nobody else is hit. */
function killLeftovers(home: string): void {
  for (const pidFile of globSync(path.join(home, "**/*.pid"), { exclude: ["**/pgdata/**"] })) {
    const left = adopt({ name: pidFile, pidFile });
    if (left) killNow(left);
  }
}
