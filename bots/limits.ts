import type { TenantLimits } from "../migrations/types.ts";

/** A tenant's limits: what its row says, else these. */
export const DEFAULT_LIMITS: Required<TenantLimits> = {
  tokensPerDay: 5_000_000,
  maxHops: 4,
  agentPairPerHour: 20,
  personPairPerHour: 600,
  quickReplies: 30,
};

export function limitsOf(tenant: { limits: TenantLimits }): Required<TenantLimits> {
  return { ...DEFAULT_LIMITS, ...tenant.limits };
}

/** What may be chosen for each limit that an operator sets. */
export const LIMIT_RANGES = {
  tokensPerDay: { least: 0, most: 1_000_000_000_000 },
  maxHops: { least: 0, most: 50 },
  agentPairPerHour: { least: 0, most: 1_000_000 },
  personPairPerHour: { least: 1, most: 1_000_000 },
  quickReplies: { least: 1, most: 1_000_000 },
} as const satisfies Record<keyof TenantLimits, { least: number; most: number }>;

export type SettableLimit = keyof typeof LIMIT_RANGES;
