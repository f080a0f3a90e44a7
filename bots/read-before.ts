/** What a run with tools has read before it begins: what stands around its question. */
import type { Context } from "../core/context.ts";
import { isOwnUser } from "./addressed.ts";
import { isInNoRoom } from "./made-events.ts";
import { object, text } from "./message.ts";
import { foldMessages } from "./prompt.ts";
import { serverOf } from "./room-view.ts";
import type { Surroundings, Work } from "./work.ts";

/**
 * What of it nobody here vouches for: what people of other servers say and call themselves or the room, and what our agents wrote, be it the room's name, who
 * had read such a thing. It may be what a page told them to write. Null: nothing.
 */
export async function untrustedIn(ctx: Context, work: Work, seen: Surroundings): Promise<string | null> {
  const isForeign = (userId: string) => userId.startsWith("@") && serverOf(userId) !== work.serverName;
  const stranger = seen.messages.find(({ sender }) => isForeign(sender));
  if (stranger) return `a message of ${stranger.sender}`;
  const member = seen.members.find(({ userId }) => isForeign(userId));
  if (member) return `the name of ${member.userId}`;
  const named = work.roomState?.named;
  if (named && isForeign(named.by)) return `the name that ${named.by} gave to the room`;
  if (named?.untrusted) return named.untrusted;
  // Whoever sent it: a message of an agent's that a person forwards keeps its marks, and holds what it held.
  const before = messagesBefore(work, seen);
  const marked = before.map(({ content }) => text(content["dev.agentopia.untrusted"])).find((mark) => mark !== null);
  if (marked) return marked;
  const runs = [...new Set(before.map(runOf))].filter((id) => id !== null && id !== work.runId);
  if (runs.length === 0) return null;
  const [run] = await ctx.sql<{ untrusted: string }[]>`
    select untrusted from runs where tenant_id = ${work.tenantId} and id = any(${runs}::text[]) and untrusted is not null
    order by created_at desc limit 1`;
  return run?.untrusted ?? null;
}

type Said = Surroundings["messages"][number];

/** Those that the model is told of, with their edits, and the one that the question replies to. */
function messagesBefore(work: Work, { messages }: Surroundings): Said[] {
  const heard = foldMessages(messages, {
    threadRoot: work.threadRoot,
    upTo: work.questionSeq,
    self: work.agentUserId,
    nameOf: (userId) => userId,
  });
  const ids = new Set<unknown>(heard.map(({ eventId }) => eventId));
  ids.add(object(relation(work.questionContent)["m.in_reply_to"]).event_id);
  return messages.filter(({ eventId, content }) => ids.has(eventId) || ids.has(relation(content).event_id));
}

const relation = (content: Record<string, unknown>) => object(content["m.relates_to"]);

const TRIED = "$try-a-";

/** The run that wrote a message. */
const runOf = ({ eventId, content }: Said): string | null =>
  eventId.startsWith(TRIED) ? eventId.slice(TRIED.length) : text(object(content["dev.agentopia.run"]).run);

/**
 * What people said: an address in it is no secret. What our agents wrote is not among it, not as a person's quotation or forwarded by one either, nor a task
 * that was planned or handed over after something untrusted had been read: else an address made up by one run would be free for the next.
 */
export function saidByPeople({ messages }: Surroundings, work: Work): string {
  return messages
    .filter(({ sender, eventId }) => !isOwnUser(sender, work) && !(isInNoRoom(eventId) && work.untrusted !== null))
    .filter(({ content }) => !Object.keys(content).some((key) => key.startsWith("dev.agentopia.")))
    .map(({ content }) => withoutQuotations(String(content.body ?? "")))
    .join("\n");
}

/** Line by line: one pattern over all lines looks at each of thousands of empty ones again and again. */
const withoutQuotations = (body: string): string =>
  body
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .filter((line) => !/^\s*(?:\* )?>/.test(line))
    .join("\n");
