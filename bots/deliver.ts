import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { readEvent, redactEvent, sendEvent } from "../homeserver/matrix.ts";
import { destinationOf, firstTxn, isUncertain, namedAgents } from "./answer.ts";
import { finishRun, saveEvents } from "./finish.ts";
import { editMessage, newMessage, partsOf } from "./reply.ts";
import { loadSurroundings, type Surroundings, untilItWorks, type Work } from "./work.ts";

/**
 * Puts the final text into the room, from what was kept: an edit of what is shown already, new messages for the rest. Every transaction id is
 * fixed, so doing it twice changes nothing. Waits for a homeserver that is away; ends the run as failed when it refuses.
 */
export async function deliver(ctx: Context, work: Work): Promise<void> {
  if (work.currentRunId !== work.runId || work.stopReason === "superseded") {
    await untilItWorks(ctx, "end a run", () => finishRun(ctx, work, { state: "superseded", eventIds: [] }));
    return;
  }
  const state = work.step.state === "running" ? "failed" : work.step.state;
  try {
    const seen = await untilItWorks(ctx, "read the room", () => loadSurroundings(ctx, work));
    const eventIds = await sendParts(ctx, work, seen, state === "failed");
    await untilItWorks(ctx, "end a run", () =>
      finishRun(ctx, work, {
        state,
        eventIds,
        edits: (work.step.detail.edits ?? 0) + 1,
        firstTextAt: work.step.detail.firstTextAt ?? ctx.clock.now(),
      }),
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    ctx.log.warn({ run: work.runId, err: error }, "the homeserver did not take the answer");
    const refused = { code: error.code, sentence: error.sentence };
    await untilItWorks(ctx, "end a run", () =>
      finishRun(ctx, work, { state: "failed", eventIds: work.eventIds, error: refused }),
    );
  }
}

/** What the person reads in the end: the text, and a sentence when something ended it early. */
export function finalText(
  work: Pick<Work, "step" | "stopReason" | "stoppedBy" | "error">,
  nameOf: (userId: string) => string,
): string {
  const text = work.step.output?.trim() ?? "";
  if (work.step.state === "failed") return [text, work.error ?? ""].filter(Boolean).join("\n\n");
  if (work.step.state !== "stopped") return text;
  const by = work.stoppedBy ? ` by ${nameOf(work.stoppedBy)}` : "";
  return [text, `*Stopped${by}.*`].filter(Boolean).join("\n\n");
}

/** True when the event is this run's complete answer already. */
async function isFinished(ctx: Context, work: Work, eventId: string): Promise<boolean> {
  const { tenantId, agentUserId: as, roomId } = work;
  const event = await untilItWorks(ctx, "look at the answer", () => readEvent(ctx, { tenantId, as, roomId, eventId }));
  const marker = event?.content["dev.agentopia.run"] as { run?: string; final?: boolean } | undefined;
  return marker?.run === work.runId && marker.final === true;
}

async function sendParts(ctx: Context, work: Work, seen: Surroundings, notice: boolean): Promise<string[]> {
  const text = finalText(work, (userId) => seen.members.find((member) => member.userId === userId)?.name ?? userId);
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
