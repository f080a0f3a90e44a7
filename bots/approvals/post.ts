/** The message of an approval in its room: put there once, and edited to what became of it. Done by whoever does the actions; twice is harmless. */
import type { Context } from "../../core/context.ts";
import { AppError } from "../../core/errors.ts";
import { redactEvent, sendEvent } from "../../homeserver/matrix.ts";
import { renderMarkdown } from "../markdown.ts";
import { nameIn } from "../person-name.ts";
import { speakersIn } from "../speaker.ts";
import { alwaysLets } from "../tools/always.ts";
import { listTools } from "../tools/sources.ts";
import { writeAction } from "../write-decision.ts";
import { type ApprovalText, asItIs, decidedText, questionText, quoted } from "./text.ts";

interface Row {
  id: string;
  tenantId: string;
  roomId: string;
  threadRoot: string | null;
  questionEvent: string;
  agentName: string;
  agentUserId: string;
  deviceId: string;
  kind: "tool" | "input";
  sentence: string | null;
  why: string | null;
  args: Record<string, unknown> | null;
  level: number | null;
  onlyPerson: string | null;
  onlyName: string | null;
  tool: string;
  grantable: boolean;
  eventId: string | null;
  state: "open" | "approved" | "declined" | "answered" | "expired" | "withdrawn";
  decidedBy: string | null;
  decidedName: string | null;
  /** Who ended the run before that; null where nobody did it on purpose. */
  stoppedBy: string | null;
  stoppedName: string | null;
  always: boolean;
  answer: string | null;
  shown: string | null;
  expiresAt: number;
  person: string | null;
  untrusted: string | null;
}

/** Makes the room say what the row says. */
export async function bringApproval(ctx: Context, approvalId: string): Promise<void> {
  const row = await readRow(ctx, approvalId);
  if (!row || row.shown === row.state) return;
  if (row.sentence === null) return await takeAway(ctx, row);
  // One that was ended before it was ever shown need not be.
  if (row.eventId === null && row.state === "withdrawn") return;
  const eventId = row.eventId ?? (await post(ctx, row));
  if (row.state !== "open")
    await edit(ctx, row, eventId).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== "homeserver_refused") throw error;
      return sayItIsOver(ctx, row, eventId);
    });
  await ctx.sql`update approvals set shown = ${row.state} where id = ${row.id}`;
}

/** What it was about was erased: then nothing of it stands in the room either, once it is over. */
async function takeAway(ctx: Context, { id, tenantId, roomId, agentUserId: as, eventId, state }: Row): Promise<void> {
  if (state === "open") return;
  const reason = "The message that led to this question was removed.";
  if (eventId !== null) await redactEvent(ctx, { tenantId, as, roomId, eventId, txnId: `approval-${id}-gone`, reason });
  await ctx.sql`update approvals set shown = ${state} where id = ${id}`;
}

async function readRow({ sql }: Context, id: string): Promise<Row | null> {
  const name = (column: ReturnType<Context["sql"]>) => sql`
    coalesce((select display_name from room_members m where m.tenant_id = a.tenant_id and m.room_id = a.room_id and m.user_id = ${column}),
      (select display_name from people p where p.tenant_id = a.tenant_id and p.user_id = ${column}))`;
  const [row] = await sql<Row[]>`
    select a.id, a.tenant_id as "tenantId", a.room_id as "roomId", a.thread_root as "threadRoot", r.question_event as "questionEvent",
      g.name as "agentName", g.user_id as "agentUserId", g.device_id as "deviceId", a.kind, a.tool, a.sentence, c.reason as why, c.arguments as args,
      a.level, a.only_person as "onlyPerson", ${name(sql`a.only_person`)} as "onlyName", a.grantable, a.event_id as "eventId", a.state,
      a.decided_by as "decidedBy", ${name(sql`a.decided_by`)} as "decidedName", a.answer, a.shown,
      case when r.stop_reason in ('command', 'reaction', 'operator') then r.stopped_by end as "stoppedBy",
      ${name(sql`r.stopped_by`)} as "stoppedName",
      exists (select from grants t where t.agent_id = a.agent_id and t.room_id = a.room_id and t.tool = a.tool and t.revoked_at is null
        and t.created_at >= a.created_at and t.granted_by = a.decided_by) as always,
      extract(epoch from a.expires_at)::float8 * 1000 as "expiresAt", r.on_behalf_of as person, r.untrusted
    from approvals a join runs r on r.id = a.run_id join agents g on g.id = a.agent_id join tool_calls c on c.id = a.call_id
    where a.id = ${id}`;
  return row ?? null;
}

/** The reactions that decide, with a short name each for its transaction. */
const REACTIONS = { "✅": "yes", "❌": "no", "♾️": "always" };

/** With the reactions that people may want, so that a tap is enough; the agent's own decide nothing. */
async function post(ctx: Context, row: Row): Promise<string> {
  const asked = await textOf(ctx, row);
  const eventId = await send(ctx, row, `approval-${row.id}`, {
    ...message((quote) => questionText(asked, quote)),
    ...relation(row),
    "m.mentions": mentions(row),
    ...marks(row),
  });
  await ctx.sql`update approvals set event_id = ${eventId} where id = ${row.id}`;
  if (row.kind !== "tool" || row.state !== "open") return eventId;
  for (const [key, name] of Object.entries(REACTIONS)) {
    if (name === "always" && !row.grantable) continue;
    const content = { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key } };
    const { tenantId, agentUserId: as, deviceId, roomId } = row;
    const txnId = `approval-${row.id}-${name}`;
    await sendEvent(ctx, { tenantId, as, deviceId, roomId, txnId, type: "m.reaction", content });
  }
  return eventId;
}

/** Which question it is; and whoever reads it in the room is told that it may hold what nobody vouches for. */
const marks = ({ id, untrusted }: Row) => ({
  "dev.agentopia.approval": { id },
  ...(untrusted === null ? {} : { "dev.agentopia.untrusted": untrusted }),
});

async function edit(ctx: Context, row: Row, eventId: string): Promise<void> {
  if (row.state === "open") return;
  const [by, name] = row.state === "withdrawn" ? [row.stoppedBy, row.stoppedName] : [row.decidedBy, row.decidedName];
  const decided = {
    state: row.state,
    by: by === null ? null : (name ?? nameIn(by)),
    answer: row.answer,
    always: row.always,
  };
  const asked = await textOf(ctx, row);
  const content = message((quote) => decidedText(asked, decided, quote));
  // What clients without edits show is short: an event has 64 KB, and the arguments stand in it twice already.
  await send(ctx, row, `approval-${row.id}-${row.state}`, {
    msgtype: content.msgtype,
    body: `* ${content.body.slice(0, 500)}`,
    "m.new_content": { ...content, "m.mentions": {}, ...marks(row) },
    "m.relates_to": { rel_type: "m.replace", event_id: eventId },
    "m.mentions": {},
    ...marks(row),
  });
}

/** In a room that the agent is no longer in, or where it may not speak any more, the control bot says so. */
async function sayItIsOver(ctx: Context, row: Row, eventId: string): Promise<void> {
  const { id, tenantId, roomId, threadRoot, agentName } = row;
  const as = (await speakersIn(ctx.sql, { tenantId, roomId, agentId: null })).control;
  if (as === null) return;
  const text = `This question of ${agentName} is over: nobody needs to decide it any more.`;
  const place = { replyTo: eventId, ...(threadRoot ? { threadRoot } : {}) };
  await ctx.sql.begin((sql) =>
    writeAction(sql, { tenantId, roomId }, ["approval", id, "over"], { kind: "notice", as, text, ...place }),
  );
}

const send = (
  ctx: Context,
  { tenantId, agentUserId: as, deviceId, roomId }: Row,
  txnId: string,
  content: Record<string, unknown>,
) => sendEvent(ctx, { tenantId, as, deviceId, roomId, txnId, type: "m.room.message", content });

type Content = Record<string, unknown> & { body: string };

function message(text: (quote: (part: string) => string) => string): Content {
  const { html } = renderMarkdown(text(quoted));
  return {
    msgtype: "m.text",
    body: text(asItIs),
    ...(html ? { format: "org.matrix.custom.html", formatted_body: html } : {}),
  };
}

function relation({ threadRoot }: Row): Record<string, unknown> {
  return threadRoot
    ? {
        "m.relates_to": {
          rel_type: "m.thread",
          event_id: threadRoot,
          is_falling_back: true,
          "m.in_reply_to": { event_id: threadRoot },
        },
      }
    : {};
}

/** Who is asked is told; in rooms also who asked the agent, so that they know what it waits for. */
function mentions({ onlyPerson, person }: Row): { user_ids?: string[] } {
  const ids = [onlyPerson, person].filter((id) => id?.startsWith("@")) as string[];
  return ids.length > 0 ? { user_ids: [...new Set(ids)] } : {};
}

const textOf = async (ctx: Context, row: Row): Promise<ApprovalText> => ({
  agent: row.agentName,
  kind: row.kind,
  sentence: row.sentence ?? "",
  why: row.why === null ? null : row.why.slice(0, 1000),
  args: row.args,
  level: row.level,
  onlyPerson: row.onlyPerson === null ? null : (row.onlyName ?? nameIn(row.onlyPerson)),
  always: row.grantable ? alwaysLets((await listTools(ctx, row.tenantId, [row.tool])).get(row.tool), row.tool) : null,
  expiresAt: row.expiresAt,
});
