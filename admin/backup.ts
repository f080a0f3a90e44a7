import { execFile } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { Config } from "../core/config.ts";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { postgresProgram } from "../core/postgres.ts";
import { plainEnv } from "../core/processes.ts";
import { explainTrouble } from "../core/trouble.ts";
import { openTenantSecrets } from "../homeserver/access.ts";
import { dumpDatabase } from "../homeserver/drivers/backup.ts";
import { listTenants, type TenantRow } from "../homeserver/tenants.ts";
import { type Manifest, sha256 } from "./archive.ts";
import { withDatabase } from "./stopped-database.ts";

export interface BackupMade {
  file: string;
  bytes: number;
  createdAt: string;
  tenants: string[];
}

/**
 * Writes everything of the platform into one file (0600), whole or not at all, while it runs or when it is stopped.
 *
 * The platform's database is dumped first, the homeservers' after it. So a homeserver may know more than the platform: questions
 * it has not heard of are sent to it again after the restore, and what it answers anew has the transaction ids of the
 * first time, which Synapse's dump holds: it returns the first answer's event. The other way round the platform
 * would take a question for answered whose answer is in no room, and nobody would ever answer it. Media come last: a file that no
 * database names does no harm, a missing one does.
 */
export async function backup(
  config: Config,
  file: string,
  options: { overwrite?: boolean; say(line: string): void },
): Promise<BackupMade> {
  if (existsSync(file) && !options.overwrite)
    throw new AppError("conflict", `${file} is there already. Choose another name, or overwrite it with --force.`);
  if (!existsSync(path.dirname(file)) || !statSync(path.dirname(file)).isDirectory())
    throw new AppError("not_found", `There is no folder ${path.dirname(file)}. Make it, or choose another place.`);
  let work: string | undefined;
  try {
    work = mkdtempSync(path.join(path.dirname(file), ".agentopia-backup-"));
    const folder = work;
    const manifest = await withDatabase(config, options.say, (ctx) => gather(ctx, folder, options));
    options.say("Writing the file …");
    await pack(folder, `${folder}.tar.gz`);
    renameSync(`${folder}.tar.gz`, file);
    const tenants = manifest.tenants.map(({ id }) => id);
    return { file, bytes: statSync(file).size, createdAt: manifest.createdAt, tenants };
  } catch (error) {
    throw diskTrouble(error, path.dirname(file));
  } finally {
    if (work) for (const made of [work, `${work}.tar.gz`]) rmSync(made, { recursive: true, force: true });
  }
}

async function gather(ctx: Context, work: string, { say }: { say(line: string): void }): Promise<Manifest> {
  const createdAt = new Date(ctx.clock.now()).toISOString();
  const files: Record<string, string> = {};
  const note = async (name: string) => {
    files[name] = await sha256(path.join(work, name));
  };
  writeFileSync(path.join(work, "secret.key"), secretKeyText(ctx.config), { mode: 0o600 });
  await note("secret.key");
  say("Reading the platform's database …");
  await dumpPlatform(ctx.databaseUrl, path.join(work, "platform.dump"));
  await note("platform.dump");
  mkdirSync(path.join(work, "tenants"));
  // After the dump: each tenant that it holds is among them, unless it was removed this very moment.
  const tenants = (await listTenants(ctx)).filter((tenant) => tenant.state !== "removing");
  for (const tenant of tenants.filter((one) => one.driver === "process")) {
    say(`Reading the homeserver of ${tenant.id} …`);
    await dumpTenant(ctx, tenant, path.join(work, `tenants/${tenant.id}.dump`));
    await note(`tenants/${tenant.id}.dump`);
  }
  for (const { id } of tenants) {
    copyHomeserverFiles(path.join(ctx.config.home, "synapse", id), path.join(work, "synapse", id));
    if (existsSync(path.join(work, "synapse", id, "signing.key"))) await note(`synapse/${id}/signing.key`);
  }
  const manifest: Manifest = {
    format: 1,
    createdAt,
    migrations: await appliedMigrations(ctx),
    publicPort: keptPublicPort(ctx.config.home),
    tenants: tenants.map(({ id, driver }) => ({ id, ours: driver === "process" })),
    files,
  };
  writeFileSync(path.join(work, "backup.json"), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 });
  return manifest;
}

/** The key that opens the database's secrets, wherever it comes from: without it the backup would be of no use. */
function secretKeyText(config: Config): string {
  return config.secretKey ?? readFileSync(path.join(config.home, "secret.key"), "utf8");
}

async function dumpPlatform(databaseUrl: string, file: string): Promise<void> {
  const { url, env } = withoutPassword(databaseUrl);
  const options = ["-Fc", "--no-owner", "--no-privileges", "--no-comments", "-f", file, "-d", url];
  await runProgram("pg_dump", options, env);
}

/** A password on the command line could be read by every user of the machine. */
export function withoutPassword(databaseUrl: string): { url: string; env: Record<string, string> } {
  const url = new URL(databaseUrl);
  const password = decodeURIComponent(url.password);
  url.password = "";
  return { url: url.href, env: plainEnv(password ? { PGPASSWORD: password } : {}) };
}

async function dumpTenant(ctx: Context, tenant: TenantRow, file: string): Promise<void> {
  const { databasePassword: password } = openTenantSecrets(ctx, tenant);
  const name = tenant.config.database;
  if (!name || !password) throw new AppError("internal", `${tenant.id} has no database of its own.`);
  try {
    await dumpDatabase(ctx, { database: { name, password }, file });
  } catch (cause) {
    const gone = !(await listTenants(ctx)).some((one) => one.id === tenant.id && one.state !== "removing");
    if (gone) throw new AppError("conflict", `${tenant.id} was removed meanwhile. Make the backup again.`, { cause });
    throw programFailed(cause, `The database of ${tenant.id} could not be read`);
  }
}

/** Runs a program of Postgres; what it says last on stderr becomes the sentence. */
export async function runProgram(name: string, args: string[], env: Record<string, string>): Promise<void> {
  try {
    await promisify(execFile)(postgresProgram(name), args, { env, maxBuffer: 64 * 1024 * 1024 });
  } catch (cause) {
    throw programFailed(cause, `${name} failed`);
  }
}

function programFailed(cause: unknown, what: string): AppError {
  const { code, stderr = "" } = cause as { code?: string; stderr?: string };
  if (code === "ENOENT")
    return new AppError("setup", "The programs of Postgres are not installed. Run `npm start` once.", { cause });
  const last = stderr.trim().split("\n").at(-1) || "it did not say why";
  return new AppError("setup", `${what}: ${last}`, { cause });
}

/** Signing key and media; all else is generated. Linked where that works: media may be large. */
function copyHomeserverFiles(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  if (existsSync(path.join(from, "signing.key")))
    linkOrCopy(path.join(from, "signing.key"), path.join(to, "signing.key"));
  const media = path.join(from, "media");
  if (!existsSync(media)) return;
  for (const entry of readdirSync(media, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = path.join(entry.parentPath, entry.name);
    const target = path.join(to, "media", path.relative(media, source));
    mkdirSync(path.dirname(target), { recursive: true });
    linkOrCopy(source, target);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return; // deleted by the homeserver since we saw it
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK" && code !== "ENOTSUP") throw error;
    copyFileSync(from, to);
  }
}

async function appliedMigrations(ctx: Context): Promise<number> {
  const [row] = await ctx.sql<{ count: number }[]>`select count(*)::int as count from drizzle.__drizzle_migrations`;
  return row?.count ?? 0;
}

function keptPublicPort(home: string): number | null {
  const file = path.join(home, "ports.json");
  return existsSync(file) ? ((JSON.parse(readFileSync(file, "utf8")) as { public?: number }).public ?? null) : null;
}

async function pack(folder: string, file: string): Promise<void> {
  const tar = await import("tar");
  writeFileSync(file, "", { mode: 0o600, flag: "wx" });
  // Dumps and most media are compressed already: more effort makes nothing smaller.
  await tar.create({ file, cwd: folder, gzip: { level: 1 }, portable: true, strict: true }, readdirSync(folder));
}

function diskTrouble(error: unknown, folder: string): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (code === "EACCES" || code === "EROFS" || code === "EPERM")
    return new AppError("setup", `The backup cannot be written to ${folder}: ${message}`, { cause: error });
  return explainTrouble(error, folder);
}
