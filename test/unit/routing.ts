/** What the tables of routing are written in: a room, events in it, and a decision in one line. */
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../bots/decision.ts";
import { DEFAULT_LIMITS } from "../../bots/limits.ts";
import { EMPTY_STATE } from "../../bots/room-state.ts";
import type { AgentView, AnswerView, KnownEvent, RoomView, RoutedEvent, RunView } from "../../bots/room-view.ts";
import { route } from "../../bots/route.ts";
import type { RoomState } from "../../migrations/types.ts";

export const ALICE = "@alice:acme.test";
export const BOB = "@bob:acme.test";
export const MALLORY = "@mallory:evil.test";
export const CONTROL = "@agentopia:acme.test";
export const WRITER = "@agent-writer:acme.test";
export const PLANNER = "@agent-planner:acme.test";
export const NOW = Date.UTC(2026, 10, 20, 12, 30);

export type Content = Record<string, unknown>;
export type Wish = Partial<RoomView>;

export const agent = (userId: string, wish: Partial<AgentView> = {}): AgentView => {
  const id = userId.slice("@agent-".length, userId.indexOf(":"));
  return {
    id,
    userId,
    name: `${id[0]?.toUpperCase()}${id.slice(1)}`,
    version: 3,
    state: "active",
    scope: "member",
    whoMayInvite: "anyone",
    description: "Helps.",
    membership: "join",
    seenSince: 0,
    counts: { pairLastHour: 0, recent: [] },
    ...wish,
  };
};

export const writer = (wish: Partial<AgentView> = {}) => agent(WRITER, wish);
export const planner = (wish: Partial<AgentView> = {}) => agent(PLANNER, wish);
export const state = (wish: Partial<RoomState> = {}): RoomState => ({
  ...EMPTY_STATE,
  roomVersion: "12",
  creators: [CONTROL],
  ...wish,
});
export const powers = (users: Record<string, number>) => state({ powerLevels: { ...EMPTY_STATE.powerLevels, users } });

export const view = (wish: Wish = {}): RoomView => ({
  tenantId: "acme",
  serverName: "acme.test",
  controlUserId: CONTROL,
  limits: DEFAULT_LIMITS,
  ours: true,
  archived: false,
  state: state(),
  controlJoined: true,
  since: 0,
  agents: [writer(), planner()],
  people: 2,
  senderName: "Alice",
  known: [],
  answers: [],
  approvals: [],
  asked: [],
  form: null,
  forms: null,
  threadAgents: [],
  openRuns: [],
  listing: null,
  now: NOW,
  ...wish,
});

export const event = (content: Content, wish: Partial<RoutedEvent> = {}): RoutedEvent => ({
  seq: 100,
  eventId: "$new",
  roomId: "!room:acme.test",
  sender: ALICE,
  type: "m.room.message",
  stateKey: null,
  ts: NOW,
  receivedAt: NOW,
  content,
  redacts: null,
  ...wish,
});

export const text = (body: string, ...mentions: string[]): Content => ({
  msgtype: "m.text",
  body,
  "m.mentions": mentions.length ? { user_ids: mentions } : {},
});
export const old = (body: string, html?: string): Content => ({
  msgtype: "m.text",
  body,
  ...(html ? { formatted_body: html } : {}),
});
export const inThread = (content: Content, root = "$root", reply?: { to: string; real?: boolean }): Content => ({
  ...content,
  "m.relates_to": {
    rel_type: "m.thread",
    event_id: root,
    is_falling_back: !reply?.real,
    "m.in_reply_to": { event_id: reply?.to ?? "$last" },
  },
});
export const replyTo = (content: Content, to: string): Content => ({
  ...content,
  "m.relates_to": { "m.in_reply_to": { event_id: to } },
});
export const edit = (content: Content, of = "$q"): Content => ({
  ...text("* edit"),
  "m.new_content": content,
  "m.relates_to": { rel_type: "m.replace", event_id: of },
});
export const known = (
  eventId: string,
  sender: string,
  content: Content = text("hm"),
  type = "m.room.message",
): KnownEvent => ({ eventId, sender, type, content });
export const run = (wish: Partial<RunView> = {}): RunView & { kind: "run" } => ({
  kind: "run",
  id: "run1",
  agentId: "writer",
  askedBy: ALICE,
  threadRoot: null,
  hops: 0,
  open: true,
  ...wish,
});
export const FORM = { kind: "form" as const, id: "form1", agentId: null, askedBy: ALICE, threadRoot: null };
export const answer = (wish: Partial<AnswerView> = {}): AnswerView => ({
  answerId: "answer1",
  agentId: "writer",
  questionEvent: "$q",
  again: 0,
  eventIds: ["$q", "$a"],
  run: run(),
  ...wish,
});
export const dm: Wish = { agents: [writer()], people: 1, ours: false };
export const agentSays = (hops: number, ...mentions: string[]): Content => ({
  ...text("And now?", ...mentions),
  "dev.agentopia.run": { run: "r", hops, final: true },
});

/** A decision in one line: who begins, who is stopped, who stays silent and why, who says something. */
export function short(input: RoutedEvent, seen: RoomView): string {
  const decision = route(input, seen);
  const runs = "runs" in decision ? decision.runs : decision.kind === "again" ? [decision.run] : [];
  const stops = "stops" in decision ? decision.stops : [];
  const notices = "notices" in decision ? decision.notices : [];
  return [
    outcomeOf(decision),
    ...runs.map(({ agentId, threadRoot, again, supersedes }) =>
      [`+${agentId}`, threadRoot && `in ${threadRoot}`, again && `again ${again}`, supersedes && `over ${supersedes}`]
        .filter(Boolean)
        .join(" "),
    ),
    ...stops.map(({ runId, reason }) => `-${runId} ${reason}`),
    ...("silent" in decision ? decision.silent.map(({ agentId, why }) => `${agentId} silent: ${why}`) : []),
    ...notices.map(({ as }) => `said by ${as}`),
  ].join("; ");
}

export function react(key: string, wish: Partial<RoutedEvent> = {}, to = "$a"): RoutedEvent {
  return event({ "m.relates_to": { rel_type: "m.annotation", event_id: to, key } }, { type: "m.reaction", ...wish });
}

export function redact(target: string, wish: Partial<RoutedEvent> = {}): RoutedEvent {
  return event({}, { type: "m.room.redaction", redacts: target, ...wish });
}

export function member(userId: string, membership: string, sender = ALICE): RoutedEvent {
  return event({ membership }, { type: "m.room.member", stateKey: userId, sender });
}

/** Questions that each came half a second after the answer before; the `slow`th one after ten seconds. */
export function quick(count: number, slow = -1): { askedAt: number; finishedAt: number }[] {
  let next = NOW;
  return Array.from({ length: count }, (_, index) => {
    const finishedAt = next - (index === slow ? 10_000 : 500);
    next = finishedAt - 200;
    return { askedAt: next, finishedAt };
  });
}

type Cases = Record<string, [name: string, input: RoutedEvent, seen: Wish, expected: string][]>;

/** A test for each row. */
export function testCases(cases: Cases): void {
  for (const [group, rows] of Object.entries(cases))
    describe(group, () => {
      for (const [name, input, seen, expected] of rows)
        test(name, () => expect(short(input, view(seen))).toBe(expected));
    });
}
