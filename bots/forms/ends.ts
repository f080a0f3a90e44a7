/** The end of a form that was filled in: checked, kept, and given to the room, the tool call or the page that waits for it. Everything in one transaction. */
import type { TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../../core/context.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import { madeEventId } from "../made-events.ts";
import { nameIn } from "../person-name.ts";
import { agentSpeaker } from "../speaker.ts";
import { startRun } from "../start-run.ts";
import { finishCall } from "../tools/calls.ts";
import { takeUp } from "../waiting.ts";
import { writeAction } from "../write-decision.ts";
import { againPrompt, formPrompt } from "./prompt.ts";
import { outcomeOf, readable } from "./result.ts";
import type { Values } from "./values.ts";

/** A form under way, with what its definition said when it was filled in. */
export interface OpenForm {
  id: string;
  tenantId: string;
  tenantTitle: string;
  definition: FormDefinition;
  /** Null once erased. */
  values: Values | null;
  via: string;
  by: string;
  roomId: string | null;
  threadRoot: string | null;
  questionEvent: string | null;
  parentCall: string | null;
  hops: number;
  untrusted: string | null;
  /** It was told to end, by whom. */
  stopReason: string | null;
  stoppedBy: string | null;
}

/** `tokens`: what an agent's run took; a model's calls stand in the ledger under the form itself. `stopped`: it was ended by somebody. */
export type FormEnd = { untrusted: string | null; tokens?: number } & (
  | { result: string }
  | { error: string; stopped?: boolean }
);

/** Holds the row of one that is under way; null when it has ended. */
export async function lockOpenForm(sql: TransactionSql | Context["sql"], id: string): Promise<OpenForm | null> {
  const [row] = await sql<OpenForm[]>`
    select f.id, f.tenant_id as "tenantId", t.title as "tenantTitle", coalesce(f.definition, v.definition) as definition, f."values", f.via, f.by,
      f.room_id as "roomId", f.thread_root as "threadRoot", f.question_event as "questionEvent", f.parent_call as "parentCall", f.hops, f.untrusted,
      f.stop_reason as "stopReason", f.stopped_by as "stoppedBy"
    from form_runs f join tenants t on t.id = f.tenant_id left join form_versions v on v.form_id = f.form_id and v.version = f.version
    where f.id = ${id} and f.state in ('queued', 'running') for update of f`;
  return row ?? null;
}

/** Ends it. Returns what `tellQueued` takes after the commit. */
export async function endForm(sql: TransactionSql, form: OpenForm, end: FormEnd): Promise<string[]> {
  const { id, definition, parentCall } = form;
  const untrusted = end.untrusted ?? form.untrusted;
  const { state, result, error } = await outcome(sql, form, end);
  const asked = sql`(select coalesce(sum(input_tokens + output_tokens), 0) from ledger where run_id = ${id})`;
  const [row] = await sql<{ tokens: number }[]>`
    update form_runs set state = ${state}, result = case when "values" is null then null else ${result} end, error = ${error},
      untrusted = ${untrusted}, tokens = tokens + ${end.tokens ?? 0} + ${asked}, finished_at = now() where id = ${id} returning tokens`;
  await sql`select pg_notify(${CHANNELS.panel}, ${`tools ${form.tenantId}`})`;
  if (form.roomId !== null && form.values !== null && parentCall === null)
    await sayResult(
      sql,
      { ...form, roomId: form.roomId, untrusted },
      result === null ? null : readable(definition.output, result),
      error,
    );
  if (parentCall === null) return [];
  const parent = await finishCall(sql, parentCall, {
    state: state === "done" ? "done" : "failed",
    result: result ?? `“${definition.title}” was not finished. ${error}`,
    untrusted,
    tokens: row?.tokens ?? 0,
  });
  return parent ? await takeUp(sql, parent) : [];
}

/** What came first: one that was told to end has not come to its result. */
async function outcome(sql: TransactionSql, form: OpenForm, end: FormEnd) {
  if (form.stopReason !== null) return { state: "stopped", result: null, error: await whoStopped(sql, form) } as const;
  if ("result" in end) return { state: "done", result: end.result, error: null } as const;
  return { state: end.stopped ? "stopped" : "failed", result: null, error: end.error } as const;
}

async function whoStopped(sql: TransactionSql, { tenantId, stopReason, stoppedBy }: OpenForm): Promise<string> {
  if (stopReason === "redacted") return "It was stopped, because the message that led to it was removed.";
  if (stoppedBy === null) return "It was stopped.";
  const [row] = await sql<{ name: string | null }[]>`
    select display_name as name from people where tenant_id = ${tenantId} and user_id = ${stoppedBy}`;
  return `It was stopped by ${row?.name ?? nameIn(stoppedBy)}.`;
}

/** As the form's agent where it may speak, else as the control bot; in a room where neither is the result stays where forms are kept. */
async function sayResult(
  sql: TransactionSql,
  form: OpenForm & { roomId: string },
  text: string | null,
  error: string | null,
): Promise<void> {
  const { id, tenantId, roomId, definition, by } = form;
  const as = await agentSpeaker(sql, { tenantId, roomId, agentId: definition.agent });
  if (as === null) return;
  const place = {
    ...(form.threadRoot ? { threadRoot: form.threadRoot } : {}),
    ...(form.questionEvent ? { replyTo: form.questionEvent } : {}),
  };
  const name = by.startsWith("@") ? (by.slice(1).split(":")[0] ?? by) : by.replace("operator:", "");
  if (text === null) {
    const words = `“${definition.title}”, filled in by ${name}, was not finished. ${error}`;
    return await writeAction(sql, form, ["form", id], { kind: "notice", as, text: words, ...place });
  }
  // A reply shows what was asked; elsewhere it is said.
  const heading = form.questionEvent ? "" : `**${definition.title}**, filled in by ${name}:\n\n`;
  const mentions = by.startsWith("@") ? { mentions: [by] } : {};
  const mark = form.untrusted ? { untrusted: form.untrusted } : {};
  await writeAction(sql, form, ["form", id], {
    kind: "message",
    as,
    text: heading + text,
    ...place,
    ...mentions,
    ...mark,
  });
}

interface EndedRun {
  formRunId: string | null;
  questionEvent: string;
  tenantId: string;
  agentId: string;
  agentName: string;
  state: string;
  output: string | null;
  error: string | null;
  untrusted: string | null;
  tokens: number;
}

/** An agent's run has ended: so has the form that it worked on, unless its answer does not fit and it is asked once more. Twice is harmless. */
export async function endFormRun(ctx: Context, sql: TransactionSql, runId: string): Promise<string[]> {
  const [run] = await sql<EndedRun[]>`
    select r.form_run_id as "formRunId", r.question_event as "questionEvent", r.tenant_id as "tenantId", r.agent_id as "agentId", a.name as "agentName",
      r.state, s.output, r.error, r.untrusted, coalesce((select sum(input_tokens + output_tokens) from ledger where run_id = r.id), 0)::float8 as tokens
    from runs r join agents a on a.id = r.agent_id left join steps s on s.run_id = r.id and s.position = 0
      join form_runs f on f.id = r.form_run_id and f.run_id = r.id
    where r.id = ${runId} and r.state not in ('queued', 'running', 'waiting')`;
  const form = run?.formRunId ? await lockOpenForm(sql, run.formRunId) : null;
  if (!run || !form) return [];
  const cost = { untrusted: run.untrusted, tokens: run.tokens };
  if (run.state !== "done" || run.output === null)
    return await endForm(sql, form, { ...cost, error: whyNot(run), stopped: run.state === "stopped" });
  const found = outcomeOf(form.definition.output, run.output);
  if ("result" in found) return await endForm(sql, form, { ...cost, ...found });
  const again = await askAgain(ctx, sql, form, { run, problems: found.problems });
  return again ?? (await endForm(sql, form, { ...cost, error: notFitting(found.people) }));
}

const whyNot = ({ state, agentName, error }: EndedRun) =>
  error ?? (state === "stopped" ? `${agentName} was stopped.` : `${agentName} did not get to the end of it.`);

/** `why`: of the second answer. */
export const notFitting = (why: string): string =>
  `The answer was twice not what the form promises. ${why} A manager can change its prompt or its result.`;

/** One more run, told what was wrong; null when this was it, or when there is nothing to ask by any more. */
async function askAgain(
  ctx: Context,
  sql: TransactionSql,
  form: OpenForm,
  { run, problems }: { run: EndedRun; problems: string[] },
): Promise<string[] | null> {
  if (form.values === null || run.questionEvent === madeEventId("form", form.id, 2)) return null;
  const text = `${formPrompt(form.definition, form.values)}\n\n${againPrompt(run.output ?? "", problems)}`;
  const runId = await startRun(sql, {
    kind: "form",
    cause: [form.id, 2],
    tenantId: form.tenantId,
    agentId: run.agentId,
    source: "task",
    roomId: form.roomId ?? `form:${form.id}`,
    threadRoot: form.threadRoot,
    text,
    askedBy: form.by,
    onBehalfOf: form.by,
    untrusted: run.untrusted,
    hops: form.hops,
    formRunId: form.id,
    now: ctx.clock.now(),
  });
  if (runId === null) return null;
  await sql`update form_runs set run_id = ${runId}, tokens = tokens + ${run.tokens}, untrusted = coalesce(untrusted, ${run.untrusted}) where id = ${form.id}`;
  return [runId];
}
