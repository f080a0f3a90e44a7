/** Forms that a model does without an agent: a durable workflow of their own, one step, ended in one transaction. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { CHANNELS, type Context } from "../../core/context.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import type { Wake } from "../../core/wake.ts";
import { callModel } from "../call.ts";
import { tellQueued } from "../drain.ts";
import { closeLostCalls } from "../ledger.ts";
import { resolveModel } from "../models.ts";
import { forgetSignal, isUnderWay, StopSignal, signalOf } from "../signals.ts";
import { untilItWorks } from "../work.ts";
import { type AnswerWorkflow, registerAnswer } from "../workflow.ts";
import { endForm, type FormEnd, lockOpenForm, notFitting, type OpenForm } from "./ends.ts";
import { dropped, endGivenUpForms, takeLost } from "./lost.ts";
import { againPrompt, formPrompt, formSystem } from "./prompt.ts";
import { outcomeOf } from "./result.ts";
import { formOfWorkflow, workflowOf } from "./stop.ts";

/** Forms at once in one process; more wait in order. */
const AT_ONCE = 16;

export const registerForms = (ctx: Context): AnswerWorkflow => registerAnswer("form.v1", (id) => fillIn(ctx, id));

async function fillIn(ctx: Context, id: string): Promise<void> {
  const signal = signalOf(workflowOf(id));
  try {
    await DBOS.runStep(() => doForm(ctx, id, signal), { name: "ask" });
  } finally {
    forgetSignal(workflowOf(id));
  }
}

/** Asks the model and ends the form. A crash before the end asks anew; after it nothing is left to do. */
export async function doForm(ctx: Context, id: string, signal: AbortSignal): Promise<void> {
  const form = await untilItWorks(ctx, "begin a form", () => lockOpenForm(ctx.sql, id));
  if (!form) return;
  // What a crash left open of it: the model is asked anew, and what was held for that call is given back before.
  await untilItWorks(ctx, "close lost calls", () => closeLostCalls(ctx, id));
  const end = form.stopReason === null ? await tryToAsk(ctx, form, signal) : STOPPED;
  // The process is ending: the step must neither succeed nor fail, so that the next start takes it up again.
  if (signal.reason instanceof StopSignal && signal.reason.reason === "shutdown")
    return await new Promise<never>(() => undefined);
  const ids = await untilItWorks(ctx, "end a form", () =>
    ctx.sql.begin(async (sql) => {
      const open = await lockOpenForm(sql, id);
      return open ? await endForm(sql, open, end) : [];
    }),
  );
  tellQueued(ctx, ids);
}

/** Of one that was told to end before the model was asked; its row says by whom. */
const STOPPED: FormEnd = { untrusted: null, error: "It was stopped." };

const tryToAsk = (ctx: Context, form: OpenForm, signal: AbortSignal): Promise<FormEnd> =>
  untilItWorks(ctx, "ask the model", () => askModel(ctx, form, signal), signal).catch((error: unknown): FormEnd => {
    if (signal.aborted) return STOPPED;
    if (!(error instanceof AppError)) ctx.log.error({ form: form.id, err: error }, "a form ended by a fault");
    return { untrusted: null, error: sentenceOf(error) };
  });

async function askModel(ctx: Context, form: OpenForm, signal: AbortSignal): Promise<FormEnd> {
  const { definition, values, untrusted } = form;
  if (values === null) return { untrusted, error: "What was filled in was erased before it was worked on." };
  const model = await resolveModel(ctx, form.tenantId, definition.model);
  const prompt = formPrompt(definition, values);
  let [problems, people]: [string[], string] = [[], ""];
  let said = "";
  for (let attempt = 0; attempt < 2; attempt++) {
    const content = attempt === 0 ? prompt : `${prompt}\n\n${againPrompt(said, problems)}`;
    const answer = await callModel(ctx, {
      tenantId: form.tenantId,
      roomId: form.roomId,
      agentId: null,
      personId: form.by,
      runId: form.id,
      model,
      system: formSystem(form.tenantTitle),
      messages: [{ role: "user", content }],
      signal,
    });
    await answer.recorded;
    said = answer.text;
    const outcome = outcomeOf(definition.output, said);
    if ("result" in outcome) return { untrusted, ...outcome };
    ({ problems, people } = outcome);
  }
  return { untrusted, error: notFitting(people) };
}

export interface FormRunner {
  /** Starts what a crash left unstarted, and takes up what the engine dropped. */
  sweep(executorId: string): Promise<void>;
  stop(): void;
}

/** Starts forms as they are filled in. Call it when the engine runs. */
export function startFormRunner(
  ctx: Context,
  { wake, workflow }: { wake: Wake; workflow: AnswerWorkflow },
): FormRunner {
  const waiting = new Set<string>();
  const current = new Set<string>();
  let closed = false;
  const takeUpDropped = dropped();

  async function run(id: string): Promise<void> {
    current.add(id);
    try {
      const handle = await DBOS.startWorkflow(workflow, { workflowID: workflowOf(id) })(id);
      await handle.getResult();
    } catch (error) {
      ctx.log.error({ form: id, err: error }, "a form could not be begun; the sweep tries again");
    } finally {
      current.delete(id);
      next();
    }
  }

  function next(): void {
    while (!closed && current.size < AT_ONCE) {
      const [id] = waiting;
      if (id === undefined) return;
      waiting.delete(id);
      void run(id);
    }
  }

  function start(id: string): void {
    if (closed || current.has(id) || isUnderWay(workflowOf(id))) return;
    waiting.add(id);
    next();
  }

  /** Of several processes that hear of it one begins it. */
  async function claim(id: string): Promise<void> {
    try {
      const mine = await ctx.sql`
        update form_runs set state = 'running', started_at = now() where id = ${id} and state = 'queued' and run_id is null returning 1`;
      if (mine.length > 0) start(id);
    } catch (error) {
      ctx.log.warn({ err: error, form: id }, "a form was not begun; the sweep looks again");
    }
  }

  /** One that only waits for its turn here ends without it. */
  function endWaiting(workflowId: string): void {
    const id = formOfWorkflow(workflowId);
    if (id !== null && waiting.delete(id)) void run(id);
  }

  const off = [
    wake.on(CHANNELS.form, (id) => id && void claim(id)),
    wake.on(CHANNELS.stop, (workflowId) => endWaiting(workflowId)),
  ];
  return {
    async sweep(executorId) {
      for (const id of await takeLost(ctx)) start(id);
      await endGivenUpForms(ctx);
      await takeUpDropped(ctx, executorId);
    },
    stop() {
      closed = true;
      for (const end of off) end();
    },
  };
}
