/** Keeps one tenant's homeserver as its row wants it. */
import { and, eq, lte } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import { tenants } from "../migrations/schema.ts";
import { type TenantRow, tenantChanged } from "./access.ts";
import type { Place } from "./drivers/driver.ts";
import { driverOf } from "./drivers/list.ts";
import { decide, noHealth, noteFailure } from "./health.ts";
import { owesPing } from "./inbox.ts";
import { bringUp, databaseWasAway, lookAfter } from "./take-up.ts";
import { quoteLog, setState, type Tended, tellWatchers, untilRunning } from "./tended.ts";

export interface Tender {
  /** The row as it is now. */
  poke(row: TenantRow): void;
  /** The database was away: what the homeserver dropped meanwhile has to be looked for. */
  lookCloser(): void;
  /** Resolves when it answers; rejects when it is stopped, cannot be started or dies again and again. */
  ready(): Promise<void>;
  /** Ends tending and, unless `leave`, the homeserver. */
  end(options: { leave: boolean }): Promise<void>;
}

interface Given {
  row: TenantRow;
  place: Place;
  /** Lets few start at once. */
  slots: <T>(work: () => Promise<T>) => Promise<T>;
}

const PING_MS = 30_000;
const QUICK_MS = 2_000;

/** Begins at once and goes on until `end`. */
export function startTender(ctx: Context, { row, place, slots }: Given): Tender {
  const tended: Tended = {
    ctx,
    log: ctx.log.child({ tenant: row.id }),
    place,
    driver: driverOf(row.driver),
    row,
    running: undefined,
    health: noHealth(),
    missedPings: 0,
    quickLooks: 0,
    sweeps: 0,
    caughtUpAt: 0,
    restartedFor: 0,
    ending: false,
    watchers: new Set(),
  };
  const pause = interruptible();
  let steps = 0;

  async function tend(): Promise<void> {
    for (let waitMs = 0; !tended.ending; ) {
      await pause.wait(waitMs);
      if (tended.ending) break;
      waitMs = await step(tended, slots, pause.end).catch((error) => fail(tended, error));
      steps++;
      tellWatchers(tended);
    }
  }

  const tending = tend();
  return {
    poke(now) {
      const changed = differs(tended.row, now);
      // What an operator asked for just now need not wait for the pause after earlier failures.
      if (changed) tended.health = { ...tended.health, notBefore: 0 };
      const { state, stateDetail, caughtUpWith } = tended.row;
      tended.row = { ...now, state, stateDetail, caughtUpWith };
      if (changed || restartWanted(tended) || (tended.running && owesPing(now.id))) pause.end();
    },
    lookCloser() {
      databaseWasAway(tended);
      if (tended.running) pause.end();
    },
    // What the row says from an earlier platform is no news: only what was seen since.
    ready: () => untilRunning(tended, () => steps > 0 || tended.running !== undefined),
    async end({ leave }) {
      tended.ending = true;
      pause.end();
      await tending;
      tellWatchers(tended);
      if (leave || !tended.running) return;
      await tended.running.stop();
      tended.running = undefined;
      await setState(tended, "stopped").catch((error) => tended.log.warn({ err: error }, "its state was not written"));
    },
  };
}

const differs = (before: TenantRow, now: TenantRow) =>
  now.desired !== before.desired || Boolean(now.config.removal) !== Boolean(before.config.removal);

/** Rows are read a little before they come here: one may still have the request that was just done. */
const restartWanted = ({ row, restartedFor }: Tended) =>
  row.restartRequestedAt !== null && row.restartRequestedAt.getTime() !== restartedFor;

/** Does what is to be done now. Returns the milliseconds until the next look. */
async function step(tended: Tended, slots: Given["slots"], died: () => void): Promise<number> {
  const { ctx, running, health, row } = tended;
  const dead = running !== undefined && (await isSettled(running.exited));
  const restart = restartWanted(tended);
  switch (decide({ row, running: running !== undefined, dead, restart, now: ctx.clock.now(), health })) {
    case "died":
      throw new AppError("homeserver_down", `The homeserver ended by itself.${quoteLog(running)}`);
    case "remove":
      await remove(tended);
      break;
    case "stop":
      await halt(tended);
      break;
    case "restart":
      await stopForRestart(tended);
      await slots(() => start(tended, died));
      break;
    case "start":
      await slots(() => start(tended, died));
      break;
    case "check":
      await lookAfter(tended);
      break;
    case "wait":
      return health.notBefore > ctx.clock.now() ? health.notBefore - ctx.clock.now() : PING_MS;
  }
  return owesPing(row.id) || tended.quickLooks > 0 || tended.sweeps > 0 ? QUICK_MS : PING_MS;
}

async function start(tended: Tended, died: () => void): Promise<void> {
  if (tended.ending) return;
  // A crash loop stays one, with its sentence, until it answers.
  if (tended.health.attempt === 0) await setState(tended, "starting");
  await bringUp(tended, died);
}

async function halt(tended: Tended): Promise<void> {
  await end(tended);
  // Whoever stops it has no use for a restart that was asked for before.
  await restartDone(tended);
  await setState(tended, "stopped");
}

/**
 * The request is taken away once the homeserver is down: killed before that, the next platform ends it again, and what is down already
 * is only started; killed after it, the row still wants it to run.
 */
async function stopForRestart(tended: Tended): Promise<void> {
  await setState(tended, "restarting");
  await end(tended);
  tended.health = noHealth();
  await setState(tended, "starting");
  await restartDone(tended);
}

async function restartDone(tended: Tended): Promise<void> {
  const { ctx, row } = tended;
  if (!row.restartRequestedAt) return;
  await ctx.db
    .update(tenants)
    .set({ restartRequestedAt: null })
    .where(and(eq(tenants.id, row.id), lte(tenants.restartRequestedAt, row.restartRequestedAt)));
  tended.restartedFor = row.restartRequestedAt.getTime();
}

async function end(tended: Tended): Promise<void> {
  if (tended.running) await tended.running.stop();
  else await tended.driver.halt(tended.ctx, tended.row, tended.place);
  tended.running = undefined;
}

async function remove(tended: Tended): Promise<void> {
  const { ctx, driver, row, place } = tended;
  await driver.remove(ctx, row, place, row.config.removal?.backup ?? null);
  tended.running = undefined;
  tended.ending = true;
  await ctx.db.delete(tenants).where(eq(tenants.id, row.id));
  await tenantChanged(ctx, row.id);
}

/** Notes a failure, and ends what half runs. Never throws. Returns the milliseconds until the next try. */
async function fail(tended: Tended, error: unknown): Promise<number> {
  const { ctx, driver, log } = tended;
  log.error({ err: error }, "the homeserver failed");
  // A database that is away is no fault of the homeserver: only the pause grows.
  const counts = !isTransient(error) || error instanceof AppError;
  const now = ctx.clock.now();
  tended.health = driver.lookAgainMs
    ? { ...tended.health, notBefore: now + driver.lookAgainMs }
    : noteFailure(tended.health, now, counts);
  const failed = tended.running;
  tended.running = undefined;
  try {
    if (failed && !(await isSettled(failed.exited))) await failed.stop();
    await setState(tended, stateAfter(tended, error), whatHappened(error));
  } catch (second) {
    log.warn({ err: second }, "its state was not written");
  }
  return Math.max(100, tended.health.notBefore - ctx.clock.now());
}

function stateAfter({ driver, health, row }: Tended, error: unknown): TenantRow["state"] {
  if (row.config.removal) return "removing";
  if (driver.lookAgainMs) return "starting";
  if (error instanceof AppError && error.code === "setup") return "failed";
  return health.looping ? "crash_loop" : "restarting";
}

function whatHappened(error: unknown): string {
  if (error instanceof AppError) return error.sentence;
  return isTransient(error) ? "The database does not answer." : sentenceOf(error);
}

function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<false>((resolve) => setImmediate(() => resolve(false)));
  return Promise.race([promise.then(() => true), later]);
}

/** A pause that can be ended early; one that is ended before it begins does not begin. */
function interruptible() {
  let ended = false;
  let resume: () => void = () => undefined;
  return {
    async wait(ms: number): Promise<void> {
      if (!ended)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          resume = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      ended = false;
    },
    end(): void {
      ended = true;
      resume();
    },
  };
}
