/** Forms that a model does without an agent: a durable workflow of their own, one step, ended in one transaction. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { CHANNELS, type Context } from "../../core/context.ts";
import { AppError, sentenceOf } from "../../core/errors.ts";
import type { Wake } from "../../core/wake.ts";
import { callModel } from "../call.ts";
import { tellQueued } from "../drain.ts";
import { resolveModel } from "../models.ts";
import { forgetSignal, isUnderWay, signalOf } from "../signals.ts";
import { untilItWorks } from "../work.ts";
import { type AnswerWorkflow, registerAnswer } from "../workflow.ts";
import { endForm, type FormEnd, lockOpenForm, notFitting, type OpenForm } from "./ends.ts";
import { againPrompt, formPrompt, formSystem } from "./prompt.ts";
import { outcomeOf } from "./result.ts";

/** Forms at once in one process; more wait in order. */
const AT_ONCE = 16;

/** Its workflow's id, which is also under what it can be told to end with the process. */
const workflowOf = (formRunId: string) => `form-${formRunId}`;

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
  const end = await untilItWorks(ctx, "ask the model", () => askModel(ctx, form, signal), signal).catch(
    (error: unknown): FormEnd => {
      if (!signal.aborted && !(error instanceof AppError))
        ctx.log.error({ form: id, err: error }, "a form ended by a fault");
      return { untrusted: null, tokens: 0, error: sentenceOf(error) };
    },
  );
  // The process is ending: the step must neither succeed nor fail, so that the next start takes it up again.
  if (signal.aborted) return await new Promise<never>(() => undefined);
  const ids = await untilItWorks(ctx, "end a form", () =>
    ctx.sql.begin(async (sql) => {
      const open = await lockOpenForm(sql, id);
      return open ? await endForm(sql, open, end) : [];
    }),
  );
  tellQueued(ctx, ids);
}

async function askModel(ctx: Context, form: OpenForm, signal: AbortSignal): Promise<FormEnd> {
  const { definition, values, untrusted } = form;
  if (values === null) return { untrusted, tokens: 0, error: "What was filled in was erased before it was worked on." };
  const model = await resolveModel(ctx, form.tenantId, definition.model);
  const prompt = formPrompt(definition, values);
  let tokens = 0;
  let problems: string[] = [];
  let said = "";
  for (let attempt = 0; attempt < 2; attempt++) {
    const content = attempt === 0 ? prompt : `${prompt}\n\n${againPrompt(said, problems)}`;
    const answer = await callModel(ctx, {
      tenantId: form.tenantId,
      roomId: form.roomId,
      agentId: null,
      personId: form.by,
      runId: null,
      model,
      system: formSystem(form.tenantTitle),
      messages: [{ role: "user", content }],
      signal,
    });
    await answer.recorded;
    tokens += answer.usage.inputTokens + answer.usage.outputTokens;
    said = answer.text;
    const outcome = outcomeOf(definition.output, said);
    if ("result" in outcome) return { untrusted, tokens, ...outcome };
    problems = outcome.problems;
  }
  return { untrusted, tokens, error: notFitting(problems) };
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
  let suspects = new Set<string>();

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

  const off = wake.on(CHANNELS.form, (id) => id && void claim(id));
  return {
    async sweep(executorId) {
      for (const id of await lostForms(ctx)) start(id);
      await failBroken(ctx);
      const idle = (await openHere(ctx, executorId)).filter((id) => !isUnderWay(workflowOf(id)));
      const dropped = idle.filter((id) => suspects.has(id));
      suspects = new Set(idle);
      if (dropped.length > 0) await DBOS.resumeWorkflows(dropped.map(workflowOf));
    },
    stop() {
      closed = true;
      off();
    },
  };
}

async function lostForms({ sql }: Context): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    update form_runs f set state = 'running', started_at = coalesce(started_at, now())
    where state in ('queued', 'running') and run_id is null and created_at < now() - interval '2 seconds'
      and not exists (select from dbos.workflow_status w where w.workflow_uuid = 'form-' || f.id) returning id`;
  return rows.map(({ id }) => id);
}

/** Ours and open, but perhaps worked on by nobody: the engine drops a workflow whose database is away for long. */
async function openHere({ sql }: Context, executorId: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select f.id from form_runs f join dbos.workflow_status w on w.workflow_uuid = 'form-' || f.id
    where f.state = 'running' and f.run_id is null and w.status = 'PENDING' and w.executor_id = ${executorId}
      and f.created_at < now() - interval '10 seconds'`;
  return rows.map(({ id }) => id);
}

/** The workflow ended, the form did not: a fault that must not leave people waiting. */
async function failBroken(ctx: Context): Promise<void> {
  const rows = await ctx.sql<{ id: string }[]>`
    select f.id from form_runs f join dbos.workflow_status w on w.workflow_uuid = 'form-' || f.id
    where f.state = 'running' and f.run_id is null and w.status not in ('PENDING', 'ENQUEUED', 'DELAYED') and f.created_at < now() - interval '1 minute'`;
  for (const { id } of rows) {
    ctx.log.error({ form: id }, "a form was left open by the engine");
    const error = "It ended inside the workflow engine; the log of the platform says why.";
    const ids = await ctx.sql.begin(async (sql) => {
      const form = await lockOpenForm(sql, id);
      return form ? await endForm(sql, form, { untrusted: null, tokens: 0, error }) : [];
    });
    tellQueued(ctx, ids);
  }
}
