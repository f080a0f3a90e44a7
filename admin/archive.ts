/** The one file of a backup: what is in it, and putting it together and apart. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { AppError } from "../core/errors.ts";

/**
 * `backup.json` in the archive. Beside it: `platform.dump` and `tenants/<id>.dump` (pg_dump's custom format), `secret.key`, and
 * `synapse/<id>/` with `signing.key` and `media/`.
 */
export const Manifest = z.object({
  format: z.literal(1),
  createdAt: z.string(),
  /** Migrations that the database had; a program that knows fewer cannot go on with it. */
  migrations: z.number().int(),
  /** Port of the people's pages, taken again where it is free: links that were sent out go there. */
  publicPort: z.number().int().nullable(),
  tenants: z.array(z.object({ id: z.string().regex(/^[a-z0-9-]{1,64}$/), ours: z.boolean() })),
  /** SHA-256 of every dump and key, by path. */
  files: z.record(z.string(), z.string()),
});
export type Manifest = z.infer<typeof Manifest>;

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** How many migrations this program has. */
export function knownMigrations(root: string): number {
  const journal = readFileSync(path.join(root, "migrations/sql/meta/_journal.json"), "utf8");
  return (JSON.parse(journal) as { entries: unknown[] }).entries.length;
}

/** Takes an archive apart into `folder` and checks it whole. Throws `invalid` for what is damaged or no backup. */
export async function unpackBackup(file: string, folder: string): Promise<Manifest> {
  if (!existsSync(file) || !statSync(file).isFile())
    throw new AppError("not_found", `There is no file ${file}. Give the path of a backup.`);
  const tar = await import("tar");
  try {
    await tar.extract({
      file,
      cwd: folder,
      strict: true,
      preserveOwner: false,
      filter: (_path, entry) => "type" in entry && (entry.type === "File" || entry.type === "Directory"),
    });
  } catch (cause) {
    const { code } = cause as { code?: string };
    if (code === "ENOSPC" || code === "EACCES") throw cause;
    throw damaged(file, cause);
  }
  const manifest = readManifest(file, folder);
  for (const [name, expected] of Object.entries(manifest.files)) {
    const at = path.join(folder, name);
    if (path.relative(folder, at).startsWith("..") || !existsSync(at) || (await sha256(at)) !== expected)
      throw damaged(file);
  }
  const needed = [
    "platform.dump",
    "secret.key",
    ...manifest.tenants.filter((t) => t.ours).map((t) => `tenants/${t.id}.dump`),
  ];
  if (needed.some((name) => !manifest.files[name])) throw damaged(file);
  return manifest;
}

function readManifest(file: string, folder: string): Manifest {
  const at = path.join(folder, "backup.json");
  if (!existsSync(at)) throw damaged(file);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(at, "utf8"));
  } catch (cause) {
    throw damaged(file, cause);
  }
  const { success, data } = Manifest.safeParse(json);
  if (success) return data;
  throw new AppError("invalid", `${file} was not made by this version of Agentopia. Restore it with a newer one.`);
}

const damaged = (file: string, cause?: unknown) =>
  new AppError(
    "invalid",
    `${file} is damaged or is no backup of Agentopia. Nothing was restored; try another backup.`,
    {
      cause,
    },
  );
