/** Cursor pages: every list is given in pages, and a page says where the next one begins. */
import { AppError } from "../../core/errors.ts";
import { z } from "./endpoint.ts";

/** The query of every list; extend it with filters. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(1000).optional(),
});

/** Of what is looked through for secrets before it is shown, which takes time: shorter pages. */
export const shortPageQuery = pageQuery.extend({ limit: z.coerce.number().int().min(1).max(25).default(25) });

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().nullable().openapi({ description: "Cursor of the next page." }) });

type Part = string | number | null;

/** Where a page ended: the sort values of its last row. */
export const writeCursor = (...parts: Part[]): string => Buffer.from(JSON.stringify(parts)).toString("base64url");

/** The same back, checked against the kinds that the list sorts by. Null without a cursor. Throws `invalid`. */
export function readCursor<const Kinds extends readonly ("string" | "number")[]>(
  cursor: string | undefined,
  ...kinds: Kinds
): { [index in keyof Kinds]: Kinds[index] extends "string" ? string : number } | null {
  if (cursor === undefined) return null;
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    const fits =
      Array.isArray(parts) &&
      parts.length === kinds.length &&
      parts.every((part, index) => typeof part === kinds[index] && !String(part).includes("\0"));
    if (fits) return parts as never;
  } catch {
    // Not one of ours: said below.
  }
  throw new AppError("invalid", "This is no cursor of this list. Begin again without one.");
}

/** A cursor of a list that is sorted by a moment and an id. Microseconds, as Postgres keeps them. Throws `invalid`. */
export function readMomentCursor(cursor: string | undefined): { micros: number; id: string } | null {
  const [micros, id] = readCursor(cursor, "number", "string") ?? [];
  if (micros === undefined || id === undefined) return null;
  if (!Number.isSafeInteger(micros) || micros < 0)
    throw new AppError("invalid", "This is no cursor of this list. Begin again without one.");
  return { micros, id };
}

/** Cuts the row that was asked for beyond the limit, and says where the next page begins. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => string,
  item: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
