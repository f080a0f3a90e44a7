/** The chat beside the form in which an agent is made: the same way of a run as in rooms, with the definition that the form holds. */
import type { TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../core/context.ts";
import { AppError } from "../core/errors.ts";
import { newId } from "../core/ids.ts";
import type { AgentDefinition } from "../migrations/types.ts";
import { approvalsIn, type ListedApproval } from "./approvals/list.ts";
import { tellQueued } from "./drain.ts";
import { answerIdOf, runIdOf } from "./run-ids.ts";
import { stopRun } from "./runs.ts";
import { labelsOf } from "./tools/labels.ts";
import { listTools } from "./tools/sources.ts";
import type { Tool } from "./tools/tool.ts";
import { tryRoom } from "./try-outlet.ts";

const MAX_TEXT = 20_000;

interface TryChat {
  id: string;
  tenantId: string;
  agentId: string;
  openedBy: string;
}

/** One question of a chat with its answer, as far as it is written. */
export interface TryState {
  run: string;
  question: string;
  state: "queued" | "running" | "waiting" | "done" | "stopped" | "superseded" | "failed";
  text: string;
  error: string | null;
  /** What it asks of who tries it, before it goes on. */
  approvals: TryApproval[];
}

/** With the exact arguments: whoever decides must see them. */
export interface TryApproval
  extends Pick<ListedApproval, "id" | "kind" | "tool" | "sentence" | "why" | "arguments" | "mayDecide" | "expiresAt"> {
  /** What people call the arguments. */
  labels: Record<string, string>;
}

/** Opens a chat with an agent, a draft perhaps. `by`: a person's user id, or `operator:<name>`. Throws `not_found` for an agent that is gone. */
export async function openTry(
  ctx: Context,
  { tenantId, agentId, by }: { tenantId: string; agentId: string; by: string },
): Promise<{ id: string }> {
  const id = newId();
  const rows = await ctx.sql`
    insert into try_chats (id, tenant_id, agent_id, opened_by)
    select ${id}, tenant_id, id, ${by} from agents
    where id = ${agentId} and tenant_id = ${tenantId} and state not in ('removing', 'removed') returning id`;
  if (rows.length === 0) throw gone();
  return { id };
}

/**
 * Asks in the chat. `definition` has been checked; the run keeps it as it is now. Throws `not_found` for a chat that is not theirs, `conflict`
 * while the agent is answering, `invalid` for a text that is too long or empty.
 */
export async function askTry(
  ctx: Context,
  question: { tenantId: string; chatId: string; text: string; definition: AgentDefinition; by: string },
): Promise<{ run: string }> {
  const text = question.text.trim();
  if (text === "") throw new AppError("invalid", "Write something for the agent to answer.");
  if (text.length > MAX_TEXT) throw new AppError("invalid", `This is too long to try: at most ${MAX_TEXT} characters.`);
  const run = await ctx.sql.begin(async (sql) => {
    const chat = await lockChat(sql, question);
    return await writeQuestion(sql, chat, { ...question, text, now: ctx.clock.now() });
  });
  tellQueued(ctx, [run]);
  return { run };
}

/** The chat's questions and answers, oldest first: the newest 50. Throws `not_found` for a chat that is not theirs. */
export async function readTry(
  ctx: Context,
  { tenantId, chatId, by }: { tenantId: string; chatId: string; by: string },
): Promise<TryState[]> {
  const chats = await ctx.sql`
    select 1 from try_chats where id = ${chatId} and tenant_id = ${tenantId} and opened_by = ${by}`;
  if (chats.length === 0) throw noChat();
  const rows = await ctx.sql<Omit<TryState, "approvals">[]>`
    select r.id as run, coalesce(q.content->>'body', '') as question, r.state, coalesce(s.output, '') as text, r.error
    from runs r left join steps s on s.run_id = r.id and s.position = 0
      left join inbox q on q.tenant_id = r.tenant_id and q.event_id = r.question_event
    where r.tenant_id = ${tenantId} and r.room_id = ${tryRoom(chatId)} and r.asked_by = ${by}
    order by r.created_at desc limit 50`;
  // One question at a time is answered in a chat, so what is asked there belongs to it.
  const waits = rows.some(({ state }) => state === "waiting");
  const place = { tenantId, roomId: tryRoom(chatId) };
  const asked = waits ? await approvalsIn(ctx, place, { by, reads: true, decides: true }) : [];
  const names = asked.map(({ tool }) => tool);
  const tools = names.length > 0 ? await listTools(ctx, tenantId, names) : new Map<string, Tool>();
  const approvals = asked.map((one) => tryApproval(one, labelsOf(tools.get(one.tool))));
  return rows.toReversed().map((row) => ({ ...row, approvals: row.state === "waiting" ? approvals : [] }));
}

const tryApproval = (
  { id, kind, tool, sentence, why, arguments: args, mayDecide, expiresAt }: ListedApproval,
  labels: Record<string, string>,
): TryApproval => ({
  id,
  kind,
  tool,
  sentence,
  why,
  arguments: args,
  labels,
  mayDecide,
  expiresAt,
});

/** Ends what the agent is answering, with what it has written so far. False when it was not answering. */
export async function stopTry(
  ctx: Context,
  { tenantId, chatId, by }: { tenantId: string; chatId: string; by: string },
): Promise<boolean> {
  const open = (await readTry(ctx, { tenantId, chatId, by })).find(({ state }) => isOpen(state));
  return open ? await stopRun(ctx, open.run, "operator", by) : false;
}

export const isOpen = (state: TryState["state"]): boolean =>
  state === "queued" || state === "running" || state === "waiting";

/** The row is the lock: of two questions that are sent at once the second sees the first. */
async function lockChat(
  sql: TransactionSql,
  { tenantId, chatId, by }: { tenantId: string; chatId: string; by: string },
): Promise<TryChat & { version: number }> {
  const [chat] = await sql<(TryChat & { agentState: string; version: number })[]>`
    select c.id, c.tenant_id as "tenantId", c.agent_id as "agentId", c.opened_by as "openedBy", a.state as "agentState", a.version
    from try_chats c join agents a on a.id = c.agent_id
    where c.id = ${chatId} and c.tenant_id = ${tenantId} and c.opened_by = ${by} for update of c`;
  if (!chat) throw noChat();
  if (chat.agentState === "removing" || chat.agentState === "removed") throw gone();
  const open = await sql`
    select 1 from runs where tenant_id = ${tenantId} and room_id = ${tryRoom(chatId)} and state in ('queued', 'running', 'waiting') limit 1`;
  if (open.length > 0)
    throw new AppError("conflict", "The agent is still answering. Wait for its answer, or stop it first.");
  return chat;
}

async function writeQuestion(
  sql: TransactionSql,
  chat: TryChat & { version: number },
  asked: { text: string; definition: AgentDefinition; by: string; now: number },
): Promise<string> {
  const { tenantId, agentId } = chat;
  const roomId = tryRoom(chat.id);
  const eventId = `$try-${newId()}`;
  const start = { questionEvent: eventId, triggerEvent: eventId, agentId, again: 0 };
  const [run, answer] = [runIdOf(tenantId, start), answerIdOf(tenantId, start)];
  const content = { msgtype: "m.text", body: asked.text };
  await sql`
    insert into inbox (tenant_id, event_id, room_id, sender, type, ts, content, routed_at, outcome)
    values (${tenantId}, ${eventId}, ${roomId}, ${asked.by}, 'm.room.message', ${asked.now}, ${sql.json(content)}, now(), 'try')`;
  await sql`
    insert into answers (id, tenant_id, room_id, agent_id, question_event, current_run_id)
    values (${answer}, ${tenantId}, ${roomId}, ${agentId}, ${eventId}, ${run})`;
  await sql`
    insert into runs (id, tenant_id, agent_id, agent_version, source, definition, answer_id, room_id, question_event, trigger_event,
      asked_by, created_at)
    values (${run}, ${tenantId}, ${agentId}, ${chat.version}, 'try', ${sql.json(asked.definition as never)}, ${answer}, ${roomId},
      ${eventId}, ${eventId}, ${asked.by}, clock_timestamp())`;
  await sql`select pg_notify(${CHANNELS.run}, ${run}), pg_notify(${CHANNELS.try}, ${chat.id})`;
  return run;
}

const gone = () => new AppError("not_found", "There is no such agent any more, so it cannot be tried.");
const noChat = () => new AppError("not_found", "This chat is over. Open a new one to try the agent.");
