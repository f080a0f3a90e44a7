/** What the running platform does for its homeservers besides keeping them up: backups that were asked for, sizes once a day. */
import { CHANNELS, type Context } from "../core/context.ts";
import type { Wake } from "../core/wake.ts";
import { clearHalfBackups, makeNextBackup, takeUpBackups } from "./backups.ts";
import { measureAll } from "./storage.ts";

/** A row whose NOTIFY was lost waits this long at most. */
const LOOK_MS = 30_000;
const MEASURE_MS = 600_000;

/** Begins at once. Call it before the supervisor starts: what an earlier platform left half made is taken away here. */
export function startUpkeep(ctx: Context, { wake }: { wake: Wake }): { stop(): Promise<void> } {
  const ending = new AbortController();
  const { signal } = ending;
  let takenUp = false;
  clearHalfBackups(ctx);

  const backups = oneAtATime(ctx, "backups of homeservers could not be looked after", async () => {
    if (!takenUp) await takeUpBackups(ctx);
    takenUp = true;
    while (!signal.aborted && (await makeNextBackup(ctx, signal)));
  });
  const sizes = oneAtATime(ctx, "homeservers could not be measured", () => measureAll(ctx, () => signal.aborted));

  const unlisten = wake.on(CHANNELS.tenant, backups.soon);
  const timers = [setInterval(backups.soon, LOOK_MS), setInterval(sizes.soon, MEASURE_MS)];
  return {
    async stop() {
      ending.abort(new Error("The platform is stopping."));
      unlisten();
      for (const timer of timers) clearInterval(timer);
      await Promise.all([backups.ended(), sizes.ended()]);
    },
  };
}

/** Work that is asked for while it is under way is done once more after it. Failing is logged; the next look tries again. */
function oneAtATime(ctx: Context, failed: string, work: () => Promise<void>) {
  let again = false;
  let underWay: Promise<void> | undefined;
  const run = async () => {
    while (again) {
      again = false;
      await work().catch((error: unknown) => ctx.log.warn({ err: error }, failed));
    }
    underWay = undefined;
  };
  return {
    soon: () => {
      again = true;
      underWay ??= run();
    },
    ended: async () => {
      await underWay;
    },
  };
}
