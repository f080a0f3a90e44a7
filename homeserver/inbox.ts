/** What homeservers send us: durable before the 200, unique by event, in the order in which it came. */
import { timingSafeEqual } from "node:crypto";
import { Hono } from "hono";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { hashToken } from "../core/ids.ts";
import { tenantAccess } from "./access.ts";
import { type CleanEvent, cleanEvent } from "./event.ts";

/** Called after the commit with the rooms that got something new. */
type Listener = (tenantId: string, roomIds: string[]) => void;

const AGAIN = { errcode: "M_UNKNOWN", error: "Not stored. Send it again." };
const MAX_BODY = 20 * 1024 * 1024;
const listeners = new Set<Listener>();
const owed = new Set<string>();

/** Adds a listener in this process; others hear NOTIFY. Returns what removes it. */
export function onReceived(fn: Listener): () => void {
  listeners.add(fn);
  return () => void listeners.delete(fn);
}

/** Says what becomes of an event whatever its room is like, or null: then it waits to be routed. */
type Settle = (event: CleanEvent, tenant: { serverName: string; controlUserId: string }) => string | null;
let settle: Settle = () => null;

/** Has events settled while they are stored: those wake nobody. The receiver sets it once, before anything comes in. */
export function settleOnArrival(fn: Settle): void {
  settle = fn;
}

const gates = new WeakMap<Context, Set<string>>();

/**
 * From now on only opened tenants are listened to in this process; others get "send it again". So nothing newer comes in before
 * what was missed. Without a gate all are open: a receiver whose homeservers another process supervises.
 */
export function closeInbox(ctx: Context, tenantId?: string): void {
  const open = gates.get(ctx);
  if (!open) gates.set(ctx, new Set());
  else if (tenantId) open.delete(tenantId);
}

/** Listens to the tenant's homeserver, behind a gate. */
export function openInbox(ctx: Context, tenantId: string): void {
  gates.get(ctx)?.add(tenantId);
}

/** True when we answered this tenant's homeserver with an error and it has not come again: it waits up to 512 s unless it is pinged. */
export const owesPing = (tenantId: string): boolean => owed.has(tenantId);

/**
 * Stores events, then wakes whoever routes them. Those that are known already change nothing; those that cannot be stored are
 * logged and left out, so that the others arrive. Returns the rooms with something new. Throws when the database is down.
 */
export async function receive(ctx: Context, tenantId: string, events: unknown[]): Promise<string[]> {
  const clean: CleanEvent[] = [];
  for (const event of events) {
    const made = cleanEvent(event, ctx.clock.now());
    if (typeof made === "string") ctx.log.warn({ tenant: tenantId, why: made }, "an event was left out");
    else clean.push(made);
  }
  const roomIds = clean.length === 0 ? [] : await store(ctx, tenantId, clean);
  if (roomIds.length > 0)
    for (const fn of listeners)
      try {
        fn(tenantId, roomIds);
      } catch (error) {
        ctx.log.error({ err: error, tenant: tenantId }, "a listener of the inbox failed");
      }
  return roomIds;
}

async function store(ctx: Context, tenantId: string, events: CleanEvent[]): Promise<string[]> {
  try {
    return await insert(ctx, tenantId, events);
  } catch (error) {
    if (!isAboutData(error)) throw error;
    if (events.length === 1) {
      ctx.log.error({ err: error, tenant: tenantId, event: events[0]?.event_id }, "an event cannot be stored");
      return [];
    }
  }
  const rooms = new Set<string>();
  for (const event of events) for (const roomId of await store(ctx, tenantId, [event])) rooms.add(roomId);
  return [...rooms];
}

/** One statement, so one transaction and one way to the database. */
async function insert(ctx: Context, tenantId: string, events: CleanEvent[]): Promise<string[]> {
  const tenant = await tenantAccess(ctx, tenantId);
  const incoming = events.map((event) => ({ ...event, outcome: settle(event, tenant) }));
  const rows = await ctx.sql<{ room_id: string }[]>`
    with incoming as (
      select * from rows from (jsonb_to_recordset(${JSON.stringify(incoming)}::text::jsonb) as (event_id text, room_id text,
        sender text, type text, state_key text, ts bigint, content jsonb, redacts text, outcome text)) with ordinality
    ), added as (
      insert into inbox (tenant_id, event_id, room_id, sender, type, state_key, ts, content, redacts, outcome, routed_at)
      select ${tenantId}, event_id, room_id, sender, type, state_key, ts, content, redacts, outcome,
        case when outcome is not null then now() end from incoming order by ordinality
      on conflict do nothing returning room_id, routed_at
    ), touched as (
      select distinct room_id from added where routed_at is null
    ), known as (
      insert into rooms (tenant_id, room_id) select ${tenantId}, room_id from touched on conflict do nothing
    )
    select room_id, pg_notify(${CHANNELS.inbox}, ${`${tenantId} `} || room_id) from touched`;
  return rows.map((row) => row.room_id);
}

/** Class 22: data that cannot be stored; 54: too deep or too large. Not: the database is down. */
function isAboutData(error: unknown): boolean {
  return /^(22|54)/.test((error as { code?: string } | null)?.code ?? "") || error instanceof RangeError;
}

/**
 * The appservice API (spec: Application Service API v1), one path per tenant, for the internal listener. Plain handlers: generic
 * middlewares cost four times the work here.
 */
export function inboxRoutes(ctx: Context): Hono {
  const app = new Hono();
  app.put("/as/:tenant/_matrix/app/v1/transactions/:txn", async (c) => {
    const tenantId = c.req.param("tenant");
    const refusal = await refuse(ctx, tenantId, c.req.header("authorization"));
    if (refusal) return c.json(refusal.body, refusal.status);
    if (gates.get(ctx)?.has(tenantId) === false) return c.json(AGAIN, 503);
    try {
      await receive(ctx, tenantId, eventsOf(ctx, tenantId, await readBody(c.req.raw)));
      owed.delete(tenantId);
      return c.json({});
    } catch (error) {
      owed.add(tenantId);
      ctx.log.error(
        { err: error, tenant: tenantId },
        "a transaction was not stored; the homeserver will send it again",
      );
      return c.json(AGAIN, 503);
    }
  });
  app.post("/as/:tenant/_matrix/app/v1/ping", async (c) => {
    const refusal = await refuse(ctx, c.req.param("tenant"), c.req.header("authorization"));
    return refusal ? c.json(refusal.body, refusal.status) : c.json({});
  });
  // Users and rooms are made by us, never when asked for.
  app.get("/as/:tenant/_matrix/app/v1/:kind{users|rooms}/:id", async (c) => {
    const refusal = await refuse(ctx, c.req.param("tenant"), c.req.header("authorization"));
    return refusal ? c.json(refusal.body, refusal.status) : c.json({ errcode: "M_NOT_FOUND", error: "Unknown." }, 404);
  });
  return app;
}

type Refusal = { status: 401 | 403 | 404 | 503; body: { errcode: string; error: string } };

async function refuse(ctx: Context, tenantId: string, header: string | undefined): Promise<Refusal | null> {
  const token = /^Bearer (\S+)$/.exec(header ?? "")?.[1];
  if (!token) return { status: 401, body: { errcode: "M_MISSING_TOKEN", error: "The hs_token is missing." } };
  try {
    const { hsTokenHash } = await tenantAccess(ctx, tenantId);
    if (timingSafeEqual(Buffer.from(hashToken(token)), Buffer.from(hsTokenHash))) return null;
    return { status: 403, body: { errcode: "M_FORBIDDEN", error: "The hs_token is wrong." } };
  } catch (error) {
    if (error instanceof AppError && error.code === "not_found")
      return { status: 403, body: { errcode: "M_FORBIDDEN", error: "The hs_token is wrong." } };
    owed.add(tenantId);
    ctx.log.error({ err: error, tenant: tenantId }, "a homeserver's token could not be checked");
    return { status: 503, body: AGAIN };
  }
}

/** The body as text; null when it is over the limit, which no homeserver that follows the spec sends. */
async function readBody(request: Request): Promise<string | null> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY) return null;
  const text = await request.text();
  return text.length > MAX_BODY ? null : text;
}

/** Never throws: an answer other than 200 to what cannot be read would bring the same again for ever. */
function eventsOf(ctx: Context, tenantId: string, text: string | null): unknown[] {
  let body: unknown;
  try {
    body = text === null ? null : JSON.parse(text);
  } catch (error) {
    ctx.log.error({ err: error, tenant: tenantId }, "a transaction is not JSON and was left out");
    return [];
  }
  const events = (body as { events?: unknown } | null)?.events;
  if (Array.isArray(events)) return events;
  ctx.log.error({ tenant: tenantId }, "a transaction without a list of events, or a too large one, was left out");
  return [];
}
