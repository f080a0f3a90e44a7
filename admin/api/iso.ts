/** Milliseconds since 1970 as ISO 8601 in UTC, as answers hold moments; null stays null. */
export function iso(at: number): string;
export function iso(at: number | null): string | null;
export function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
