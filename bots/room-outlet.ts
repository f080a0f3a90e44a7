/** Answers in Matrix rooms: one message that grows by edits, long ones in several. */
import type { Context } from "../core/context.ts";
import { readEvent, redactEvent, sendEvent } from "../homeserver/matrix.ts";
import { destinationOf, finalText, firstTxn, isUncertain, namedAgents } from "./answer.ts";
import { saveEvents } from "./finish.ts";
import type { Outlet, Reached, WholeAnswer } from "./outlet.ts";
import { nameIn } from "./person-name.ts";
import { editMessage, newMessage, partsOf } from "./reply.ts";
import { Shown } from "./shown.ts";
import { loadSurroundings, type Surroundings, untilItWorks, type Work } from "./work.ts";

export const roomOutlet: Outlet = {
  surroundings: loadSurroundings,
  show: (ctx, work) => new Shown(ctx, work),
  sendWhole,
  send,
  sayCap,
  ended: async () => undefined,
};

/** Sends a complete answer as its only event when nothing of it was shown. Null when it has to be delivered from what is kept. */
async function sendWhole(ctx: Context, work: Work, { seen, shown, thought }: WholeAnswer): Promise<string | null> {
  const [text, ...more] = partsOf(thought.text);
  // A run that waited may have shown something before: then that message is finished.
  const begun = shown.started || shown.eventIds.length > 0 || isUncertain(work);
  if (thought.state !== "done" || begun || text === undefined || more.length > 0) return null;
  const extra = namedAgents(work, seen, thought.text);
  const content = newMessage(destinationOf(work), text, { part: 0, final: true, extra });
  try {
    return await sendEvent(ctx, {
      tenantId: work.tenantId,
      as: work.agentUserId,
      deviceId: work.deviceId,
      roomId: work.roomId,
      txnId: firstTxn(work, 0),
      type: "m.room.message",
      content,
    });
  } catch (error) {
    ctx.log.warn({ run: work.runId, err: error }, "the answer is delivered from what was kept");
    thought.detail = { ...thought.detail, uncertain: true };
    return null;
  }
}

/** An edit of what is shown already, new messages for the rest. Every transaction id is fixed. */
async function send(ctx: Context, work: Work): Promise<string[]> {
  const seen = await untilItWorks(ctx, "read the room", () => loadSurroundings(ctx, work));
  return await sendParts(ctx, work, seen, work.step.state === "running" || work.step.state === "failed");
}

/** True when the event is this run's complete answer already. */
async function isFinished(ctx: Context, work: Work, eventId: string): Promise<boolean> {
  const { tenantId, agentUserId: as, roomId } = work;
  const event = await untilItWorks(ctx, "look at the answer", () => readEvent(ctx, { tenantId, as, roomId, eventId }));
  const marker = event?.content["dev.agentopia.run"] as { run?: string; final?: boolean } | undefined;
  return marker?.run === work.runId && marker.final === true;
}

/** Operators are in no room. */
const stranger = (id: string) => (id.startsWith("@") ? id : nameIn(id));

async function sendParts(ctx: Context, work: Work, seen: Surroundings, notice: boolean): Promise<string[]> {
  const text = finalText(
    work,
    (userId) => seen.members.find((member) => member.userId === userId)?.name ?? stranger(userId),
  );
  const to = destinationOf(work);
  const { tenantId, agentUserId: as, deviceId, roomId } = work;
  const send = (txnId: string, content: Record<string, unknown>) =>
    untilItWorks(ctx, "send the answer", () =>
      sendEvent(ctx, { tenantId, as, deviceId, roomId, txnId, type: "m.room.message", content }),
    );
  const extra = work.step.state === "done" ? namedAgents(work, seen, text) : [];
  const parts = partsOf(text);
  const eventIds = [...work.eventIds];
  for (const [part, words] of parts.entries()) {
    const last = part === parts.length - 1;
    const how = { part, final: last, notice, extra: last ? extra : [] };
    const known = eventIds[part];
    const unsure = !known && isUncertain(work);
    const eventId =
      known ?? (await send(firstTxn(work, part), newMessage(to, words, unsure ? { ...how, final: false } : how)));
    eventIds[part] = eventId;
    // An earlier attempt may have sent its whole answer under this transaction id: it stands, and nothing is said twice.
    if (unsure && part === 0 && (await isFinished(ctx, work, eventId))) return [eventId];
    // Or other words: then they are edited to these.
    if (known || unsure) await send(`f.${work.runId}.${part}`, editMessage(to, eventId, words, how));
  }
  const surplus = eventIds.slice(parts.length);
  // Kept before anything is taken away, so that a replay still knows what there is; else the end of the run keeps it.
  if (surplus.length > 0) await untilItWorks(ctx, "keep the messages", () => saveEvents(ctx.sql, work, eventIds));
  for (const [index, eventId] of surplus.entries())
    await untilItWorks(ctx, "take back a message", () =>
      redactEvent(ctx, {
        tenantId,
        as,
        roomId,
        eventId,
        txnId: `r.${work.runId}.${index}`,
        reason: "The answer became shorter.",
      }),
    );
  return eventIds.slice(0, parts.length);
}

/** The room is told once a day, whoever asks and however often; of an agent's own limit once for each agent. */
async function sayCap(ctx: Context, work: Work, { code, sentence }: Reached): Promise<void> {
  const { sendNoticeOnce } = await import("./actions.ts");
  const day = new Date(ctx.clock.now()).toISOString().slice(0, 10);
  await untilItWorks(ctx, "tell of the cap", () =>
    sendNoticeOnce(ctx, {
      cause: [code, work.tenantId, work.roomId, day, ...(code === "agent_token_cap" ? [work.agentId] : [])],
      tenantId: work.tenantId,
      roomId: work.roomId,
      as: work.agentUserId,
      text: sentence,
    }),
  );
}
