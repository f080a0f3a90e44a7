/** What the steps of a call work with, and how a call ends. */
import type { Context } from "../../core/context.ts";
import { storable } from "../said.ts";
import type { Work } from "../work.ts";
import { type CallEnd, type CallRow, finishCall, type Turn } from "./calls.ts";
import type { Pending } from "./pending.ts";
import type { Toolbox } from "./toolbox.ts";

/** What stays the same for all calls of a run. */
export interface Doing {
  work: Work;
  /** What untrusted thing the run has read; grows with what its calls read. */
  untrusted: string | null;
  direct: boolean;
  /** What people said: addresses in it are no secret. */
  heard: string;
  maxChars: number;
  /** What is being written while the model is asked already; whoever goes on from there waits for it. */
  pending: Pending;
}

export interface Step extends Doing {
  box: Toolbox;
  signal: AbortSignal;
  turns: Turn[];
  show(status: string | null): void;
}

/** As somebody else has left it. */
export async function readAnew(ctx: Context, call: CallRow): Promise<void> {
  const [now] = await ctx.sql<Pick<CallRow, "state" | "result" | "untrusted">[]>`
    select state, result, untrusted from tool_calls where id = ${call.id}`;
  Object.assign(call, now);
}

export const failed = (result: string): CallEnd => ({ state: "failed", result });
export const refused = (reason: string): CallEnd => ({ state: "refused", result: `Refused: ${reason}`, reason });
export const changed = (): CallEnd => {
  const reason = "The tool or its arguments changed after a person had approved it, so it was not done.";
  return { state: "declined", result: reason, reason };
};
export const unknown = (what: string): CallEnd => ({
  state: "unknown",
  result: `Outcome unknown: ${what} It is not repeated by itself. Look whether it happened before it is asked for again.`,
});

export const cut = (text: string, most: number) =>
  text.length <= most ? text : `${text.slice(0, most)}\n[Cut here: ${text.length - most} more characters.]`;

/** Writes the end, and keeps it at hand. */
export async function end(ctx: Context, call: CallRow, end: CallEnd): Promise<void> {
  await finishCall(ctx.sql, call.id, end);
  Object.assign(call, { state: end.state, result: storable(end.result), untrusted: end.untrusted ?? null });
}
