/** Pages of lists, newest first, whose filters no one index serves: a bounded number of rows is looked at for one page. */
import type { PendingQuery, Row } from "postgres";
import type { Context } from "../core/context.ts";

/** Rows that are looked at for one page: then it may be short and still not the last. */
export const SCAN = 2000;

export type Fragment = PendingQuery<Row[]>;

/** Where a page ended. Microseconds, as Postgres keeps them: with milliseconds rows would be skipped or come twice. */
export interface Place {
  micros: number;
  id: string;
}

/** A moment of a place, as Postgres compares it. */
export const atMicros = ({ sql }: Pick<Context, "sql">, micros: number): Fragment =>
  sql`(timestamptz 'epoch' + ${micros}::float8 * interval '1 microsecond')`;

export const every = ({ sql }: Pick<Context, "sql">, parts: Fragment[]): Fragment =>
  parts.reduce((all, part) => sql`${all} and ${part}`, sql`true`);

/**
 * The rows of one page. `drive`: what one index finds in order. `rest`: looked at row by row, in at most `SCAN` rows, and in no more than it takes to fill the
 * page. `next` is null after the last row.
 */
export async function scanPage(
  ctx: Context,
  table: "runs" | "tool_calls",
  { drive, rest }: { drive: Fragment[]; rest: Fragment[] },
  { limit, after }: { limit: number; after: Place | null },
): Promise<{ found: Place[]; next: Place | null }> {
  const { sql } = ctx;
  const from = after ? atMicros(ctx, after.micros) : null;
  // The first of the two conditions is what an index is entered by.
  const older = from && after ? [sql`created_at <= ${from}`, sql`(created_at, id) < (${from}, ${after.id})`] : [];
  const scanned = sql`(select * from ${sql(table)} where ${every(ctx, [...drive, ...older])} order by created_at desc, id desc limit ${SCAN})`;
  const micros = sql`(extract(epoch from created_at) * 1000000)::float8 as micros`;
  const rows = await sql<(Place & { fits: boolean })[]>`
    with fitting as materialized (select id, created_at from ${scanned} r where ${every(ctx, rest)}
      order by created_at desc, id desc limit ${limit + 1})
    (select id, ${micros}, true as fits from fitting order by created_at desc, id desc)
    union all
    (select id, ${micros}, false from ${scanned} r where (select count(*) from fitting) <= ${limit} offset ${SCAN - 1})`;
  const fitting = rows.filter(({ fits }) => fits);
  const found = fitting.slice(0, limit);
  const last = fitting.length > limit ? found.at(-1) : rows.find(({ fits }) => !fits);
  return { found, next: last ? { micros: last.micros, id: last.id } : null };
}
