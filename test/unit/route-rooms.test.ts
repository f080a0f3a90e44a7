/** Who comes and goes, and what follows from it; what else a decision carries. */
import { expect, test } from "vitest";
import type { RoutedEvent } from "../../bots/room-view.ts";
import { route } from "../../bots/route.ts";
import type { RoomState } from "../../migrations/types.ts";
import {
  ALICE,
  agentSays,
  BOB,
  CONTROL,
  dm,
  edit,
  event,
  known,
  MALLORY,
  member,
  NOW,
  PLANNER,
  planner,
  redact,
  run,
  short,
  state,
  testCases,
  text,
  view,
  type Wish,
  WRITER,
  writer,
} from "./routing.ts";

testCases({
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
