/** Questions to people become rows: the room shows them, and the platform may be down until somebody decides. */
import type { TransactionSql } from "postgres";
import { CHANNELS, type Context } from "../../core/context.ts";
import { stableId } from "../../core/ids.ts";
import { renderMarkdown } from "../markdown.ts";
import type { CallRow } from "../tools/calls.ts";
import type { Verdict } from "../tools/decide.ts";
import { schemaHash } from "../tools/hashes.ts";
import { USUAL_APPROVAL_MINUTES } from "../tools/settings.ts";
import type { Tool, ToolRun } from "../tools/tool.ts";
import type { Work } from "../work.ts";
import { writeAction } from "../write-decision.ts";
import { argumentsText } from "./arguments.ts";
import { asItIs, MAX_ARGUMENTS, quoted } from "./text.ts";

const MAX_SENTENCE = 1000;
/** Of arguments, as text and as HTML: an event has 64 KB with everything else in it. */
const MAX_SHOWN_BYTES = 46_000;

/**
 * Asks whether a call may be made: its row waits from now on. A sentence when it cannot be asked. In a chat of one person and the agent that person decides, in
 * rooms whoever has the level.
 */
export async function askApproval(
  ctx: Context,
  asked: { work: Work; direct: boolean; call: CallRow; tool: Tool; verdict: Extract<Verdict, { kind: "ask" }> },
): Promise<string | null> {
  const { work, direct, call, tool, verdict } = asked;
  const args = call.arguments ?? {};
  if (!canBeShown(args))
    return `This is too long for a person to look through: the arguments of what is approved have at most ${MAX_ARGUMENTS} characters. Do it in smaller parts.`;
  const only = direct || !work.roomId.startsWith("!") ? (work.onBehalfOf ?? work.askedBy) : null;
  await ctx.sql.begin(async (sql) => {
    await sql`update tool_calls set state = 'waiting', reason = ${verdict.why} where id = ${call.id} and state = 'proposed'`;
    await insertApproval(ctx, sql, {
      run: {
        id: work.runId,
        tenantId: work.tenantId,
        agentId: work.agentId,
        roomId: work.roomId,
        threadRoot: work.threadRoot,
      },
      callId: call.id,
      kind: "tool",
      tool,
      argumentsHash: call.argumentsHash,
      sentence: tool.sentence(args),
      level: only === null ? verdict.level : null,
      onlyPerson: only,
      grantable: verdict.grantable && work.roomId.startsWith("!"),
      minutes: null,
    });
  });
  return null;
}

/**
 * Asks a person something; their answer becomes the result of the call. Twice is once. For tools: return `{ waiting: true }` after it.
 * `minutes`: how long it waits.
 */
export async function askInput(
  ctx: Context,
  call: ToolRun & { run: NonNullable<ToolRun["run"]> },
  tool: Tool,
  question: { text: string; person: string; argumentsHash: string; minutes: number },
): Promise<void> {
  await ctx.sql.begin((sql) =>
    insertApproval(ctx, sql, {
      run: {
        id: call.run.id,
        tenantId: call.tenantId,
        agentId: call.agent.id,
        roomId: call.roomId ?? "",
        threadRoot: call.threadRoot,
      },
      callId: call.callId,
      kind: "input",
      tool,
      argumentsHash: question.argumentsHash,
      sentence: question.text,
      level: null,
      onlyPerson: question.person,
      grantable: false,
      minutes: question.minutes,
    }),
  );
}

/** Whole, in one message. */
function canBeShown(args: Record<string, unknown>): boolean {
  if (JSON.stringify(args).length > MAX_ARGUMENTS) return false;
  const body = argumentsText(args, asItIs);
  const { html = "" } = renderMarkdown(argumentsText(args, quoted));
  return Buffer.byteLength(JSON.stringify([body, html])) <= MAX_SHOWN_BYTES;
}

interface NewApproval {
  run: { id: string; tenantId: string; agentId: string; roomId: string; threadRoot: string | null };
  callId: string;
  kind: "tool" | "input";
  tool: Tool;
  argumentsHash: string;
  sentence: string;
  level: number | null;
  onlyPerson: string | null;
  grantable: boolean;
  /** Null: as the client has it. */
  minutes: number | null;
}

async function insertApproval(ctx: Context, sql: TransactionSql, wish: NewApproval): Promise<void> {
  const { run, tool, kind } = wish;
  const id = stableId("approval", wish.callId);
  const minutes = sql`coalesce(${wish.minutes}, (select approval_minutes from tool_settings where tenant_id = ${run.tenantId}), ${USUAL_APPROVAL_MINUTES})`;
  const made = await sql`
    insert into approvals (id, tenant_id, run_id, call_id, agent_id, room_id, thread_root, kind, tool, sentence, arguments_hash, schema_hash,
      level, only_person, grantable, expires_at)
    values (${id}, ${run.tenantId}, ${run.id}, ${wish.callId}, ${run.agentId}, ${run.roomId}, ${run.threadRoot}, ${kind}, ${tool.name},
      ${wish.sentence.slice(0, kind === "input" ? 4000 : MAX_SENTENCE)}, ${wish.argumentsHash}, ${schemaHash(tool)}, ${wish.level},
      ${wish.onlyPerson}, ${wish.grantable}, ${new Date(ctx.clock.now())}::timestamptz + ${minutes} * interval '1 minute') on conflict do nothing`;
  if (made.count === 0) return;
  if (run.roomId.startsWith("!")) await showApproval(sql, { id, tenantId: run.tenantId, roomId: run.roomId }, "open");
  await sql`select pg_notify(${CHANNELS.panel}, ${`approvals ${run.tenantId}`})`;
  if (run.roomId.startsWith("try:")) await sql`select pg_notify(${CHANNELS.try}, ${run.roomId.slice("try:".length)})`;
}

/** Puts it into its room, or says there what became of it, soon. */
export const showApproval = (
  sql: TransactionSql,
  { id, tenantId, roomId }: { id: string; tenantId: string; roomId: string },
  state: string,
): Promise<void> =>
  writeAction(sql, { tenantId, roomId }, ["approval", id, state], { kind: "approval", approvalId: id });

/** What exactly was approved for this call; null: nothing was. */
export async function readApproved(
  { sql }: Context,
  callId: string,
): Promise<{ argumentsHash: string; schemaHash: string } | null> {
  const [row] = await sql<{ argumentsHash: string; schemaHash: string }[]>`
    select arguments_hash as "argumentsHash", schema_hash as "schemaHash" from approvals where call_id = ${callId} and state = 'approved'`;
  return row ?? null;
}
