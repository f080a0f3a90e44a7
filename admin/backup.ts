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
import type { Config } from "../core/config.ts";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { explainTrouble } from "../core/trouble.ts";
import { openTenantSecrets } from "../homeserver/access.ts";
import { dumpDatabase } from "../homeserver/drivers/backup.ts";
import { listTenants, type TenantRow } from "../homeserver/tenants.ts";
import { type Manifest, sha256 } from "./archive.ts";
import { programFailed, runProgram, withoutPassword } from "./postgres-programs.ts";
import { withDatabase } from "./stopped-database.ts";

export interface BackupMade {
  file: string;
  bytes: number;
  createdAt: string;
  tenants: string[];
}

interface Options {
  say(line: string): void;
  /** Ends it early; nothing is written then. */
  signal?: AbortSignal | undefined;
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
  options: Options & { overwrite?: boolean },
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
    sayUnlessStopped(options)("Writing the file …");
    await pack(folder, `${folder}.tar.gz`);
    options.signal?.throwIfAborted();
    renameSync(`${folder}.tar.gz`, file);
    const tenants = manifest.tenants.map(({ id }) => id);
    return { file, bytes: statSync(file).size, createdAt: manifest.createdAt, tenants };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw diskTrouble(error, path.dirname(file));
  } finally {
    if (work) for (const made of [work, `${work}.tar.gz`]) rmSync(made, { recursive: true, force: true });
  }
}

/** Every step begins with a line, so this is where a long one that was stopped ends. */
export function sayUnlessStopped({ say, signal }: Options): (line: string) => void {
  return (line) => {
    signal?.throwIfAborted();
    say(line);
  };
}

async function gather(ctx: Context, work: string, options: Options): Promise<Manifest> {
  const say = sayUnlessStopped(options);
  const createdAt = new Date(ctx.clock.now()).toISOString();
  const files: Record<string, string> = {};
  const note = async (name: string) => {
    files[name] = await sha256(path.join(work, name));
  };
  writeFileSync(path.join(work, "secret.key"), secretKeyText(ctx.config), { mode: 0o600 });
  await note("secret.key");
  say("Reading the platform's database …");
  await dumpPlatform(ctx.databaseUrl, path.join(work, "platform.dump"), options.signal);
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

async function dumpPlatform(databaseUrl: string, file: string, signal: AbortSignal | undefined): Promise<void> {
  const { url, env } = withoutPassword(databaseUrl);
  const options = ["-Fc", "--no-owner", "--no-privileges", "--no-comments", "-f", file, "-d", url];
  await runProgram("pg_dump", options, { env, signal });
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
