/** `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same request sent twice creates once. */
import { createHash } from "node:crypto";
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";

export interface KeptAnswer {
  status: number;
  body: unknown;
}

/** A request that began so long ago was cut off: it may be sent again. */
const CUT_OFF = "2 minutes";

/**
 * Does `create` once for a caller's key and gives its answer again to whoever repeats the request within a day. Throws `conflict` when the first is
 * under way, or when the key came with another request before. What fails may be sent again.
 */
export async function onceForKey(
  ctx: Context,
  who: { caller: string; key: string | undefined; request: string },
  create: () => Promise<KeptAnswer>,
): Promise<KeptAnswer> {
  const { caller, key } = who;
  if (key === undefined) return create();
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw new AppError("invalid", "An Idempotency-Key has 1 to 200 visible ASCII characters.");
  const hash = createHash("sha256").update(who.request).digest("hex");
  const about = `idempotency_keys:${caller}:${key}`;
  const [taken] = await ctx.sql`
    with old as (delete from idempotency_keys where created_at < now() - interval '1 day')
    insert into idempotency_keys (caller, key, request_hash) values (${caller}, ${key}, ${hash})
    on conflict (caller, key) do update set created_at = now()
      where idempotency_keys.status is null and idempotency_keys.request_hash = ${hash}
        and idempotency_keys.created_at < now() - ${CUT_OFF}::interval
    returning 1`;
  if (!taken) return await answerBefore(ctx, { caller, key, hash, about });
  try {
    const answer = await create();
    await ctx.sql`update idempotency_keys set status = ${answer.status},
        response = ${ctx.secrets.seal(JSON.stringify(answer.body ?? null), about)}
      where caller = ${caller} and key = ${key}`;
    return answer;
  } catch (error) {
    await ctx.sql`delete from idempotency_keys where caller = ${caller} and key = ${key}`;
    throw error;
  }
}

async function answerBefore(
  ctx: Context,
  { caller, key, hash, about }: { caller: string; key: string; hash: string; about: string },
): Promise<KeptAnswer> {
  const [row] = await ctx.sql<{ hash: string; status: number | null; response: string | null }[]>`
    select request_hash as hash, status, response from idempotency_keys where caller = ${caller} and key = ${key}`;
  if (row && row.hash !== hash)
    throw new AppError(
      "conflict",
      "This Idempotency-Key came with another request before. Use a new key for each request.",
    );
  if (!row?.status || row.response === null)
    throw new AppError(
      "conflict",
      "The same request is still under way. Send it again in a moment to get its answer.",
      {
        retryAfterMs: 1000,
      },
    );
  return { status: row.status, body: JSON.parse(ctx.secrets.open(row.response, about)) };
}
