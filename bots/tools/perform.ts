/** Does a call that may be done, and keeps what came of it. */
import type { Context } from "../../core/context.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import { redact } from "../run-report.ts";
import { storable } from "../said.ts";
import { StopSignal } from "../signals.ts";
import { untilItWorks } from "../work.ts";
import { type CallEnd, type CallRow, finishCall } from "./calls.ts";
import { takesIn } from "./decide.ts";
import type { Found } from "./rights.ts";
import { showableArguments } from "./showable.ts";
import { cut, end, failed, readAnew, type Step, unknown } from "./step.ts";
import { OutcomeUnknown, type Tool, type ToolResult } from "./tool.ts";

/** A call that is quick needs no word that it is under way. */
const SHOW_AFTER_MS = 600;
const TIMEOUT_MS = 60_000;

export async function perform(
  ctx: Context,
  step: Step,
  call: CallRow,
  { tool, found }: { tool: Tool; found: Found[] },
): Promise<void> {
  const { work, signal } = step;
  const args = call.arguments ?? {};
  const startedAt = ctx.clock.now();
  const said = () => capital(tool.sentence(showableArguments(args, tool.input)));
  const timer = setTimeout(() => showSlow(ctx, step, call, said()), SHOW_AFTER_MS);
  const timeout = AbortSignal.timeout(tool.timeoutMs ?? TIMEOUT_MS);
  try {
    const result = await tool.run({
      ctx,
      tenantId: work.tenantId,
      callId: call.id,
      args,
      agent: { id: work.agentId, name: work.definition.name, userId: work.agentUserId, deviceId: work.deviceId },
      run: { id: work.runId, source: work.source, hops: work.hops, untrusted: step.untrusted },
      roomId: work.roomId,
      threadRoot: work.threadRoot,
      person: work.onBehalfOf ?? work.askedBy,
      rooms: found.map(({ room }) => room),
      mayTouch: (target) => takesIn(step.box.bounds, tool, target),
      maxChars: step.maxChars,
      signal: AbortSignal.any([signal, timeout]),
    });
    await keep(ctx, step, call, { tool, result, startedAt });
  } catch (error) {
    await end(ctx, call, { ...failureOf(ctx, step, tool, { error, timedOut: timeout.aborted }), startedAt });
  } finally {
    clearTimeout(timer);
  }
}

const capital = (sentence: string) => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** What takes its time is shown where it was asked and in the panel. */
function showSlow(ctx: Context, step: Step, call: CallRow, status: string): void {
  step.show(status);
  ctx.sql`
    update tool_calls set state = 'running', started_at = coalesce(started_at, now()) where id = ${call.id} and state in ('proposed', 'approved')`.catch(
    (error: unknown) => ctx.log.debug({ err: error, call: call.id }, "a slow call is not shown as running"),
  );
}

interface Done {
  tool: Tool;
  result: ToolResult;
  startedAt: number;
}

/** A result is written while the model is asked with it: in between a crash leaves the call as it was when it began. */
async function keep(ctx: Context, step: Step, call: CallRow, { tool, result, startedAt }: Done): Promise<void> {
  if ("waiting" in result) return wait(ctx, call);
  const untrusted = untrustedOf(tool, result);
  const text = cut(storable(result.text), step.maxChars);
  const done: CallEnd = { state: "done", result: text, untrusted, tokens: result.tokens ?? 0, startedAt };
  Object.assign(call, { state: "done", result: text, untrusted });
  step.pending.add(untilItWorks(ctx, "keep the result of a tool", () => finishCall(ctx.sql, call.id, done)));
}

/** Where it comes from when nobody vouches for it. It is said in the room and in the panel, so an address in it is shown without the key that it holds. */
export function untrustedOf({ reads, title }: Tool, result: Exclude<ToolResult, { waiting: true }>): string | null {
  const from = result.untrusted === undefined && reads === "untrusted" ? title : result.untrusted;
  return from ? redact(from) : null;
}

/** Whoever ends it may have been faster than this. */
async function wait(ctx: Context, call: CallRow): Promise<void> {
  const waits = await ctx.sql`update tool_calls set state = 'waiting', started_at = coalesce(started_at, now())
      where id = ${call.id} and state in ('proposed', 'approved', 'running') returning 1`;
  if (waits.length > 0) {
    call.state = "waiting";
    return;
  }
  await readAnew(ctx, call);
}

function failureOf(
  ctx: Context,
  { signal, work }: Step,
  tool: Tool,
  { error, timedOut }: { error: unknown; timedOut: boolean },
): CallEnd {
  // The platform ends, or what a repeatable call needs is away: the row stays as it is, and the next attempt goes on from it.
  if (signal.aborted && signal.reason instanceof StopSignal && signal.reason.reason === "shutdown") throw signal.reason;
  if (tool.repeatable && !signal.aborted && isOurs(error)) throw error;
  if (error instanceof OutcomeUnknown) return unknown(error.message);
  if (signal.aborted)
    return tool.repeatable
      ? { state: "stopped", result: "It was stopped." }
      : unknown("It was stopped while it was being done.");
  if (timedOut) {
    const sentence = `It took longer than ${Math.round((tool.timeoutMs ?? TIMEOUT_MS) / 1000)} s and was ended.`;
    return tool.repeatable ? failed(sentence) : unknown(sentence);
  }
  if (error instanceof AppError) return isOurs(error) ? unknown(error.sentence) : failed(error.sentence);
  ctx.log.error({ run: work.runId, tool: tool.name, err: error }, "a tool failed by a fault");
  return tool.repeatable ? failed(sentenceOf(error)) : unknown(sentenceOf(error));
}

/**
 * Our database or homeserver is away: what is repeatable waits for it. What a tool could not reach outside is the tool's own failure; there the
 * code stands in the cause (fetch), or there is none.
 */
export function isOurs(error: unknown): boolean {
  if (error instanceof AppError) return error.code === "homeserver_down" || error.code === "database_down";
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^(ECONN|CONNECT|57P0|08|40001|40P01|53)/.test(code);
}
