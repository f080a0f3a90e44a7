/** Asks the model what was asked of the agent, with its tools where it has some, and says how that ended. */
import type { Context } from "../core/context.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import type { StepContext } from "../migrations/types.ts";
import { callModel } from "./call.ts";
import type { Thought } from "./finish.ts";
import { resolveModel } from "./models.ts";
import type { Showing } from "./outlet.ts";
import { promptFor } from "./prompt-for.ts";
import { saidByPeople, untrustedIn } from "./read-before.ts";
import { storable } from "./said.ts";
import { converse, type Question, type Talk } from "./tools/loop.ts";
import { isDirect } from "./tools/rights.ts";
import { openToolbox, type Toolbox } from "./tools/toolbox.ts";
import { type Surroundings, untilItWorks, type Work } from "./work.ts";

interface Asking {
  work: Work;
  seen: Surroundings;
  shown: Showing;
  signal: AbortSignal;
}

/** What is known of it so far, for whoever ends it. */
interface SoFar {
  model: string;
  /** Sentences about files that could not be read, before everything else. */
  prefix: string;
  /** What it said, without the word of what is being done at the moment. */
  words: string;
  context: StepContext | undefined;
}

/**
 * A database or homeserver that is away is waited for; a model that fails is not. `wait`: tool calls wait for somebody, and everything about them is in
 * their rows.
 */
export async function ask(ctx: Context, asking: Asking): Promise<Thought | "wait"> {
  const { work, signal } = asking;
  const so: SoFar = { model: "", prefix: "", words: "", context: undefined };
  try {
    const thought = await untilItWorks(ctx, "ask the model", () => askOnce(ctx, asking, so), signal);
    // What a model says, or repeats of what a tool returned, may hold what no database takes.
    return thought === "wait" ? thought : { ...thought, text: storable(thought.text) };
  } catch (error) {
    if (signal.aborted) return { state: "stopped", text: textOf(so), detail: detailOf(asking, so) };
    const code = error instanceof AppError ? error.code : "internal";
    ctx.log[code === "internal" ? "error" : "warn"]({ run: work.runId, code, err: error }, "a run failed");
    const failure = { code, sentence: sentenceOf(error) };
    const detail = { ...detailOf(asking, so), errorCode: code };
    return { state: "failed", text: textOf(so), detail, error: failure };
  }
}

const textOf = ({ prefix, words }: SoFar) => (words === "" ? "" : storable(prefix + words));

const detailOf = ({ shown }: Asking, { model, context }: SoFar) => ({
  model,
  edits: shown.edits,
  ...(context ? { context } : {}),
  ...(shown.firstTextAt ? { firstTextAt: shown.firstTextAt } : {}),
});

async function askOnce(ctx: Context, asking: Asking, so: SoFar): Promise<Thought | "wait"> {
  const { work, shown } = asking;
  const box = await openToolbox(ctx, work);
  if (box) return await withTools(ctx, asking, so, box);
  // Without tools nothing goes out, but what it says is read by those who have some.
  const [question] = await Promise.all([prepare(ctx, asking, so, { tools: false }), markUntrusted(ctx, asking)]);
  if (!question) return { state: "done", text: so.prefix.trim(), detail: detailOf(asking, so) };
  const onText = (words: string) => {
    so.words = words;
    shown.update(so.prefix + words);
  };
  const said = await callModel(ctx, { ...question, onText });
  const { inputTokens, outputTokens } = said.usage;
  const detail = { ...detailOf(asking, so), inputTokens, outputTokens, firstTokenMs: said.firstTokenMs };
  return { state: "done", text: so.prefix + said.text, detail, recorded: said.recorded };
}

async function withTools(ctx: Context, asking: Asking, so: SoFar, box: Toolbox): Promise<Thought | "wait"> {
  const { work, shown, signal } = asking;
  const show: Talk["show"] = (words, status) => {
    so.words = words;
    const progress = status === null ? "" : `*⏳ ${status} …*`;
    shown.update(so.prefix + [words, progress].filter(Boolean).join("\n\n"));
  };
  const told = await converse(ctx, work, {
    box,
    signal,
    show,
    doing: doingFor(ctx, asking),
    prepare: () => prepare(ctx, asking, so, { tools: true }),
  });
  if (told === "wait") {
    await shown.rest(so.prefix + (so.words.trim() === "" ? WAITS : so.words));
    return "wait";
  }
  const { inputTokens, outputTokens, firstTokenMs, recorded } = told;
  const detail = { ...detailOf(asking, so), inputTokens, outputTokens, firstTokenMs };
  return { state: "done", text: (so.prefix + told.text).trimEnd(), detail, recorded };
}

/** In the place of what a tool was doing, where nothing was said beside. */
const WAITS = "*⏳ Waiting …*";

/** What the model is asked; null where there is nothing to ask it, and the prefix is the whole answer. */
async function prepare(
  ctx: Context,
  { work, seen, signal }: Asking,
  so: SoFar,
  { tools }: { tools: boolean },
): Promise<Question | null> {
  const model = await resolveModel(ctx, work.tenantId, work.definition.model);
  so.model = model.name;
  const { system, messages, remark, sent } = await promptFor(ctx, work, seen, { model, tools });
  so.context = sent;
  so.prefix = remark ? `${remark}\n\n` : "";
  if (!messages) return null;
  return {
    tenantId: work.tenantId,
    roomId: work.roomId,
    agentId: work.agentId,
    personId: work.askedBy,
    runId: work.runId,
    model,
    system,
    messages,
    signal,
    maxAnswerTokens: work.definition.limits?.maxAnswerTokens,
    agentTokensPerDay: work.definition.limits?.tokensPerDay,
  };
}

/** Characters of one result. */
const RESULT_CHARS = 40_000;

/** What the calls of a run are decided by, beside their boundaries. */
async function doingFor(ctx: Context, asking: Asking): Promise<Awaited<Talk["doing"]>> {
  const { work, seen } = asking;
  const { tenantId, roomId, agentUserId, controlUserId, onBehalfOf: person } = work;
  const [direct, untrusted] = await Promise.all([
    work.source === "try" || isDirect(ctx, { tenantId, roomId, agentUserId, controlUserId, person }),
    markUntrusted(ctx, asking),
  ]);
  return { work, untrusted, direct, heard: saidByPeople(seen, work), maxChars: RESULT_CHARS };
}

/** What of what stands around the question nobody vouches for; kept with the run before anything of it is said. */
async function markUntrusted(ctx: Context, { work, seen }: Asking): Promise<string | null> {
  const untrusted = work.untrusted ?? (await untrustedIn(ctx, work, seen));
  if (untrusted !== work.untrusted)
    await ctx.sql`update runs set untrusted = ${untrusted} where id = ${work.runId} and untrusted is null`;
  return untrusted;
}
