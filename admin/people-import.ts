/** Many people at once: an invite link for each row of a CSV file that has no account yet. */
import { and, eq, gt, inArray, isNotNull, isNull, lt, sql } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import type { Database } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { getTenant } from "../homeserver/tenants.ts";
import { invites } from "../migrations/panel-tables.ts";
import { people, teams } from "../migrations/schema.ts";
import type { TenantRole } from "../migrations/types.ts";
import { csvOf } from "./csv.ts";
import { namesOfAgents } from "./impostors.ts";
import { inviteOf, joinUrl, newRow } from "./invites.ts";
import { type CsvPerson, type Known, type PlannedPerson, plainName, planPeople, readPeopleCsv } from "./people-csv.ts";
import { syncPeople } from "./people-sync.ts";

export interface ImportWish {
  tenantId: string;
  csv: string;
  /** For rows that name none; the client's first team when it is not given. */
  teamId?: string | undefined;
  role?: TenantRole | undefined;
  ttlDays: number;
  /** Open links for the same names are withdrawn and made anew. */
  renew: boolean;
  createdBy: string;
  givingProblem: Known["givingProblem"];
}

export type ImportedPerson = PlannedPerson & { url: string | null };

/** One import of a client at a time (advisory lock 7432, client). */
const lockOf = (tenantId: string) => sql`select pg_advisory_xact_lock(7432, hashtext(${tenantId}))`;

/** What an import would do, row by row. Changes nothing. Throws `invalid` for a file that cannot be read, `homeserver_down`. */
export async function previewImport(ctx: Context, wish: ImportWish): Promise<PlannedPerson[]> {
  const rows = readPeopleCsv(wish.csv);
  await syncPeople(ctx, wish.tenantId);
  return planPeople(rows, await whatIsKnown(ctx, ctx.db, wish, rows));
}

/** Makes the links, all or none. Two imports of a client wait for one another. The links are in the answer and nowhere else. */
export async function importPeople(ctx: Context, wish: ImportWish): Promise<{ rows: ImportedPerson[]; csv: string }> {
  const read = readPeopleCsv(wish.csv);
  await syncPeople(ctx, wish.tenantId);
  const tenant = await getTenant(ctx, wish.tenantId);
  const now = ctx.clock.now();
  const planned = await ctx.db.transaction(async (tx) => {
    await tx.execute(lockOf(wish.tenantId));
    const plan = planPeople(read, await whatIsKnown(ctx, tx, wish, read));
    const made = plan
      .filter(({ outcome }) => outcome === "invite")
      .map(({ username, name, role, teamId }) => {
        const one = { username, displayName: name ?? undefined, role: role ?? undefined };
        const ttl = wish.ttlDays * 86_400_000;
        const checked = inviteOf(tenant, { ...one, maxUses: 1, ttl, createdBy: wish.createdBy }, now);
        return { username, ...newRow(checked, { tenantId: tenant.id, teamId }) };
      });
    if (made.length > 0) {
      const names = made.map(({ username }) => username);
      const open = and(openFor(wish.tenantId, now), inArray(invites.username, names));
      await tx
        .update(invites)
        .set({ revokedAt: new Date(now) })
        .where(open);
      await tx.insert(invites).values(made.map(({ row }) => row));
    }
    return { plan, tokens: new Map(made.map(({ username, token }) => [username, token])) };
  });
  const rows: ImportedPerson[] = [];
  for (const person of planned.plan) {
    const token = person.outcome === "invite" ? planned.tokens.get(person.username) : undefined;
    rows.push({ ...person, url: token === undefined ? null : await joinUrl(ctx, token) });
  }
  return { rows, csv: linksAsCsv(rows) };
}

const linksAsCsv = (rows: readonly ImportedPerson[]): string =>
  csvOf([
    ["line", "username", "name", "role", "team", "result", "link"],
    ...rows.map((row) => [row.line, row.username, row.name, row.role, row.team, row.sentence, row.url]),
  ]);

/** Links that make an account for one name, now. */
const openFor = (tenantId: string, now: number) =>
  and(
    eq(invites.tenantId, tenantId),
    isNotNull(invites.username),
    isNull(invites.revokedAt),
    gt(invites.expiresAt, new Date(now)),
    lt(invites.uses, invites.maxUses),
  );

async function whatIsKnown(
  ctx: Context,
  db: Pick<Database, "select">,
  wish: ImportWish,
  rows: readonly CsvPerson[],
): Promise<Known> {
  const { tenantId } = wish;
  const { serverName } = await getTenant(ctx, tenantId);
  const accounts = await db.select({ id: people.userId }).from(people).where(eq(people.tenantId, tenantId));
  const open = await db.select({ username: invites.username }).from(invites).where(openFor(tenantId, ctx.clock.now()));
  const all = await db
    .select()
    .from(teams)
    .where(and(eq(teams.tenantId, tenantId), isNull(teams.archivedAt)));
  const first = all.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())[0]?.id ?? null;
  if (wish.teamId !== undefined && !all.some(({ id }) => id === wish.teamId))
    throw new AppError("not_found", "There is no such team. Load the page again.");
  return {
    serverName,
    people: new Set(accounts.map(({ id }) => id.slice(1).split(":")[0] ?? id)),
    invited: new Set(open.flatMap(({ username }) => username ?? [])),
    agents: await namesOfAgents(ctx, tenantId, [
      ...new Set(rows.map(({ username }) => plainName(username, serverName))),
    ]),
    teams: new Map(all.map(({ id, name }) => [name.toLowerCase(), id])),
    defaults: { role: wish.role ?? "member", teamId: wish.teamId ?? first },
    renew: wish.renew,
    givingProblem: wish.givingProblem,
  };
}
