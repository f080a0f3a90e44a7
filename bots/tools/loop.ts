/**
 * A run that uses tools: the model is asked, what it calls is decided on and done, and it is asked again with the results, until it answers or has to wait for
 * somebody. Every turn and every call is a row before it is done, so that this may begin again at any moment (calls.ts).
 */
import type { Context } from "../../core/context.ts";
import { callModel, type ModelAnswer, type ModelCall } from "../call.ts";
import type { Work } from "../work.ts";
import { advance } from "./advance.ts";
import { loadTurns, saveTurn, type Turn } from "./calls.ts";
import { turnMessages } from "./history.ts";
import { Pending } from "./pending.ts";
import type { Doing } from "./step.ts";
import type { Toolbox } from "./toolbox.ts";

/** Turns of one run; then it has to answer with what it has. */
export const MAX_TURNS = 24;
/** Calls of one turn: what is more is not done. */
const MAX_CALLS = 16;

export interface Talk {
  box: Toolbox;
  /** Read beside the turns. */
  doing: Promise<Omit<Doing, "pending">>;
  signal: AbortSignal;
  /** What the model is asked, without turns; null where there is nothing to ask. Not before it is needed: what a person has just approved is done first. */
  prepare(): Promise<Question | null>;
  /** Shows the whole text so far; `status` is what is being done. */
  show(text: string, status: string | null): void;
}

export type Question = Omit<ModelCall, "turns" | "tools" | "noMoreCalls" | "onText">;

export type Told = Pick<ModelAnswer, "text" | "firstTokenMs" | "recorded"> & {
  inputTokens: number;
  outputTokens: number;
};

/** The answer, or `wait`: calls of the last turn wait for a person or for another run. Throws as `callModel`. */
export async function converse(ctx: Context, work: Work, { doing: reading, ...talk }: Talk): Promise<Told | "wait"> {
  const [doing, turns] = await Promise.all([reading, loadTurns(ctx, work.runId)]);
  const pending = new Pending();
  try {
    return await go(ctx, work, { ...talk, doing: { ...doing, pending } }, turns);
  } finally {
    // Also when it throws: the next attempt reads these rows.
    await pending.settle();
  }
}

type Going = Omit<Talk, "doing"> & { doing: Doing };

async function go(ctx: Context, work: Work, talk: Going, turns: Turn[]): Promise<Told | "wait"> {
  const { pending } = talk.doing;
  let question: Question | null = null;
  for (;;) {
    const before = textOf(turns);
    const last = turns.at(-1);
    if (last && (await settle(ctx, talk, turns, last)) === "wait") return "wait";
    const enough = turns.length >= MAX_TURNS;
    question ??= await talk.prepare();
    if (!question) return NOTHING;
    const said = await callModel(ctx, {
      ...question,
      turns: turnMessages(turns, charsFor(question)),
      tools: talk.box.specs,
      noMoreCalls: enough,
      onText: (text) => talk.show(join(before, text), null),
    });
    const parts = callsWithin(said.parts, enough ? 0 : MAX_CALLS);
    if (!parts.some(({ type }) => type === "call")) return answerOf(turns, said);
    // What was written beside stands before anything is built on it; the ledger may take its time.
    await pending.settle();
    pending.add(said.recorded);
    const { inputTokens, outputTokens } = said.usage;
    const what = { n: turns.length, text: said.text, parts, model: question.model.name, inputTokens, outputTokens };
    turns.push(await saveTurn(ctx, { ...work, person: work.onBehalfOf }, what, talk.box.tools));
  }
}

/** Does the calls of a turn one after the other, in the order in which the model wrote them: what one reads counts for the next. */
async function settle(ctx: Context, talk: Going, turns: Turn[], last: Turn): Promise<"wait" | "done"> {
  for (const call of last.calls) {
    talk.signal.throwIfAborted();
    const untrusted = talk.doing.untrusted ?? firstUntrusted(turns);
    const show = (status: string | null) => talk.show(textOf(turns), status);
    await advance(ctx, { ...talk.doing, untrusted, box: talk.box, signal: talk.signal, turns, show }, call);
  }
  return last.calls.some(({ state }) => state === "waiting") ? "wait" : "done";
}

/** A third of the model's context for all results, at 3 characters a token. */
const charsFor = ({ model }: Question): number => Math.min(300_000, model.abilities.contextWindow);

const NOTHING: Told = { text: "", inputTokens: 0, outputTokens: 0, firstTokenMs: 0, recorded: Promise.resolve() };

const firstUntrusted = (turns: readonly Turn[]): string | null =>
  turns.flatMap(({ calls }) => calls).find(({ untrusted }) => untrusted !== null)?.untrusted ?? null;

function callsWithin(parts: ModelAnswer["parts"], most: number): ModelAnswer["parts"] {
  let calls = 0;
  return parts.filter((part) => part.type !== "call" || ++calls <= most);
}

function answerOf(turns: Turn[], said: ModelAnswer): Told {
  const text =
    said.text || `I used tools ${turns.length} times and came to no answer. Ask again, perhaps for less at once.`;
  return {
    text: join(textOf(turns), text),
    inputTokens: turns.reduce((sum, turn) => sum + turn.inputTokens, said.usage.inputTokens),
    outputTokens: turns.reduce((sum, turn) => sum + turn.outputTokens, said.usage.outputTokens),
    firstTokenMs: said.firstTokenMs,
    recorded: said.recorded,
  };
}

/** What it said beside its calls. */
export const textOf = (turns: readonly Turn[]): string => turns.reduce((text, turn) => join(text, turn.text), "");

const join = (before: string, after: string) => [before, after].filter((text) => text.trim() !== "").join("\n\n");
