import type { TenantLimits } from "../migrations/types.ts";

/** A tenant's limits: what its row says, else these. */
export const DEFAULT_LIMITS: Required<TenantLimits> = {
  tokensPerDay: 5_000_000,
  maxHops: 4,
  agentPairPerHour: 20,
  personPairPerHour: 600,
  quickReplies: 30,
  concurrentRuns: 50,
};

export function limitsOf(tenant: { limits: TenantLimits }): Required<TenantLimits> {
  return { ...DEFAULT_LIMITS, ...tenant.limits };
}
