/** How often something may go wrong for one key (an address, a link): buckets in memory, bounded in number. */
export interface RateLimit {
  /** Seconds until the next try is allowed; 0: now. Takes nothing. */
  wait(key: string): number;
  /** Takes one. */
  count(key: string): void;
  /** Gives one back: the try was none that has to be counted. */
  forgive(key: string): void;
}

/** Buckets of `burst` tries that refill one by one each `refillMs`. Beyond `maxKeys` the one longest unused is forgotten. */
export function rateLimit(options: {
  burst: number;
  refillMs: number;
  maxKeys?: number;
  now: () => number;
}): RateLimit {
  const { burst, refillMs, maxKeys = 10_000, now } = options;
  // Times at which a full bucket would have begun; a Map keeps the order in which keys were last used.
  const buckets = new Map<string, { used: number; at: number }>();
  const level = (key: string): number => {
    const bucket = buckets.get(key);
    return bucket ? Math.max(0, bucket.used - (now() - bucket.at) / refillMs) : 0;
  };
  return {
    wait(key) {
      const over = level(key) - (burst - 1);
      return over <= 0 ? 0 : Math.ceil((over * refillMs) / 1000);
    },
    count(key) {
      const used = Math.min(level(key) + 1, burst);
      buckets.delete(key);
      buckets.set(key, { used, at: now() });
      if (buckets.size > maxKeys) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
    },
    forgive(key) {
      const bucket = buckets.get(key);
      if (bucket) bucket.used = Math.max(0, bucket.used - 1);
    },
  };
}

/**
 * Whose tries are counted together: the address of the connection, or, when a proxy on this machine passes the request on, the
 * last address that it wrote into `X-Forwarded-For` (those before it come from the client and may be anything). IPv6
 * clients own a /64.
 */
export function clientKey(peer: string | undefined, forwardedFor: string | undefined): string {
  const local = peer !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(peer);
  const address = (local ? forwardedFor?.split(",").at(-1)?.trim() : undefined) || peer || "unknown";
  const short = address.slice(0, 64).replace(/^::ffff:/, "");
  return short.includes(":") ? short.split(":").slice(0, 4).join(":") : short;
}
