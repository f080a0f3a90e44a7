import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { TenantRow } from "./access.ts";
import type { Driver, Place, Running } from "./drivers/driver.ts";
import type { Health } from "./health.ts";
import { writeState } from "./health-history.ts";

/** One tenant's homeserver as its tender sees it. Changed by the tender only, one step at a time. */
export interface Tended {
  ctx: Context;
  log: Log;
  place: Place;
  driver: Driver;
  row: TenantRow;
  running: Running | undefined;
  health: Health;
  /** Pings in a row without any answer. */
  missedPings: number;
  /** Looks in quick succession that are left after a start or an outage. */
  quickLooks: number;
  /** Looks for forgotten events that are left after the database was away. */
  sweeps: number;
  /** When the rooms were last looked through (a homeserver of others). */
  caughtUpAt: number;
  /** The request for a restart that was done last: the row as it was read may still have it. */
  restartedFor: number;
  ending: boolean;
  /** Called with every new state. */
  watchers: Set<() => void>;
}

/** Writes the state, and tells those who wait for it. */
export async function setState(
  tended: Tended,
  state: TenantRow["state"],
  stateDetail: string | null = null,
): Promise<void> {
  const { ctx, row, log } = tended;
  const changed = row.state !== state || row.stateDetail !== stateDetail;
  tended.row = { ...row, state, stateDetail };
  try {
    if (!changed) return;
    log.info({ state, detail: stateDetail }, "state of the homeserver");
    await writeState(ctx, row.id, { state, detail: stateDetail });
  } finally {
    tellWatchers(tended);
  }
}

export function tellWatchers({ watchers }: Tended): void {
  for (const watcher of [...watchers]) watcher();
}

/** Resolves when it runs; rejects when it is stopped, cannot be started, dies again and again, or waits for someone else. */
export async function untilRunning(tended: Tended, begun: () => boolean): Promise<void> {
  for (;;) {
    const { state, stateDetail } = tended.row;
    if (begun() && state === "running") return;
    if (tended.ending) throw new AppError("homeserver_down", "The platform is stopping.");
    if (begun() && (isOver(state) || (state === "starting" && stateDetail)))
      throw new AppError("homeserver_down", stateDetail ?? "The homeserver is stopped.");
    await new Promise<void>((resolve) => {
      const watcher = () => {
        tended.watchers.delete(watcher);
        resolve();
      };
      tended.watchers.add(watcher);
    });
  }
}

const isOver = (state: TenantRow["state"]) => state === "failed" || state === "crash_loop" || state === "stopped";

/** The last lines of its log, for the end of a sentence. */
export function quoteLog(running: Running | undefined): string {
  const tail = running?.tail() ?? "";
  return tail === "" ? "" : ` The last lines of its log:\n${tail}`;
}
