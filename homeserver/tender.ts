/** Keeps one tenant's homeserver as its row wants it. */
import { eq } from "drizzle-orm";
import type { Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import { tenants } from "../migrations/schema.ts";
import { forgetTenantAccess, type TenantAccess, type TenantRow, tenantAccess, tenantChanged } from "./access.ts";
import { catchUpByMessages } from "./catch-up.ts";
import { answers, causeEvent, ensureControlBot, pingAppservice } from "./control.ts";
import type { Place, Running } from "./drivers/driver.ts";
import { driverOf } from "./drivers/list.ts";
import { decide, HEALTHY_MS, type Health, noteFailure } from "./health.ts";
import { closeInbox, openInbox, owesPing, receive } from "./inbox.ts";

export interface Tender {
  /** The row as it is now. */
  poke(row: TenantRow): void;
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

const START_MS = 120_000;
const PING_MS = 30_000;
const QUICK_MS = 2_000;
const DEAF_AFTER = 3;
const CATCH_UP_MS = 300_000;
/** Looks in quick succession after a start or an outage. */
const QUICK_LOOKS = 3;

/** Begins at once and goes on until `end`. */
export function startTender(ctx: Context, given: Given): Tender {
  const { place, slots } = given;
  let row = given.row;
  let running: Running | undefined;
  let health: Health = { failures: [], since: 0, attempt: 0, notBefore: 0 };
  let ending = false;
  let missedPings = 0;
  let caughtUpAt = 0;
  let quickLooks = 0;
  let wakeUp: () => void = () => undefined;
  const ready = settleable();
  const driver = driverOf(row.driver);
  const log = ctx.log.child({ tenant: row.id });

  async function setState(state: TenantRow["state"], stateDetail: string | null = null): Promise<void> {
    try {
      if (row.state === state && row.stateDetail === stateDetail) return;
      log.info({ state, detail: stateDetail }, "state of the homeserver");
      row = { ...row, state, stateDetail };
      await ctx.db.update(tenants).set({ state, stateDetail }).where(eq(tenants.id, row.id));
    } finally {
      ready.settle(state, stateDetail);
    }
  }

  async function start(): Promise<void> {
    await slots(async () => {
      if (ending) return;
      await setState(
        health.attempt === 0 ? "starting" : row.state === "crash_loop" ? "crash_loop" : "restarting",
        row.state === "crash_loop" ? row.stateDetail : null,
      );
      closeInbox(ctx, row.id);
      const started = await driver.start(ctx, row, place);
      running = started;
      void started.exited.then(() => running === started && wakeUp());
      forgetTenantAccess(ctx, row.id);
      await untilItAnswers(started);
      await takeUp(started);
    });
  }

  async function untilItAnswers(started: Running): Promise<void> {
    const access = await tenantAccess(ctx, row.id);
    const until = ctx.clock.now() + START_MS;
    let dead = false;
    void started.exited.then(() => {
      dead = true;
    });
    while (!(await answers(access))) {
      if (dead) throw new AppError("homeserver_down", `The homeserver ended while it started.${quote(started)}`);
      if (started.todo) throw new AppError("setup", `${access.homeserverUrl} does not answer. ${started.todo}`);
      if (ctx.clock.now() > until)
        throw new AppError(
          "homeserver_down",
          `The homeserver does not answer ${START_MS / 1000} s after its start.${quote(started)}`,
        );
      await pause(100);
      if (ending) return;
    }
  }

  /** It answers: make the control bot, and have everything handed over that was sent while nobody listened. */
  async function takeUp(started: Running): Promise<void> {
    const access = await tenantAccess(ctx, row.id);
    const makeAdmin =
      driver.makeAdmin && ((userId: string) => driver.makeAdmin?.(ctx, row, userId) ?? Promise.resolve());
    try {
      if (started.missed !== "nothing") await ensureControlBot(ctx, access, makeAdmin);
      // Older events before newer ones: those that were missed, then whatever it wants to hand over.
      if (started.missed === "messages") await catchUpByMessages(ctx, access);
      openInbox(ctx, row.id);
      if (started.missed !== "nothing") await causeEvent(ctx, access);
      if ((await pingAppservice(access)) === "deaf")
        throw new AppError(
          "homeserver_down",
          `${access.homeserverUrl} answers, but does not reach us at ${place.internalUrl}.`,
        );
    } catch (error) {
      if (!started.todo || !(error instanceof AppError)) throw error;
      throw new AppError(error.code, `${error.sentence} ${started.todo}`, { cause: error });
    }
    row = { ...row, caughtUpWith: started.instance };
    await ctx.db.update(tenants).set({ caughtUpWith: started.instance }).where(eq(tenants.id, row.id));
    caughtUpAt = ctx.clock.now();
    quickLooks = QUICK_LOOKS;
    health = { ...health, since: caughtUpAt };
    await setState("running");
  }

  async function check(): Promise<void> {
    if (health.attempt > 0 && ctx.clock.now() - health.since > HEALTHY_MS) health = { ...health, attempt: 0 };
    const access = await tenantAccess(ctx, row.id);
    try {
      if ((await pingAppservice(access)) === "deaf") log.warn("the homeserver answers, but could not reach us");
      missedPings = 0;
    } catch (error) {
      quickLooks = QUICK_LOOKS;
      log.warn({ err: error }, "the homeserver did not answer a ping");
      // Without its database it fails, but is not to be blamed.
      missedPings = (await answers(access)) ? 0 : missedPings + 1;
      if (missedPings < DEAF_AFTER) return;
      missedPings = 0;
      throw new AppError("homeserver_down", "The homeserver runs, but does not answer.", { cause: error });
    }
    await lookForUnsent(access);
  }

  async function lookForUnsent(access: TenantAccess): Promise<void> {
    if (owesPing(row.id)) quickLooks = QUICK_LOOKS;
    else if (quickLooks > 0) quickLooks--;
    const unsent = (await driver.unsent?.(ctx, row)) ?? [];
    if (unsent.length > 0) await receive(ctx, row.id, unsent);
    // Nobody tells us when a homeserver of others was restarted and forgot what it had not sent yet.
    if (running?.missed !== "messages") return;
    if (quickLooks !== 1 && ctx.clock.now() - caughtUpAt < CATCH_UP_MS) return;
    await catchUpByMessages(ctx, access);
    caughtUpAt = ctx.clock.now();
  }

  async function fail(error: unknown): Promise<void> {
    const failed = running;
    running = undefined;
    if (failed) await failed.stop();
    log.error({ err: error }, "the homeserver failed");
    // A database that is away is no fault of the homeserver: only the pause grows.
    const counts = !isTransient(error) || error instanceof AppError;
    const now = ctx.clock.now();
    health = driver.lookAgainMs ? { ...health, notBefore: now + driver.lookAgainMs } : noteFailure(health, now, counts);
    await setState(stateAfter(error), whatHappened(error));
  }

  function stateAfter(error: unknown): TenantRow["state"] {
    if (driver.lookAgainMs) return "starting";
    if (error instanceof AppError && error.code === "setup") return "failed";
    return health.looping ? "crash_loop" : "restarting";
  }

  async function step(): Promise<number> {
    const dead = running !== undefined && (await isOver(running.exited));
    const now = ctx.clock.now();
    const what = decide({ row, running: running !== undefined, dead, now, health });
    if (what === "died") throw new AppError("homeserver_down", `The homeserver ended by itself.${quote(running)}`);
    if (what === "remove") {
      await driver.remove(ctx, row, place, row.config.removal?.backup ?? null);
      await ctx.db.delete(tenants).where(eq(tenants.id, row.id));
      await tenantChanged(ctx, row.id);
      ending = true;
    } else if (what === "stop") {
      if (running) await running.stop();
      else await driver.halt(ctx, row, place);
      running = undefined;
      await setState("stopped");
    } else if (what === "start") await start();
    else if (what === "check") await check();
    else return Math.max(100, health.notBefore - now);
    return owesPing(row.id) || quickLooks > 0 ? QUICK_MS : PING_MS;
  }

  async function tend(): Promise<void> {
    let waitMs = 0;
    while (!ending) {
      await pause(waitMs);
      if (ending) break;
      waitMs = await step().catch(async (error) => {
        await fail(error).catch((second) => log.warn({ err: second }, "its state could not be written"));
        return Math.max(100, health.notBefore - ctx.clock.now());
      });
    }
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const tending = tend();
  return {
    poke(now) {
      const differs =
        now.desired !== row.desired || now.config.removal !== undefined || (running !== undefined && owesPing(row.id));
      const changed = now.desired !== row.desired || (now.config.removal && !row.config.removal);
      // What an operator asked for just now need not wait for the pause after earlier failures.
      if (changed) health = { ...health, notBefore: 0 };
      row = { ...now, state: row.state, stateDetail: row.stateDetail, caughtUpWith: row.caughtUpWith };
      if (differs) wakeUp();
    },
    ready: () => ready.promise(),
    async end({ leave }) {
      ending = true;
      wakeUp();
      await tending;
      if (leave || !running) return;
      await running.stop();
      running = undefined;
      await setState("stopped").catch((error) => log.warn({ err: error }, "its state could not be written"));
    },
  };
}

function whatHappened(error: unknown): string {
  if (error instanceof AppError) return error.sentence;
  return isTransient(error) ? "The database does not answer." : sentenceOf(error);
}

const quote = (running: Running | undefined) => {
  const tail = running?.tail() ?? "";
  return tail === "" ? "" : ` The last lines of its log:\n${tail}`;
};

async function isOver(exited: Promise<unknown>): Promise<boolean> {
  return (
    (await Promise.race([
      exited.then(() => true),
      new Promise<false>((resolve) => setImmediate(() => resolve(false))),
    ])) === true
  );
}

/** A promise that is made anew whenever someone waits and the state is not final. */
function settleable() {
  let state: TenantRow["state"] = "creating";
  let detail: string | null = null;
  const waiting = new Set<() => void>();
  return {
    settle(next: TenantRow["state"], sentence: string | null) {
      state = next;
      detail = sentence;
      for (const wake of waiting) wake();
    },
    async promise(): Promise<void> {
      while (state !== "running") {
        if (state === "failed" || state === "crash_loop" || state === "stopped" || (state === "starting" && detail))
          throw new AppError("homeserver_down", detail ?? "The homeserver is stopped.");
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
  };
}
