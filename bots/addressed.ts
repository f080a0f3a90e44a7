/** Whom a message asks. Pure. */
import type { Message } from "./message.ts";
import { type AgentView, isAgentUser, type RoomView } from "./room-view.ts";

export type Addressed =
  | { agents: AgentView[]; why: "mention" | "reply" | "direct" | "thread" }
  | { agents: []; why: "others_mentioned" | "reply_to_other" | "thread_of_several" | "not_addressed" };

/** The agents that this message of a person asks (docs/agents.md, "Who answers"). */
export function addressedBy(message: Message, sender: string, view: RoomView): Addressed {
  const here = view.agents.filter((agent) => agent.membership === "join");
  const named = mentioned(message, view).filter((userId) => userId !== sender);
  if (named.length > 0) {
    const agents = here.filter((agent) => named.includes(agent.userId));
    return agents.length > 0 ? { agents, why: "mention" } : { agents: [], why: "others_mentioned" };
  }
  const direct = agentOfDirectChat(view);
  const replied = repliedTo(message, view);
  if (replied && replied !== sender) {
    const agent = here.find(({ userId }) => userId === replied);
    if (agent) return { agents: [agent], why: "reply" };
    if (replied !== view.controlUserId && !direct) return { agents: [], why: "reply_to_other" };
  }
  if (direct) return { agents: [direct], why: "direct" };
  if (!message.threadRoot) return { agents: [], why: "not_addressed" };
  const inThread = agentsInThread(message.threadRoot, here, view);
  const only = inThread.length === 1 ? inThread[0] : undefined;
  if (only) return { agents: [only], why: "thread" };
  return { agents: [], why: inThread.length > 1 ? "thread_of_several" : "not_addressed" };
}

/** The agents whom a message names, and nothing but a name: agents ask only so, and so do edits. */
export function namedAgents(message: Message, sender: string, view: RoomView): AgentView[] {
  const named = mentioned(message, view);
  return view.agents.filter(
    ({ userId, membership }) => membership === "join" && userId !== sender && named.includes(userId),
  );
}

/** The agent of a chat of one person and one agent; invited ones count, so that a room about to fill is not taken for one. */
export function agentOfDirectChat(view: RoomView): AgentView | null {
  const functional = view.state?.functionalMembers ?? [];
  const agents = view.agents.filter(
    ({ membership, userId }) => (membership === "join" || membership === "invite") && !functional.includes(userId),
  );
  const [agent] = agents;
  return agents.length === 1 && agent?.membership === "join" && view.people === 1 ? agent : null;
}

/** User ids that a message mentions: by m.mentions, or in older clients' events by pill, full user id or a name at its start. */
export function mentioned(message: Message, view: Pick<RoomView, "agents">): string[] {
  if (message.mentions) return message.mentions;
  return [...new Set([...pills(message.html), ...userIds(message.body), ...nameAtStart(message.body, view.agents)])];
}

/** What is left of a message without the names of those it mentions. */
export function withoutNames(body: string, agents: Pick<AgentView, "name" | "userId">[]): string {
  const names = agents.flatMap(({ name, userId }) => [userId, name]).sort((a, b) => b.length - a.length);
  let left = body;
  for (const name of names) left = left.replaceAll(new RegExp(`@?${escapeForRegex(name)}`, "giu"), " ");
  return left.replace(/^[\s:,]+/, "").trim();
}

function repliedTo(message: Message, view: RoomView): string | null {
  const target = message.replyTo;
  if (!target) return null;
  const event = view.known.find(({ eventId }) => eventId === target);
  if (event) return event.sender;
  const answer = view.answers.find(
    ({ eventIds, questionEvent }) => questionEvent !== target && eventIds.includes(target),
  );
  return view.agents.find(({ id }) => id === answer?.agentId)?.userId ?? null;
}

/** Those who were asked in the thread, whose message began it, and those who answered the message that began it. */
function agentsInThread(root: string, here: AgentView[], view: RoomView): AgentView[] {
  const starter = view.known.find(({ eventId }) => eventId === root)?.sender;
  const answering = view.answers.filter(({ eventIds }) => eventIds.includes(root)).map(({ agentId }) => agentId);
  return here.filter(
    ({ id, userId }) => view.threadAgents.includes(id) || userId === starter || answering.includes(id),
  );
}

/** Links to users (spec: matrix.to and matrix: URIs). */
function pills(html: string): string[] {
  const links = [...html.matchAll(/href\s*=\s*["'](?:https:\/\/matrix\.to\/#\/|matrix:u\/)([^"'?]+)/gi)];
  return links.flatMap(([link, target = ""]) => {
    const id = decode(target);
    if (/matrix:u\//i.test(link)) return [`@${id}`];
    return id.startsWith("@") ? [id] : [];
  });
}

/** No id is longer; a pattern without an end would take seconds over a message of 60,000 dots. */
const userIds = (body: string) =>
  (body.match(/@[\w.=\-/+]{1,255}:[\w.-]{1,255}(?::\d{1,5})?/g) ?? []).map((id) => id.replace(/[.:-]+$/, ""));

/** "Writer: …", "Writer, …" or "@Writer …". */
function nameAtStart(body: string, agents: AgentView[]): string[] {
  const found = agents.filter(({ name, userId }) => {
    const local = userId.slice(1, userId.indexOf(":"));
    const words = `(?:${[name, local].map(escapeForRegex).join("|")})`;
    return new RegExp(`^\\s*(?:@${words}(?![\\p{L}\\p{N}_-])|${words}[:,])`, "iu").test(body);
  });
  const longest = found.sort((a, b) => b.name.length - a.name.length)[0];
  return longest ? [longest.userId] : [];
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray % is not ours to mend: the text is then taken as it stands.
    return part;
  }
}

const escapeForRegex = (words: string) => words.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** True for our own users, of whom nothing starts a run by itself. */
export const isOwnUser = (userId: string, view: Pick<RoomView, "serverName" | "controlUserId">): boolean =>
  userId === view.controlUserId || isAgentUser(userId, view);
