/** A client's limits, as the operator sets them, and what of the day's tokens is gone. */
import { utcDay } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { getTenant, tenantChanged } from "../homeserver/access.ts";
import type { TenantLimits } from "../migrations/types.ts";
import { DEFAULT_LIMITS, LIMIT_RANGES, limitsOf, type SettableLimit } from "./limits.ts";

export interface Caps {
  limits: Record<SettableLimit, number>;
  defaults: Record<SettableLimit, number>;
  /** Of the UTC day that it is now; `reserved` is held by calls under way. */
  today: { day: string; used: number; reserved: number };
}

const NAMES = Object.keys(LIMIT_RANGES) as SettableLimit[];

const only = (limits: Required<TenantLimits>) =>
  Object.fromEntries(NAMES.map((name) => [name, limits[name]])) as Record<SettableLimit, number>;

/** Throws `not_found`. */
export async function readCaps(ctx: Context, tenantId: string): Promise<Caps> {
  const tenant = await getTenant(ctx, tenantId);
  const day = utcDay(ctx.clock.now());
  const [row] = await ctx.sql<{ used: number; reserved: number }[]>`
    select used::float8 as used, reserved::float8 as reserved from token_days where tenant_id = ${tenantId} and day = ${day}::date`;
  return {
    limits: only(limitsOf(tenant)),
    defaults: only(DEFAULT_LIMITS),
    today: { day, used: row?.used ?? 0, reserved: row?.reserved ?? 0 },
  };
}

/** Sets those that are named; null goes back to the platform's own. Holds from the next question on. Throws `not_found`, `invalid`. */
export async function setCaps(
  ctx: Context,
  tenantId: string,
  wish: { [name in SettableLimit]?: number | null | undefined },
): Promise<void> {
  await getTenant(ctx, tenantId);
  const set: Record<string, number> = {};
  const unset: string[] = [];
  for (const name of NAMES) {
    const value = wish[name];
    if (value === null) unset.push(name);
    if (value === null || value === undefined) continue;
    const { least, most } = LIMIT_RANGES[name];
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new AppError("invalid", `Choose a whole number from ${least} to ${most} for this limit.`);
    set[name] = value;
  }
  await ctx.sql`
    update tenants set limits = (limits - ${unset}::text[]) || ${ctx.sql.json(set)} where id = ${tenantId}`;
  await tenantChanged(ctx, tenantId);
}
