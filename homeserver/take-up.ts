/** From a homeserver's start to the moment when everything that it has for us comes in, and looking after that it stays so. */
import { setTimeout as sleep } from "node:timers/promises";
import { eq } from "drizzle-orm";
import { isTransient } from "../core/database.ts";
import { AppError } from "../core/errors.ts";
import { tenants } from "../migrations/schema.ts";
import { forgetTenantAccess, type TenantAccess, tenantAccess } from "./access.ts";
import { catchUpByMessages } from "./catch-up.ts";
import { answers, causeEvent, ensureControlBot, pingAppservice } from "./control.ts";
import type { Running } from "./drivers/driver.ts";
import { HEALTHY_MS } from "./health.ts";
import { callWith } from "./http.ts";
import { closeInbox, openInbox, owesPing, receive } from "./inbox.ts";
import { quoteLog, setState, type Tended } from "./tended.ts";

const START_MS = 120_000;
const VERSION_MS = 5_000;
const DEAF_AFTER = 3;
const CATCH_UP_MS = 300_000;
const QUICK_LOOKS = 3;

/** Starts it or takes it over, and waits until it answers and we are caught up. Throws when it does not come to that. */
export async function bringUp(tended: Tended, died: () => void): Promise<void> {
  const { ctx, driver, place } = tended;
  closeInbox(ctx, tended.row.id);
  const started = await driver.start(ctx, tended.row, place);
  tended.running = started;
  void started.exited.then(died);
  forgetTenantAccess(ctx, tended.row.id);
  const access = await tenantAccess(ctx, tended.row.id);
  await untilItAnswers(tended, started, access);
  if (tended.ending) return;
  try {
    await catchUp(tended, started, access);
  } catch (error) {
    if (!started.todo || !(error instanceof AppError)) throw error;
    throw new AppError(error.code, `${error.sentence} ${started.todo}`, { cause: error });
  }
  const caughtUpWith = started.instance;
  const version = (await readVersion(tended, access)) ?? tended.row.version;
  tended.row = { ...tended.row, caughtUpWith, version };
  await ctx.db.update(tenants).set({ caughtUpWith, version }).where(eq(tenants.id, tended.row.id));
  tended.quickLooks = QUICK_LOOKS;
  tended.caughtUpAt = ctx.clock.now();
  tended.health = { ...tended.health, since: tended.caughtUpAt };
  await setState(tended, "running");
}

/** Synapse's version; null when it does not say, which hinders nobody. */
async function readVersion({ log }: Tended, access: TenantAccess): Promise<string | null> {
  try {
    const path = "/_synapse/admin/v1/server_version";
    const { server_version } = await callWith<{ server_version?: unknown }>(access, {
      method: "GET",
      path,
      timeoutMs: VERSION_MS,
    });
    // Some say more than the number: "1.163.2 (b=main,abc)".
    return typeof server_version === "string" ? (server_version.split(" ")[0]?.slice(0, 40) ?? null) : null;
  } catch (error) {
    log.warn({ err: error }, "the homeserver did not say its version");
    return null;
  }
}

async function untilItAnswers(tended: Tended, started: Running, access: TenantAccess): Promise<void> {
  const { clock } = tended.ctx;
  const until = clock.now() + START_MS;
  let dead = false;
  void started.exited.then(() => {
    dead = true;
  });
  while (!(await answers(access))) {
    if (tended.ending) return;
    if (dead) throw new AppError("homeserver_down", `The homeserver ended while it started.${quoteLog(started)}`);
    if (started.todo) throw new AppError("setup", `${access.homeserverUrl} does not answer. ${started.todo}`);
    if (clock.now() > until) {
      const sentence = `The homeserver does not answer ${START_MS / 1000} s after its start.`;
      throw new AppError("homeserver_down", sentence + quoteLog(started));
    }
    await sleep(100);
  }
}

/** Older events before newer ones: those that were missed, then whatever it wants to hand over. */
async function catchUp({ ctx, driver, row, place }: Tended, started: Running, access: TenantAccess): Promise<void> {
  const fresh = started.missed !== "nothing";
  const makeAdmin = async (userId: string) => driver.makeAdmin?.(ctx, row, userId);
  if (fresh) await ensureControlBot(ctx, access, makeAdmin);
  if (started.missed === "messages") await catchUpByMessages(ctx, access);
  openInbox(ctx, row.id);
  if (fresh) await causeEvent(ctx, access);
  if ((await pingAppservice(access)) === "heard") return;
  throw new AppError(
    "homeserver_down",
    `${access.homeserverUrl} answers, but does not reach us at ${place.internalUrl}.`,
  );
}

/** Several looks, because the homeserver finds its database again a little later or earlier than we do. */
export function databaseWasAway(tended: Tended): void {
  tended.quickLooks = QUICK_LOOKS;
  tended.sweeps = QUICK_LOOKS;
}

/** Pings one that runs, which also has it hand over what waits. Throws `homeserver_down` when it does not answer for long. */
export async function lookAfter(tended: Tended): Promise<void> {
  const { ctx, log } = tended;
  if (ctx.clock.now() - tended.health.since > HEALTHY_MS) tended.health = { ...tended.health, attempt: 0 };
  try {
    await look(tended);
  } catch (error) {
    if (error instanceof AppError) throw error;
    // Our database is away or refuses: no reason to end a homeserver that runs.
    databaseWasAway(tended);
    log[isTransient(error) ? "warn" : "error"]({ err: error }, "could not look after the homeserver; trying again");
  }
}

async function look(tended: Tended): Promise<void> {
  const { ctx, log } = tended;
  const access = await tenantAccess(ctx, tended.row.id);
  try {
    if ((await pingAppservice(access)) === "deaf") log.warn("the homeserver answers, but could not reach us");
  } catch (error) {
    log.warn({ err: error }, "the homeserver did not answer a ping");
    return await blame(tended, access, error);
  }
  tended.missedPings = 0;
  await lookForUnsent(tended, access);
}

async function blame(tended: Tended, access: TenantAccess, cause: unknown): Promise<void> {
  tended.quickLooks = QUICK_LOOKS;
  // Without its database it refuses everything, but is not to be blamed.
  tended.missedPings = (await answers(access)) ? 0 : tended.missedPings + 1;
  if (tended.missedPings < DEAF_AFTER) return;
  tended.missedPings = 0;
  throw new AppError("homeserver_down", "The homeserver runs, but does not answer.", { cause });
}

async function lookForUnsent(tended: Tended, access: TenantAccess): Promise<void> {
  const { ctx, driver, row } = tended;
  const unsent = await driver.unsent?.(ctx, row);
  // What it holds back at the end of a long recovery must not wait for the next slow look.
  if (owesPing(row.id) || unsent?.recovering) tended.quickLooks = QUICK_LOOKS;
  else if (tended.quickLooks > 0) tended.quickLooks--;
  if (unsent && unsent.events.length > 0) {
    const rooms = await receive(ctx, row.id, unsent.events);
    if (rooms.length > 0) tended.log.info({ rooms }, "took what the homeserver held back at the end of a recovery");
  }
  if (tended.sweeps > 0) {
    const forgotten = (await driver.forgotten?.(ctx, row)) ?? [];
    if (forgotten.length > 0) {
      tended.log.warn({ events: forgotten.length }, "the homeserver had forgotten events while the database was away");
      await receive(ctx, row.id, forgotten);
    }
    tended.sweeps--;
  }
  // Nobody tells us when a homeserver of others was restarted and forgot what it had not sent yet.
  if (tended.running?.missed !== "messages") return;
  if (tended.quickLooks !== 1 && ctx.clock.now() - tended.caughtUpAt < CATCH_UP_MS) return;
  await catchUpByMessages(ctx, access);
  tended.caughtUpAt = ctx.clock.now();
}
