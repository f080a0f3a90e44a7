/** A Synapse of the tenant's own, as a child process: own database and role, signing key, config, media folder. */

import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "../../core/config.ts";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { freePort } from "../../core/ports.ts";
import {
  adopt,
  adoptPid,
  commandOf,
  type ProcessHandle,
  plainEnv,
  spawnDetached,
  stop,
  tailOf,
} from "../../core/processes.ts";
import { tenants } from "../../migrations/schema.ts";
import { openTenantSecrets, type TenantRow } from "../access.ts";
import { logConfig, registrationFile, synapseConfig } from "../synapse-config.ts";
import {
  databaseServer,
  dropDatabase,
  ensureDatabase,
  forgottenEvents,
  type SynapseDatabase,
  setBackAppservice,
  unsentEvents,
  withSynapseDatabase,
} from "../synapse-database.ts";
import { backupHomeserver } from "./backup.ts";
import { folderBytes } from "./disk.ts";
import type { Driver, Place, Running } from "./driver.ts";

export const processDriver: Driver = {
  async plan(ctx, wish) {
    if (wish.url)
      throw new AppError(
        "invalid",
        "--url belongs to the driver external; a homeserver of its own gets its address here.",
      );
    const others = await ctx.db.select({ config: tenants.config }).from(tenants);
    const port = wish.config?.port ?? (await freePort(others.flatMap(({ config }) => config.port ?? [])));
    return {
      homeserverUrl: `http://127.0.0.1:${port}`,
      config: { port, database: `synapse_${wish.id.replaceAll("-", "_")}` },
    };
  },

  async start(ctx, tenant, place) {
    const files = filesOf(ctx, tenant.id);
    const wanted = filesToWrite(ctx, tenant, place);
    const changed = Object.entries(wanted).filter(
      ([file, text]) => !existsSync(file) || readFileSync(file, "utf8") !== text,
    );
    const found = find(tenant, files);
    if (found && changed.length === 0 && tenant.caughtUpWith === instanceOf(found))
      return running(found, files, "nothing");
    // Another config, or a start of which we do not know what it sent: begin again with what may be missing.
    if (found) await stop(found);
    await ensureDatabase(ctx, databaseOf(ctx, tenant));
    await setBackAppservice(ctx, tenant.id, databaseOf(ctx, tenant));
    mkdirSync(path.join(files.folder, "media"), { recursive: true, mode: 0o700 });
    ensureSigningKey(files.signingKey);
    for (const [file, text] of changed) writeWhole(file, text);
    const handle = await spawnDetached({
      name: `homeserver of ${tenant.id}`,
      command: place.python,
      args: ["-m", "synapse.app.homeserver", "-c", files.config],
      cwd: files.folder,
      // Two arenas: glibc's default of eight per core costs tens of megabytes per Synapse.
      env: plainEnv({
        PYTHONPATH: path.join(ROOT, "homeserver/policy"),
        PYTHONDONTWRITEBYTECODE: "1",
        MALLOC_ARENA_MAX: "2",
      }),
      logFile: files.log,
      pidFile: files.pid,
    });
    return running(handle, files, "resend");
  },

  async makeAdmin(ctx, tenant, userId) {
    await withSynapseDatabase(
      ctx,
      databaseOf(ctx, tenant),
      (sql) => sql`update users set admin = 1 where name = ${userId}`,
    );
  },

  unsent: (ctx, tenant) => unsentEvents(ctx, databaseOf(ctx, tenant)),
  forgotten: (ctx, tenant) => forgottenEvents(ctx, tenant.id, databaseOf(ctx, tenant)),

  async halt(ctx, tenant) {
    const found = find(tenant, filesOf(ctx, tenant.id));
    if (found) await stop(found);
  },

  async backup(ctx, tenant, file, watch) {
    const { folder } = filesOf(ctx, tenant.id);
    await backupHomeserver(ctx, { file, folder, tenant, database: databaseOf(ctx, tenant), ...watch });
  },

  async storage(ctx, tenant) {
    const database = databaseOf(ctx, tenant);
    const [size] = await withSynapseDatabase(
      ctx,
      database,
      (sql) => sql<{ bytes: number }[]>`select pg_database_size(current_database())::float8 as bytes`,
    );
    const media = path.join(filesOf(ctx, tenant.id).folder, "media");
    return { databaseBytes: size?.bytes ?? 0, mediaBytes: await folderBytes(media) };
  },

  logFile: (ctx, tenant) => filesOf(ctx, tenant.id).log,

  async remove(ctx, tenant, place, backup) {
    await processDriver.halt(ctx, tenant, place);
    const files = filesOf(ctx, tenant.id);
    if (backup && existsSync(files.signingKey)) await processDriver.backup?.(ctx, tenant, backup, {});
    await dropDatabase(ctx, databaseOf(ctx, tenant).name);
    rmSync(files.folder, { recursive: true, force: true });
    rmSync(files.log, { force: true });
  },
};

interface Files {
  folder: string;
  config: string;
  registration: string;
  logConfig: string;
  signingKey: string;
  pid: string;
  log: string;
}

function filesOf(ctx: Context, id: string): Files {
  const folder = path.join(ctx.config.home, "synapse", id);
  const within = (name: string) => path.join(folder, name);
  return {
    folder,
    config: within("homeserver.yaml"),
    registration: within("agentopia.yaml"),
    logConfig: within("log.yaml"),
    signingKey: within("signing.key"),
    pid: within("synapse.pid"),
    log: path.join(ctx.config.home, "logs", `synapse-${id}.log`),
  };
}

function databaseOf(ctx: Context, tenant: TenantRow): SynapseDatabase {
  const password = openTenantSecrets(ctx, tenant).databasePassword;
  if (!tenant.config.database || !password) throw new AppError("internal", `${tenant.id} has no database of its own.`);
  return { name: tenant.config.database, password };
}

function filesToWrite(ctx: Context, tenant: TenantRow, place: Place): Record<string, string> {
  const files = filesOf(ctx, tenant.id);
  const secrets = openTenantSecrets(ctx, tenant);
  const { name, password } = databaseOf(ctx, tenant);
  const config = synapseConfig({
    serverName: tenant.serverName,
    port: tenant.config.port ?? 0,
    folder: files.folder,
    publicUrl: tenant.homeserverUrl,
    database: { ...databaseServer(ctx.databaseUrl), name, user: name, password },
    secrets,
    config: tenant.config,
  });
  const url = `${place.internalUrl}/as/${tenant.id}`;
  const text = (value: object) => `${JSON.stringify(value, undefined, 2)}\n`;
  return {
    [files.config]: text(config),
    [files.registration]: text(registrationFile({ serverName: tenant.serverName, url, secrets })),
    [files.logConfig]: text(logConfig()),
  };
}

/** Written beside and moved: a crash leaves no half file. */
function writeWhole(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** `ed25519 <version> <seed>` as Synapse reads it (signedjson/key.py). */
function ensureSigningKey(file: string): void {
  if (existsSync(file)) return;
  const seed = randomBytes(32).toString("base64").replace(/=+$/, "");
  writeWhole(file, `ed25519 a_${randomBytes(2).toString("hex")} ${seed}\n`);
}

/** The Synapse that runs over this folder: by its pid file, or by its command line when someone else started it. */
function find(tenant: TenantRow, files: Files): ProcessHandle | null {
  const name = `homeserver of ${tenant.id}`;
  const ours = adopt({ name, pidFile: files.pid });
  if (ours || process.platform !== "linux") return ours;
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!pid || !commandOf(pid)?.includes(`synapse.app.homeserver -c ${files.config}`)) continue;
    const found = adoptPid({ name, pid, pidFile: files.pid });
    if (found) return found;
  }
  return null;
}

const instanceOf = (handle: ProcessHandle) => `${handle.pid} ${handle.startedAt}`;

function running(handle: ProcessHandle, files: Files, missed: Running["missed"]): Running {
  return {
    instance: instanceOf(handle),
    missed,
    exited: handle.exited,
    tail: () => tailOf(files.log, 6),
    stop: () => stop(handle),
  };
}
