/** A client's own file area: rows of the table `files`, so that it is the same on every machine and in backups. */
import { and, asc, eq, gt, type SQL, sql } from "drizzle-orm";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { files } from "../../migrations/tool-tables.ts";
import { contentTypeOf } from "./content-types.ts";
import { filePath, folderPath } from "./file-paths.ts";

/** Bytes of one file, bytes and number of all. */
export const MOST_FILE = 10_000_000;
export const MOST_AREA = 1_000_000_000;
export const MOST_FILES = 10_000;

const FACTS = {
  path: files.path,
  contentType: files.contentType,
  size: files.size,
  untrusted: files.untrusted,
  writtenBy: files.writtenBy,
  changedAt: files.changedAt,
};

export interface FileFacts {
  path: string;
  contentType: string;
  size: number;
  /** Where it comes from when nobody vouches for it. */
  untrusted: string | null;
  writtenBy: string;
  changedAt: Date;
}

export interface StoredFile extends FileFacts {
  bytes: Uint8Array;
}

const mine = (tenantId: string, path: string) => and(eq(files.tenantId, tenantId), eq(files.path, path));

/** By path, those of a folder and the folders in it. Throws `invalid` for what is no folder. */
export async function listFiles(
  ctx: Context,
  tenantId: string,
  page: { folder?: string | undefined; limit: number; after?: string | undefined },
): Promise<FileFacts[]> {
  const folder = folderPath(page.folder ?? "");
  const within: SQL | undefined = folder === "" ? undefined : sql`starts_with(${files.path}, ${`${folder}/`})`;
  const after = page.after === undefined ? undefined : gt(files.path, page.after);
  return await ctx.db
    .select(FACTS)
    .from(files)
    .where(and(eq(files.tenantId, tenantId), within, after))
    .orderBy(asc(files.path))
    .limit(page.limit);
}

/** Throws `not_found`, `invalid`. */
export async function readFile(ctx: Context, tenantId: string, path: string): Promise<StoredFile> {
  const [row] = await ctx.db
    .select({ ...FACTS, bytes: files.bytes })
    .from(files)
    .where(mine(tenantId, filePath(path)));
  if (!row) throw noSuchFile(path);
  return row;
}

export const noSuchFile = (path: string) =>
  new AppError("not_found", `There is no file “${path.slice(0, 300)}”. Look at the list of files for what there is.`);

export interface FileWish {
  path: string;
  bytes: Uint8Array;
  /** From the name when not given. */
  contentType?: string | undefined;
  untrusted: string | null;
  by: string;
  /** To the end of what there is; what was untrusted there stays so. */
  append?: boolean;
}

/** Writes a file, in place of the one that has the path. Throws `invalid` for what is too large or no path, `conflict` when the area is full. */
export async function writeFile(ctx: Context, tenantId: string, wish: FileWish): Promise<FileFacts> {
  const path = filePath(wish.path);
  if (wish.bytes.length > MOST_FILE) throw tooLarge();
  return await ctx.db.transaction(async (tx) => {
    // One write of a client at a time: what is counted is still so when it is written (advisory lock 7434, client).
    await tx.execute(sql`select pg_advisory_xact_lock(7434, hashtext(${tenantId}))`);
    const [before] = wish.append ? await tx.select().from(files).where(mine(tenantId, path)) : [];
    const bytes = before ? Buffer.concat([before.bytes, wish.bytes]) : wish.bytes;
    if (bytes.length > MOST_FILE) throw tooLarge();
    const all = await areaOf({ db: tx }, tenantId);
    const [old] = await tx.select({ size: files.size }).from(files).where(mine(tenantId, path));
    if (all.bytes - (old?.size ?? 0) + bytes.length > MOST_AREA || (!old && all.files >= MOST_FILES)) throw full();
    const set = {
      contentType: cleanType(wish.contentType) ?? before?.contentType ?? contentTypeOf(path),
      size: bytes.length,
      bytes,
      untrusted: wish.untrusted ?? before?.untrusted ?? null,
      writtenBy: wish.by,
      changedAt: new Date(ctx.clock.now()),
    };
    const [row] = await tx
      .insert(files)
      .values({ id: newId(), tenantId, path, createdAt: set.changedAt, ...set })
      .onConflictDoUpdate({ target: [files.tenantId, files.path], set })
      .returning(FACTS);
    if (!row) throw new Error("an upsert returns its row");
    return row;
  });
}

/** What was removed. Throws `not_found`. */
export async function removeFile(ctx: Context, tenantId: string, path: string): Promise<FileFacts> {
  const [row] = await ctx.db
    .delete(files)
    .where(mine(tenantId, filePath(path)))
    .returning(FACTS);
  if (!row) throw noSuchFile(path);
  return row;
}

/** Bytes and number of files that a client has. An index holds all of it, so that no file is read for it. */
export async function areaOf(
  { db }: { db: Pick<Context["db"], "select"> },
  tenantId: string,
): Promise<{ bytes: number; files: number }> {
  const [row] = await db
    .select({ bytes: sql<number>`coalesce(sum(${files.size}), 0)::float8`, files: sql<number>`count(*)::int` })
    .from(files)
    .where(eq(files.tenantId, tenantId));
  return row ?? { bytes: 0, files: 0 };
}

const tooLarge = () =>
  new AppError("invalid", `A file has at most ${MOST_FILE / 1e6} MB. Split it, or take a smaller one.`);

const full = () =>
  new AppError(
    "conflict",
    `The file area is full: it holds ${MOST_AREA / 1e9} GB in at most ${MOST_FILES} files. Remove what is not needed any more.`,
  );

/** What somebody says a file is, as far as it may go into a header. */
const cleanType = (type: string | undefined): string | undefined =>
  type && /^[a-z0-9][a-z0-9.+-]{0,60}\/[a-z0-9][a-z0-9.+-]{0,60}$/i.test(type.split(";")[0]?.trim() ?? "")
    ? type.split(";")[0]?.trim().toLowerCase()
    : undefined;
