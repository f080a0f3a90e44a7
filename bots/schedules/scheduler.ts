/** Runs what is due: woken by the clock at the next time, by NOTIFY when a schedule changes, and by a slow timer. Rows are the truth; any number of processes may do it. */
import { CHANNELS, type Context } from "../../core/context.ts";
import type { Wake } from "../../core/wake.ts";
import { tellQueued } from "../drain.ts";
import { nextDue, runDue } from "./due.ts";

const LOOK_AGAIN_MS = 5000;

/** Starts it. `stop` waits for what is under way. */
export async function startScheduler(ctx: Context, { wake }: { wake: Wake }): Promise<{ stop(): Promise<void> }> {
  let stopped = false;
  let again = false;
  let looking: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    again = true;
    if (stopped || looking) return;
    looking = lookAll().finally(() => {
      looking = undefined;
      if (again) look();
    });
  }

  async function lookAll(): Promise<void> {
    again = false;
    try {
      for (let queued = await next(); queued !== null; queued = await next()) tellQueued(ctx, queued);
      await wakeAtNext();
    } catch (error) {
      ctx.log.warn({ err: error }, "schedules wait for the database");
    }
  }

  const next = async () => (stopped ? null : await runDue(ctx));

  async function wakeAtNext(): Promise<void> {
    const at = await nextDue(ctx);
    clearTimeout(timer);
    if (stopped || at === null) return;
    const wait = at - ctx.clock.now();
    if (wait < LOOK_AGAIN_MS) timer = setTimeout(look, Math.max(10, wait));
  }

  const off = wake.on(CHANNELS.schedule, look);
  const regular = setInterval(look, LOOK_AGAIN_MS);
  look();
  return {
    async stop() {
      stopped = true;
      clearInterval(regular);
      clearTimeout(timer);
      off();
      await looking;
    },
  };
}
