import { execFile } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { create } from "tar";
import type { Context } from "../../core/context.ts";
import { postgresProgram } from "../../core/postgres-data.ts";
import { plainEnv } from "../../core/processes.ts";
import { openTenantSecrets, type TenantRow } from "../access.ts";
import { databaseServer, type SynapseDatabase } from "../synapse-database.ts";

const run = promisify(execFile);

/**
 * Writes a tar file with what a homeserver is made of: `database.dump` (pg_dump -Fc), its folder (signing key, config, media) and
 * `tenant.json` (its row and secrets, readable: keep the file as safe as the homeserver). Whole or not at all.
 */
export async function backupHomeserver(
  ctx: Context,
  what: { file: string; folder: string; tenant: TenantRow; database: SynapseDatabase },
): Promise<void> {
  const { file, folder, tenant, database } = what;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const work = mkdtempSync(path.join(path.dirname(file), ".making-"));
  try {
    await dumpDatabase(ctx, { database, file: path.join(work, "database.dump") });
    for (const name of ["signing.key", "homeserver.yaml", "agentopia.yaml"])
      if (existsSync(path.join(folder, name))) copyFileSync(path.join(folder, name), path.join(work, name));
    if (existsSync(path.join(folder, "media")))
      cpSync(path.join(folder, "media"), path.join(work, "media"), { recursive: true });
    const secrets = openTenantSecrets(ctx, tenant);
    writeFileSync(path.join(work, "tenant.json"), `${JSON.stringify({ ...tenant, secrets }, undefined, 2)}\n`);
    await create({ file: `${file}.new`, cwd: work, mode: 0o600 }, readdirSync(work));
    renameSync(`${file}.new`, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** pg_dump of a Synapse's database, in its custom format. */
export async function dumpDatabase(
  ctx: Context,
  { database, file }: { database: SynapseDatabase; file: string },
): Promise<void> {
  const { host, port, sslmode } = databaseServer(ctx.databaseUrl);
  await run(
    postgresProgram("pg_dump"),
    ["-Fc", "-f", file, "-h", host, "-p", port, "-U", database.name, "-d", database.name],
    { env: plainEnv({ PGPASSWORD: database.password, ...(sslmode ? { PGSSLMODE: sslmode } : {}) }) },
  );
}
