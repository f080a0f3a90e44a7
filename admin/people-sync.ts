/** Keeps `people`, which lists and searches read, as the homeserver has it. The homeserver is the truth. */
import { eq, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { sentenceOf } from "../core/errors.ts";
import { type HomeserverPerson, listPeople, readPerson } from "../homeserver/people.ts";
import { people, tenants } from "../migrations/schema.ts";
import { tellPanels } from "./api/live.ts";

export type PersonState = (typeof people.$inferSelect)["state"];

/** Older than this, and it is looked at again. */
const FRESH_MS = 60_000;

const running = new WeakMap<Context["sql"], Map<string, Promise<void>>>();

/** Brings the mirror up to date; one at a time for a client: whoever asks meanwhile gets the one under way. Throws `homeserver_down`. */
export function syncPeople(ctx: Context, tenantId: string): Promise<void> {
  const known = running.get(ctx.sql) ?? new Map<string, Promise<void>>();
  running.set(ctx.sql, known);
  const before = known.get(tenantId);
  if (before) return before;
  const work = sync(ctx, tenantId).finally(() => known.delete(tenantId));
  known.set(tenantId, work);
  return work;
}

export interface Freshness {
  /** When the list was last as the homeserver has it; null: never. */
  syncedAt: Date | null;
  /** The homeserver could not be asked; the sentence says so. */
  stale: string | null;
}

const failed = new WeakMap<Context["sql"], Map<string, string>>();

/**
 * For whoever shows the list: the first time waits until it is there, later ones have it renewed behind their back and told to the
 * open pages. A homeserver that is down is no error here: the list stays as it was.
 */
export async function freshPeople(ctx: Context, tenantId: string): Promise<Freshness> {
  const before = await syncedAt(ctx, tenantId);
  const troubles = failed.get(ctx.sql) ?? new Map<string, string>();
  failed.set(ctx.sql, troubles);
  if (before !== null && ctx.clock.now() - before.getTime() < FRESH_MS) return { syncedAt: before, stale: null };
  const work = renew(ctx, tenantId, troubles);
  if (before === null) {
    await work;
    return { syncedAt: await syncedAt(ctx, tenantId), stale: staleness(troubles.get(tenantId)) };
  }
  return { syncedAt: before, stale: staleness(troubles.get(tenantId)) };
}

/** Never throws: what went wrong is said beside the list. */
async function renew(ctx: Context, tenantId: string, troubles: Map<string, string>): Promise<void> {
  try {
    await syncPeople(ctx, tenantId);
    if (troubles.delete(tenantId)) await tellPanels(ctx, "people", tenantId);
  } catch (error) {
    ctx.log.warn({ err: error, tenant: tenantId }, "the people of a client could not be read from its homeserver");
    troubles.set(tenantId, sentenceOf(error));
  }
}

const staleness = (trouble: string | undefined): string | null =>
  trouble === undefined ? null : `${trouble} This list may not be as it is now; it is read again by itself.`;

async function syncedAt(ctx: Context, tenantId: string): Promise<Date | null> {
  const [row] = await ctx.db.select({ at: tenants.peopleSyncedAt }).from(tenants).where(eq(tenants.id, tenantId));
  return row?.at ?? null;
}

async function sync(ctx: Context, tenantId: string): Promise<void> {
  const began = new Date(ctx.clock.now());
  let changed = 0;
  for await (const page of listPeople(ctx, tenantId))
    changed += await upsert(ctx, tenantId, await withSuspensions(ctx, tenantId, page), began);
  // Whoever is not in the list any more, as after a restored backup. Rows that were written since it began stay.
  const gone = await ctx.sql`delete from people where tenant_id = ${tenantId} and synced_at < ${began} returning 1`;
  await ctx.sql`update tenants set people_synced_at = ${began} where id = ${tenantId}`;
  if (changed + gone.length > 0) await tellPanels(ctx, "people", tenantId);
}

/** Synapse's list does not say who is suspended: those of whom we know it are asked for one by one. */
async function withSuspensions(ctx: Context, tenantId: string, page: HomeserverPerson[]): Promise<HomeserverPerson[]> {
  const ids = page.map(({ userId }) => userId);
  const known = await ctx.sql<{ id: string }[]>`
    select user_id as id from people where tenant_id = ${tenantId} and state = 'suspended' and user_id = any(${ids})`;
  const suspended = new Set(known.map(({ id }) => id));
  const exact: HomeserverPerson[] = [];
  for (const person of page)
    exact.push(
      suspended.has(person.userId) ? ((await readPerson(ctx, { tenantId, userId: person.userId })) ?? person) : person,
    );
  return exact;
}

export const stateOf = (person: HomeserverPerson): PersonState => {
  if (person.deactivated) return "deactivated";
  return person.suspended || person.locked ? "suspended" : "active";
};

/** Returns how many rows are not what they were. A row that we changed since `at` is newer than what was read. */
async function upsert(ctx: Context, tenantId: string, page: HomeserverPerson[], at: Date): Promise<number> {
  if (page.length === 0) return 0;
  const rows = page.map((person) => ({
    tenantId,
    userId: person.userId,
    displayName: shownName(person.displayName),
    state: stateOf(person),
    lastSeenAt: person.lastSeenAt === null ? null : new Date(person.lastSeenAt),
    createdAt: person.createdAt === null ? at : new Date(person.createdAt),
    syncedAt: at,
  }));
  const before = await ctx.sql<{ id: string; was: string }[]>`
    select user_id as id, state || ' ' || coalesce(display_name, '') as was from people
    where tenant_id = ${tenantId} and user_id = any(${rows.map(({ userId }) => userId)})`;
  const was = new Map(before.map((row) => [row.id, row.was]));
  await ctx.db
    .insert(people)
    .values(rows)
    .onConflictDoUpdate({
      target: [people.tenantId, people.userId],
      set: {
        displayName: sql`excluded.display_name`,
        state: sql`excluded.state`,
        lastSeenAt: sql`excluded.last_seen_at`,
        createdAt: sql`excluded.created_at`,
        syncedAt: sql`excluded.synced_at`,
      },
      setWhere: sql`${people.syncedAt} <= excluded.synced_at`,
    });
  return rows.filter((row) => was.get(row.userId) !== `${row.state} ${row.displayName ?? ""}`).length;
}

/** What Postgres cannot keep, and what would make the name longer than an index takes, is left out. */
const shownName = (name: string | null): string | null =>
  name?.replaceAll("\0", "").slice(0, 256).toWellFormed() || null;

/** Reads one person anew and writes the row. Null when the homeserver has no such person. */
export async function refreshPerson(
  ctx: Context,
  { tenantId, userId }: { tenantId: string; userId: string },
): Promise<HomeserverPerson | null> {
  const at = new Date(ctx.clock.now());
  const person = await readPerson(ctx, { tenantId, userId });
  if (person) await upsert(ctx, tenantId, [person], at);
  return person;
}

/** The row of somebody whose account was made just now. */
export async function rememberPerson(
  ctx: Context,
  person: { tenantId: string; userId: string; displayName: string | null },
): Promise<void> {
  const now = new Date(ctx.clock.now());
  await ctx.db
    .insert(people)
    .values({ ...person, displayName: shownName(person.displayName), createdAt: now, syncedAt: now })
    .onConflictDoNothing();
}
