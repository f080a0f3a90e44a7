/** Where the answer of a run goes. The way of a run is the same everywhere; what differs at its doors is here, and chosen here only. */
import type { Context } from "../core/context.ts";
import type { Thought } from "./finish.ts";
import { roomOutlet } from "./room-outlet.ts";
import { taskOutlet } from "./task-outlet.ts";
import { tryOutlet } from "./try-outlet.ts";
import type { Surroundings, Work } from "./work.ts";

/** What of an answer can be seen while it is being written. All of it is best effort. */
export interface Showing {
  /** The whole text so far. */
  readonly text: string;
  /** Its messages in the room that are there already. */
  readonly eventIds: string[];
  /** Something was shown, or was about to be. */
  readonly started: boolean;
  readonly edits: number;
  /** A message was sent of which it is not known whether it arrived. */
  readonly uncertain: boolean;
  /** When the first text could be seen; milliseconds since 1970. */
  readonly firstTextAt: number | undefined;
  update(text: string): void;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
  /** Closes it. Where something can be seen, that is this text from now on: the run may wait for days. */
  rest(text: string): Promise<void>;
}

export interface Outlet {
  /** What the agent can see there, and who is there. */
  surroundings(ctx: Context, work: Work): Promise<Surroundings>;
  show(ctx: Context, work: Work): Showing;
  /** Puts a complete answer there as one message, where that is safe. Null when it has to be sent from what is kept. */
  sendWhole(ctx: Context, work: Work, answer: WholeAnswer): Promise<string | null>;
  /** Puts the final text there from what was kept; doing it twice changes nothing. Returns the answer's messages. */
  send(ctx: Context, work: Work): Promise<string[]>;
  /** Says that the day's tokens are used up, the client's or the agent's own, once a day. */
  sayCap(ctx: Context, work: Work, reached: Reached): Promise<void>;
  /** The run's end is written. */
  ended(ctx: Context, work: Work): Promise<void>;
}

/** A limit that was met: its error code and what people are told. */
export type Reached = NonNullable<Thought["error"]>;

export interface WholeAnswer {
  thought: Thought;
  shown: Showing;
  seen: Surroundings;
}

const OUTLETS: Record<Work["source"], Outlet> = { room: roomOutlet, try: tryOutlet, task: taskOutlet };

export const outletOf = (work: Pick<Work, "source">): Outlet => OUTLETS[work.source];
