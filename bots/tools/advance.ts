/** One tool call, one step on: decided, asked, done. What it is when this returns stands in its row, and in `call`. */
import type { Context } from "../../core/context.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import { askApproval, readApproved } from "../approvals/ask.ts";
import { storable } from "../said.ts";
import { StopSignal } from "../signals.ts";
import { untilItWorks, type Work } from "../work.ts";
import { type CallEnd, type CallRow, finishCall, type Turn } from "./calls.ts";
import { problemsOf } from "./check-arguments.ts";
import { beginCall, mustBegin, NOT_OURS, readUsed } from "./counts.ts";
import { decide, type Verdict } from "./decide.ts";
import { argumentsHash, schemaHash } from "./hashes.ts";
import type { Pending } from "./pending.ts";
import { type Found, findRoom, type RoomAsker } from "./rights.ts";
import { type Args, OutcomeUnknown, type Tool, type ToolResult } from "./tool.ts";
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

interface Step extends Doing {
  box: Toolbox;
  signal: AbortSignal;
  turns: Turn[];
  show(status: string | null): void;
}

/** A call that is quick needs no word that it is under way. */
const SHOW_AFTER_MS = 600;
const TIMEOUT_MS = 60_000;

export async function advance(ctx: Context, step: Step, call: CallRow): Promise<void> {
  if (call.state !== "proposed" && call.state !== "approved" && call.state !== "running") return;
  const tool = step.box.tools.get(call.tool);
  if (call.arguments === null) return end(ctx, call, failed("The arguments are no JSON object. Write them anew."));
  if (!tool) return end(ctx, call, failed(`There is no tool called "${call.tool}" here.`));
  if (call.state === "running") return again(ctx, step, call, tool);
  const problems = problemsOf(tool.input, call.arguments);
  if (problems.length > 0)
    return end(ctx, call, failed(`These arguments are not what the tool wants. ${problems.join(" ")}`));
  const approved = call.state === "approved";
  if (approved && !(await isSame(ctx, call, tool))) return end(ctx, call, changed());
  const found = await rooms(ctx, step, tool, call.arguments).catch((error: unknown) => refusalOf(error));
  if (!Array.isArray(found)) return end(ctx, call, found);
  const verdict = await judge(ctx, step, { tool, args: call.arguments, found, approved });
  if (verdict.kind === "refuse") return end(ctx, call, refused(verdict.reason));
  if (verdict.kind === "ask") return ask(ctx, step, call, { tool, verdict });
  const { agentId, definition } = step.work;
  const agent = { id: agentId, name: definition.name, bounds: step.box.bounds };
  const full = mustBegin(agent.bounds, tool) ? await beginCall(ctx, { id: call.id, agent, tool }) : null;
  if (full === NOT_OURS) {
    await readAnew(ctx, call);
    return advance(ctx, step, call);
  }
  if (full) return end(ctx, call, refused(full));
  call.begun = true;
  await perform(ctx, step, call, { tool, found });
}

/** It was under way when the platform ended. */
async function again(ctx: Context, step: Step, call: CallRow, tool: Tool): Promise<void> {
  if (!tool.repeatable)
    return end(
      ctx,
      call,
      unknown("The platform was stopped while this was being done, so it may have happened or not."),
    );
  const found = await rooms(ctx, step, tool, call.arguments ?? {}).catch((error: unknown) => refusalOf(error));
  if (!Array.isArray(found)) return end(ctx, call, found);
  await perform(ctx, step, call, { tool, found });
}

const asker = ({ work }: Doing): RoomAsker => ({
  tenantId: work.tenantId,
  agentUserId: work.agentUserId,
  person: work.onBehalfOf,
  roomId: work.roomId.startsWith("!") ? work.roomId : null,
});

async function rooms(ctx: Context, step: Doing, tool: Tool, args: Args): Promise<Found[]> {
  const found: Found[] = [];
  for (const need of tool.rooms?.(args) ?? []) found.push(await findRoom(ctx, asker(step), need));
  return found;
}

/** A room that is not there is the model's mistake; a database that is away is waited for. */
function refusalOf(error: unknown): CallEnd {
  if (error instanceof AppError && !isOurs(error)) return failed(error.sentence);
  throw error;
}

interface Wanted {
  tool: Tool;
  args: Args;
  found: Found[];
  approved: boolean;
}

async function judge(ctx: Context, step: Step, { tool, args, found, approved }: Wanted): Promise<Verdict> {
  const { work, box, turns } = step;
  const targets = tool.targets?.(args) ?? [];
  const roomTargets = found.map(({ room }) => ({
    kind: "room" as const,
    value: room.name ?? room.roomId,
    id: room.roomId,
  }));
  const used = await readUsed(ctx, { id: work.agentId, bounds: box.bounds }, tool);
  const asking = {
    agent: work.definition.name,
    bounds: box.bounds,
    tool,
    targets: [...targets, ...roomTargets],
    rooms: found.map(({ rights }) => rights),
    person: work.onBehalfOf,
    direct: step.direct,
    used: { ...used, run: usedInRun(turns, box) },
    granted: false,
    approved,
    untrusted: step.untrusted,
    said: targets.length > 0 && targets.every(({ value }) => wasSaid(value, step)),
  };
  const verdict = decide(asking);
  if (verdict.kind !== "ask" || !verdict.grantable) return verdict;
  return (await isGranted(ctx, work, tool)) ? decide({ ...asking, granted: true }) : verdict;
}

function usedInRun(turns: Turn[], box: Toolbox): Record<string, number> {
  const used: Record<string, number> = {};
  for (const { tool, begun } of turns.flatMap(({ calls }) => calls)) {
    if (!begun) continue;
    const group = box.tools.get(tool)?.group;
    for (const key of new Set([tool, ...(group ? [group] : [])])) used[key] = (used[key] ?? 0) + 1;
  }
  return used;
}

/**
 * Whether an address stands in what people said or in what came from outside: who wrote it there knows it. What a tool repeats of its own arguments, or keeps of
 * what this run wrote (files, tasks), was said by nobody but the model.
 */
const wasSaid = (value: string, { heard, turns, box }: Step) =>
  heard.includes(value) ||
  turns.some(({ calls }) =>
    calls.some(
      ({ tool, state, result, arguments: args }) =>
        state === "done" &&
        box.tools.get(tool)?.reads === "untrusted" &&
        result?.includes(value) === true &&
        !unescaped(args).includes(value),
    ),
  );

/** Arguments as a server would repeat them. */
function unescaped(args: Args | null): string {
  const texts: string[] = [];
  JSON.stringify(args, (_key, item: unknown) => {
    if (typeof item === "string") texts.push(item, decoded(item));
    return item;
  });
  return texts.join("\n");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // A stray % is not ours to mend: the text is then taken as it stands.
    return text;
  }
}

async function isGranted({ sql }: Context, work: Work, tool: Tool): Promise<boolean> {
  const rows = await sql`
    select 1 from grants where agent_id = ${work.agentId} and room_id = ${work.roomId} and tool = ${tool.name}
      and schema_hash = ${schemaHash(tool)} and revoked_at is null`;
  return rows.length > 0;
}

/** What was approved is what is to be done: the same arguments, and a tool that still means the same by them. */
async function isSame(ctx: Context, call: CallRow, tool: Tool): Promise<boolean> {
  const approved = await readApproved(ctx, call.id);
  return (
    approved !== null &&
    approved.argumentsHash === argumentsHash(call.arguments) &&
    approved.schemaHash === schemaHash(tool)
  );
}

async function ask(
  ctx: Context,
  { work, direct }: Step,
  call: CallRow,
  { tool, verdict }: { tool: Tool; verdict: Extract<Verdict, { kind: "ask" }> },
): Promise<void> {
  const problem = await askApproval(ctx, { work, direct, call, tool, verdict });
  if (problem) return end(ctx, call, refused(problem));
  call.state = "waiting";
}

async function perform(
  ctx: Context,
  step: Step,
  call: CallRow,
  { tool, found }: { tool: Tool; found: Found[] },
): Promise<void> {
  const { work, signal } = step;
  const args = call.arguments ?? {};
  const startedAt = ctx.clock.now();
  const timer = setTimeout(() => showSlow(ctx, step, call, `${tool.title}: ${tool.sentence(args)}`), SHOW_AFTER_MS);
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
  const untrusted =
    result.untrusted === undefined ? (tool.reads === "untrusted" ? tool.title : null) : result.untrusted;
  const text = cut(storable(result.text), step.maxChars);
  const done: CallEnd = { state: "done", result: text, untrusted, tokens: result.tokens ?? 0, startedAt };
  Object.assign(call, { state: "done", result: text, untrusted });
  step.pending.add(untilItWorks(ctx, "keep the result of a tool", () => finishCall(ctx.sql, call.id, done)));
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

/** As somebody else has left it. */
async function readAnew(ctx: Context, call: CallRow): Promise<void> {
  const [now] = await ctx.sql<Pick<CallRow, "state" | "result" | "untrusted">[]>`
    select state, result, untrusted from tool_calls where id = ${call.id}`;
  Object.assign(call, now);
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
function isOurs(error: unknown): boolean {
  if (error instanceof AppError) return error.code === "homeserver_down" || error.code === "database_down";
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^(ECONN|CONNECT|57P0|08|40001|40P01|53)/.test(code);
}

const failed = (result: string): CallEnd => ({ state: "failed", result });
const refused = (reason: string): CallEnd => ({ state: "refused", result: `Refused: ${reason}`, reason });
const changed = (): CallEnd => {
  const reason = "The tool or its arguments changed after a person had approved it, so it was not done.";
  return { state: "declined", result: reason, reason };
};
const unknown = (what: string): CallEnd => ({
  state: "unknown",
  result: `Outcome unknown: ${what} It is not repeated by itself. Look whether it happened before it is asked for again.`,
});

const cut = (text: string, most: number) =>
  text.length <= most ? text : `${text.slice(0, most)}\n[Cut here: ${text.length - most} more characters.]`;

/** Writes the end, and keeps it at hand. */
async function end(ctx: Context, call: CallRow, end: CallEnd): Promise<void> {
  await finishCall(ctx.sql, call.id, end);
  Object.assign(call, { state: end.state, result: storable(end.result), untrusted: end.untrusted ?? null });
}
