/**
 * Sign-ins that were refused, in the audit log. Strangers cause these lines, so they are few: one for an address, an account and a
 * reason in ten minutes, with a count that rises; 100 an hour in all, and one more for whatever comes beyond. Which lines are
 * open is in memory, like the tries (`limits.ts`): after a restart the next refusal begins a line of its own.
 */
import type { Context } from "../../core/context.ts";
import type { Actor } from "../audit.ts";
import type { Refused } from "./tried.ts";

export interface Refusal extends Refused {
  action: "session.sign_in_refused" | "session.link_refused" | "session.token_refused" | "session.check_refused";
  address: string;
  /** Who is signed in and got their own password or code wrong; nobody is where this is not set. */
  actor?: Actor;
}

const WINDOW_MS = 10 * 60_000;
const HOUR_MS = 60 * 60_000;
const MOST_LINES = 100;
/** A rising count is written at most so often: a flood is one small statement a second, whatever it sends. */
const PAUSE_MS = 1_000;

interface Line {
  seq: string;
  why: string;
  tries: number;
  last: number;
}

interface Book {
  /** In here before it is in the database: of many at once one writes it. */
  lines: Map<string, { until: number; written: Promise<Line> }>;
  risen: Set<Line>;
  timer: NodeJS.Timeout | null;
  hour: { began: number; lines: number };
}

const books = new WeakMap<Context, Book>();

function bookOf(ctx: Context): Book {
  const now = ctx.clock.now();
  const book = books.get(ctx) ?? { lines: new Map(), risen: new Set(), timer: null, hour: { began: now, lines: 0 } };
  books.set(ctx, book);
  if (now - book.hour.began >= HOUR_MS) {
    book.hour = { began: now, lines: 0 };
    book.lines.clear();
  }
  return book;
}

const keyOf = ({ action, address, target, why }: Refusal): string => JSON.stringify([action, address, target, why]);

/** Notes a refusal. A database that is away costs the line, not the answer. */
export async function noteRefusal(ctx: Context, refusal: Refusal): Promise<void> {
  try {
    await note(ctx, refusal);
  } catch (error) {
    ctx.log.warn({ err: error }, "a refused sign-in was not written into the audit log");
  }
}

async function note(ctx: Context, refusal: Refusal): Promise<void> {
  const book = bookOf(ctx);
  const now = ctx.clock.now();
  const key = keyOf(refusal);
  const open = book.lines.get(key);
  if (open && open.until > now) return rise(ctx, book, await open.written);
  if (book.hour.lines < MOST_LINES) {
    book.hour.lines++;
    return begin(ctx, book, { key, refusal, until: now + WINDOW_MS });
  }
  const beyond = book.lines.get(BEYOND);
  if (beyond) return rise(ctx, book, await beyond.written);
  await begin(ctx, book, { key: BEYOND, refusal: ALL_BEYOND, until: book.hour.began + HOUR_MS });
}

interface Beginning {
  key: string;
  refusal: Omit<Refusal, "address"> & { address?: string };
  until: number;
}

const BEYOND = "beyond";
/** What comes when the hour's lines are used up: from wherever, for whatever account. */
const ALL_BEYOND: Beginning["refusal"] = {
  action: "session.sign_in_refused",
  tenantId: null,
  target: { kind: "account", id: "-", name: null },
  why: "beyond_count",
};

async function begin(ctx: Context, { lines }: Book, { key, refusal, until }: Beginning): Promise<void> {
  const now = ctx.clock.now();
  const written = write(ctx, refusal, now).then((seq) => ({ seq, why: refusal.why, tries: 1, last: now }));
  lines.set(key, { until, written });
  try {
    await written;
  } catch (error) {
    lines.delete(key);
    throw error;
  }
}

async function write(
  ctx: Context,
  { action, address, target, tenantId, why, actor }: Beginning["refusal"],
  now: number,
) {
  const who = actor ?? ({ kind: "stranger", id: address ?? "-", name: address ?? "many addresses" } as const);
  const [row] = await ctx.sql<{ seq: string }[]>`
    insert into audit (at, tenant_id, actor_kind, actor_id, actor_name, action, target_kind, target_id, target_name, after, outcome, address)
    values (${new Date(now)}, ${tenantId}, ${who.kind}, ${who.id}, ${who.name}, ${action}, ${target.kind}, ${target.id},
      ${target.name ?? null}, ${JSON.stringify({ why, tries: 1 })}::text::jsonb, 'refused', ${address ?? null})
    returning seq`;
  return row?.seq ?? "0";
}

function rise(ctx: Context, book: Book, line: Line): void {
  line.tries++;
  line.last = ctx.clock.now();
  book.risen.add(line);
  book.timer ??= setTimeout(() => {
    book.timer = null;
    const risen = [...book.risen];
    book.risen.clear();
    writeCounts(ctx, risen).catch((error: unknown) =>
      ctx.log.warn({ err: error }, "counts of refused sign-ins were not written into the audit log"),
    );
  }, PAUSE_MS).unref();
}

/** At most as many as there are lines in an hour, in one statement. */
async function writeCounts({ sql }: Context, lines: readonly Line[]): Promise<void> {
  const afters = lines.map(({ why, tries, last }) =>
    JSON.stringify({ why, tries, last: new Date(last).toISOString() }),
  );
  await sql`
    update audit set after = risen.after::jsonb
    from unnest(${lines.map(({ seq }) => seq)}::bigint[], ${afters}::text[]) as risen (seq, after)
    where audit.seq = risen.seq`;
}

/** Does `work`; when it throws, what `about` makes of the error is noted, and the error goes on. */
export async function notingRefusal<T>(
  ctx: Context,
  about: (error: unknown) => Promise<Refusal | null>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const refusal = await about(error).catch((fault: unknown) => {
      ctx.log.warn({ err: fault }, "what a refused sign-in was about is not known");
      return null;
    });
    if (refusal) await noteRefusal(ctx, refusal);
    throw error;
  }
}

/** Takes a line back: what looked refused went on and was right, as when the code follows the password. */
export async function takeBackRefusal(ctx: Context, refusal: Refusal): Promise<void> {
  const { lines, risen } = bookOf(ctx);
  const open = lines.get(keyOf(refusal));
  if (!open) return;
  lines.delete(keyOf(refusal));
  const line = await open.written;
  risen.delete(line);
  await ctx.sql`delete from audit where seq = ${line.seq}`;
}
