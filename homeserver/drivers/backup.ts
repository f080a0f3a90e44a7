import { execFile } from "node:child_process";
import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { cp } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { create } from "tar";
import type { Context } from "../../core/context.ts";
import { postgresProgram } from "../../core/postgres-data.ts";
import { plainEnv } from "../../core/processes.ts";
import { openTenantSecrets, type TenantRow } from "../access.ts";
import { databaseServer, type SynapseDatabase } from "../synapse-database.ts";
import type { BackupWatch } from "./driver.ts";

const run = promisify(execFile);

/** How the folder is called in which one is being made, beside the file that it becomes. */
export const MAKING = ".making-";
const WATCH_MS = 1000;

/**
 * Writes a tar file with what a homeserver is made of: `database.dump` (pg_dump -Fc), its folder (signing key, config, media) and
 * `tenant.json` (its row and secrets, readable: keep the file as safe as the homeserver). Whole or not at all. Throws the signal's
 * reason when it is ended early.
 */
export async function backupHomeserver(
  ctx: Context,
  what: { file: string; folder: string; tenant: TenantRow; database: SynapseDatabase } & BackupWatch,
): Promise<void> {
  const { file, folder, tenant, database, signal, onBytes } = what;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const work = mkdtempSync(path.join(path.dirname(file), MAKING));
  const dump = path.join(work, "database.dump");
  const made = path.join(work, "made.tar");
  // Ended early, what is left is passed over, and then nothing of it is kept.
  const goOn = () => !signal?.aborted;
  const timer = setInterval(() => onBytes?.(sizeOf(dump) + sizeOf(made)), WATCH_MS);
  try {
    await dumpDatabase(ctx, { database, file: dump, signal });
    for (const name of ["signing.key", "homeserver.yaml", "agentopia.yaml"])
      if (existsSync(path.join(folder, name))) copyFileSync(path.join(folder, name), path.join(work, name));
    // A copy, because Synapse goes on writing; where the file system can, it takes no room.
    const media = path.join(folder, "media");
    if (existsSync(media))
      await cp(media, path.join(work, "media"), { recursive: true, mode: constants.COPYFILE_FICLONE, filter: goOn });
    signal?.throwIfAborted();
    const secrets = openTenantSecrets(ctx, tenant);
    writeFileSync(path.join(work, "tenant.json"), `${JSON.stringify({ ...tenant, secrets }, undefined, 2)}\n`);
    await create({ file: made, cwd: work, mode: 0o600, filter: goOn }, readdirSync(work));
    signal?.throwIfAborted();
    renameSync(made, file);
  } finally {
    clearInterval(timer);
    rmSync(work, { recursive: true, force: true });
  }
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** pg_dump of a Synapse's database, in its custom format. */
export async function dumpDatabase(
  ctx: Context,
  { database, file, signal }: { database: SynapseDatabase; file: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const { host, port, sslmode } = databaseServer(ctx.databaseUrl);
  await run(
    postgresProgram("pg_dump"),
    ["-Fc", "-f", file, "-h", host, "-p", port, "-U", database.name, "-d", database.name],
    {
      env: plainEnv({ PGPASSWORD: database.password, ...(sslmode ? { PGSSLMODE: sslmode } : {}) }),
      ...(signal ? { signal } : {}),
    },
  );
}
