import type { Context } from "../core/context.ts";
import { newToken } from "../core/ids.ts";
import { sendEvent, setTyping } from "../homeserver/matrix.ts";
import { destinationOf, firstTxn } from "./answer.ts";
import type { Showing } from "./outlet.ts";
import { editMessage, LiveText, newMessage, partsOf } from "./reply.ts";
import type { Work } from "./work.ts";

/** What of the answer can be seen in the room while it is being written. All of it is best effort. */
export class Shown implements Showing {
  eventIds: string[];
  started = false;
  edits = 0;
  /** A message was sent of which it is not known whether it arrived. */
  uncertain = false;
  /** When the room got the first text. */
  firstTextAt: number | undefined;
  firstMs: number | undefined;
  readonly #ctx: Context;
  readonly #work: Work;
  readonly #live: LiveText;
  readonly #attempt = newToken(6);
  readonly #typing: NodeJS.Timeout;
  #isTyping = false;
  #parts: string[] = [];

  constructor(ctx: Context, work: Work) {
    this.#ctx = ctx;
    this.#work = work;
    this.eventIds = [...work.eventIds];
    this.#live = new LiveText(ctx.clock, (text, times) => this.#show(text, times));
    // An instant answer needs no notice that it is being written.
    this.#typing = setTimeout(() => this.#type(true), 400);
  }

  get text(): string {
    return this.#live.text;
  }

  update(text: string): void {
    this.firstMs ??= this.#ctx.clock.now();
    this.#live.update(text);
  }

  async close(): Promise<void> {
    clearTimeout(this.#typing);
    await this.#live.close();
    if (this.#isTyping) this.#type(false);
  }

  async rest(text: string): Promise<void> {
    await this.#live.rest(text);
    await this.close();
  }

  #type(typing: boolean): void {
    this.#isTyping = typing;
    const { tenantId, agentUserId, roomId } = this.#work;
    setTyping(this.#ctx, { tenantId, as: agentUserId, roomId, typing, timeoutMs: 60_000 }).catch((error: unknown) =>
      this.#ctx.log.debug({ err: error }, "no typing notice"),
    );
  }

  async #show(text: string, times: number): Promise<void> {
    this.started = true;
    const to = destinationOf(this.#work);
    const parts = partsOf(text);
    try {
      for (const [part, words] of parts.entries()) {
        if (this.#parts[part] === words) continue;
        const eventId = this.eventIds[part];
        const content = eventId
          ? editMessage(to, eventId, words, { part, final: false })
          : newMessage(to, words, { part, final: false });
        const txnId = eventId ? `e.${this.#work.runId}.${this.#attempt}.${times}.${part}` : firstTxn(this.#work, part);
        const { tenantId, agentUserId: as, deviceId, roomId } = this.#work;
        const sent = await sendEvent(this.#ctx, {
          tenantId,
          as,
          deviceId,
          roomId,
          txnId,
          type: "m.room.message",
          content,
        });
        if (eventId) this.edits++;
        else this.eventIds[part] = sent;
        this.firstTextAt ??= this.#ctx.clock.now();
        this.#parts[part] = words;
      }
      if (this.#isTyping) this.#type(false);
    } catch (error) {
      this.uncertain = true;
      this.#ctx.log.warn({ run: this.#work.runId, err: error }, "a part of a growing answer was not shown");
    }
  }
}
