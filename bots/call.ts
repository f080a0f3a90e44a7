import { setTimeout as sleep } from "node:timers/promises";
import type {
  LanguageModelV4,
  LanguageModelV4FunctionTool,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import type { ModelMessage } from "ai";
import type { Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { type CallEnd, type Caller, endCall, openCall } from "./ledger.ts";
import { emptyAnswer, forLog, modelError, slowAnswer } from "./model-errors.ts";
import { estimatePrompt, estimateTokens, hasFiles, mostTokens, toPrompt } from "./model-prompt.ts";
import type { ModelRow } from "./models.ts";
import { languageModel } from "./provider.ts";
import { Said, type SaidPart } from "./said.ts";
import { createThoughtFilter, type ThoughtFilter } from "./thoughts.ts";

export interface CallLimits {
  /** Longest wait for the first token, thoughts included, and then for each further one. */
  firstTokenMs: number;
  silenceMs: number;
  /** How often a model is asked for one answer in all. */
  attempts: number;
  /** First pause before it is asked again; the next is four times as long. */
  pauseMs: number;
  /** A `retry-after` beyond this ends the call instead. */
  longestPauseMs: number;
}

const LIMITS: CallLimits = {
  firstTokenMs: 60_000,
  silenceMs: 60_000,
  attempts: 3,
  pauseMs: 500,
  longestPauseMs: 60_000,
};

export interface ModelCall extends Caller {
  model: ModelRow;
  system: string;
  messages: readonly ModelMessage[];
  /** What comes after them: turns in which tools were called, with the results. */
  turns?: readonly LanguageModelV4Message[];
  /** Tools that it may call now. */
  tools?: readonly LanguageModelV4FunctionTool[];
  /** It has called enough: what it says now is its answer. */
  noMoreCalls?: boolean;
  signal: AbortSignal;
  /** Gets the whole text so far with each piece; starts over when the stream broke and the model is asked again. */
  onText?: (text: string) => void;
  limits?: Partial<CallLimits>;
  /** Limits of the agent's own: of one answer, and of a day. */
  maxAnswerTokens?: number | undefined;
  agentTokensPerDay?: number | undefined;
}

export interface ModelUsage {
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  reasoningTokens: number;
}

export interface ModelAnswer {
  text: string;
  /** The tool calls that it wants, and what has to be given back with their results. */
  parts: SaidPart[];
  usage: ModelUsage;
  /** `stop`, `length`, `content-filter`, … as the AI SDK unifies them. */
  finishReason: string;
  /** The usage was counted by us, because the model server said none. */
  estimated: boolean;
  /** From the last asking to the first token, thoughts included. */
  firstTokenMs: number;
  durationMs: number;
  attempts: number;
  /** Resolves when the ledger has it; never rejects. The answer need not wait for it, the end of the run should. */
  recorded: Promise<void>;
}

/**
 * The one way to call a model: under the tenant's cap, each attempt in the ledger, thoughts kept apart. Asks again, a bounded
 * number of times with growing pauses, while nothing was shown; once more from the beginning when the stream breaks later.
 * Throws `model_*`, `token_cap` or `agent_token_cap` with a sentence for people; the signal's reason when aborted, after the ledger was written.
 */
export async function callModel(ctx: Context, call: ModelCall): Promise<ModelAnswer> {
  const limits = { ...LIMITS, ...call.limits };
  const prompt = [...toPrompt(call.system, call.messages), ...(call.turns ?? [])];
  const asking: Asking = { ctx, call, limits, prompt, begun: false, model: await languageModel(ctx, call.model) };
  for (let attempt = 1; ; attempt++) {
    try {
      call.signal.throwIfAborted();
      return { ...(await ask(asking)), attempts: attempt };
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      const pause = error instanceof AppError ? pauseBefore(error, attempt, asking.begun, limits) : null;
      if (pause === null) throw error;
      await sleep(pause, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted());
    }
  }
}

interface Asking {
  ctx: Context;
  call: ModelCall;
  limits: CallLimits;
  prompt: LanguageModelV4Prompt;
  model: LanguageModelV4;
  /** Text was given to `onText`, in this attempt or an earlier one. */
  begun: boolean;
}

/** How long to wait before the next attempt; null: the failure stands. */
export function pauseBefore(error: AppError, attempt: number, begun: boolean, limits: CallLimits): number | null {
  const again = ["model_rate_limited", "model_down", "model_empty", "model_broken"].includes(error.code);
  if (!again || attempt >= (begun ? Math.min(2, limits.attempts) : limits.attempts)) return null;
  if (error.retryAfterMs !== undefined) return error.retryAfterMs <= limits.longestPauseMs ? error.retryAfterMs : null;
  return limits.pauseMs * 4 ** (attempt - 1) * (0.8 + 0.4 * Math.random());
}

/** What one attempt has seen so far. */
interface Seen {
  startedAt: number;
  /** The server's headers came. */
  answering: boolean;
  firstTokenAt: number | null;
  filter: ThoughtFilter;
  said: Said;
  /** Characters of thoughts that came apart from the text. */
  reasoned: number;
  usage: LanguageModelV4Usage | undefined;
  finishReason: string | undefined;
}

/** One attempt: opens the ledger row, streams, ends the row whatever happens. */
async function ask(asking: Asking): Promise<Omit<ModelAnswer, "attempts">> {
  const { ctx, call, prompt } = asking;
  const input = estimatePrompt(prompt) + (call.tools?.length ? mostTokens(JSON.stringify(call.tools).length) : 0);
  const output = Math.min(outputRoom(call.model, input), call.maxAnswerTokens ?? Number.POSITIVE_INFINITY);
  const { agentTokensPerDay } = call;
  const open = await openCall(ctx, call, call.model, { input, output, agentTokensPerDay }, call.signal);
  const openedPattern = /r1|qwq|think|reason/i.test(call.model.model);
  const seen: Seen = {
    startedAt: performance.now(),
    answering: false,
    firstTokenAt: null,
    filter: createThoughtFilter({ openedInPrompt: openedPattern }),
    said: new Said(),
    reasoned: 0,
    usage: undefined,
    finishReason: undefined,
  };
  try {
    await stream(asking, seen, open.maxOutput);
    if (seen.filter.text.trim() === "" && seen.said.calls.length === 0)
      throw emptyAnswer(call.model.name, seen.finishReason ?? "");
  } catch (error) {
    const failure = call.signal.aborted ? undefined : failureOf(asking, seen, error);
    if (failure)
      ctx.log.warn(
        { runId: call.runId, model: call.model.name, code: failure.code, ...forLog(error) },
        failure.sentence,
      );
    await endCall(ctx, open, endOf(seen, input, failure ? "failed" : "aborted", failure?.code ?? "aborted"));
    throw failure ?? error;
  }
  const end = endOf(seen, input, "ok", seen.finishReason ?? "");
  const recorded = endCall(ctx, open, end);
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens, estimated, durationMs, result } = end;
  return {
    text: seen.filter.text.trimEnd(),
    parts: seen.said.parts,
    usage: { inputTokens, outputTokens, cachedTokens, reasoningTokens },
    finishReason: result,
    estimated,
    firstTokenMs: end.firstTokenMs ?? 0,
    durationMs,
    recorded,
  };
}

/** What the answer may take: the model's limit, less where the prompt leaves less of its context. */
function outputRoom(model: ModelRow, input: number): number {
  const { contextWindow, maxOutput } = model.abilities;
  return Math.max(256, Math.min(maxOutput, contextWindow - input));
}

function failureOf({ ctx, call, prompt }: Asking, { answering }: Seen, error: unknown): AppError {
  return modelError(error, { model: call.model.name, answering, hasFiles: hasFiles(prompt), now: ctx.clock.now() });
}

/**
 * The providers' own streaming interface, not `streamText`: that one is built for tools and many steps and takes 0.6 to 1.5 ms
 * of CPU more per call (docs/decisions), and its results are promises that reject unheard on an abort.
 */
async function stream(asking: Asking, seen: Seen, maxOutputTokens: number): Promise<void> {
  const { call, limits, prompt, model } = asking;
  const controller = new AbortController();
  const abort = () => controller.abort(call.signal.reason);
  call.signal.addEventListener("abort", abort, { once: true });
  let slow: AppError | undefined;
  const watch = (ms: number) =>
    setTimeout(() => {
      slow = slowAnswer(call.model.name, ms);
      controller.abort(slow);
    }, ms);
  let timer = watch(limits.firstTokenMs);
  try {
    const choice = call.noMoreCalls ? { toolChoice: { type: "none" as const } } : {};
    const tools = call.tools?.length ? { tools: [...call.tools], ...choice } : {};
    const { stream } = await model.doStream({ prompt, maxOutputTokens, abortSignal: controller.signal, ...tools });
    seen.answering = true;
    for await (const part of stream) {
      seen.said.push(part);
      if (
        part.type === "text-delta" ||
        part.type === "reasoning-delta" ||
        part.type === "tool-input-delta" ||
        part.type === "tool-call"
      ) {
        if (seen.firstTokenAt === null) {
          seen.firstTokenAt = performance.now();
          clearTimeout(timer);
          timer = watch(limits.silenceMs);
        } else timer.refresh();
        if (part.type === "reasoning-delta") seen.reasoned += part.delta.length;
        else if (part.type === "text-delta" && seen.filter.push(part.delta)) show(asking, seen.filter.text);
      } else if (part.type === "finish") {
        seen.usage = part.usage;
        // Without the server's own word for it the stream was cut, however neatly.
        if (part.finishReason.raw !== undefined) seen.finishReason = part.finishReason.unified;
      } else if (part.type === "error") throw part.error;
    }
    if (seen.finishReason === undefined) throw new Error("The stream ended without a finish reason.");
    if (seen.filter.end()) show(asking, seen.filter.text);
  } catch (error) {
    throw slow ?? error;
  } finally {
    clearTimeout(timer);
    call.signal.removeEventListener("abort", abort);
    // Hangs up where the stream was left before its end; after its end it changes nothing.
    controller.abort();
  }
}

function show(asking: Asking, text: string): void {
  if (text === "") return;
  asking.begun = true;
  asking.call.onText?.(text);
}

const callsOf = ({ said }: Seen) => said.calls.map(({ tool, input }) => tool + input).join("");

/** The ledger's figures: the server's, else ours. A call that failed before its first token cost nothing. */
function endOf(seen: Seen, input: number, state: CallEnd["state"], result: string): CallEnd {
  const given = seen.usage?.inputTokens.total !== undefined && seen.usage.outputTokens.total !== undefined;
  const thoughts = Math.ceil((seen.reasoned + seen.filter.thought) / 4);
  const free = !given && state === "failed" && seen.firstTokenAt === null && result !== "model_slow";
  const now = performance.now();
  return {
    state,
    inputTokens: free ? 0 : (seen.usage?.inputTokens.total ?? input),
    outputTokens: free
      ? 0
      : (seen.usage?.outputTokens.total ?? estimateTokens(seen.filter.text + callsOf(seen)) + thoughts),
    cachedTokens: seen.usage?.inputTokens.cacheRead ?? 0,
    reasoningTokens: seen.usage?.outputTokens.reasoning ?? (given ? 0 : thoughts),
    estimated: !given && !free,
    firstTokenMs: seen.firstTokenAt === null ? null : seen.firstTokenAt - seen.startedAt,
    durationMs: now - seen.startedAt,
    result,
  };
}
