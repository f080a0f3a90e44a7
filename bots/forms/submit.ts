/** A form that is filled in, by whomever and wherever: its row, and the work that begins with it, in one transaction. */
import type { TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { stableId } from "../../core/ids.ts";
import type { FormDefinition } from "../../migrations/types.ts";
import { tellQueued } from "../drain.ts";
import { startRun } from "../start-run.ts";
import { formPrompt } from "./prompt.ts";
import { checkedValues, type Values } from "./values.ts";

export interface Filling {
  tenantId: string;
  formId: string;
  values: Values;
  /** A Matrix user id, or `operator:<name>`: who fills it in, or for whom an agent does. */
  by: string;
  /** The agent that does. */
  askedBy?: string;
  via: "panel" | "link" | "command" | "tool" | "try";
  /** The same cause fills it in once. */
  cause: (string | number)[];
  /** Where the result goes; not set: to who filled it in, or back to the tool call. */
  roomId?: string | null;
  threadRoot?: string | null;
  /** The message that was the command. */
  questionEvent?: string;
  parentCall?: string;
  hops?: number;
  untrusted?: string | null;
}

export interface Filled {
  id: string;
  /** What `tellQueued` takes after the commit. */
  runIds: string[];
}

/** Forms of one person that are under way at once. */
const MOST_OPEN = 20;

/** The same in a transaction of its own. */
export async function fillForm(ctx: Context, filling: Filling): Promise<string> {
  const { id, runIds } = await ctx.sql.begin((sql) => submitForm(sql, filling, ctx.clock.now()));
  tellQueued(ctx, runIds);
  return id;
}

/**
 * Writes it down and begins the work. Throws `FormValuesError` for what does not fit, `not_found`, `conflict` for a form that cannot be filled in now,
 * `forbidden` for a room in which they are not, `too_many`: all of them before anything is written. Nothing happens twice for one cause.
 */
export async function submitForm(sql: TransactionSql, filling: Filling, now: number): Promise<Filled> {
  const { tenantId, formId, via, by, roomId = null } = filling;
  const id = stableId("form", tenantId, ...filling.cause);
  const form = await usableForm(sql, filling);
  const values = checkedValues(form.definition.input, filling.values);
  if (roomId !== null) await checkRoom(sql, form, { tenantId, roomId, by });
  if (via !== "tool") await checkOpen(sql, tenantId, by);
  if (form.definition.agent !== null) await checkAgent(sql, tenantId, form.definition.agent);
  const made = await sql`
    insert into form_runs (id, tenant_id, form_id, version, definition, "values", via, by, room_id, thread_root, question_event, parent_call, hops, untrusted,
      created_at)
    values (${id}, ${tenantId}, ${formId}, ${form.version}, ${via === "try" ? JSON.stringify(form.definition) : null}::text::jsonb,
      ${JSON.stringify(values)}::text::jsonb, ${via}, ${by}, ${roomId}, ${filling.threadRoot ?? null}, ${filling.questionEvent ?? null},
      ${filling.parentCall ?? null}, ${filling.hops ?? 0}, ${filling.untrusted ?? null}, clock_timestamp())
    on conflict do nothing`;
  if (made.count === 0) return { id, runIds: [] };
  await sql`select pg_notify(${CHANNELS.panel}, ${`tools ${tenantId}`})`;
  if (form.definition.agent === null) {
    await sql`select pg_notify(${CHANNELS.form}, ${id})`;
    return { id, runIds: [] };
  }
  return { id, runIds: [await startAgent(sql, filling, { id, definition: form.definition, values, now })] };
}

async function startAgent(
  sql: TransactionSql,
  filling: Filling,
  form: { id: string; definition: FormDefinition; values: Values; now: number },
): Promise<string> {
  const { tenantId, by, roomId, threadRoot, hops, untrusted } = filling;
  const runId = await startRun(sql, {
    kind: "form",
    cause: [form.id],
    tenantId,
    agentId: form.definition.agent ?? "",
    source: "task",
    roomId: roomId ?? `form:${form.id}`,
    threadRoot: threadRoot ?? null,
    text: formPrompt(form.definition, form.values),
    askedBy: filling.askedBy ?? by,
    onBehalfOf: by,
    untrusted: untrusted ?? null,
    hops: hops ?? 0,
    formRunId: form.id,
    now: form.now,
  });
  if (runId === null) throw new Error("an agent whose row is held is there");
  await sql`update form_runs set state = 'running', started_at = now(), run_id = ${runId} where id = ${form.id}`;
  return runId;
}

interface Usable {
  version: number;
  definition: FormDefinition;
}

/** What is published; for a try what is written. */
async function usableForm(sql: TransactionSql, { tenantId, formId, via }: Filling): Promise<Usable> {
  const [row] = await sql<
    { state: string; version: number; definition: FormDefinition; draft: FormDefinition | null }[]
  >`
    select state, version, definition, draft from form_tools where id = ${formId} and tenant_id = ${tenantId} and state <> 'removed'`;
  if (!row) throw new AppError("not_found", "There is no such form.");
  if (via === "try") return { version: row.version, definition: row.draft ?? row.definition };
  if (row.state === "draft") throw new AppError("not_found", "There is no such form.");
  if (row.state === "paused")
    throw new AppError(
      "conflict",
      `“${row.definition.title}” is paused, so it cannot be filled in. A manager can resume it.`,
    );
  return row;
}

/** The result goes to a room only for somebody who is in it, and who does the work must be there to be seen doing it. */
async function checkRoom(
  sql: TransactionSql,
  { definition }: Usable,
  place: { tenantId: string; roomId: string; by: string },
): Promise<void> {
  const { tenantId, roomId, by } = place;
  const [row] = await sql<{ joined: boolean; archived: boolean; agent: string | null; agentJoined: boolean }[]>`
    select archived_at is not null as archived,
      exists (select from room_members m where m.tenant_id = r.tenant_id and m.room_id = r.room_id and m.user_id = ${by} and m.membership = 'join') as joined,
      (select name from agents where id = ${definition.agent}) as agent,
      exists (select from room_members m join agents a on a.tenant_id = m.tenant_id and a.user_id = m.user_id where m.tenant_id = r.tenant_id
        and m.room_id = r.room_id and m.membership = 'join' and a.id = ${definition.agent}) as "agentJoined"
    from rooms r where r.tenant_id = ${tenantId} and r.room_id = ${roomId} and r.kind <> 'space'`;
  if (!row?.joined)
    throw new AppError(
      "forbidden",
      "The result can only go to a room that you are in. Leave the room out to get it here.",
    );
  if (row.archived) throw new AppError("conflict", "This room is archived, so nothing is said there any more.");
  if (definition.agent !== null && !row.agentJoined)
    throw new AppError(
      "conflict",
      `${row.agent ?? "The agent"} does this form and is not in this room. Invite it there first.`,
    );
}

/** Held until the run is written, so that it cannot be paused in between. */
async function checkAgent(sql: TransactionSql, tenantId: string, agentId: string): Promise<void> {
  const active =
    await sql`select 1 from agents where id = ${agentId} and tenant_id = ${tenantId} and state = 'active' for share`;
  if (active.length === 0)
    throw new AppError(
      "conflict",
      "The agent that does this form is paused or gone. A manager can resume it or choose another one.",
    );
}

async function checkOpen(sql: TransactionSql, tenantId: string, by: string): Promise<void> {
  const [row] = await sql<{ open: number }[]>`
    select count(*)::int as open from form_runs where tenant_id = ${tenantId} and by = ${by} and state in ('queued', 'running')`;
  if ((row?.open ?? 0) >= MOST_OPEN)
    throw new AppError(
      "too_many",
      `${MOST_OPEN} forms of yours are being worked on. Wait until some of them are done.`,
    );
}
