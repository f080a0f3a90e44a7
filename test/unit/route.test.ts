import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../bots/decision.ts";
import { DEFAULT_LIMITS } from "../../bots/limits.ts";
import { EMPTY_STATE } from "../../bots/room-state.ts";
import type {
  AgentView,
  AnswerView,
  KnownEvent,
  ListedForm,
  RoomView,
  RoutedEvent,
  RunView,
} from "../../bots/room-view.ts";
import { route } from "../../bots/route.ts";
import type { RoomState } from "../../migrations/types.ts";

const ALICE = "@alice:acme.test";
const BOB = "@bob:acme.test";
const MALLORY = "@mallory:evil.test";
const CONTROL = "@agentopia:acme.test";
const WRITER = "@agent-writer:acme.test";
const PLANNER = "@agent-planner:acme.test";
const NOW = Date.UTC(2026, 10, 20, 12, 30);

type Content = Record<string, unknown>;
type Wish = Partial<RoomView>;

const agent = (userId: string, wish: Partial<AgentView> = {}): AgentView => {
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

const writer = (wish: Partial<AgentView> = {}) => agent(WRITER, wish);
const planner = (wish: Partial<AgentView> = {}) => agent(PLANNER, wish);
const state = (wish: Partial<RoomState> = {}): RoomState => ({
  ...EMPTY_STATE,
  roomVersion: "12",
  creators: [CONTROL],
  ...wish,
});
const powers = (users: Record<string, number>) => state({ powerLevels: { ...EMPTY_STATE.powerLevels, users } });

const view = (wish: Wish = {}): RoomView => ({
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

const event = (content: Content, wish: Partial<RoutedEvent> = {}): RoutedEvent => ({
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

const text = (body: string, ...mentions: string[]): Content => ({
  msgtype: "m.text",
  body,
  "m.mentions": mentions.length ? { user_ids: mentions } : {},
});
const old = (body: string, html?: string): Content => ({
  msgtype: "m.text",
  body,
  ...(html ? { formatted_body: html } : {}),
});
const inThread = (content: Content, root = "$root", reply?: { to: string; real?: boolean }): Content => ({
  ...content,
  "m.relates_to": {
    rel_type: "m.thread",
    event_id: root,
    is_falling_back: !reply?.real,
    "m.in_reply_to": { event_id: reply?.to ?? "$last" },
  },
});
const replyTo = (content: Content, to: string): Content => ({
  ...content,
  "m.relates_to": { "m.in_reply_to": { event_id: to } },
});
const edit = (content: Content, of = "$q"): Content => ({
  ...text("* edit"),
  "m.new_content": content,
  "m.relates_to": { rel_type: "m.replace", event_id: of },
});
const known = (
  eventId: string,
  sender: string,
  content: Content = text("hm"),
  type = "m.room.message",
): KnownEvent => ({ eventId, sender, type, content });
const run = (wish: Partial<RunView> = {}): RunView & { kind: "run" } => ({
  kind: "run",
  id: "run1",
  agentId: "writer",
  askedBy: ALICE,
  threadRoot: null,
  hops: 0,
  open: true,
  ...wish,
});
const FORM = { kind: "form" as const, id: "form1", agentId: null, askedBy: ALICE, threadRoot: null };
const answer = (wish: Partial<AnswerView> = {}): AnswerView => ({
  answerId: "answer1",
  agentId: "writer",
  questionEvent: "$q",
  again: 0,
  eventIds: ["$q", "$a"],
  run: run(),
  ...wish,
});
const dm: Wish = { agents: [writer()], people: 1, ours: false };
const agentSays = (hops: number, ...mentions: string[]): Content => ({
  ...text("And now?", ...mentions),
  "dev.agentopia.run": { run: "r", hops, final: true },
});

/** A decision in one line: who begins, who is stopped, who stays silent and why, who says something. */
function short(input: RoutedEvent, seen: RoomView): string {
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

const cases: Record<string, [name: string, input: RoutedEvent, seen: Wish, expected: string][]> = {
  "who is asked": [
    ["a mention asks the agent", event(text("Writer: hi", WRITER)), {}, "run; +writer"],
    ["two mentions ask two agents", event(text("both", WRITER, PLANNER)), {}, "run; +writer; +planner"],
    ["a person and an agent mentioned: only the agent answers", event(text("see", BOB, WRITER)), {}, "run; +writer"],
    ["only a person mentioned: agents are silent", event(text("Bob?", BOB)), {}, "ignored:others_mentioned"],
    ["only a person mentioned in a direct chat: silent too", event(text("Bob?", BOB)), dm, "ignored:others_mentioned"],
    ["nobody mentioned in a room of several", event(text("hello all")), {}, "ignored:not_addressed"],
    ["@room asks no agent", event({ ...text("all"), "m.mentions": { room: true } }), {}, "ignored:not_addressed"],
    ["mentioning oneself mentions nobody", event(text("me", ALICE)), dm, "run; +writer"],
    [
      "an agent that is only invited does not answer",
      event(text("hi", WRITER)),
      { agents: [writer({ membership: "invite" })] },
      "ignored:others_mentioned",
    ],
    [
      "an agent that left does not answer",
      event(text("hi", WRITER)),
      { agents: [writer({ membership: "leave" })] },
      "ignored:others_mentioned",
    ],
    [
      "an agent of that name on another server is not ours",
      event(text("hi", "@agent-writer:evil.test")),
      {},
      "ignored:others_mentioned",
    ],
    [
      "m.mentions that is not a list is no mention",
      event({ ...text("x"), "m.mentions": { user_ids: "writer" } }),
      {},
      "ignored:not_addressed",
    ],
    [
      "m.mentions with numbers in it",
      event({ ...text("x"), "m.mentions": { user_ids: [1, WRITER] } }),
      {},
      "run; +writer",
    ],
    ["with m.mentions there, a name in the text asks nobody", event(text("Writer: hi")), {}, "ignored:not_addressed"],
    ["an emote asks as well", event({ ...text("pokes", WRITER), msgtype: "m.emote" }), {}, "run; +writer"],
    ["an image with a mention asks", event({ ...text("cat.png", WRITER), msgtype: "m.image" }), {}, "run; +writer"],
    ["a notice never asks", event({ ...text("hi", WRITER), msgtype: "m.notice" }), {}, "ignored:notice"],
    [
      "an unknown kind of message never asks",
      event({ ...text("hi", WRITER), msgtype: "m.location" }),
      {},
      "ignored:other_type",
    ],
    ["a redacted message asks nobody", event({}), {}, "ignored:redacted"],
    [
      "an encrypted event cannot be read",
      event({ algorithm: "m.megolm" }, { type: "m.room.encrypted" }),
      {},
      "ignored:encrypted",
    ],
    ["other events", event({ x: 1 }, { type: "org.example.thing" }), {}, "ignored:other_type"],
    ["a question of a person of another server", event(text("hi", WRITER), { sender: MALLORY }), {}, "run; +writer"],
    ["without the room's state a mention still asks", event(text("hi", WRITER)), { state: null }, "run; +writer"],
  ],
  "old clients without m.mentions": [
    [
      "a pill asks",
      event(old("Writer hi", `<a href="https://matrix.to/#/${WRITER}">Writer</a> hi`)),
      {},
      "run; +writer",
    ],
    [
      "an encoded pill asks",
      event(old("Writer hi", `<a href="https://matrix.to/#/${encodeURIComponent(WRITER)}">Writer</a>: hi`)),
      {},
      "run; +writer",
    ],
    [
      "a matrix: pill asks",
      event(old("Writer hi", `<a href='matrix:u/agent-writer:acme.test?action=chat'>W</a> hi`)),
      {},
      "run; +writer",
    ],
    [
      "a pill of a person: silent",
      event(old("Bob hi", `<a href="https://matrix.to/#/${BOB}">Bob</a> hi`)),
      {},
      "ignored:others_mentioned",
    ],
    [
      "a pill in the quotation of a reply is none",
      event(old("hi", `<mx-reply><a href="https://matrix.to/#/${WRITER}">W</a></mx-reply>hi`)),
      {},
      "ignored:not_addressed",
    ],
    [
      "a link to a room is no mention",
      event(old("see", `<a href="https://matrix.to/#/#writer:acme.test">here</a>`)),
      {},
      "ignored:not_addressed",
    ],
    ["a full user id asks", event(old(`hi ${WRITER}, can you?`)), {}, "run; +writer"],
    ["a full user id in a quotation does not", event(old(`> <${WRITER}> well\n\nhi`)), {}, "ignored:not_addressed"],
    ["a name and a colon at the start asks", event(old("writer: hi")), {}, "run; +writer"],
    ["@ and a name at the start asks", event(old("@Writer hi")), {}, "run; +writer"],
    ["a name within the text does not", event(old("the Writer: she said")), {}, "ignored:not_addressed"],
    ["a longer word does not", event(old("@writers hi")), {}, "ignored:not_addressed"],
    [
      "a pill with a broken escape",
      event(old("x", `<a href="https://matrix.to/#/%E0%A4%A">x</a>`)),
      {},
      "ignored:not_addressed",
    ],
  ],
  "direct chats": [
    ["one person and one agent: every message asks", event(text("hi")), dm, "run; +writer"],
    ["an image without words asks", event({ ...text("cat.png"), msgtype: "m.image" }), dm, "run; +writer"],
    ["a second person, even invited: no direct chat", event(text("hi")), { ...dm, people: 2 }, "ignored:not_addressed"],
    [
      "a second agent invited: no direct chat",
      event(text("hi")),
      { ...dm, agents: [writer(), planner({ membership: "invite" })] },
      "ignored:not_addressed",
    ],
    [
      "an agent that left does not count",
      event(text("hi")),
      { ...dm, agents: [writer(), planner({ membership: "leave" })] },
      "run; +writer",
    ],
    [
      "the agent is only invited",
      event(text("hi")),
      { ...dm, agents: [writer({ membership: "invite" })] },
      "ignored:not_addressed",
    ],
    [
      "a functional agent does not count",
      event(text("hi")),
      { ...dm, agents: [writer(), planner()], state: state({ functionalMembers: [PLANNER] }) },
      "run; +writer",
    ],
    ["a notice in a direct chat", event({ ...text("hi"), msgtype: "m.notice" }), dm, "ignored:notice"],
    [
      "a reply to one's own message asks",
      event(replyTo(text("also this"), "$mine")),
      { ...dm, known: [known("$mine", ALICE)] },
      "run; +writer",
    ],
    ["a thread in a direct chat is answered there", event(inThread(text("hi"))), dm, "run; +writer in $root"],
  ],
  replies: [
    [
      "to an agent's message asks it",
      event(replyTo(text("why?"), "$a")),
      { known: [known("$a", WRITER)] },
      "run; +writer",
    ],
    [
      "to an answer whose event is not here yet",
      event(replyTo(text("why?"), "$a")),
      { answers: [answer()] },
      "run; +writer",
    ],
    [
      "to the question of an answer asks nobody",
      event(replyTo(text("why?"), "$q")),
      { answers: [answer()], known: [known("$q", BOB)] },
      "ignored:reply_to_other",
    ],
    [
      "to a person asks nobody",
      event(replyTo(text("why?"), "$b")),
      { known: [known("$b", BOB)] },
      "ignored:reply_to_other",
    ],
    [
      "to an agent, mentioning another one only",
      event(replyTo(text("why?", PLANNER), "$a")),
      { known: [known("$a", WRITER)] },
      "run; +planner",
    ],
    [
      "to an agent, mentioning a person only",
      event(replyTo(text("see", BOB), "$a")),
      { known: [known("$a", WRITER)] },
      "ignored:others_mentioned",
    ],
    ["to something unknown", event(replyTo(text("why?"), "$x")), {}, "ignored:not_addressed"],
    [
      "a thread's fallback is no reply",
      event(inThread(text("hm"), "$root", { to: "$a" })),
      { known: [known("$a", WRITER), known("$root", BOB)] },
      "ignored:not_addressed",
    ],
    [
      "a real reply within a thread is one",
      event(inThread(text("hm"), "$root", { to: "$a", real: true })),
      { known: [known("$a", WRITER)] },
      "run; +writer in $root",
    ],
    [
      "to the control bot asks nobody",
      event(replyTo(text("thanks"), "$c")),
      { known: [known("$c", CONTROL)] },
      "ignored:not_addressed",
    ],
  ],
  threads: [
    ["a mention in a thread is answered in it", event(inThread(text("hi", WRITER))), {}, "run; +writer in $root"],
    [
      "the only agent that was asked there goes on",
      event(inThread(text("and?"))),
      { threadAgents: ["writer"] },
      "run; +writer in $root",
    ],
    [
      "two agents there: one must be named",
      event(inThread(text("and?"))),
      { threadAgents: ["writer", "planner"] },
      "ignored:thread_of_several",
    ],
    [
      "a thread on an agent's message is its own",
      event(inThread(text("and?"))),
      { known: [known("$root", WRITER)] },
      "run; +writer in $root",
    ],
    ["a thread on an answer", event(inThread(text("and?"), "$a")), { answers: [answer()] }, "run; +writer in $a"],
    [
      "a thread on a question that one agent answered",
      event(inThread(text("and?"), "$q")),
      { answers: [answer()] },
      "run; +writer in $q",
    ],
    ["a thread of people", event(inThread(text("and?"))), { known: [known("$root", BOB)] }, "ignored:not_addressed"],
    [
      "an agent that left the room does not go on",
      event(inThread(text("and?"))),
      { threadAgents: ["writer"], agents: [writer({ membership: "leave" })] },
      "ignored:not_addressed",
    ],
    [
      "mentioning a person in an agent's thread",
      event(inThread(text("Bob?", BOB))),
      { threadAgents: ["writer"] },
      "ignored:others_mentioned",
    ],
    [
      "replying to a person in an agent's thread",
      event(inThread(text("yes"), "$root", { to: "$b", real: true })),
      { threadAgents: ["writer"], known: [known("$b", BOB)] },
      "ignored:reply_to_other",
    ],
  ],
  "our own users": [
    ["the control bot never asks", event(text("hi", WRITER), { sender: CONTROL }), {}, "ignored:own"],
    ["an agent does not answer itself", event(agentSays(0, WRITER), { sender: WRITER }), {}, "ignored:own"],
    [
      "an agent asks another by a mention in its final text",
      event(agentSays(0, PLANNER), { sender: WRITER }),
      {},
      "run; +planner",
    ],
    [
      "not before its text is final",
      event({ ...text("x", PLANNER), "dev.agentopia.run": { run: "r", hops: 0, final: false } }, { sender: WRITER }),
      {},
      "ignored:own",
    ],
    ["not without the mark of a run", event(text("x", PLANNER), { sender: WRITER }), {}, "ignored:own"],
    [
      "its final edit asks too, about the message edited",
      event(edit(agentSays(0, PLANNER), "$a"), { sender: WRITER }),
      { known: [known("$a", WRITER, inThread(text("…")))] },
      "run; +planner in $root",
    ],
    [
      "but only once",
      event(edit(agentSays(0, PLANNER), "$a"), { sender: WRITER }),
      { answers: [answer({ agentId: "planner", questionEvent: "$a" })] },
      "ignored:already_answered",
    ],
    [
      "an agent alone with a person is not asked by its own words",
      event(agentSays(0, ALICE), { sender: WRITER }),
      dm,
      "ignored:own",
    ],
    [
      "an agent's reply to another asks nobody",
      event(replyTo(agentSays(0), "$p"), { sender: WRITER }),
      { known: [known("$p", PLANNER)] },
      "ignored:own",
    ],
    [
      "an agent gives no commands",
      event({ ...text("!stop"), "dev.agentopia.run": { run: "r", hops: 0, final: true } }, { sender: WRITER }),
      { openRuns: [run()] },
      "ignored:own",
    ],
  ],
  "scope and state of agents": [
    [
      "an observer never answers",
      event(text("hi", WRITER)),
      { agents: [writer({ scope: "observer" })] },
      "ignored:observer; writer silent: observer",
    ],
    [
      "a paused agent says so",
      event(text("hi", WRITER)),
      { agents: [writer({ state: "paused" })] },
      `ignored:paused; writer silent: paused; said by ${CONTROL}`,
    ],
    [
      "itself where the control bot is not",
      event(text("hi")),
      { ...dm, controlJoined: false, agents: [writer({ state: "paused" })] },
      `ignored:paused; writer silent: paused; said by ${WRITER}`,
    ],
    [
      "a removed one is silent",
      event(text("hi", WRITER)),
      { agents: [writer({ state: "removed" })] },
      "ignored:removed; writer silent: removed",
    ],
    [
      "of two, the one that can answers",
      event(text("hi", WRITER, PLANNER)),
      { agents: [writer({ scope: "observer" }), planner()] },
      "run; +planner; writer silent: observer",
    ],
  ],
  budgets: [
    ["the last hop that is allowed", event(agentSays(3, PLANNER), { sender: WRITER }), {}, "run; +planner"],
    [
      "one more ends the chain, and the room is told",
      event(agentSays(4, PLANNER), { sender: WRITER }),
      {},
      `ignored:hops; planner silent: hops; said by ${CONTROL}`,
    ],
    ["a forwarded answer does not carry its hops", event(agentSays(9, WRITER)), {}, "run; +writer"],
    [
      "a stranger's hops count",
      event(agentSays(9, WRITER), { sender: MALLORY }),
      {},
      `ignored:hops; writer silent: hops; said by ${CONTROL}`,
    ],
    [
      "hops that are no number count as none",
      event({ ...text("x", WRITER), "dev.agentopia.run": { hops: "many" } }, { sender: MALLORY }),
      {},
      "run; +writer",
    ],
    [
      "two agents have asked each other enough",
      event(agentSays(0, PLANNER), { sender: WRITER }),
      { agents: [writer(), planner({ counts: { pairLastHour: 20, recent: [] } })] },
      `ignored:agent_pair; planner silent: agent_pair; said by ${CONTROL}`,
    ],
    [
      "a person may ask more often than an agent",
      event(text("hi", WRITER)),
      { agents: [writer({ counts: { pairLastHour: 20, recent: [] } })] },
      "run; +writer",
    ],
    [
      "but not for ever",
      event(text("hi", WRITER), { sender: MALLORY }),
      { agents: [writer({ counts: { pairLastHour: 600, recent: [] } })] },
      `ignored:person_pair; writer silent: person_pair; said by ${CONTROL}`,
    ],
    [
      "30 answers within a second each: still taken for a person",
      event(text("hi", WRITER)),
      { agents: [writer({ counts: { pairLastHour: 30, recent: quick(29) } })] },
      "run; +writer",
    ],
    [
      "31: taken for a bot",
      event(text("hi", WRITER)),
      { agents: [writer({ counts: { pairLastHour: 31, recent: quick(31) } })] },
      `ignored:quick_replies; writer silent: quick_replies; said by ${CONTROL}`,
    ],
    [
      "one pause in between and it is a person",
      event(text("hi", WRITER)),
      { agents: [writer({ counts: { pairLastHour: 31, recent: quick(31, 5) } })] },
      "run; +writer",
    ],
  ],
  edits: [
    [
      "of a question under way start the answer over",
      event(edit(text("better", WRITER))),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "edit:run; +writer over run1",
    ],
    [
      "also without a mention",
      event(edit(text("better"))),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "edit:run; +writer over run1",
    ],
    [
      "of an answered question do nothing",
      event(edit(text("better", WRITER))),
      { known: [known("$q", ALICE)], answers: [answer({ run: run({ open: false }) })] },
      "ignored:edit",
    ],
    [
      "that add a mention start a run, in the message's thread",
      event(edit(text("x", WRITER))),
      { known: [known("$q", ALICE, inThread(text("x")))] },
      "edit:run; +writer in $root",
    ],
    [
      "without a mention start none, not even in a direct chat",
      event(edit(text("x"))),
      { ...dm, known: [known("$q", ALICE)] },
      "ignored:edit",
    ],
    [
      "that add a second agent ask only that one",
      event(edit(text("x", WRITER, PLANNER))),
      { known: [known("$q", ALICE)], answers: [answer({ run: run({ open: false }) })] },
      "edit:run; +planner",
    ],
    [
      "that name another agent instead stop the first",
      event(edit(text("x", PLANNER))),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "edit:run; +planner; -run1 command",
    ],
    [
      "of somebody else's message do nothing",
      event(edit(text("x", WRITER)), { sender: BOB }),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "ignored:edit_of_others",
    ],
    ["of an unknown message do nothing", event(edit(text("x", WRITER))), {}, "ignored:edit_of_unknown"],
    [
      "into a notice do nothing",
      event(edit({ ...text("x", WRITER), msgtype: "m.notice" })),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "ignored:notice",
    ],
    [
      "into a command do nothing",
      event(edit(text("!stop"))),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "ignored:edit",
    ],
    [
      "without new content do nothing",
      event({ ...text("*"), "m.relates_to": { rel_type: "m.replace", event_id: "$q" } }),
      { known: [known("$q", ALICE)], answers: [answer()] },
      "ignored:other_type",
    ],
    [
      "concern the newest of several answers",
      event(edit(text("x"))),
      {
        known: [known("$q", ALICE)],
        answers: [answer({ run: run({ id: "first", open: false }) }), answer({ again: 1 })],
      },
      "edit:run; +writer again 1 over run1",
    ],
    [
      "while the agent is paused do not start over",
      event(edit(text("x"))),
      { known: [known("$q", ALICE)], answers: [answer()], agents: [writer({ state: "paused" })] },
      "ignored:edit",
    ],
  ],
  commands: [
    ["!stop ends what one asked", event(text("!stop")), { openRuns: [run()] }, "command:stop; -run1 command"],
    ["with spaces and capitals", event(text("  !STOP ")), { openRuns: [run()] }, "command:stop; -run1 command"],
    ["!stopp stops nothing", event(text("!stopp it")), { ...dm, openRuns: [run()] }, "run; +writer"],
    ["one that there is not is said so", event(text("!foo")), {}, `command:unknown; said by ${CONTROL}`],
    ["in a direct chat too", event(text(" !stopp ")), dm, `command:unknown; said by ${CONTROL}`],
    [
      "by the agent where the control bot is not",
      event(text("!foo")),
      { ...dm, controlJoined: false },
      `command:unknown; said by ${WRITER}`,
    ],
    ["apart from a name", event(text("Writer: !foo", WRITER)), {}, `command:unknown; said by ${CONTROL}`],
    [
      "not where no agent is",
      event(text("!foo")),
      { agents: [writer({ membership: "leave" })] },
      "ignored:not_addressed",
    ],
    ["not in prose", event(text("!important read this")), {}, "ignored:not_addressed"],
    ["not for capitals", event(text("!WOW")), {}, "ignored:not_addressed"],
    ["not for one letter", event(text("!a")), {}, "ignored:not_addressed"],
    ["not for exclamation marks", event(text("!!!")), {}, "ignored:not_addressed"],
    ["not for what is too long to be one", event(text(`!${"a".repeat(21)}`)), {}, "ignored:not_addressed"],
    ["not within words of several lines", event(text("!foo\nbar")), {}, "ignored:not_addressed"],
    ["not for a file that is called so", event({ ...text("!foo"), msgtype: "m.file" }), {}, "ignored:not_addressed"],
    [
      "not what others asked, and says so",
      event(text("!stop"), { sender: BOB }),
      { openRuns: [run()] },
      `command:stop; said by ${CONTROL}`,
    ],
    [
      "a moderator stops everything",
      event(text("!stop"), { sender: BOB }),
      { state: powers({ [BOB]: 50 }), openRuns: [run(), run({ id: "run2", askedBy: MALLORY })] },
      "command:stop; -run1 command; -run2 command",
    ],
    [
      "a creator of a room of version 12 is one",
      event(text("!stop"), { sender: BOB }),
      { state: state({ creators: [BOB] }), openRuns: [run()] },
      "command:stop; -run1 command",
    ],
    [
      "a creator of an older room without power is not",
      event(text("!stop"), { sender: BOB }),
      { state: state({ creators: [BOB], roomVersion: "10" }), openRuns: [run()] },
      `command:stop; said by ${CONTROL}`,
    ],
    [
      "what agents ask each other may be stopped by everybody",
      event(text("!stop"), { sender: BOB }),
      { openRuns: [run({ askedBy: PLANNER })] },
      "command:stop; -run1 command",
    ],
    [
      "in a thread only the thread's",
      event(inThread(text("!stop"))),
      { openRuns: [run(), run({ id: "run2", threadRoot: "$root" })] },
      "command:stop; -run2 command",
    ],
    [
      "in the main timeline threads' too",
      event(text("!stop")),
      { openRuns: [run(), run({ id: "run2", threadRoot: "$root" })] },
      "command:stop; -run1 command; -run2 command",
    ],
    [
      "of one agent by mention",
      event(text("!stop Planner", PLANNER)),
      { openRuns: [run(), run({ id: "run2", agentId: "planner" })] },
      "command:stop; -run2 command",
    ],
    [
      "of one agent by name",
      event(text("!stop @planner")),
      { openRuns: [run(), run({ id: "run2", agentId: "planner" })] },
      "command:stop; -run2 command",
    ],
    [
      "after the mention",
      event(text("Planner: !stop", PLANNER)),
      { openRuns: [run(), run({ id: "run2", agentId: "planner" })] },
      "command:stop; -run2 command",
    ],
    [
      "after a name in the text",
      event(text("Planner, !stop")),
      { openRuns: [run(), run({ id: "run2", agentId: "planner" })] },
      "command:stop; -run2 command",
    ],
    [
      "of a form that a model does, by who filled it in",
      event(text("!stop")),
      { openRuns: [FORM] },
      "command:stop; -form1 command",
    ],
    [
      "of an agent leaves forms that a model does",
      event(text("!stop @writer")),
      { openRuns: [run(), FORM] },
      "command:stop; -run1 command",
    ],
    ["within a sentence is none", event(text("please !stop")), { openRuns: [run()] }, "ignored:not_addressed"],
    ["with nothing under way says so", event(text("!stop")), {}, `command:stop; said by ${CONTROL}`],
    ["!tools, !approvals and !schedules too", event(text("!tools")), {}, `command:tools; said by ${CONTROL}`],
    ["in any case of letters", event(text(" !Approvals")), {}, `command:approvals; said by ${CONTROL}`],
    ["after a name", event(text("Writer: !schedules", WRITER)), {}, `command:schedules; said by ${CONTROL}`],
    ["!toolsmith is none of them", event(text("!toolsmith")), {}, `command:unknown; said by ${CONTROL}`],
    ["!help is answered by the control bot", event(text("!help")), {}, `command:help; said by ${CONTROL}`],
    [
      "or by an agent where it is not",
      event(text("!help")),
      { ...dm, controlJoined: false },
      `command:help; said by ${WRITER}`,
    ],
    [
      "an observer cannot say it",
      event(text("!help")),
      { controlJoined: false, agents: [writer({ scope: "observer" })] },
      "command:help",
    ],
    [
      "a mention with nothing else asks for help",
      event(text("Writer", WRITER)),
      {},
      `command:help; said by ${CONTROL}`,
    ],
    [
      "a mention with nothing else, as Element writes it",
      event(text("@Writer: ", WRITER)),
      {},
      `command:help; said by ${CONTROL}`,
    ],
    ["in a notice is none", event({ ...text("!stop"), msgtype: "m.notice" }), { openRuns: [run()] }, "ignored:notice"],
  ],
  "archived rooms": [
    ["a question is answered by nobody", event(text("hi", WRITER)), { archived: true }, "ignored:archived"],
    ["nor a command", event(text("!help")), { archived: true }, "ignored:archived"],
    ["nor a 🔁", react("🔁"), { archived: true, answers: [answer({ run: run({ open: false }) })] }, "ignored:archived"],
    [
      "nor an agent that names another",
      event(agentSays(1, PLANNER), { sender: WRITER }),
      { archived: true },
      "ignored:archived",
    ],
    ["what is taken back is erased", redact("$q"), { archived: true }, "redact"],
    ["who goes is written down", member(BOB, "leave"), { archived: true }, "member:leave"],
  ],
  reactions: [
    ["❌ by who asked stops", react("❌"), { answers: [answer()] }, "cancel; -run1 reaction"],
    ["❌ with a variation selector", react("❌\uFE0F"), { answers: [answer()] }, "cancel; -run1 reaction"],
    ["❌ by somebody else does not", react("❌", { sender: BOB }), { answers: [answer()] }, "ignored:not_allowed"],
    [
      "❌ by a moderator stops",
      react("❌", { sender: BOB }),
      { answers: [answer()], state: powers({ [BOB]: 50 }) },
      "cancel; -run1 reaction",
    ],
    ["❌ on a finished answer", react("❌"), { answers: [answer({ run: run({ open: false }) })] }, "ignored:finished"],
    [
      "❌ on the question is not on the answer",
      react("❌", {}, "$q"),
      { answers: [answer()] },
      "ignored:not_an_answer",
    ],
    ["❌ on something else", react("❌", {}, "$x"), {}, "ignored:not_an_answer"],
    [
      "🔁 answers again",
      react("🔁"),
      { answers: [answer({ run: run({ open: false }) })], known: [known("$q", ALICE)] },
      "again; +writer again 1",
    ],
    [
      "🔁 on the second of two answers",
      react("🔁", {}, "$a2"),
      {
        answers: [
          answer({ run: run({ open: false }) }),
          answer({ again: 1, eventIds: ["$q", "$a2"], run: run({ id: "run2", open: false }) }),
        ],
        known: [known("$q", ALICE)],
      },
      "again; +writer again 2",
    ],
    [
      "🔁 stays in the thread",
      react("🔁"),
      { answers: [answer({ run: run({ open: false, threadRoot: "$root" }) })], known: [known("$q", ALICE)] },
      "again; +writer in $root again 1",
    ],
    [
      "🔁 while it is answering",
      react("🔁"),
      { answers: [answer()], known: [known("$q", ALICE)] },
      "ignored:still_answering",
    ],
    [
      "🔁 after the question was redacted",
      react("🔁"),
      { answers: [answer({ run: run({ open: false }) })], known: [known("$q", ALICE, {})] },
      "ignored:question_gone",
    ],
    [
      "🔁 by an agent",
      react("🔁", { sender: PLANNER }),
      { answers: [answer({ run: run({ open: false }) })], known: [known("$q", ALICE)] },
      "ignored:own",
    ],
    [
      "🔁 beyond the budget",
      react("🔁"),
      {
        answers: [answer({ run: run({ open: false }) })],
        known: [known("$q", ALICE)],
        agents: [writer({ counts: { pairLastHour: 600, recent: [] } })],
      },
      `ignored:person_pair; writer silent: person_pair; said by ${CONTROL}`,
    ],
    ["👍 is kept", react("👍"), { answers: [answer()] }, "feedback"],
    ["👎 with a skin tone is kept", react("👎🏽"), { answers: [answer()] }, "feedback"],
    ["another emoji", react("🎉"), { answers: [answer()] }, "ignored:other_reaction"],
    ["a reaction that is none", event({}, { type: "m.reaction" }), {}, "ignored:not_a_reaction"],
  ],
  redactions: [
    [
      "of a question under way stops its answers",
      redact("$q"),
      { answers: [answer(), answer({ agentId: "planner", run: run({ id: "run2" }) })] },
      "redact; -run1 redacted; -run2 redacted",
    ],
    ["of an answer under way stops it", redact("$a"), { answers: [answer()] }, "redact; -run1 redacted"],
    ["of something else only erases", redact("$x"), {}, "redact"],
    [
      "as room version 11 writes them",
      event({ redacts: "$q" }, { type: "m.room.redaction" }),
      { answers: [answer()] },
      "redact; -run1 redacted",
    ],
    ["of nothing", event({}, { type: "m.room.redaction" }), {}, "ignored:nothing_redacted"],
    [
      "by one of our own users erase too",
      redact("$a", { sender: WRITER }),
      { answers: [answer({ run: run({ open: false }) })] },
      "redact",
    ],
  ],
  invites: [
    ["of a person of this server are taken", member(WRITER, "invite"), {}, "invite:join"],
    [
      "of the control bot are taken whoever may",
      member(WRITER, "invite", CONTROL),
      { agents: [writer({ whoMayInvite: "nobody", membership: null })] },
      "invite:join",
    ],
    ["of strangers are declined", member(WRITER, "invite", MALLORY), {}, "invite:decline"],
    [
      "of strangers that are named are taken",
      member(WRITER, "invite", MALLORY),
      { agents: [writer({ whoMayInvite: { users: [MALLORY] } })] },
      "invite:join",
    ],
    [
      "of those who are not named are declined",
      member(WRITER, "invite"),
      { agents: [writer({ whoMayInvite: { users: [BOB] } })] },
      "invite:decline",
    ],
    ["where nobody may", member(WRITER, "invite"), { agents: [writer({ whoMayInvite: "nobody" })] }, "invite:decline"],
    ["of agents are declined", member(WRITER, "invite", PLANNER), {}, "invite:decline"],
    [
      "of removed agents are declined",
      member(WRITER, "invite"),
      { agents: [writer({ state: "removed" })] },
      "invite:decline",
    ],
    ["of a paused agent are taken", member(WRITER, "invite"), { agents: [writer({ state: "paused" })] }, "invite:join"],
    ["of people are theirs", member(BOB, "invite"), {}, "member:invite"],
  ],
  "members and state": [
    ["an agent joins a room of ours that holds its scope", member(WRITER, "join"), {}, "member:join"],
    [
      "an agent joins an encrypted room and says so",
      member(WRITER, "join"),
      { state: state({ encrypted: true }), agents: [writer({ membership: "invite" })] },
      `member:join; said by ${WRITER}`,
    ],
    [
      "a change of its profile says nothing",
      member(WRITER, "join"),
      { state: state({ encrypted: true }) },
      "member:join",
    ],
    [
      "an agent is removed from the room: its runs end",
      member(WRITER, "leave", BOB),
      { openRuns: [run(), run({ id: "run2", agentId: "planner" })] },
      "member:leave; -run1 removed",
    ],
    [
      "encryption is switched on",
      event({ algorithm: "m.megolm.v1" }, { type: "m.room.encryption", stateKey: "" }),
      {},
      `state; said by ${WRITER}`,
    ],
    [
      "encryption is set again",
      event({ algorithm: "m.megolm.v1" }, { type: "m.room.encryption", stateKey: "" }),
      { state: state({ encrypted: true }) },
      "state",
    ],
    ["a name", event({ name: "Kitchen" }, { type: "m.room.name", stateKey: "" }), {}, "state"],
    [
      "state that means nothing here",
      event({ pinned: [] }, { type: "m.room.pinned_events", stateKey: "" }),
      {},
      "ignored:other_state",
    ],
    [
      "a state event of the same type with another key",
      event({ name: "x" }, { type: "m.room.name", stateKey: "x" }),
      {},
      "ignored:other_state",
    ],
    ["a membership that is none", member(BOB, "purple"), {}, "ignored:other_membership"],
  ],
};

function react(key: string, wish: Partial<RoutedEvent> = {}, to = "$a"): RoutedEvent {
  return event({ "m.relates_to": { rel_type: "m.annotation", event_id: to, key } }, { type: "m.reaction", ...wish });
}

function redact(target: string, wish: Partial<RoutedEvent> = {}): RoutedEvent {
  return event({}, { type: "m.room.redaction", redacts: target, ...wish });
}

function member(userId: string, membership: string, sender = ALICE): RoutedEvent {
  return event({ membership }, { type: "m.room.member", stateKey: userId, sender });
}

/** Questions that each came half a second after the answer before; the `slow`th one after ten seconds. */
function quick(count: number, slow = -1): { askedAt: number; finishedAt: number }[] {
  let next = NOW;
  return Array.from({ length: count }, (_, index) => {
    const finishedAt = next - (index === slow ? 10_000 : 500);
    next = finishedAt - 200;
    return { askedAt: next, finishedAt };
  });
}

for (const [group, rows] of Object.entries(cases))
  describe(group, () => {
    for (const [name, input, seen, expected] of rows) test(name, () => expect(short(input, view(seen))).toBe(expected));
  });

test("a run carries question, trigger, asker, hops and the agent's version", () => {
  const decision = route(
    event(edit(agentSays(1, PLANNER), "$a"), { sender: WRITER }),
    view({ known: [known("$a", WRITER)] }),
  );
  expect(decision).toMatchObject({
    kind: "run",
    runs: [
      {
        agentId: "planner",
        agentVersion: 3,
        questionEvent: "$a",
        triggerEvent: "$new",
        askedBy: WRITER,
        hops: 2,
        again: 0,
      },
    ],
  });
});

test("the end of a budget is told once for each pair and hour, in whichever direction they ask", () => {
  const enough = { counts: { pairLastHour: 20, recent: [] } };
  const agents = [writer(enough), planner(enough)];
  const there = route(event(agentSays(0, PLANNER), { sender: WRITER }), view({ agents }));
  const back = route(event(agentSays(0, WRITER), { sender: PLANNER }), view({ agents }));
  const later = route(event(agentSays(0, WRITER), { sender: PLANNER }), view({ agents, now: NOW + 3_600_000 }));
  const key = (decision: typeof there) => (decision.kind === "run" ? decision.notices[0]?.key : undefined);
  expect(key(there)).toBeDefined();
  expect(key(back)).toEqual(key(there));
  expect(key(later)).not.toEqual(key(there));
});

test("a declined invite says why", () => {
  expect(route(member(WRITER, "invite", MALLORY), view())).toMatchObject({
    why: "Writer may be invited only by people of acme.test.",
  });
});

test("a newcomer sees the history from where it is open, else from its own coming", () => {
  const seenFrom = (state: RoomState) => {
    const decision = route(member(WRITER, "join"), view({ state, agents: [writer({ membership: "invite" })] }));
    return decision.kind === "member" ? decision.member.visibleFrom : undefined;
  };
  expect(seenFrom(state({ historyVisibility: "shared", sharedSince: 7 }))).toBe(7);
  expect(seenFrom(state({ historyVisibility: "joined", sharedSince: null }))).toBe(100);
  expect(seenFrom(state({ historyVisibility: "invited", sharedSince: null }))).toBe(100);
});

test("events from before any of us was there count for nothing, but for what is about us and what erases", () => {
  const late = { since: NOW, agents: [writer(), planner({ membership: "invite", seenSince: NOW - 5000 })] };
  const before = { ts: NOW - 1 };
  expect(short(event(text("hi", WRITER), before), view(late))).toBe("ignored:before_arrival");
  expect(short(event(text("!help"), before), view(late))).toBe("ignored:before_arrival");
  expect(short({ ...member(BOB, "leave"), ...before }, view(late))).toBe("ignored:before_arrival");
  expect(short(event({ users: {} }, { type: "m.room.power_levels", stateKey: "", ...before }), view(late))).toBe(
    "ignored:before_arrival",
  );
  expect(short({ ...redact("$q"), ...before }, view(late))).toBe("redact");
  expect(short({ ...member(PLANNER, "invite"), ...before }, view(late))).toBe("invite:join");
  expect(short(event(text("hi", WRITER)), view(late))).toBe("run; +writer");
});

test("an invite counts from when it was made, but where history is closed from the coming", () => {
  const since = (seen: Wish) => {
    const decision = route(member(WRITER, "join"), view(seen));
    return decision.kind === "member" ? decision.member.seenSince : undefined;
  };
  const invited = [writer({ membership: "invite", seenSince: NOW - 5000 })];
  expect(since({ agents: invited, state: state({ historyVisibility: "shared" }) })).toBe(NOW - 5000);
  expect(since({ agents: invited, state: state({ historyVisibility: "joined" }) })).toBe(NOW);
  expect(since({ agents: [writer({ membership: "leave", seenSince: NOW - 5000 })] })).toBe(NOW);
  expect(since({})).toBeNull();
});

test("power levels are put right in rooms of ours only, and only when an agent's differs", () => {
  const levels = (users: Record<string, number>) => event({ users }, { type: "m.room.power_levels", stateKey: "" });
  const repairs = (input: RoutedEvent, seen: Wish) => {
    const decision = route(input, view(seen));
    return decision.kind === "state" && decision.repairPower;
  };
  expect(repairs(levels({ [WRITER]: 100 }), {})).toBe(true);
  expect(repairs(levels({ [WRITER]: 100 }), { ours: false })).toBe(false);
  expect(repairs(levels({ [ALICE]: 50 }), {})).toBe(false);
  expect(repairs(levels({}), { agents: [writer({ scope: "moderator" })] })).toBe(true);
  expect(repairs(levels({ [WRITER]: -1 }), { agents: [writer({ scope: "observer" })] })).toBe(false);
});

test("agents leave a room that people made when the last of them goes", () => {
  const leaves = (seen: Wish) => {
    const decision = route(member(ALICE, "leave"), view(seen));
    return decision.kind === "member" ? decision.leave : undefined;
  };
  expect(leaves({ ...dm, people: 1 })).toEqual([WRITER]);
  expect(leaves({ ...dm, people: 2 })).toEqual([]);
  expect(leaves({ ...dm, people: 1, ours: true })).toEqual([]);
});

test("a command that there is not is told what there is, once for each message", () => {
  const decision = route(event(text("!hlpme")), view());
  expect(decision).toMatchObject({
    kind: "command",
    name: "unknown",
    notices: [
      { key: ["command", "$new"], text: "There is no command !hlpme. `!help` says what there is.", replyTo: "$new" },
    ],
  });
});

const OFFER: ListedForm = {
  name: "offer",
  title: "Offer",
  description: "Writes an offer\nto a customer.",
  input: {
    type: "object",
    properties: { customer: { type: "string" }, amount: { type: "number" }, until: { type: "string", format: "date" } },
    required: ["customer", "amount"],
  },
};
const forms = (shown: ListedForm[], total = shown.length) => ({ shown, total, names: shown.map(({ name }) => name) });
const wordsOf = (seen: RoutedEvent, wish: Wish = {}) => {
  const decision = route(seen, view(wish));
  return decision.kind === "command" ? decision.notices[0]?.text : decision.kind;
};

describe("what was mistyped is told what was meant", () => {
  const some = forms([OFFER, { ...OFFER, name: "fax" }, { ...OFFER, name: "holiday_request" }]);
  const cases: [string, string, string][] = [
    ["a form with what is filled in", "!ofer Acme", "There is no command !ofer. Did you mean !offer?"],
    ["two letters that changed places", "!offre customer=Acme", "There is no command !offre. Did you mean !offer?"],
    ["a capital", "!Offer customer=Acme", "There is no command !Offer. Did you mean !offer?"],
    [
      "two slips in a long name",
      "!holidy_requst June",
      "There is no command !holidy_requst. Did you mean !holiday_request?",
    ],
    ["a command with more words", "!schedule pause 3f2a", "There is no command !schedule. Did you mean !schedules?"],
    ["the word alone", "!hlep", "There is no command !hlep. Did you mean !help?"],
    ["prose is none", "!important read this", "ignore"],
    ["nor what is two slips from a short word", "!hello everybody", "ignore"],
    ["nor what is near to a name of three letters", "!face it", "ignore"],
    ["nor a mark that ends the word", "!offr: 12", "ignore"],
  ];
  for (const [name, body, words] of cases)
    test(name, () => expect(wordsOf(event(text(body)), { forms: some })).toBe(words));

  test("people of other servers hear nothing of forms", () => {
    expect(wordsOf(event(text("!ofer Acme"), { sender: MALLORY }), { forms: some })).toBe("ignore");
    expect(wordsOf(event(text("!tols now"), { sender: MALLORY }), { forms: some })).toContain("Did you mean !tools?");
  });

  test("an agent that is asked answers, whatever the message begins with", () => {
    expect(short(event(text("!ofer Acme")), view({ ...dm, forms: some }))).toBe("run; +writer");
  });

  test("where no agent is such words are for somebody else's bot", () => {
    expect(wordsOf(event(text("!ofer Acme")), { forms: some, agents: [writer({ membership: "leave" })] })).toBe(
      "ignore",
    );
  });
});

describe("forms are found in the room", () => {
  test("!help ends with those that can be filled in, in short", () => {
    const words = wordsOf(event(text("!help")), { forms: forms([OFFER]) });
    expect(words).toMatch(/\n\nForms that can be filled in here:\n• !offer customer="some words" amount=12 \(Offer\)$/);
  });

  test("more than ten are counted", () => {
    const many = Array.from({ length: 20 }, (_, n) => ({ ...OFFER, name: `offer${n}` }));
    const words = wordsOf(event(text("!help")), { forms: forms(many, 34) });
    expect(words).toContain("• !offer9 ");
    expect(words).not.toContain("!offer10");
    expect(words).toMatch(/• and 24 more: !forms$/);
    expect(wordsOf(event(text("!forms")), { forms: forms(many, 34) })).toMatch(
      /• and 14 more, in the panel under Forms$/,
    );
  });

  test("!forms says what each is for, in one line, and how it is written", () => {
    expect(wordsOf(event(text("!forms")), { forms: forms([OFFER]) })).toBe(
      'Forms that can be filled in here, by a message like these:\n• Offer: Writes an offer to a customer.\n  !offer customer="some words" amount=12',
    );
  });

  test("none, and people of other servers, are told so", () => {
    expect(wordsOf(event(text("!help")), { forms: forms([]) })).not.toContain("Forms that");
    expect(wordsOf(event(text("!forms")), { forms: forms([]) })).toMatch(/^No form can be filled in here\./);
    const foreign = (body: string) => wordsOf(event(text(body), { sender: MALLORY }), { forms: forms([OFFER]) });
    expect(foreign("!forms")).toBe("Forms can only be filled in by people of acme.test. Ask one of them to do it.");
    expect(foreign("!help")).not.toContain("!offer");
  });

  test("a form whose name begins with a command's is still that form", () => {
    const form = { ...OFFER, id: "f1", name: "help_me" };
    expect(short(event(text("!help_me customer=A amount=1")), view({ form }))).toMatch(/^form/);
  });
});

test("the help names who is here and what they do", () => {
  const decision = route(event(text("!help")), view({ agents: [writer(), planner({ state: "paused" })] }));
  const words = decision.kind === "command" ? decision.notices[0]?.text : "";
  expect(words).toContain("• Writer: Helps.");
  expect(words).toContain("• Planner (paused): Helps.");
  expect(words).toContain("@");
});
