/**
 * Does what routing decided on: joins, declines, says a sentence, puts power levels right. At least once, and harmless twice: each
 * message has the transaction id of its row.
 */
import { CHANNELS, type Context } from "../core/context.ts";
import { isTransient } from "../core/database.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import { stableId } from "../core/ids.ts";
import type { Wake } from "../core/wake.ts";
import { joinRoom, leaveRoom, sendEvent } from "../homeserver/matrix.ts";
import { putRoomName } from "../homeserver/room-manage.ts";
import { putAgentPowerLevels } from "../homeserver/rooms.ts";
import type { ActionPayload } from "../migrations/types.ts";
import { bringInLine } from "./agent-user.ts";
import { bringApproval } from "./approvals/post.ts";
import { renderMarkdown } from "./markdown.ts";
import { partsOf } from "./reply.ts";
import { scopeLevels } from "./scope-levels.ts";
import { makeTeam } from "./team-making.ts";

const AT_ONCE = 4;
const LOOK_AGAIN_MS = 5000;
/** While an action is being done it is due again only after this long: a worker that died with it is replaced then. */
const HELD_SECONDS = 20;
/** A refused join may be an invite that has not arrived everywhere; after these it is final. */
const JOIN_ATTEMPTS = 8;

interface Action {
  id: string;
  tenantId: string;
  roomId: string;
  payload: ActionPayload;
  attempts: number;
}

/** Starts the executor. `stop` waits for what is under way. */
export async function startActions(ctx: Context, { wake }: { wake: Wake }): Promise<{ stop(): Promise<void> }> {
  const active = new Set<Promise<void>>();
  let stopped = false;
  let wanted = false;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    wanted = true;
    while (!stopped && wanted && active.size < AT_ONCE) {
      wanted = false;
      const work = doAll().finally(() => {
        active.delete(work);
        if (wanted) look();
      });
      active.add(work);
    }
  }

  async function doAll(): Promise<void> {
    try {
      for (;;) {
        const action = stopped ? null : await takeNext(ctx);
        if (!action) break;
        // More may be due: another pair of hands looks while this one works.
        look();
        await perform(ctx, action);
      }
      await wakeForNext();
    } catch (error) {
      ctx.log.warn({ err: error }, "actions wait for the database");
    }
  }

  async function wakeForNext(): Promise<void> {
    const [row] = await ctx.sql<{ ms: number | null }[]>`
      select extract(epoch from min(due_at) - now())::float8 * 1000 as ms from actions where state = 'open'`;
    if (stopped || typeof row?.ms !== "number" || row.ms > LOOK_AGAIN_MS) return;
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(row.ms, 10));
  }

  const off = wake.on(CHANNELS.action, look);
  const regular = setInterval(look, LOOK_AGAIN_MS);
  look();
  return {
    async stop() {
      stopped = true;
      clearInterval(regular);
      clearTimeout(timer);
      off();
      await Promise.all(active);
    },
  };
}

/** A sentence in a room, once for each cause, by whoever does the actions. */
export async function sendNoticeOnce(
  ctx: Context,
  notice: {
    cause: (string | number)[];
    tenantId: string;
    roomId: string;
    as: string;
    text: string;
    threadRoot?: string;
  },
): Promise<void> {
  const { cause, tenantId, roomId, ...rest } = notice;
  const payload: ActionPayload = { kind: "notice", ...rest };
  await ctx.sql`
    with added as (
      insert into actions (id, tenant_id, room_id, payload)
      values (${stableId(...cause)}, ${tenantId}, ${roomId}, ${JSON.stringify(payload)}::text::jsonb)
      on conflict do nothing returning 1)
    select pg_notify(${CHANNELS.action}, '') from added`;
}

async function takeNext(ctx: Context): Promise<Action | null> {
  const [action] = await ctx.sql<Action[]>`
    update actions set attempts = attempts + 1, due_at = now() + make_interval(secs => ${HELD_SECONDS})
    where id = (select id from actions where state = 'open' and due_at <= now() order by due_at limit 1 for update skip locked)
    returning id, tenant_id as "tenantId", room_id as "roomId", payload, attempts`;
  return action ?? null;
}

async function perform(ctx: Context, action: Action): Promise<void> {
  try {
    await act(ctx, action);
    await ctx.sql`update actions set state = 'done', finished_at = now(), error = null where id = ${action.id}`;
  } catch (error) {
    const pause = pauseAfter(action, error);
    const about = { err: error, tenant: action.tenantId, room: action.roomId, action: action.payload.kind, pause };
    if (pause === null) {
      ctx.log.error(about, "an action was given up");
      await ctx.sql`update actions set state = 'failed', finished_at = now(), error = ${sentenceOf(error)} where id = ${action.id}`;
    } else {
      ctx.log.warn(about, "an action is tried again later");
      await ctx.sql`update actions set due_at = now() + make_interval(secs => ${pause / 1000}), error = ${sentenceOf(error)}
        where id = ${action.id}`;
    }
  }
}

/** Milliseconds until the next attempt; null when there is none. */
export function pauseAfter(action: Pick<Action, "attempts" | "payload">, error: unknown): number | null {
  const growing = Math.min(60_000, 100 * 2 ** Math.min(action.attempts, 12));
  if (isTransient(error)) return Math.max(growing, (error as { retryAfterMs?: number }).retryAfterMs ?? 0);
  const refusedJoin =
    action.payload.kind === "join" && error instanceof AppError && error.code === "homeserver_refused";
  return refusedJoin && action.attempts < JOIN_ATTEMPTS ? growing : null;
}

async function act(ctx: Context, { id, tenantId, roomId, payload }: Action): Promise<void> {
  switch (payload.kind) {
    case "join":
      return await joinRoom(ctx, { tenantId, as: payload.as, roomId });
    case "leave":
      return await leaveRoom(ctx, { tenantId, as: payload.as, roomId, reason: payload.reason });
    case "notice": {
      const content = { msgtype: "m.notice", body: payload.text, "m.mentions": {}, ...relationOf(payload) };
      const deviceId = await deviceOf(ctx, tenantId, payload.as);
      await sendEvent(ctx, {
        tenantId,
        as: payload.as,
        deviceId,
        roomId,
        txnId: `action-${id}`,
        type: "m.room.message",
        content,
      });
      return;
    }
    case "power_levels":
      await putAgentPowerLevels(ctx, { tenantId, roomId, users: await scopeLevels(ctx, tenantId, roomId) });
      return;
    case "room_name":
      return await putRoomName(ctx, tenantId, roomId);
    case "make_team":
      return await makeTeam(ctx, payload.teamId);
    case "approval":
      return await bringApproval(ctx, payload.approvalId);
    case "message":
      return await sendMessage(ctx, { id, tenantId, roomId, payload });
    case "agent":
      await bringInLine(ctx, payload.agentId);
  }
}

/** In as many messages as it needs; each has the transaction id of its part. */
async function sendMessage(
  ctx: Context,
  {
    id,
    tenantId,
    roomId,
    payload,
  }: Pick<Action, "id" | "tenantId" | "roomId"> & { payload: Extract<ActionPayload, { kind: "message" }> },
): Promise<void> {
  const deviceId = await deviceOf(ctx, tenantId, payload.as);
  for (const [part, text] of partsOf(payload.text).entries()) {
    const { body, html } = renderMarkdown(text);
    const content = {
      msgtype: "m.text",
      body,
      ...(html ? { format: "org.matrix.custom.html", formatted_body: html } : {}),
      "m.mentions": part === 0 && payload.mentions?.length ? { user_ids: payload.mentions } : {},
      ...relationOf(payload),
      ...(payload.untrusted ? { "dev.agentopia.untrusted": payload.untrusted } : {}),
    };
    const txnId = `action-${id}-${part}`;
    await sendEvent(ctx, { tenantId, as: payload.as, deviceId, roomId, txnId, type: "m.room.message", content });
  }
}

/** Spec: m.thread with a reply fallback for clients without threads; else a rich reply. */
function relationOf({ threadRoot, replyTo }: { threadRoot?: string; replyTo?: string }): Record<string, unknown> {
  const reply = replyTo ? { "m.in_reply_to": { event_id: replyTo } } : {};
  if (threadRoot)
    return { "m.relates_to": { rel_type: "m.thread", event_id: threadRoot, is_falling_back: true, ...reply } };
  return replyTo ? { "m.relates_to": reply } : {};
}

/** The device under which Synapse remembers an agent's transaction ids; the control bot has none. */
async function deviceOf(ctx: Context, tenantId: string, userId: string): Promise<string | undefined> {
  const [row] = await ctx.sql<{ deviceId: string }[]>`
    select device_id as "deviceId" from agents where tenant_id = ${tenantId} and user_id = ${userId}`;
  return row?.deviceId;
}
