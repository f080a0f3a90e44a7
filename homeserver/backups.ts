/** Backups of one homeserver: rows that anyone may write, made one after the other by the platform that runs it. */
import { readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { and, desc, eq, gte, inArray, lt, or, sql } from "drizzle-orm";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import { explainTrouble } from "../core/trouble.ts";
import { tenantBackups } from "../migrations/panel-tables.ts";
import { getTenant, tenantChanged } from "./access.ts";
import { MAKING } from "./drivers/backup.ts";
import { driverOf } from "./drivers/list.ts";

export type BackupRow = typeof tenantBackups.$inferSelect;

const ATTEMPTS = 3;
const OPEN = ["waiting", "running"] as const;

/** Where all backups of homeservers lie. */
const backupsFolder = ({ config }: Pick<Context, "config">): string => path.join(config.home, "backups");

/**
 * Has the running platform make a backup; while one is waiting or being made it is that one. Throws `not_found`, or `conflict` for a
 * homeserver that others run and for one that is being removed.
 */
export async function requestBackup(ctx: Context, tenantId: string, requestedBy: string): Promise<BackupRow> {
  const tenant = await getTenant(ctx, tenantId);
  if (tenant.config.removal) throw new AppError("conflict", `${tenant.title} is being removed.`);
  if (!driverOf(tenant.driver).backup)
    throw new AppError("conflict", "Others run this homeserver: back it up where it runs.");
  const values = { id: newId(), tenantId, requestedBy, createdAt: new Date(ctx.clock.now()) };
  const [made] = await ctx.db.insert(tenantBackups).values(values).onConflictDoNothing().returning();
  const row = made ?? (await openBackup(ctx, tenantId));
  if (!row) return await requestBackup(ctx, tenantId, requestedBy); // the one in the way ended just now
  await tenantChanged(ctx, tenantId);
  return row;
}

async function openBackup({ db }: Context, tenantId: string): Promise<BackupRow | undefined> {
  const [row] = await db
    .select()
    .from(tenantBackups)
    .where(and(eq(tenantBackups.tenantId, tenantId), inArray(tenantBackups.state, OPEN)));
  return row;
}

/** Newest first; those after the one named by `before`. */
export async function listBackups(
  { db }: Pick<Context, "db">,
  tenantId: string,
  { limit, before }: { limit: number; before?: { at: number; id: string } | undefined },
): Promise<BackupRow[]> {
  const at = before ? new Date(before.at) : undefined;
  const older =
    before && at
      ? or(lt(tenantBackups.createdAt, at), and(eq(tenantBackups.createdAt, at), lt(tenantBackups.id, before.id)))
      : undefined;
  return await db
    .select()
    .from(tenantBackups)
    .where(and(eq(tenantBackups.tenantId, tenantId), older))
    .orderBy(desc(tenantBackups.createdAt), desc(tenantBackups.id))
    .limit(limit);
}

/** Throws `not_found`. */
export async function getBackup({ db }: Pick<Context, "db">, tenantId: string, id: string): Promise<BackupRow> {
  const [row] = await db
    .select()
    .from(tenantBackups)
    .where(and(eq(tenantBackups.tenantId, tenantId), eq(tenantBackups.id, id)));
  if (!row) throw new AppError("not_found", "There is no such backup. It may have been deleted.");
  return row;
}

/** The file of one that is done, and its size. Throws `conflict` while it is not done, `gone` when somebody took the file away. */
export function backupFile(
  ctx: Pick<Context, "config">,
  row: BackupRow,
): { file: string; name: string; bytes: number } {
  if (row.state !== "done" || !row.file)
    throw new AppError("conflict", "This backup is not done, so there is no file to download yet.");
  // Only ever a name within the folder, whatever the row says.
  const name = path.basename(row.file);
  const file = path.join(backupsFolder(ctx), name);
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  if (bytes === undefined)
    throw new AppError("gone", `The file of this backup, ${file}, is not there any more. Make another one.`);
  return { file, name, bytes };
}

/** Deletes a backup with its file. Throws `conflict` while it is being made. */
export async function deleteBackup(ctx: Context, tenantId: string, id: string): Promise<BackupRow> {
  const row = await getBackup(ctx, tenantId, id);
  const [gone] = await ctx.db
    .delete(tenantBackups)
    .where(and(eq(tenantBackups.id, id), sql`${tenantBackups.state} <> 'running'`))
    .returning();
  if (!gone) throw new AppError("conflict", "This backup is being made now. Delete it when it is done.");
  if (gone.file) rmSync(path.join(backupsFolder(ctx), path.basename(gone.file)), { force: true });
  return row;
}

/**
 * At the platform's start, before anything makes a backup: what an earlier one left half made goes, its rows are taken up again, and given up
 * after the third time.
 */
export async function takeUpBackups(ctx: Context): Promise<void> {
  const gaveUp = "The platform ended three times while this backup was made. See its log, then make another one.";
  const running = eq(tenantBackups.state, "running");
  await ctx.db
    .update(tenantBackups)
    .set({ state: "failed", error: gaveUp, bytes: null, finishedAt: new Date(ctx.clock.now()) })
    .where(and(running, gte(tenantBackups.attempts, ATTEMPTS)));
  await ctx.db.update(tenantBackups).set({ state: "waiting", bytes: null }).where(running);
}

/** Takes away the folders in which an earlier platform was making something. */
export function clearHalfBackups(ctx: Pick<Context, "config">): void {
  const folder = backupsFolder(ctx);
  if (!statSync(folder, { throwIfNoEntry: false })) return;
  for (const name of readdirSync(folder))
    if (name.startsWith(MAKING)) rmSync(path.join(folder, name), { recursive: true, force: true });
}

/** Makes the next backup that waits. False when none does. */
export async function makeNextBackup(ctx: Context, signal: AbortSignal): Promise<boolean> {
  const row = await claim(ctx);
  if (!row) return false;
  try {
    await make(ctx, row, signal);
  } catch (error) {
    // Ended with the platform: the next one makes it.
    if (signal.aborted) await end(ctx, row, { state: "waiting", attempts: row.attempts - 1, bytes: null });
    else {
      ctx.log.error({ err: error, tenant: row.tenantId }, "a backup of a homeserver could not be made");
      await end(ctx, row, { state: "failed", error: whyNot(ctx, error), bytes: null });
    }
  }
  return true;
}

async function claim({ db, clock }: Context): Promise<BackupRow | undefined> {
  const next = db
    .select({ id: tenantBackups.id })
    .from(tenantBackups)
    .where(eq(tenantBackups.state, "waiting"))
    .orderBy(tenantBackups.createdAt)
    .limit(1)
    .for("update", { skipLocked: true });
  const [row] = await db
    .update(tenantBackups)
    .set({ state: "running", startedAt: new Date(clock.now()), attempts: sql`${tenantBackups.attempts} + 1` })
    .where(eq(tenantBackups.id, sql`(${next})`))
    .returning();
  return row;
}

async function make(ctx: Context, row: BackupRow, signal: AbortSignal): Promise<void> {
  const tenant = await getTenant(ctx, row.tenantId);
  const stamp = new Date(ctx.clock.now()).toISOString().replaceAll(/[:.]/g, "-");
  const name = `${tenant.id}-${stamp}.tar`;
  const file = path.join(backupsFolder(ctx), name);
  const onBytes = (bytes: number) =>
    void noteBytes(ctx, row, bytes).catch((error: unknown) =>
      ctx.log.warn({ err: error }, "how far a backup is was not noted"),
    );
  await tell(ctx, row);
  await driverOf(tenant.driver).backup?.(ctx, tenant, file, { signal, onBytes });
  const bytes = statSync(file).size;
  // The client may have been removed meanwhile, or the row be another's.
  const kept = await end(ctx, row, { state: "done", file: name, bytes });
  if (!kept) rmSync(file, { force: true });
}

async function noteBytes(ctx: Context, row: BackupRow, bytes: number): Promise<void> {
  await ctx.db
    .update(tenantBackups)
    .set({ bytes })
    .where(and(eq(tenantBackups.id, row.id), eq(tenantBackups.state, "running")));
  await tell(ctx, row);
}

async function end(ctx: Context, row: BackupRow, values: Partial<BackupRow>): Promise<boolean> {
  const finishedAt = values.state === "waiting" ? null : new Date(ctx.clock.now());
  const ended = await ctx.db
    .update(tenantBackups)
    .set({ ...values, finishedAt })
    .where(and(eq(tenantBackups.id, row.id), eq(tenantBackups.state, "running")))
    .returning({ id: tenantBackups.id });
  await tell(ctx, row);
  return ended.length > 0;
}

const tell = (ctx: Context, row: BackupRow) => ctx.sql.notify(CHANNELS.panel, `clients ${row.tenantId}`);

function whyNot(ctx: Context, error: unknown): string {
  const known = explainTrouble(error, ctx.config.home);
  if (known instanceof AppError) return known.sentence;
  const { stderr } = error as { stderr?: unknown };
  const said = typeof stderr === "string" ? (stderr.trim().split("\n").at(-1) ?? "") : "";
  const why = said ? ` (${said.slice(0, 300)})` : "";
  return `The backup could not be made${why}. The platform's log says more; try it again when that is mended.`;
}
