/** Answers that somebody waits for: the tool call of another agent, or a form. Nothing is shown in a room; the text is kept in the run's step. */
import type { Context } from "../core/context.ts";
import type { Outlet, Showing } from "./outlet.ts";
import { nameIn } from "./person-name.ts";
import { tellEnded } from "./run-ends.ts";
import type { Surroundings, Work } from "./work.ts";

export const taskOutlet: Outlet = {
  surroundings,
  show: () => new Unseen(),
  sendWhole: async () => null,
  send: async () => [],
  sayCap: async () => undefined,
  ended: tellEnded,
};

/** The task alone: what else is said in the room was not said to this agent. */
async function surroundings({ sql }: Context, work: Work): Promise<Surroundings> {
  const messages = await sql<Surroundings["messages"]>`
    select event_id as "eventId", sender, ts::float8 as ts, content, seq::float8 as seq, seq::float8 as position
    from inbox where tenant_id = ${work.tenantId} and event_id = ${work.questionEvent}`;
  const [asker] = await sql<{ name: string | null; agentName: string | null }[]>`
    select coalesce(p.display_name, a.name) as name, a.name as "agentName" from (select ${work.askedBy} as id) w
      left join people p on p.tenant_id = ${work.tenantId} and p.user_id = w.id
      left join agents a on a.tenant_id = ${work.tenantId} and a.user_id = w.id`;
  const name = asker?.name ?? nameIn(work.askedBy);
  return {
    messages,
    members: [
      { userId: work.askedBy, name, agentName: asker?.agentName ?? null },
      { userId: work.agentUserId, name: work.definition.name, agentName: work.definition.name },
    ],
  };
}

class Unseen implements Showing {
  text = "";
  readonly eventIds: string[] = [];
  readonly started = false;
  readonly edits = 0;
  readonly uncertain = false;
  readonly firstTextAt = undefined;

  update(text: string): void {
    this.text = text;
  }

  /** Nothing is ever under way. */
  close = (): Promise<void> => Promise.resolve();
  rest = (): Promise<void> => this.close();
}
