/**
 * As Promise.all, but it fails only after all have ended. Within a transaction nothing else will do: what is still under way when the
 * others have failed would go on after the rollback, outside of the transaction, and be kept.
 */
export async function together<T extends readonly unknown[]>(
  work: readonly [...T],
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const ends = await Promise.allSettled(work);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return (await Promise.all(work)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
