/** Makes the homeservers what the rows of tenants want, watches them, and starts those again that die. */
import path from "node:path";
import { eq } from "drizzle-orm";
import { ROOT } from "../core/config.ts";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import type { Wake } from "../core/wake.ts";
import { tenants } from "../migrations/schema.ts";
import { forgetTenantAccess, watchTenants } from "./access.ts";
import type { Place } from "./drivers/driver.ts";
import { closeInbox } from "./inbox.ts";
import { listTenants } from "./tenants.ts";
import { startTender, type Tender } from "./tender.ts";

export interface Supervisor {
  /** Resolves when the tenant's homeserver answers. Rejects when it cannot be made to, with the sentence for a person. */
  ready(tenantId: string): Promise<void>;
  /** Ends watching and, unless `leave` is set, every homeserver of ours. */
  stop(options?: { leave?: boolean }): Promise<void>;
}

export interface SupervisorOptions {
  wake: Wake;
  /** Where homeservers reach us, as http://127.0.0.1:port. */
  internalUrl: string;
  /** Python with Synapse; default: the one that setup.mjs made. */
  python?: string;
  /** Milliseconds between looks at the rows (default 5 s). */
  everyMs?: number;
}

/** How many homeservers start at once: each start is several seconds of one core. */
const STARTS_AT_ONCE = 2;

/** Starts supervising. Returns at once; `ready` says when a tenant's homeserver answers. */
export function startSupervisor(ctx: Context, options: SupervisorOptions): Supervisor {
  const python = options.python ?? path.join(ROOT, ".runtime/python/bin/python");
  const place: Place = { internalUrl: options.internalUrl, python };
  const tenders = new Map<string, Tender>();
  const slots = limit(STARTS_AT_ONCE);
  let stopping = false;
  let looking: Promise<void> | undefined;
  let again = false;

  async function look(): Promise<void> {
    const rows = await listTenants(ctx);
    if (stopping) return;
    for (const row of rows) {
      const tender = tenders.get(row.id);
      if (tender) tender.poke(row);
      else tenders.set(row.id, startTender(ctx, { row, place, slots }));
    }
    for (const [id, tender] of tenders)
      if (!rows.some((row) => row.id === id)) {
        tenders.delete(id);
        await tender.end({ leave: false });
      }
  }

  /** One look at a time; what is asked for meanwhile is done right after it. */
  function lookSoon(): Promise<void> {
    again = true;
    looking ??= (async () => {
      while (again && !stopping) {
        again = false;
        await look().catch((error) => ctx.log.warn({ err: error }, "the tenants could not be read"));
      }
      looking = undefined;
    })();
    return looking;
  }

  closeInbox(ctx);
  const unwatch = watchTenants(ctx, options.wake);
  const unlisten = options.wake.on(CHANNELS.tenant, (payload) => {
    // "" comes when listening begins anew: the database was away.
    if (payload === "") for (const tender of tenders.values()) tender.lookCloser();
    void lookSoon();
  });
  const timer = setInterval(() => void lookSoon(), options.everyMs ?? 5_000);
  return {
    async ready(tenantId) {
      for (let tender = tenders.get(tenantId); !tender; tender = tenders.get(tenantId)) {
        const [row] = await ctx.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId));
        if (!row) throw new AppError("not_found", `There is no client "${tenantId}".`);
        await lookSoon();
        if (stopping) throw new AppError("internal", "The platform is stopping.");
      }
      await tenders.get(tenantId)?.ready();
    },
    async stop({ leave = false } = {}) {
      stopping = true;
      clearInterval(timer);
      unlisten();
      unwatch();
      await looking;
      await Promise.all([...tenders.values()].map((tender) => tender.end({ leave })));
      forgetTenantAccess(ctx);
    },
  };
}

/** Runs at most `most` pieces of work at once, in the order in which they come. */
function limit(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
