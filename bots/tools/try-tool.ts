/** A manager tries a tool: for themselves, outside of any room and run, with a row like every other call. */
import type { Context } from "../../core/context.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import { newId } from "../../core/ids.ts";
import { tenantAccess } from "../../homeserver/access.ts";
import { storable } from "../said.ts";
import { type CallEnd, finishCall } from "./calls.ts";
import { argumentsHash, schemaHash } from "./hashes.ts";
import { untrustedOf } from "./perform.ts";
import { problemsForPeople } from "./problem-words.ts";
import { showableResult } from "./showable.ts";
import { listTools } from "./sources.ts";
import { type Args, OutcomeUnknown, type Tool } from "./tool.ts";

const TIMEOUT_MS = 60_000;
const MAX_CHARS = 20_000;

export interface Tried {
  callId: string;
  tool: string;
  state: CallEnd["state"];
  /** What an agent would be given, without what looks like a secret. */
  result: string;
  untrusted: string | null;
  durationMs: number;
}

/**
 * Runs it once, within the tool's own time. `by`: a Matrix user id, or `operator:<name>`. What goes wrong is the result. Throws `not_found`, `invalid` for
 * arguments that the tool does not take, and for a tool that works in rooms only.
 */
export async function tryTool(
  ctx: Context,
  wish: { tenantId: string; tool: string; args: Args; by: string; signal?: AbortSignal },
): Promise<Tried> {
  const { tenantId, args, by } = wish;
  const tool = (await listTools(ctx, tenantId)).get(wish.tool);
  if (!tool) throw new AppError("not_found", "There is no such tool here. It may have been removed.");
  const problems = problemsForPeople(tool, args);
  if (problems.length > 0) throw new AppError("invalid", problems.join(" "));
  if (!isTryable(tool)) throw new AppError("invalid", inRoomsOnly(tool));
  const callId = newId();
  const { controlUserId } = await tenantAccess(ctx, tenantId);
  const began = ctx.clock.now();
  await ctx.sql`
    insert into tool_calls (id, tenant_id, person_id, turn, index, call_id, tool, tool_group, arguments, arguments_hash, schema_hash, state, started_at)
    values (${callId}, ${tenantId}, ${by}, 0, 0, ${callId}, ${tool.name}, ${tool.group}, ${JSON.stringify(args)}::text::jsonb,
      ${argumentsHash(args)}, ${schemaHash(tool)}, 'running', now())`;
  const end = await perform(ctx, tool, { ...wish, callId, controlUserId });
  await finishCall(ctx.sql, callId, end);
  return {
    callId,
    tool: tool.name,
    state: end.state,
    result: showableResult(end.result, { args, schema: tool.input }),
    untrusted: end.untrusted ?? null,
    durationMs: ctx.clock.now() - began,
  };
}

/** These do something in a conversation, or in the name of an agent that is in one. */
const OF_CONVERSATIONS = ["room", "people", "agents"];

export const isTryable = ({ group, rooms }: Pick<Tool, "group" | "rooms">): boolean =>
  rooms === undefined && !OF_CONVERSATIONS.includes(group);

const inRoomsOnly = ({ title }: Pick<Tool, "title">) =>
  `“${title}” works in a room, for a person who is there, so it cannot be tried here. Allow it to an agent and try that one.`;

async function perform(
  ctx: Context,
  tool: Tool,
  {
    tenantId,
    args,
    by,
    callId,
    signal,
    controlUserId,
  }: Parameters<typeof tryTool>[1] & { callId: string; controlUserId: string },
): Promise<CallEnd> {
  const timeout = AbortSignal.timeout(tool.timeoutMs ?? TIMEOUT_MS);
  try {
    const result = await tool.run({
      ctx,
      tenantId,
      callId,
      args,
      // No agent: the platform's own user stands in for one.
      agent: { id: "", name: "Agentopia", userId: controlUserId, deviceId: "" },
      run: null,
      roomId: null,
      threadRoot: null,
      person: by,
      rooms: [],
      maxChars: MAX_CHARS,
      signal: AbortSignal.any([timeout, ...(signal ? [signal] : [])]),
    });
    if ("waiting" in result) return { state: "failed", result: inRoomsOnly(tool) };
    return {
      state: "done",
      result: storable(result.text).slice(0, MAX_CHARS),
      untrusted: untrustedOf(tool, result),
      tokens: result.tokens ?? 0,
    };
  } catch (error) {
    return failure(ctx, tool, { error, timedOut: timeout.aborted });
  }
}

function failure(ctx: Context, tool: Tool, { error, timedOut }: { error: unknown; timedOut: boolean }): CallEnd {
  const unknown = (what: string): CallEnd => ({ state: "unknown", result: `${what} It may have happened or not.` });
  if (error instanceof OutcomeUnknown) return unknown(error.message);
  if (timedOut) {
    const sentence = `It took longer than ${Math.round((tool.timeoutMs ?? TIMEOUT_MS) / 1000)} s and was ended.`;
    return tool.repeatable ? { state: "failed", result: sentence } : unknown(sentence);
  }
  if (error instanceof AppError) return { state: "failed", result: error.sentence };
  ctx.log.error({ tool: tool.name, err: error }, "a tool that was tried failed by a fault");
  return { state: "failed", result: sentenceOf(error) };
}
