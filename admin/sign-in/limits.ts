/**
 * How often a wrong password, code or link may be tried, counted by address and by name. In memory: one process answers HTTP (the
 * others find the platform taken), and a restart forgets the counts.
 */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { rateLimit } from "../rate-limit.ts";

export interface Tries {
  /** Counts a try before it is made, so that many at once count too. Throws `too_many`. */
  take(from: { address: string; name: string }): {
    /** It went well: it does not count. */
    forgive(): void;
  };
}

/** An address gets 30 tries and then 6 a minute, a name 10 and then 2 a minute. */
export function signInTries(ctx: Pick<Context, "clock">): Tries {
  const now = () => ctx.clock.now();
  const byAddress = rateLimit({ burst: 30, refillMs: 10_000, now });
  const byName = rateLimit({ burst: 10, refillMs: 30_000, now });
  return {
    take({ address, name }) {
      const key = name.normalize("NFC").trim().toLowerCase().slice(0, 300);
      const seconds = Math.max(byAddress.wait(address), byName.wait(key));
      if (seconds > 0) throw tooMany(seconds);
      byAddress.count(address);
      byName.count(key);
      return {
        forgive() {
          byAddress.forgive(address);
          byName.forgive(key);
        },
      };
    },
  };
}

const tooMany = (seconds: number) =>
  new AppError(
    "too_many",
    `Too many wrong tries. Please wait ${seconds} ${seconds === 1 ? "second" : "seconds"} and try again.`,
    {
      retryAfterMs: seconds * 1000,
    },
  );
