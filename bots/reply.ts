import type { Clock } from "../core/clock.ts";
import { isMadeEvent } from "./made-events.ts";
import { type Rendered, renderMarkdown } from "./markdown.ts";
import { splitMarkdown } from "./split.ts";

/** Where an answer goes and to whom. */
export interface Destination {
  questionEvent: string;
  threadRoot: string | null;
  /** Who is told: the person who asked; nobody when an agent asked, which answers only when it is named. */
  mentions: string[];
  runId: string;
  hops: number;
  /** Stands over the answer, for people: of what was planned, for whom and when. */
  heading: string | null;
}

/** Event content as it is sent: m.room.message. */
export type MessageContent = Record<string, unknown> & { msgtype: string; body: string };

/** Largest markdown of one message. An edit holds text and HTML, an event may have 64 KiB with everything escaped. */
export const PART_BYTES = 12_000;
const EVENT_BYTES = 60_000;

/** Cuts an answer into texts of which each fits into one event, edits included (64 KiB: client-server API, size limits). */
export function partsOf(text: string, limit = PART_BYTES): string[] {
  const parts = splitMarkdown(text, limit);
  const fits = parts.every((part) => JSON.stringify(message(part)).length + 4 * 1024 <= EVENT_BYTES);
  return fits || limit < 1000 ? parts : partsOf(text, limit / 2);
}

/** A new message of an answer. `extra` mentions are agents that the finished text names. */
export function newMessage(
  to: Destination,
  text: string,
  how: { part: number; final: boolean; notice?: boolean; extra?: string[] },
): MessageContent {
  return {
    ...message(text, how.notice, headingOf(to, how.part)),
    // A question that nobody wrote into the room cannot be replied to.
    ...(relation(to) ? { "m.relates_to": relation(to) } : {}),
    "m.mentions": mentions(how.part === 0 ? [...to.mentions, ...(how.extra ?? [])] : (how.extra ?? [])),
    ...marker(to, how),
  };
}

/**
 * An edit of a message of an answer (spec: m.replace). Who asked was told by the first text, so the edit tells only those
 * who are named for the first time.
 */
export function editMessage(
  to: Destination,
  eventId: string,
  text: string,
  how: { part: number; final: boolean; notice?: boolean; extra?: string[] },
): MessageContent {
  const content = message(text, how.notice, headingOf(to, how.part));
  const all = how.part === 0 ? [...to.mentions, ...(how.extra ?? [])] : (how.extra ?? []);
  return {
    msgtype: content.msgtype,
    // Only clients that know no edits show this.
    body: `* ${text.slice(0, 500)}`,
    "m.new_content": { ...content, "m.mentions": mentions(all), ...marker(to, how) },
    "m.mentions": mentions(how.extra ?? []),
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
    ...marker(to, how),
  };
}

function message(text: string, notice = false, heading: string | null = null): MessageContent {
  const { body, html } = heading === null ? renderMarkdown(text) : underHeading(heading, renderMarkdown(text));
  const formatted = html ? { format: "org.matrix.custom.html", formatted_body: html } : {};
  return { msgtype: notice ? "m.notice" : "m.text", body, ...formatted };
}

/** The heading holds what people are called: it is no Markdown. */
const underHeading = (heading: string, { body, html }: Rendered): Rendered => {
  const rest = html ?? (body.length < SHORT ? `<p>${escaped(body).replaceAll("\n", "<br>")}</p>` : undefined);
  return { body: `${heading}\n\n${body}`, html: rest && `<p><em>${escaped(heading)}</em></p>\n${rest}` };
};

/** A long plain text is not sent twice for the sake of its heading: `partsOf` counts on it. */
const SHORT = 2000;

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const headingOf = (to: Destination, part: number) => (part === 0 ? to.heading : null);

const mentions = (users: string[]) => (users.length > 0 ? { user_ids: [...new Set(users)] } : {});

/** With the heading, by which agents find the answer itself (`textOf` in prompt.ts). */
const marker = (to: Destination, { part, final }: { part: number; final: boolean }) => ({
  "dev.agentopia.run": {
    run: to.runId,
    question: to.questionEvent,
    hops: to.hops,
    final,
    ...(headingOf(to, part) === null ? {} : { heading: to.heading }),
  },
});

function relation(to: Destination) {
  if (isMadeEvent(to.questionEvent))
    return to.threadRoot
      ? {
          rel_type: "m.thread",
          event_id: to.threadRoot,
          is_falling_back: true,
          "m.in_reply_to": { event_id: to.threadRoot },
        }
      : undefined;
  const reply = { "m.in_reply_to": { event_id: to.questionEvent } };
  return to.threadRoot ? { rel_type: "m.thread", event_id: to.threadRoot, is_falling_back: false, ...reply } : reply;
}

/** How often a growing answer is shown. */
export const RHYTHM = {
  /** A stream that ends within this time of its first text is one event. */
  gatherMs: 40,
  firstGapMs: 500,
  growth: 1.5,
  maxGapMs: 5000,
  maxEdits: 40,
};

/** When the next edit is due: at once for the first text, then at growing intervals, at most `maxEdits` times. */
export function nextEditAt(shown: { times: number; last: number }): number {
  if (shown.times === 0) return 0;
  if (shown.times > RHYTHM.maxEdits) return Number.POSITIVE_INFINITY;
  const gap = RHYTHM.firstGapMs * RHYTHM.growth ** (shown.times - 1);
  return shown.last + Math.min(gap, RHYTHM.maxGapMs);
}

/**
 * Shows a growing text at the rhythm above. `show` sends what there is; it is never called twice at once, and what came in the
 * meantime is in the next call. A failed `show` is best effort: the final text goes out by another way.
 */
export class LiveText {
  #text = "";
  #shown = { times: 0, last: 0 };
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closed = false;
  readonly #clock: Clock;
  readonly #show: (text: string, times: number) => Promise<void>;

  constructor(clock: Clock, show: (text: string, times: number) => Promise<void>) {
    this.#clock = clock;
    this.#show = show;
  }

  get text(): string {
    return this.#text;
  }

  /** The whole text so far. */
  update(text: string): void {
    this.#text = text;
    if (!this.#closed && !this.#timer && !this.#sending && text.trim()) this.#schedule();
  }

  /** Ends it: resolves when nothing is under way any more. Later updates are not shown. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#sending;
  }

  /** Ends it with this text where something is shown already. */
  async rest(text: string): Promise<void> {
    await this.close();
    if (this.#shown.times === 0) return;
    this.#text = text;
    await this.#send();
  }

  #schedule(): void {
    const due = nextEditAt(this.#shown);
    if (due === Number.POSITIVE_INFINITY) return;
    const wait = this.#shown.times === 0 ? RHYTHM.gatherMs : Math.max(0, due - this.#clock.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sending = this.#send();
    }, wait);
  }

  async #send(): Promise<void> {
    const text = this.#text;
    await this.#show(text, this.#shown.times);
    this.#shown = { times: this.#shown.times + 1, last: this.#clock.now() };
    this.#sending = undefined;
    if (!this.#closed && this.#text !== text) this.#schedule();
  }
}
