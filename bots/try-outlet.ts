/**
 * Answers in the chat beside an agent's form. Nothing goes to Matrix: a growing text stands in the run's step, where whoever shows the
 * chat reads it, and the final one beside the questions in `inbox`, so that the next question has it before it.
 */
import { CHANNELS, type Context } from "../core/context.ts";
import { finalText } from "./answer.ts";
import type { Outlet, Showing } from "./outlet.ts";
import { nameIn } from "./person-name.ts";
import { type Surroundings, untilItWorks, type Work } from "./work.ts";

/** The room id under which a chat's messages stand in `inbox`; those of Matrix begin with "!". */
export const tryRoom = (chatId: string): string => `try:${chatId}`;
const chatOf = (work: Pick<Work, "roomId">): string => work.roomId.slice("try:".length);

const SHOW_EVERY_MS = 150;

export const tryOutlet: Outlet = {
  surroundings,
  show: (ctx, work) => new TryShowing(ctx, work),
  async sendWhole(ctx, work, { thought }) {
    if (thought.state !== "done") return null;
    return await keepAnswer(ctx, work, thought.text, { notice: false });
  },
  async send(ctx, work) {
    const { state } = work.step;
    const text = finalText(work, nameIn);
    return [await keepAnswer(ctx, work, text, { notice: state === "failed" || state === "running" })];
  },
  // The panel shows the run's own sentence.
  sayCap: async () => undefined,
  async ended(ctx, work) {
    // Best effort: whoever shows the chat looks from time to time as well.
    await ctx.sql
      .notify(CHANNELS.try, chatOf(work))
      .catch((error: unknown) => ctx.log.debug({ err: error }, "the end of a try was not told"));
  },
};

/** The chat's own messages, and the two who are in it. */
async function surroundings(ctx: Context, work: Work): Promise<Surroundings> {
  const [messages, [person]] = await Promise.all([
    ctx.sql<Surroundings["messages"]>`
      select event_id as "eventId", sender, ts::float8 as ts, content, seq::float8 as seq, seq::float8 as position
      from inbox where tenant_id = ${work.tenantId} and room_id = ${work.roomId} and content <> '{}'
      order by inbox.seq desc limit 400`,
    ctx.sql<{ name: string | null }[]>`
      select display_name as name from people where tenant_id = ${work.tenantId} and user_id = ${work.askedBy}`,
  ]);
  return {
    messages,
    members: [
      { userId: work.askedBy, name: person?.name ?? nameIn(work.askedBy), agentName: null },
      { userId: work.agentUserId, name: work.definition.name, agentName: work.definition.name },
    ],
  };
}

/** The agent's message. Its event id is the run's, so it is there once. A notice is not taken for something the agent said. */
async function keepAnswer(ctx: Context, work: Work, text: string, how: { notice: boolean }): Promise<string> {
  const eventId = `$try-a-${work.runId}`;
  const content = { msgtype: how.notice ? "m.notice" : "m.text", body: text };
  await untilItWorks(
    ctx,
    "keep the answer of a try",
    () => ctx.sql`
      insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content, routed_at, outcome)
      values (${work.tenantId}, ${eventId}, ${work.roomId}, ${work.agentUserId}, 'm.room.message', ${ctx.clock.now()},
        ${ctx.sql.json(content)}, now(), 'try')
      on conflict (tenant_id, event_id) do update set content = excluded.content`,
  );
  return eventId;
}

/** Writes the growing text where the readers of the chat find it, and wakes them. */
class TryShowing implements Showing {
  text = "";
  started = false;
  edits = 0;
  readonly uncertain = false;
  readonly eventIds: string[] = [];
  firstTextAt: number | undefined;
  readonly #ctx: Context;
  readonly #work: Work;
  #written = "";
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(ctx: Context, work: Work) {
    this.#ctx = ctx;
    this.#work = work;
  }

  update(text: string): void {
    this.text = text;
    this.#schedule(this.started ? SHOW_EVERY_MS : 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  async rest(text: string): Promise<void> {
    await this.close();
    if (!this.started) return;
    this.text = text;
    if (text !== this.#written) await this.#write();
  }

  #schedule(wait: number): void {
    if (this.#closed || this.#timer || this.#writing || this.text === this.#written) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#write();
    }, wait);
  }

  async #write(): Promise<void> {
    const { sql, log, clock } = this.#ctx;
    const text = this.text;
    try {
      await sql`
        with s as (update steps set output = ${text} where run_id = ${this.#work.runId} and position = 0 and state = 'running' returning 1)
        select pg_notify(${CHANNELS.try}, ${chatOf(this.#work)}) from s`;
      if (this.started) this.edits++;
      this.started = true;
      this.firstTextAt ??= clock.now();
    } catch (error) {
      log.debug({ err: error, run: this.#work.runId }, "a part of a growing answer was not shown");
    }
    this.#written = text;
    this.#writing = undefined;
    this.#schedule(SHOW_EVERY_MS);
  }
}
