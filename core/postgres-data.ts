import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./config.ts";
import { AppError } from "./errors.ts";
import type { Log } from "./log.ts";
import { chooseUser, type RunAs } from "./postgres-user.ts";
import { plainEnv } from "./processes.ts";

export interface PostgresOptions {
  home: string;
  port: number;
  log: Log;
  /** A line for the person who started us. */
  say(line: string): void;
}

/** Where the data lies and how to run over it. */
export interface Place extends PostgresOptions {
  data: string;
  logFile: string;
  pidFile: string;
  runAs: RunAs;
  password: string;
}

/** A program of the Postgres that setup.mjs installed: `postgres`, `pg_dump`, `psql`. */
export const postgresProgram = (name: string): string => path.join(ROOT, ".runtime/postgres/bin", name);

export const USER = "agentopia";

/** Says where everything of the embedded Postgres is; makes its password and its data folder at the first start. Throws `setup`. */
export async function prepare(options: PostgresOptions): Promise<Place> {
  const data = path.join(options.home, "pgdata");
  const place = {
    ...options,
    data,
    logFile: path.join(options.home, "logs/postgres.log"),
    pidFile: path.join(options.home, "postgres.pid"),
    runAs: chooseUser(data, postgresProgram("postgres")),
    password: passwordOf(options.home, existsSync(data)),
  };
  if (!existsSync(data)) await initialise(place);
  return place;
}

function passwordOf(home: string, needed: boolean): string {
  const file = path.join(home, "postgres.password");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  if (needed)
    throw new AppError(
      "setup",
      `${file} is missing, and the database does not open without it. Put it back from a backup.`,
    );
  const password = randomBytes(24).toString("base64url");
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Makes the data folder under another name first: a set-up that is interrupted leaves nothing that looks finished. */
async function initialise(place: Place): Promise<void> {
  place.say("Preparing the database …");
  const fresh = `${place.data}.new`;
  const passwordFile = `${place.data}.password`;
  const { uid, gid, prefix } = place.runAs;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { mode: 0o700 });
  writeFileSync(passwordFile, place.password, { mode: 0o600 });
  for (const made of [fresh, passwordFile]) chownSync(made, uid, gid);
  const initdb = ["initdb", "-D", fresh, "-U", USER, "-E", "UTF8", "--locale=C", "--auth=scram-sha-256"];
  try {
    await run([...prefix, postgresProgram("initdb"), ...initdb.slice(1), `--pwfile=${passwordFile}`]);
    renameSync(fresh, place.data);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function run([command = "", ...args]: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], env: plainEnv(), cwd: "/" });
    let stderr = "";
    child.stderr.on("data", (part) => {
      stderr += part;
    });
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) resolve();
      else reject(startFailed(stderr));
    });
  });
}

/** The error for what the programs of Postgres said last. */
export const startFailed = (output: string) =>
  /No space left on device/.test(output)
    ? Object.assign(new Error(output), { code: "ENOSPC" })
    : new AppError("setup", `The database did not start. What it said last:\n${output.trimEnd()}`);
