import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { eq } from "drizzle-orm";
import { type Config, ROOT } from "../core/config.ts";
import type { Context } from "../core/context.ts";
import { checkSecretKey } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { openLog } from "../core/log.ts";
import { freePort, isFree, keptPorts } from "../core/ports.ts";
import { startPostgres } from "../core/postgres.ts";
import { openSecrets } from "../core/secrets.ts";
import { explainTrouble, prepareHome } from "../core/trouble.ts";
import { openTenantSecrets } from "../homeserver/access.ts";
import { databaseServer, dropDatabase, ensureDatabase, withSynapseDatabase } from "../homeserver/synapse-database.ts";
import { listTenants, type TenantRow } from "../homeserver/tenants.ts";
import { tenants } from "../migrations/schema.ts";
import { knownMigrations, type Manifest, unpackBackup } from "./archive.ts";
import { sayUnlessStopped } from "./backup.ts";
import { runProgram, withoutPassword } from "./postgres-programs.ts";
import { onDatabase } from "./stopped-database.ts";

export interface Restored {
  home: string;
  createdAt: string;
  tenants: string[];
}

interface Options {
  say(line: string): void;
  /** Ends it early; nothing is left then. */
  signal?: AbortSignal | undefined;
}

/**
 * Puts a backup into an empty data folder (and, with `DATABASE_URL`, into that empty database). All is made in a folder within
 * it, so that a mounted one will do, and moved up when it is whole; when anything fails, nothing of it stays. Throws sentences.
 */
export async function restore(config: Config, file: string, options: Options): Promise<Restored> {
  const { home } = config;
  const made = !existsSync(home);
  if (!made && readdirSync(home).length > 0)
    throw new AppError(
      "conflict",
      `${home} is not empty. Restore into an empty folder: move this one away, or name another with AGENTOPIA_HOME.`,
    );
  const staging = path.join(home, ".restoring");
  const say = sayUnlessStopped(options);
  try {
    say("Checking the backup …");
    const manifest = await fill({ ...config, home: staging }, file, { ...options, say });
    options.signal?.throwIfAborted();
    for (const name of readdirSync(staging)) renameSync(path.join(staging, name), path.join(home, name));
    rmSync(staging, { recursive: true });
    return { home, createdAt: manifest.createdAt, tenants: manifest.tenants.map(({ id }) => id) };
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    if (made && existsSync(home)) rmdirSync(home);
    options.signal?.throwIfAborted();
    throw explainTrouble(error, home);
  }
}

/** Keys, files and databases from the unpacked backup into the folder that becomes the home. */
async function fill(config: Config, file: string, options: Options): Promise<Manifest> {
  prepareHome(config.home, { neededMb: 200 });
  const work = path.join(config.home, "unpacked");
  mkdirSync(work, { mode: 0o700 });
  const manifest = await unpackBackup(file, work);
  if (manifest.migrations > knownMigrations(ROOT))
    throw new AppError("invalid", `${file} was made by a newer version of Agentopia. Restore it with that one.`);
  placeFiles(config, work);
  await fillDatabases(config, work, manifest, options);
  rmSync(work, { recursive: true });
  return manifest;
}

function placeFiles(config: Config, work: string): void {
  const key = readFileSync(path.join(work, "secret.key"), "utf8");
  // A key in the environment is not written to the disk.
  if (!config.secretKey) writeFileSync(path.join(config.home, "secret.key"), key, { mode: 0o600 });
  if (openSecrets(config).keyId !== openSecrets({ ...config, secretKey: key.trim() }).keyId)
    throw new AppError(
      "setup",
      "AGENTOPIA_SECRET_KEY is another secret key than the backup's. Unset it, or set the one that belongs to it.",
    );
  if (existsSync(path.join(work, "synapse"))) {
    chmodSync(path.join(work, "synapse"), 0o700);
    renameSync(path.join(work, "synapse"), path.join(config.home, "synapse"));
  }
}

async function fillDatabases(config: Config, work: string, manifest: Manifest, options: Options): Promise<void> {
  const keepPublic = manifest.publicPort !== null && (await isFree(manifest.publicPort));
  const ports = await keptPorts(config.home, { public: keepPublic ? manifest.publicPort! : undefined });
  if (config.databaseUrl) {
    const url = config.databaseUrl;
    return onDatabase(config, url, (ctx) => orElseEmpty(ctx, manifest, () => load(ctx, work, manifest, options)));
  }
  const log = openLog({ file: path.join(config.home, "logs/restore.log"), level: config.logLevel });
  const postgres = await startPostgres({ home: config.home, port: ports.postgres, log, say: options.say });
  try {
    await onDatabase(config, postgres.url, (ctx) => load(ctx, work, manifest, options));
  } finally {
    await postgres.stop();
  }
}

async function load(ctx: Context, work: string, manifest: Manifest, options: Options): Promise<void> {
  options.say("Restoring the platform's database …");
  await loadDump(ctx.databaseUrl, path.join(work, "platform.dump"), options);
  await checkSecretKey(ctx, ctx.secrets);
  const rows = await listTenants(ctx);
  for (const { id } of manifest.tenants.filter((tenant) => tenant.ours)) {
    const tenant = rows.find((row) => row.id === id);
    // Added after the platform's database was read: its row is not there, so nobody would start it.
    if (!tenant) continue;
    options.say(`Restoring the homeserver of ${id} …`);
    await loadTenant(ctx, tenant, path.join(work, "tenants", `${id}.dump`), options);
  }
  await choosePorts(ctx, rows);
}

async function loadTenant(ctx: Context, tenant: TenantRow, file: string, options: Options): Promise<void> {
  const { databasePassword: password } = openTenantSecrets(ctx, tenant);
  const name = tenant.config.database;
  if (!name || !password) throw new AppError("internal", `${tenant.id} has no database of its own.`);
  await ensureDatabase(ctx, { name, password });
  const { host, port, sslmode } = databaseServer(ctx.databaseUrl);
  const url = new URL(`postgres://${host}:${port}/${name}${sslmode ? `?sslmode=${sslmode}` : ""}`);
  url.username = name;
  url.password = encodeURIComponent(password);
  await loadDump(url.href, file, options);
  // Synapse forgets transaction ids a day after they were used. They are what keeps an answer that this database holds and the
  // platform's does not from being given twice, however old the backup is: their day begins anew.
  await withSynapseDatabase(
    ctx,
    { name, password },
    (sql) => sql`update event_txn_id_device_id set inserted_ts = ${ctx.clock.now()}`,
  );
}

async function loadDump(databaseUrl: string, file: string, { signal }: Options): Promise<void> {
  const { url, env } = withoutPassword(databaseUrl);
  const flags = ["--no-owner", "--no-privileges", "--no-comments", "--exit-on-error", "--single-transaction"];
  await runProgram("pg_restore", [...flags, "-d", url, file], { env, signal });
}

/** A homeserver keeps its address where the port is free: people's apps know it. */
async function choosePorts(ctx: Context, rows: TenantRow[]): Promise<void> {
  const taken = rows.flatMap(({ config }) => config.port ?? []);
  for (const row of rows) {
    const { port } = row.config;
    if (!port || (await isFree(port))) continue;
    const fresh = await freePort(taken);
    taken.push(fresh);
    const url = new URL(row.homeserverUrl);
    url.port = String(fresh);
    await ctx.db
      .update(tenants)
      .set({ config: { ...row.config, port: fresh }, homeserverUrl: url.href.replace(/\/$/, "") })
      .where(eq(tenants.id, row.id));
  }
}

/** In a database that someone else runs: only where nothing is in the way, and with nothing left when it fails. */
async function orElseEmpty(ctx: Context, manifest: Manifest, work: () => Promise<void>): Promise<void> {
  const [used] = await ctx.sql<{ name: string }[]>`
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e') limit 1`;
  if (used)
    throw new AppError(
      "conflict",
      `The database of DATABASE_URL is not empty (it has ${used.name}). Give an empty one.`,
    );
  const names = manifest.tenants.map(({ id }) => `synapse_${id.replaceAll("-", "_")}`);
  const [there] = await ctx.sql<
    { name: string }[]
  >`select datname as name from pg_database where datname = any(${names})`;
  if (there)
    throw new AppError(
      "conflict",
      `The server of DATABASE_URL has a database ${there.name} already. Give another server.`,
    );
  try {
    await work();
  } catch (error) {
    for (const name of names) await dropDatabase(ctx, name);
    for (const schema of ["dbos", "drizzle", "public"]) await ctx.sql.unsafe(`drop schema if exists ${schema} cascade`);
    await ctx.sql.unsafe("create schema public");
    throw error;
  }
}
