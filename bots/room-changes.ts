/** Members who come and go, agents that are invited, and changes of the room's state. Pure. */
import { SCOPE_LEVEL } from "../homeserver/rooms.ts";
import { isOwnUser } from "./addressed.ts";
import type { Decision, MemberChange, Notice } from "./decision.ts";
import { text } from "./message.ts";
import { applyState, EMPTY_STATE, isOpen } from "./room-state.ts";
import { type AgentView, isAgentUser, type RoomView, type RoutedEvent, serverOf } from "./room-view.ts";
import { speaker } from "./speaker.ts";

const MEMBERSHIPS = ["join", "invite", "leave", "ban", "knock"] as const;

export function routeMember(event: RoutedEvent, view: RoomView): Decision {
  const membership = MEMBERSHIPS.find((value) => value === event.content.membership);
  const userId = event.stateKey;
  if (!membership || !userId) return { kind: "ignore", reason: "other_membership" };
  const agent = view.agents.find((known) => known.userId === userId);
  const member: MemberChange = {
    userId,
    membership,
    displayName: text(event.content.displayname),
    ...(membership === "join" && isArrival(userId, agent, view)
      ? { visibleFrom: visibleFrom(event, view), seenSince: seenSince(event, agent, view) }
      : { visibleFrom: null, seenSince: null }),
  };
  if (agent && membership === "invite") return answerInvite(event, agent, view);
  const change: Decision = { kind: "member", member, stops: [], notices: [], leave: [], repairPower: false };
  if (agent && membership === "join") return { ...change, ...arrival(agent, view) };
  if (agent) return { ...change, stops: farewell(event, agent, view) };
  return { ...change, leave: membership === "leave" || membership === "ban" ? leftAlone(event, view) : [] };
}

export function routeState(event: RoutedEvent, view: RoomView): Decision {
  const before = view.state ?? EMPTY_STATE;
  const change = { type: event.type, stateKey: event.stateKey ?? "", sender: event.sender, content: event.content };
  // Only the one with the empty key is the room's own (spec: a state event is its type and its key).
  if (change.stateKey !== "" || view.state === null) return { kind: "ignore", reason: "other_state" };
  const state = applyState(before, change, event.seq);
  if (state === before) return { kind: "ignore", reason: "other_state" };
  const first =
    state.encrypted && !before.encrypted ? view.agents.find(({ membership }) => membership === "join") : null;
  return {
    kind: "state",
    state,
    notices: first ? cannotRead(first, view) : [],
    repairPower: event.type === "m.room.power_levels" && view.ours && !scopesHold({ ...view, state }),
  };
}

/** Joins when who invites may; else declines and says why. The control bot invites for managers. */
function answerInvite(event: RoutedEvent, agent: AgentView, view: RoomView): Decision {
  const why = inviteProblem(event.sender, agent, view);
  return why
    ? { kind: "invite", as: agent.userId, accept: false, why }
    : { kind: "invite", as: agent.userId, accept: true };
}

/** A sentence when this user may not invite the agent. */
export function inviteProblem(
  sender: string,
  agent: Pick<AgentView, "name" | "state" | "whoMayInvite">,
  view: Pick<RoomView, "serverName" | "controlUserId">,
): string | null {
  const { name, state, whoMayInvite } = agent;
  if (state === "removed" || state === "removing") return `${name} was removed and joins no more rooms.`;
  if (sender === view.controlUserId) return null;
  if (isOwnUser(sender, view)) return `${name} is invited by people, not by agents.`;
  if (whoMayInvite === "nobody") return `${name} joins only the rooms that a manager puts it in. Ask a manager for it.`;
  if (whoMayInvite !== "anyone")
    return whoMayInvite.users.includes(sender)
      ? null
      : `You are not among those who may invite ${name}. Ask a manager for it.`;
  return serverOf(sender) === view.serverName ? null : `${name} may be invited only by people of ${view.serverName}.`;
}

function arrival(agent: AgentView, view: RoomView): { notices: Notice[]; repairPower: boolean } {
  const joined = view.agents.map((one) => (one.id === agent.id ? { ...one, membership: "join" as const } : one));
  const now = { ...view, agents: joined };
  return {
    notices: agent.membership !== "join" && view.state?.encrypted ? cannotRead(agent, now) : [],
    repairPower: view.ours && !scopesHold(now),
  };
}

/** Said once for each agent and room. The sentence is plain text, which an encrypted room takes too. */
function cannotRead(agent: AgentView, view: RoomView): Notice[] {
  const as = agent.scope === "observer" ? speaker(view) : agent.userId;
  if (!as) return [];
  const words =
    `${agent.name} cannot read this room, because it is encrypted. Make a new room or direct chat with encryption switched off ` +
    `(in Element: the switch “Enable end-to-end encryption” when you create the room), and invite ${agent.name} there.`;
  return [{ key: ["encrypted", agent.id], as, text: words }];
}

function farewell(event: RoutedEvent, agent: AgentView, view: RoomView) {
  const open = view.openRuns.filter(({ agentId }) => agentId === agent.id);
  return open.map(({ id }) => ({ runId: id, reason: "removed" as const, by: event.sender }));
}

/** Agents go from a room that people made once no one else is left in it. */
function leftAlone(event: RoutedEvent, view: RoomView): string[] {
  const others = view.people - (event.content.membership === "leave" || event.content.membership === "ban" ? 1 : 0);
  if (view.ours || others > 0) return [];
  return view.agents.filter(({ membership }) => membership === "join").map(({ userId }) => userId);
}

const isArrival = (userId: string, agent: AgentView | undefined, view: RoomView) =>
  userId === view.controlUserId ? !view.controlJoined : agent?.membership !== "join";

/** An invite that waited counts from when it was made: what was written to the agent meanwhile is answered. Not where history is closed. */
function seenSince(event: RoutedEvent, agent: AgentView | undefined, view: RoomView): number {
  const invited = agent?.membership === "invite" && view.state?.historyVisibility !== "joined";
  return invited && agent.seenSince > 0 ? Math.min(agent.seenSince, event.ts) : event.ts;
}

/** Since when a newcomer sees the room; with restricted history from its own join on, which is never too much. */
function visibleFrom(event: RoutedEvent, view: RoomView): number {
  const { state } = view;
  return state && isOpen(state.historyVisibility) ? (state.sharedSince ?? event.seq) : event.seq;
}

/** Whether each agent here has the power level of its scope. */
function scopesHold(view: RoomView): boolean {
  const levels = view.state?.powerLevels;
  if (!levels) return true;
  return view.agents
    .filter(({ membership, userId }) => membership === "join" && isAgentUser(userId, view))
    .every(({ userId, scope }) => (levels.users[userId] ?? levels.usersDefault) === SCOPE_LEVEL[scope]);
}
