/** One tool call, one step on: decided, asked, done. What it is when this returns stands in its row, and in `call`. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { askApproval, readApproved } from "../approvals/ask.ts";
import type { CallEnd, CallRow } from "./calls.ts";
import { problemsOf } from "./check-arguments.ts";
import { beginCall, mustBegin, NOT_OURS } from "./counts.ts";
import type { Verdict } from "./decide.ts";
import { argumentsHash, schemaHash } from "./hashes.ts";
import { judge } from "./judge.ts";
import { isOurs, perform } from "./perform.ts";
import { type Found, findRoom, type RoomAsker } from "./rights.ts";
import { changed, type Doing, end, failed, readAnew, refused, type Step, unknown } from "./step.ts";
import type { Args, Tool } from "./tool.ts";

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
  const [same, found] = await Promise.all([
    !approved || isSame(ctx, call, tool),
    rooms(ctx, step, tool, call.arguments).catch((error: unknown) => refusalOf(error)),
  ]);
  if (!same) return end(ctx, call, changed());
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

/** It was under way when the platform ended. It was allowed or approved then; what does not hold any more stops it all the same. */
async function again(ctx: Context, step: Step, call: CallRow, tool: Tool): Promise<void> {
  if (!tool.repeatable)
    return end(
      ctx,
      call,
      unknown("The platform was stopped while this was being done, so it may have happened or not."),
    );
  const found = await rooms(ctx, step, tool, call.arguments ?? {}).catch((error: unknown) => refusalOf(error));
  if (!Array.isArray(found)) return end(ctx, call, found);
  const verdict = await judge(ctx, step, { tool, args: call.arguments ?? {}, found, approved: true, counted: true });
  if (verdict.kind === "refuse") {
    const { reason } = verdict;
    const what = `The platform was stopped while this was being done, so it may have happened or not. It may not be done any more: ${reason}`;
    return end(ctx, call, { ...unknown(what), reason });
  }
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
