import { setTimeout as sleep } from "node:timers/promises";
import type { ModelMessage } from "ai";
import type { Context } from "../core/context.ts";
import { AppError, sentenceOf } from "../core/errors.ts";
import type { StepContext } from "../migrations/types.ts";
import { isUncertain } from "./answer.ts";
import { loadAttachments } from "./attachments.ts";
import { callModel } from "./call.ts";
import { finishRun, saveEvents, saveThought, type Thought } from "./finish.ts";
import { closeLostCalls } from "./ledger.ts";
import { mostTokens } from "./model-prompt.ts";
import { type ModelRow, resolveModel } from "./models.ts";
import { outletOf, type Reached, type Showing } from "./outlet.ts";
import { distances } from "./positions.ts";
import { foldMessages, inTurns, newestThatFit, type Scene, systemPrompt } from "./prompt.ts";
import { serverOf } from "./room-view.ts";
import { StopSignal } from "./signals.ts";
import { TOOL_RULES } from "./tools/history.ts";
import { converse, type Talk } from "./tools/loop.ts";
import { isDirect } from "./tools/rights.ts";
import { openToolbox, type Toolbox } from "./tools/toolbox.ts";
import { park } from "./waiting.ts";
import { loadWork, type Surroundings, untilItWorks, type Work } from "./work.ts";

/**
 * `ended`: nothing is left to do; `deliver`: what the model said is kept and has to be sent; `waiting`: it is parked until somebody decides, and goes on in a
 * workflow of its own then.
 */
export type AfterThinking = "ended" | "deliver" | "waiting";

/**
 * Asks the model and shows its answer as it grows. What it said is kept before this returns, so that a replay does not ask again.
 * An answer that is complete before anything was shown and fits in one message goes out from here, as one event: its fixed
 * transaction id makes that safe (docs/decisions/0002).
 */
export async function think(
  ctx: Context,
  work: Work,
  seen: Promise<Surroundings>,
  signal: AbortSignal,
): Promise<AfterThinking> {
  if (work.step.state !== "running") return "deliver";
  if (work.stopReason || work.agentState === "removed") return endUnsaid(ctx, work);
  if ((work.step.detail.attempts ?? 1) > 1)
    await untilItWorks(ctx, "close lost calls", () => closeLostCalls(ctx, work.runId));
  if (work.runsOfAnswer > 1) work.eventIds = await olderRunsEnded(ctx, work);

  const outlet = outletOf(work);
  const shown = outlet.show(ctx, work);
  const surroundings = await seen;
  const thought = await ask(ctx, work, surroundings, shown, signal);
  await shown.close();
  if (thought === "wait") return await waitOrGoOn(ctx, work, seen, { shown, signal });
  if (shown.uncertain) thought.detail = { ...thought.detail, uncertain: true };
  const stop = signal.reason instanceof StopSignal ? signal.reason.reason : null;
  if (stop === "shutdown") return hang();
  if (thought.error?.code === "token_cap" || thought.error?.code === "agent_token_cap")
    return endAtCap(ctx, work, thought, thought.error);
  if (
    thought.state === "stopped" &&
    !thought.text &&
    shown.eventIds.length === 0 &&
    !isUncertain(work) &&
    !shown.uncertain
  )
    return endUnsaid(ctx, work, thought);

  const eventId = await outlet.sendWhole(ctx, work, { thought, shown, seen: surroundings });
  await thought.recorded;
  const keep = eventId
    ? () =>
        finishRun(ctx, work, {
          state: "done",
          thought,
          eventIds: [eventId],
          firstTextAt: shown.firstTextAt ?? ctx.clock.now(),
        })
    : () => saveThought(ctx, work, thought, shown.eventIds);
  await untilItWorks(ctx, "keep the answer", keep);
  return eventId ? "ended" : "deliver";
}

/** What is in the room already is kept, then the run is parked; where somebody decided meanwhile it goes on at once. */
async function waitOrGoOn(
  ctx: Context,
  work: Work,
  seen: Promise<Surroundings>,
  { shown, signal }: { shown: Showing; signal: AbortSignal },
): Promise<AfterThinking> {
  const unsure = shown.uncertain || (isUncertain(work) && work.runsOfAnswer === 1);
  const parked = await untilItWorks(ctx, "park a run", async () => {
    await saveEvents(ctx.sql, work, shown.eventIds);
    const detail = {
      ...(unsure ? { uncertain: true } : {}),
      ...(shown.firstTextAt ? { firstTextAt: shown.firstTextAt } : {}),
    };
    await ctx.sql`update steps set detail = detail || ${JSON.stringify(detail)}::text::jsonb where run_id = ${work.runId} and position = 0`;
    return await park(ctx, work.runId);
  });
  if (parked) return "waiting";
  const again = await untilItWorks(ctx, "read the run again", () => loadWork(ctx, work.runId, { attempt: false }));
  return again ? await think(ctx, again, seen, signal) : "ended";
}

/** Asks, and says how that ended. A database or homeserver that is away is waited for; a model that fails is not. */
async function ask(
  ctx: Context,
  work: Work,
  seen: Surroundings,
  shown: Showing,
  signal: AbortSignal,
): Promise<Thought | "wait"> {
  let model = "";
  // Without the word of what is being done at the moment.
  let text = () => shown.text;
  let context: StepContext | undefined;
  const soFar = () => ({
    model,
    edits: shown.edits,
    ...(context ? { context } : {}),
    ...(shown.firstTextAt ? { firstTextAt: shown.firstTextAt } : {}),
  });
  try {
    return await untilItWorks(ctx, "ask the model", () => askOnce(), signal);
  } catch (error) {
    if (signal.aborted) return { state: "stopped", text: text(), detail: soFar() };
    const code = error instanceof AppError ? error.code : "internal";
    ctx.log[code === "internal" ? "error" : "warn"]({ run: work.runId, code, err: error }, "a run failed");
    const failure = { code, sentence: sentenceOf(error) };
    return { state: "failed", text: text(), detail: { ...soFar(), errorCode: code }, error: failure };
  }

  async function askOnce(): Promise<Thought | "wait"> {
    const row = await resolveModel(ctx, work.tenantId, work.definition.model);
    model = row.name;
    const box = await openToolbox(ctx, work);
    const { system, messages, remark, sent, foreign } = await promptFor(ctx, work, seen, {
      model: row,
      tools: box !== null,
    });
    context = sent;
    if (!messages) return { state: "done", text: remark, detail: soFar() };
    const prefix = remark ? `${remark}\n\n` : "";
    const call = {
      tenantId: work.tenantId,
      roomId: work.roomId,
      agentId: work.agentId,
      personId: work.askedBy,
      runId: work.runId,
      model: row,
      system,
      messages,
      signal,
      maxAnswerTokens: work.definition.limits?.maxAnswerTokens,
      agentTokensPerDay: work.definition.limits?.tokensPerDay,
    };
    if (box) return await withTools(call, { box, prefix, foreign });
    const said = await callModel(ctx, { ...call, onText: (words) => shown.update(prefix + words) });
    const { inputTokens, outputTokens } = said.usage;
    const detail = { ...soFar(), inputTokens, outputTokens, firstTokenMs: said.firstTokenMs };
    return { state: "done", text: prefix + said.text, detail, recorded: said.recorded };
  }

  async function withTools(
    call: Talk["call"],
    { box, prefix, foreign }: { box: Toolbox; prefix: string; foreign: string | null },
  ): Promise<Thought | "wait"> {
    let words = "";
    text = () => prefix + words;
    const show = (said: string, status: string | null) => {
      words = said;
      const progress = status === null ? "" : `*⏳ ${status} …*`;
      shown.update(prefix + [said, progress].filter(Boolean).join("\n\n"));
    };
    const told = await converse(ctx, work, {
      call,
      box,
      show,
      ...(await doingFor(ctx, work, seen, { call, foreign })),
    });
    if (told === "wait") return "wait";
    const { inputTokens, outputTokens, firstTokenMs, recorded } = told;
    return {
      state: "done",
      text: prefix + told.text,
      detail: { ...soFar(), inputTokens, outputTokens, firstTokenMs },
      recorded,
    };
  }
}

/** What goes to the model. Without `messages` there is nothing to ask it: `remark` is the whole answer. */
async function promptFor(
  ctx: Context,
  work: Work,
  seen: Surroundings,
  { model, tools }: { model: ModelRow; tools: boolean },
) {
  const nameOf = names(seen);
  const agents = seen.members.filter((member) => member.agentName && member.userId !== work.agentUserId);
  const functional = new Set(work.roomState?.functionalMembers ?? []);
  const people = seen.members.filter((member) => !member.agentName && !functional.has(member.userId));
  const scene: Scene = {
    agentName: work.definition.name,
    agentUserId: work.agentUserId,
    instructions: work.definition.instructions,
    variables: work.definition.variables,
    tenantTitle: work.tenantTitle,
    roomName: work.roomState?.name ?? null,
    people: people.map((member) => nameOf(member.userId)),
    agents: agents.map((member) => nameOf(member.userId)),
    direct: people.length === 1 && agents.length === 0,
    now: new Date(ctx.clock.now()),
  };
  const heard = foldMessages(seen.messages, {
    threadRoot: work.threadRoot,
    upTo: work.questionSeq,
    self: work.agentUserId,
    nameOf,
  });
  const files = await attachmentsFor(ctx, work, seen, model);
  const remark = files.refused.join("\n\n");
  const onlyFile = heard.at(-1)?.text.startsWith("[sent a file:") && heard.at(-1)?.text.endsWith("]");
  if (remark && onlyFile && files.parts.length + files.texts.length === 0)
    return { system: "", messages: null, remark, sent: undefined, foreign: null };
  const system = tools ? `${systemPrompt(scene)}\n\n${TOOL_RULES}` : systemPrompt(scene);
  const room = model.abilities.contextWindow - Math.min(model.abilities.maxOutput, model.abilities.contextWindow / 2);
  const texts = files.texts.join("\n\n");
  const left = Math.floor(room * 0.9) - mostTokens(Buffer.byteLength(system + texts));
  const chosen = newestThatFit(heard, Math.max(left, 500));
  const sent: StepContext = {
    messages: distances(chosen.map((message) => message.position)),
    omitted: heard.length - chosen.length,
    files: files.names,
    contextWindow: model.abilities.contextWindow,
  };
  const foreign = foreignIn(
    chosen.map(({ sender }) => sender),
    work,
  );
  return { system, messages: withFiles(inTurns(chosen, scene), texts, files.parts), remark, sent, foreign };
}

/** What people of other servers say is untrusted: nobody here vouches for them. */
function foreignIn(senders: string[], work: Work): string | null {
  const stranger = senders.find((sender) => sender.startsWith("@") && serverOf(sender) !== work.serverName);
  return stranger === undefined ? null : `a message of ${stranger}`;
}

/** What the calls of a run are decided by, beside their boundaries. */
async function doingFor(
  ctx: Context,
  work: Work,
  seen: Surroundings,
  { call, foreign }: { call: Talk["call"]; foreign: string | null },
): Promise<Pick<Talk, "doing" | "maxChars">> {
  const { tenantId, roomId, agentUserId, controlUserId, onBehalfOf: person } = work;
  const direct =
    work.source === "try" || (await isDirect(ctx, { tenantId, roomId, agentUserId, controlUserId, person }));
  const untrusted = work.untrusted ?? foreign;
  if (untrusted !== work.untrusted)
    await ctx.sql`update runs set untrusted = ${untrusted} where id = ${work.runId} and untrusted is null`;
  // A third of the context for all results, at 3 characters a token.
  const maxChars = Math.min(300_000, call.model.abilities.contextWindow);
  const heard = seen.messages.map(({ content }) => String(content.body ?? "")).join("\n");
  return { doing: { work, untrusted, direct, heard, maxChars: Math.min(40_000, Math.floor(maxChars / 2)) }, maxChars };
}

function withFiles(
  messages: ModelMessage[],
  texts: string,
  parts: Awaited<ReturnType<typeof loadAttachments>>["parts"],
): ModelMessage[] {
  const last = messages.at(-1);
  if ((!texts && parts.length === 0) || last?.role !== "user") return messages;
  const text = [String(last.content), texts].filter(Boolean).join("\n\n");
  return [...messages.slice(0, -1), { role: "user", content: [{ type: "text", text }, ...parts] }];
}

/** Files of the question and of the message that it replies to. */
function attachmentsFor(ctx: Context, work: Work, seen: Surroundings, model: ModelRow) {
  const relation = work.questionContent["m.relates_to"] as { "m.in_reply_to"?: { event_id?: string } } | undefined;
  const repliedTo = seen.messages.find((message) => message.eventId === relation?.["m.in_reply_to"]?.event_id);
  return loadAttachments(ctx, work, model, [...(repliedTo ? [repliedTo.content] : []), work.questionContent]);
}

const names = (seen: Surroundings) => {
  const known = new Map(seen.members.map((member) => [member.userId, member.agentName ?? member.name]));
  return (userId: string) => known.get(userId) ?? userId.slice(1).split(":")[0] ?? userId;
};

/** A run that says nothing: stopped before its first text, superseded, or its agent is gone. */
async function endUnsaid(ctx: Context, work: Work, thought?: Thought): Promise<AfterThinking> {
  const state = work.stopReason === "superseded" ? "superseded" : "stopped";
  await untilItWorks(ctx, "end a run", () =>
    finishRun(ctx, work, { state, eventIds: work.eventIds, ...(thought ? { thought } : {}) }),
  );
  return "ended";
}

async function endAtCap(ctx: Context, work: Work, thought: Thought, reached: Reached): Promise<AfterThinking> {
  await outletOf(work).sayCap(ctx, work, reached);
  await untilItWorks(ctx, "end a run", () =>
    finishRun(ctx, work, { state: "failed", thought, eventIds: work.eventIds }),
  );
  return "ended";
}

/**
 * The run that wrote the same message before has been told to end; its last edit must not come after our first. Returns the messages
 * that it left.
 */
async function olderRunsEnded(ctx: Context, work: Work): Promise<string[]> {
  const patience = ctx.clock.now() + 10_000;
  while (ctx.clock.now() < patience) {
    const open = await untilItWorks(
      ctx,
      "wait for the older run",
      () =>
        ctx.sql`select 1 from runs where answer_id = ${work.answerId} and id <> ${work.runId} and state = 'running' limit 1`,
    );
    if (open.length === 0) break;
    await sleep(50);
  }
  const again = await untilItWorks(ctx, "read the run again", () => loadWork(ctx, work.runId, { attempt: false }));
  return again?.eventIds ?? work.eventIds;
}

/** The process is ending: the step must neither succeed nor fail, so that the next start takes it up again. */
const hang = () => new Promise<never>(() => undefined);
